/** Figures without a browser: every chart of a report, both columns, every format. */
import { crc32 } from 'node:zlib';
import { csvParse } from 'd3-dsv';
import { beforeAll, describe, expect, it } from 'vitest';
import { figuresOf } from '../../../src/report/figures/charts.js';
import { COLUMNS, COLUMNS_MM, FIGURE_FORMATS } from '../../../src/report/figures/options.js';
import { labelledPng } from '../../../src/report/figures/png.js';
import { renderFigures, type RenderedFigure } from '../../../src/report/figures/render.js';
import { exampleReport } from '../example-report.js';

/** One grey pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==',
  'base64',
);
const report = exampleReport({ seeds: 2, points: 8, conditions: 3 });
const options = { fontPt: 7, dpi: 300, formats: FIGURE_FORMATS, rasterize: () => PIXEL };
const rendered = new Map<string, RenderedFigure[]>();
const all = (): RenderedFigure[] => [...rendered.values()].flat();
const contentOf = ({ files }: RenderedFigure, ending: string): Buffer =>
  Buffer.from(files.find(({ name }) => name.endsWith(ending))?.bytes ?? '');

beforeAll(async () => {
  for (const column of COLUMNS)
    rendered.set(column, await renderFigures(figuresOf(report), { ...options, column }));
});

/** What a PDF reader shows, from the operators of the page. */
function pdfTexts(pdf: string): string[] {
  return [...pdf.matchAll(/^BT ([\s\S]*?)^ET$/gm)].map(([, block]) =>
    [...block.matchAll(/\/F(\d) \S+ Tf <([0-9a-f]*)> Tj/g)]
      .map(([, font, codes]) => (font === '3' ? '\u2212' : Buffer.from(codes, 'hex').toString('latin1')))
      .join(''),
  );
}

describe('renderFigures', () => {
  it('names every chart once and draws each in the width of its column', () => {
    const charts = figuresOf(report).charts;
    expect(charts.length).toBeGreaterThan(8);
    expect(new Set(charts.map(({ name }) => name)).size).toBe(charts.length);
    for (const column of COLUMNS) {
      const figures = rendered.get(column) ?? [];
      expect(figures.map(({ chart }) => chart.name)).toEqual(charts.map(({ name }) => name));
      for (const figure of figures) {
        const svg = contentOf(figure, '.svg').toString();
        expect(svg).toContain(`width="${COLUMNS_MM[column]}mm"`);
        expect(svg).toContain('<title id="title">');
        expect(figure.fontPt).toBeGreaterThan(5);
      }
    }
  });

  it('writes the same bytes again', async () => {
    const again = await renderFigures(figuresOf(report), { ...options, column: 'single' });
    expect(again.map(({ files }) => files)).toEqual(rendered.get('single')?.map(({ files }) => files));
  });

  it('writes in the PDF every text of the SVG, as text, with a table of objects that is right', () => {
    for (const figure of all()) {
      const pdf = contentOf(figure, '.pdf').toString('latin1');
      const svg = contentOf(figure, '.svg').toString();
      // of labels that would overlap Vega draws some invisible
      const seen = svg.replace(/<text[^>]* opacity="0"[^>]*>.*?<\/text>/gs, '');
      const texts = [...seen.matchAll(/<text[^>]*>(.*?)<\/text>/gs)].flatMap(([, inner]) =>
        inner.split(/<[^>]*>/).filter((text) => text !== ''),
      );
      const plain = texts.map((text) =>
        text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&'),
      );
      expect(
        pdfTexts(pdf)
          .filter((text) => text !== '')
          .sort(),
        figure.chart.name,
      ).toEqual(plain.sort());
      expect(texts.length).toBeGreaterThan(0);
      const start = Number(/startxref\n(\d+)/.exec(pdf)?.[1]);
      expect(pdf.slice(start, start + 4)).toBe('xref');
      const offsets = [...pdf.slice(start).matchAll(/^(\d{10}) 00000 n $/gm)].map(([, at]) => Number(at));
      expect(offsets.length).toBe(8);
      offsets.forEach((at, i) => expect(pdf.slice(at, at + 8)).toBe(`${i + 1} 0 obj\n`));
      const [, length, stream] = /\/Length (\d+) >>\nstream\n([\s\S]*?)\nendstream/.exec(pdf) ?? [];
      expect(stream.length).toBe(Number(length));
      const [, hex] = /\/Title <feff([0-9a-f]+)>/.exec(pdf) ?? [];
      expect(Buffer.from(hex, 'hex').swap16().toString('utf16le')).toBe(figure.chart.title);
    }
  });

  it('writes as CSV the rows that the chart holds', () => {
    const rowsOf = (node: unknown): unknown[][] =>
      typeof node !== 'object' || node === null
        ? []
        : Object.entries(node).flatMap(([key, value]) =>
            key === 'data' ? [(value as { values: unknown[] }).values] : rowsOf(value),
          );
    for (const figure of all()) {
      const rows = csvParse(contentOf(figure, '.csv').toString());
      const sets = new Map(rowsOf(figure.chart.spec).map((values) => [JSON.stringify(values), values]));
      const values = [...sets.values()].flat() as Readonly<Record<string, unknown>>[];
      expect(rows.length, figure.chart.name).toBe(values.length);
      const text = (value: unknown) => (value === null || value === undefined ? '' : JSON.stringify(value));
      const key = (row: Readonly<Record<string, unknown>>, names: readonly string[]) =>
        names.map((name) => `${name}=${text(row[name]).replace(/^"|"$/g, '')}`).join('|');
      const names = [...new Set(values.flatMap((row) => Object.keys(row)))];
      expect(rows.map((row) => key(row, names)).sort()).toEqual(values.map((row) => key(row, names)).sort());
    }
  });
});

describe('labelledPng', () => {
  it('adds title and resolution in chunks whose check sums are right', () => {
    for (const [title, type] of [
      ['Loss by role', 'tEXt'],
      ['\u039b by \u65e5', 'iTXt'],
    ] as const) {
      const png = Buffer.from(labelledPng(PIXEL, title, 300));
      const types: string[] = [];
      for (let at = 8; at < png.length;) {
        const length = png.readUInt32BE(at);
        const body = png.subarray(at + 4, at + 8 + length);
        types.push(body.toString('latin1', 0, 4));
        expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(body));
        at += 12 + length;
      }
      expect(types).toEqual(['IHDR', 'pHYs', type, 'tEXt', 'IDAT', 'IEND']);
      expect(png.includes(Buffer.from(title))).toBe(true);
      expect(png.readUInt32BE(png.indexOf('pHYs') + 4)).toBe(11811);
    }
  });
});
