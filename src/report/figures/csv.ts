/** What a figure draws as CSV: the data tables of its view, whole, before the view divides them among its marks. */
import { csvFormatRows } from 'd3-dsv';
import type { Figure } from './draw.js';

/** One table after the other; where there are several, the first column numbers them. */
export function figureCsv({ view, tables }: Pick<Figure, 'view' | 'tables'>): string {
  const parts = tables
    .map((name) => view.data(name) as readonly Readonly<Record<string, unknown>>[])
    .filter((rows) => rows.length > 0);
  const columns = [...new Set(parts.flatMap((rows) => rows.flatMap((row) => Object.keys(row))))];
  const several = parts.length > 1;
  const lines = parts.flatMap((rows, i) =>
    rows.map((row) => [...(several ? [String(i + 1)] : []), ...columns.map((name) => cell(row[name]))]),
  );
  return `${csvFormatRows([[...(several ? ['table'] : []), ...columns], ...lines])}\n`;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
