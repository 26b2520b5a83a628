/**
 * A figure as PDF: one page of its size, drawn by lines and text in fonts that every reader has, so that none is embedded.
 * Why not a library: jsPDF (4.2.1) would add 419 kB to every report page of a script of 831 kB, and its canvas misplaces
 * turned labels and draws a gradient in one colour; svg2pdf.js needs a document, which Node lacks.
 */
import { noNetwork } from '../runtime/quiet.js';
import type { Figure } from './draw.js';
import { PdfContext } from './pdf-context.js';
import { CanvasRenderer } from './scenegraph.js';

export interface PdfFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** letters that the fonts of the file lack, replaced by their base letter or "?" */
  readonly missing: string;
}

const POINTS_PER_MM = 72 / 25.4;

/** No date is written: equal figures are equal bytes. */
export function figurePdf({ scene, frame, widthMm, heightMm }: Figure, title: string): PdfFile {
  const { left, top, width, height } = frame;
  const [pageWidth, pageHeight] = [widthMm * POINTS_PER_MM, heightMm * POINTS_PER_MM];
  const context = new PdfContext(pageHeight);
  new CanvasRenderer(noNetwork())
    .initialize(null, width, height, [-left, -top], pageWidth / width, { externalContext: context })
    .background('#ffffff')
    .render(scene);
  const content = context.content.join('\n');
  const resource = (table: ReadonlyMap<string, string>): string =>
    [...table].map(([definition, name]) => `/${name} ${definition}`).join(' ');
  const font = (name: string, encoding: string): string =>
    `<< /Type /Font /Subtype /Type1 /BaseFont /${name}${encoding} >>`;
  const winAnsi = ' /Encoding /WinAnsiEncoding';
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R /Lang (en) /ViewerPreferences << /DisplayDocTitle true >> >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${pageWidth.toFixed(3)} ${pageHeight.toFixed(3)}] /Contents 4 0 R /Resources << /Font << /F1 5 0 R /F2 6 0 R /F3 7 0 R >> /ExtGState << ${resource(context.opacities)} >> /Shading << ${resource(context.shadings)} >> >> >>`,
    `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    font('Helvetica', winAnsi),
    font('Helvetica-Bold', winAnsi),
    font('Symbol', ''),
    `<< /Title ${textString(title)} /Creator (sumlens) >>`,
  ];
  return { bytes: fileOf(objects), missing: [...context.missing].join('') };
}

/** Objects 1, 2, ... with their table; the first is the catalog, the last the information. */
function fileOf(objects: readonly string[]): Uint8Array<ArrayBuffer> {
  let file = '%PDF-1.7\n';
  const offsets = objects.map((object, i) => {
    const offset = file.length;
    file += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const start = file.length;
  const size = objects.length + 1;
  file += `xref\n0 ${size}\n0000000000 65535 f \n${offsets.join('')}`;
  file += `trailer\n<< /Size ${size} /Root 1 0 R /Info ${objects.length} 0 R >>\nstartxref\n${start}\n%%EOF\n`;
  // every character is ASCII
  return new TextEncoder().encode(file);
}

/** UTF-16 in hexadecimal, its byte order first. */
function textString(text: string): string {
  const units = Array.from({ length: text.length }, (_, i) =>
    text.charCodeAt(i).toString(16).padStart(4, '0'),
  );
  return `<feff${units.join('')}>`;
}
