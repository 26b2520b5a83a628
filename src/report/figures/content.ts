/** One figure as a file, in the page and on the command line alike; how pixels are drawn is theirs. */
import { figureCsv } from './csv.js';
import type { Figure } from './draw.js';
import type { FigureFormat, FigureWords } from './options.js';
import { figurePdf } from './pdf.js';
import { labelledPng } from './png.js';
import { figureSvg } from './svg.js';

/** @param png - the figure as pixels; @returns `missing`: letters that the PDF lacks */
export async function figureContent(
  format: FigureFormat,
  words: FigureWords,
  figure: Figure,
  { dpi, png }: { readonly dpi: number; readonly png: () => Uint8Array | Promise<Uint8Array> },
): Promise<{ readonly bytes: Uint8Array<ArrayBuffer> | string; readonly missing?: string }> {
  switch (format) {
    case 'svg':
      return { bytes: figureSvg(figure, words) };
    case 'pdf':
      return figurePdf(figure, words.title);
    case 'csv':
      return { bytes: figureCsv(figure) };
    case 'png':
      return { bytes: labelledPng(await png(), words.title, dpi) };
  }
}
