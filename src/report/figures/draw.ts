/**
 * A chart as a figure of a paper: laid out for a column at a size of type, without a document, so that a browser and Node
 * draw the same. Text is measured in Helvetica (Arial and Liberation Sans are as wide), light colours always.
 */
import * as vega from 'vega';
import { expressionInterpreter } from 'vega-interpreter';
import * as vegaLite from 'vega-lite';
import type { Spec } from '../charts/common.js';
import { corrected, fitted, readableColumns, type Layout } from '../runtime/fit.js';
import { noNetwork, quietLogger } from '../runtime/quiet.js';
import { withWrappedNames, wrapLines } from '../runtime/wrap.js';
import { themed } from '../theme.js';
import { FIGURE_FONT, helveticaWidth } from './helvetica.js';
import { COLUMNS_MM, type FigureSize } from './options.js';
import { type Scene, sceneOf, textMetrics, type TextItem } from './scenegraph.js';

export interface Figure {
  readonly view: vega.View;
  /** names of the data tables of the view that the others come from */
  readonly tables: readonly string[];
  readonly scene: Scene;
  /** the part of the drawing that is the picture, in units of the drawing */
  readonly frame: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  };
  readonly widthMm: number;
  readonly heightMm: number;
  /** what the names on axes come to; less than asked for where a picture is wider than its column */
  readonly fontPt: number;
}

/** Names on axes as in ../theme.ts, units of the drawing. */
const AXIS_FONT = 11;
const MM_PER_POINT = 25.4 / 72;
/** Around the picture, units of the drawing. */
const MARGIN = 4;
/** Every pass halves what is left of the error in width at least. */
const MAX_PASSES = 6;

const figureTextWidth = (text: string, size: number, weight: number): number =>
  helveticaWidth(text, size, weight >= 600);

vega.expressionFunction('wrapFigureLines', (label: unknown, limit: number, size: number, weight: number) =>
  wrapLines(String(label), limit, (line) => figureTextWidth(line, size, weight)),
);
measureFiguresInHelvetica();

/** Vega measures by one function for all views: text in our font by the widths of Helvetica, all other text as before. */
function measureFiguresInHelvetica(): void {
  const { measureWidth, estimateWidth, width } = textMetrics;
  const usual = width === measureWidth ? measureWidth : estimateWidth;
  textMetrics.width = (item, line) => {
    const text = line === null || line === undefined ? '' : String(line);
    const own = item.font === FIGURE_FONT;
    const whole = own
      ? helveticaWidth(text.trim(), item.fontSize ?? AXIS_FONT, isBold(item))
      : // a limit would make Vega shorten the text by this very function
        usual({ ...item, limit: 0 }, text);
    return item.limit !== undefined && item.limit > 0 ? Math.min(whole, item.limit) : whole;
  };
}

const isBold = ({ fontWeight }: TextItem): boolean => fontWeight === 'bold' || Number(fontWeight) >= 600;

/** @param conditions - labels of all conditions of the report, in its order */
export async function drawFigure(
  spec: Spec,
  conditions: readonly string[],
  size: FigureSize,
): Promise<Figure> {
  const widthMm = COLUMNS_MM[size.column];
  const available = (widthMm / MM_PER_POINT / size.fontPt) * AXIS_FONT;
  const light = themed(spec, 'light', conditions, available, figureTextWidth);
  const inFont = { ...light, config: { ...(light.config as Spec), font: FIGURE_FONT } };
  let layout: Layout = { spec: readableColumns(inFont, available), width: available };
  let drawn = await drawOnce(layout, available);
  for (let pass = 1; pass < MAX_PASSES; pass++) {
    const next = corrected(layout, widthOf(sceneOf(drawn.view)), available);
    if (next === undefined) break;
    drawn.view.finalize();
    layout = next;
    drawn = await drawOnce(layout, available);
  }
  return { ...drawn, ...framed(sceneOf(drawn.view), available, size.fontPt, widthMm) };
}

async function drawOnce(
  { spec, width }: Layout,
  available: number,
): Promise<Pick<Figure, 'view' | 'tables'>> {
  const complete = fitted(withWrappedNames(spec, available, figureTextWidth, 'wrapFigureLines'), width);
  const logger = quietLogger();
  const compiled = vegaLite.compile(complete as unknown as vegaLite.TopLevelSpec, { logger }).spec;
  const view = new vega.View(vega.parse(compiled, undefined, { ast: true }), {
    renderer: 'none',
    expr: expressionInterpreter,
    logger,
    loader: noNetwork(),
  });
  // the others come from these, or lay out panels
  const tables = (compiled.data ?? []).filter((data) => 'values' in data).map(({ name }) => name);
  return { view: await view.runAsync(), tables };
}

const widthOf = ({ bounds }: Scene): number => bounds.x2 - Math.min(0, bounds.x1) + 2 * MARGIN;

/** The frame takes in everything drawn; a picture narrower than its column stands in its middle. */
function framed(
  scene: Scene,
  available: number,
  fontPt: number,
  widthMm: number,
): Omit<Figure, 'view' | 'tables'> {
  const { x1, y1, x2, y2 } = scene.bounds;
  const drawn = x2 - x1 + 2 * MARGIN;
  const width = Math.max(drawn, available);
  const height = y2 - y1 + 2 * MARGIN;
  return {
    scene,
    frame: { left: x1 - MARGIN - (width - drawn) / 2, top: y1 - MARGIN, width, height },
    widthMm,
    heightMm: (height * widthMm) / width,
    fontPt: (fontPt * available) / width,
  };
}
