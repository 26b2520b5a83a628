/** Entry of dist/report-figures.js: the charts of a report as files of a paper, drawn without a browser. Pure but for `rasterize`. */
import type { PlacedChart, ReportFigures } from './charts.js';
import { figureContent } from './content.js';
import { drawFigure } from './draw.js';
import { type FigureFormat, type FigureSize, pixelsOf } from './options.js';
import { figureSvg } from './svg.js';

/** @returns a PNG of `width` pixels */
export type Rasterize = (svg: string, width: number) => Uint8Array;

export interface RenderOptions extends FigureSize {
  readonly formats: readonly FigureFormat[];
  readonly dpi: number;
  /** needed for PNG */
  readonly rasterize?: Rasterize;
}

export interface RenderedFigure {
  readonly chart: PlacedChart;
  readonly widthMm: number;
  readonly heightMm: number;
  /** what the names on axes come to, points */
  readonly fontPt: number;
  /** letters that the PDF lacks */
  readonly missing: string;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array | string }[];
}

export async function renderFigures(
  { charts, conditions }: ReportFigures,
  options: RenderOptions,
): Promise<RenderedFigure[]> {
  const rendered: RenderedFigure[] = [];
  for (const chart of charts) {
    const figure = await drawFigure(chart.spec, conditions, options);
    let missing = '';
    const png = (): Uint8Array => {
      if (options.rasterize === undefined) throw new Error('renderFigures: PNG needs rasterize');
      return options.rasterize(figureSvg(figure, chart), pixelsOf(figure.widthMm, options.dpi));
    };
    const files: { readonly name: string; readonly bytes: Uint8Array | string }[] = [];
    for (const format of options.formats) {
      const made = await figureContent(format, chart, figure, { dpi: options.dpi, png });
      missing = made.missing ?? missing;
      files.push({ name: `${chart.name}.${format}`, bytes: made.bytes });
    }
    figure.view.finalize();
    const { widthMm, heightMm, fontPt } = figure;
    rendered.push({ chart, widthMm, heightMm, fontPt, missing, files });
  }
  return rendered;
}
