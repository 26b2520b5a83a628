/** What Vega has and its types leave out: renderers that need no document, and the measure of text. */
import * as vega from 'vega';

/** Drawn items, with bounds in units of the drawing. */
export interface Scene {
  readonly bounds: { readonly x1: number; readonly y1: number; readonly x2: number; readonly y2: number };
}

export interface TextItem {
  readonly font?: string;
  readonly fontSize?: number;
  readonly fontWeight?: string | number;
  readonly limit?: number;
}

type Measure = (item: TextItem, text: string | number | null | undefined) => number;

interface Renderer {
  initialize(
    element: null,
    width: number,
    height: number,
    origin: readonly [number, number],
    scale: number,
    options?: { readonly externalContext: unknown },
  ): this;
  background(color: string): this;
  render(scene: Scene): this;
}

interface Hidden {
  readonly textMetrics: { readonly measureWidth: Measure; readonly estimateWidth: Measure; width: Measure };
  readonly SVGStringRenderer: new (loader: vega.Loader) => Renderer & { svg(): string };
  readonly CanvasRenderer: new (loader: vega.Loader) => Renderer;
}

export const { textMetrics, SVGStringRenderer, CanvasRenderer } = vega as unknown as Hidden;

export function sceneOf(view: vega.View): Scene {
  return (view.scenegraph() as unknown as { readonly root: Scene }).root;
}
