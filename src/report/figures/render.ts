/** Entry of dist/report-figures.js: the charts of a report as files of a paper, drawn without a browser. Pure but for `rasterize`. */
import type { PlacedChart, ReportFigures } from './charts.js';
import { figureCsv } from './csv.js';
import { drawFigure, type Figure } from './draw.js';
import { type FigureFormat, type FigureSize, pixelsOf } from './options.js';
import { figurePdf } from './pdf.js';
import { labelledPng } from './png.js';
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
    const files = options.formats.map((format) => {
      const made = contentOf(format, chart, figure, options);
      if ('missing' in made) missing = made.missing;
      return { name: `${chart.name}.${format}`, bytes: made.bytes };
    });
    figure.view.finalize();
    const { widthMm, heightMm, fontPt } = figure;
    rendered.push({ chart, widthMm, heightMm, fontPt, missing, files });
  }
  return rendered;
}

function contentOf(
  format: FigureFormat,
  chart: PlacedChart,
  figure: Figure,
  { dpi, rasterize }: RenderOptions,
): { readonly bytes: Uint8Array | string; readonly missing?: string } {
  switch (format) {
    case 'svg':
      return { bytes: figureSvg(figure, chart) };
    case 'pdf':
      return figurePdf(figure, chart.title);
    case 'csv':
      return { bytes: figureCsv(figure) };
    case 'png': {
      if (rasterize === undefined) throw new Error('renderFigures: PNG needs rasterize');
      const png = rasterize(figureSvg(figure, chart), pixelsOf(figure.widthMm, dpi));
      return { bytes: labelledPng(png, chart.title, dpi) };
    }
  }
}
