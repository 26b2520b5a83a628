/** A figure as SVG: its size in millimetres, its title for readers and for programs. */
import { escapeHtml } from '../page/html.js';
import { noNetwork } from '../runtime/quiet.js';
import type { Figure } from './draw.js';
import type { FigureWords } from './options.js';
import { SVGStringRenderer } from './scenegraph.js';

export function figureSvg(
  { scene, frame, widthMm, heightMm }: Figure,
  { title, description }: FigureWords,
): string {
  const { left, top, width, height } = frame;
  const drawn = new SVGStringRenderer(noNetwork())
    .initialize(null, round(width), round(height), [-round(left), -round(top)], 1)
    .background('#ffffff')
    .render(scene)
    .svg();
  const opening = drawn.indexOf('>') + 1;
  const head = [
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1" role="img"',
    ` aria-labelledby="title desc" width="${round(widthMm)}mm" height="${round(heightMm)}mm" viewBox="0 0 ${round(width)} ${round(height)}">`,
    `<title id="title">${escapeHtml(title)}</title><desc id="desc">${escapeHtml(description)}</desc>`,
    '<metadata><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/">',
    `<rdf:Description rdf:about=""><dc:title>${escapeHtml(title)}</dc:title><dc:creator>sumlens</dc:creator></rdf:Description></rdf:RDF></metadata>`,
  ];
  return `<?xml version="1.0" encoding="UTF-8"?>\n${head.join('')}${renumbered(drawn.slice(opening))}\n`;
}

const round = (value: number): number => Number(value.toFixed(3));

/** Vega counts clips and gradients on from picture to picture: here they begin at 1, so that equal figures are equal bytes. */
function renumbered(svg: string): string {
  const ids = [...new Set([...svg.matchAll(/ id="([^"]*?\d+)"/g)].map(([, id]) => id))];
  const names = new Map(ids.map((id, i) => [id, `def${i + 1}`]));
  return svg.replace(/( id="|url\(#)([^")]+)/g, (all, before: string, id: string) => {
    const name = names.get(id);
    return name === undefined ? all : before + name;
  });
}
