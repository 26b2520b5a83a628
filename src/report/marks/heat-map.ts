/**
 * A heat map: a value for every pair of categories, one panel for each condition or quantity. A cell may be marked as
 * undecided (its interval covers 0): it is crossed out. Pure and browser-safe.
 */
import { chart, heatmap, readable, type Row, smallMultiples } from '../charts/common.js';
import type { ChartSpec } from '../schema.js';

export interface HeatCell {
  readonly panel: string;
  readonly x: string;
  readonly y: string;
  readonly value: number;
  /** the interval covers 0, or what `crossed` says: crossed out */
  readonly undecided?: boolean;
  /** further columns of the table and the tooltip */
  readonly low?: number;
  readonly high?: number;
}

export interface HeatMapText {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  /** titles of the axes and of the legend, with the unit */
  readonly x: string;
  readonly y: string;
  readonly value: string;
  /** centred on 0 */
  readonly diverging: boolean;
  readonly domain?: readonly [number, number];
  /** side of a cell in pixels, or its width and height; default 26 */
  readonly cell?: number | readonly [number, number];
  /** categories from left to right and from top to bottom; default: by first appearance */
  readonly order?: { readonly x?: readonly string[]; readonly y?: readonly string[] };
  /** of the names along x, in degrees */
  readonly angle?: number;
  /** what a crossed-out cell says; default: the interval covers 0 */
  readonly crossed?: string;
  readonly columns?: number;
  /** colours logarithmic above this value, so that small ones show beside large; say so in the note */
  readonly symlog?: number;
  /** panels have categories of their own, so that none is empty */
  readonly independent?: boolean;
  /** the picture in sentences; default: the largest values */
  readonly summary?: string;
  /** d3-format of the values; default two digits after the point */
  readonly format?: string;
  readonly headline?: boolean;
}

export function heatMapChart(cells: readonly HeatCell[], text: HeatMapText): ChartSpec {
  const shown = cells.filter(({ value }) => Number.isFinite(value));
  const panels = [...new Set(shown.map(({ panel }) => panel))];
  const order = (pick: (cell: HeatCell) => string): string[] => inOrder([...new Set(shown.map(pick))]);
  const rows = shown.map(({ panel, x, y, value, undecided, low, high }): Row => ({
    panel,
    x,
    y,
    value: Number(value.toPrecision(4)),
    cross: undecided === true ? '\u00d7' : '',
    low: low ?? null,
    high: high ?? null,
  }));
  const map = heatmap({
    rows,
    x: {
      field: 'x',
      title: text.x,
      order: text.order?.x ?? order(({ x }) => x),
      ...(text.angle === undefined ? {} : { angle: text.angle }),
    },
    y: { field: 'y', title: text.y, order: text.order?.y ?? order(({ y }) => y) },
    value: { field: 'value', title: text.value, format: text.format ?? '.2~f' },
    scale: text.diverging ? 'diverging' : 'sequential',
    ...(text.domain === undefined ? {} : { domain: text.domain }),
    cell: text.cell ?? 26,
    ...(text.symlog === undefined ? {} : { symlog: text.symlog }),
  });
  const { mark, encoding, data, width, height } = map as Readonly<Record<string, Row[string] & object>>;
  const crossed = shown.some(({ undecided }) => undecided === true);
  const { x, y } = encoding as unknown as Readonly<Record<'x' | 'y', Row[string] & object>>;
  const single = panels.length <= 1 && (panels.at(0) ?? '') === '';
  const view = crossed
    ? {
        width,
        height,
        layer: [
          { mark, encoding },
          {
            mark: { type: 'text', style: 'reference-label' },
            encoding: { x, y, text: { field: 'cross', type: 'nominal' } },
          },
        ],
      }
    : { mark, encoding, width, height };
  return chart({
    id: text.id,
    title: text.title,
    subtitle: `${text.note}${crossed ? ` Crossed out: ${text.crossed ?? 'the interval covers 0'}.` : ''}`,
    summary: text.summary ?? describe(shown, text),
    ...(text.headline === true ? { headline: true } : {}),
    spec: single
      ? { ...view, data }
      : {
          ...smallMultiples(rows, 'panel', view, {
            columns: text.columns ?? 3,
            order: panels,
            independent: text.independent === true ? ['x', 'y'] : [],
          }),
          data,
        },
    table: {
      columns: ['Panel', text.y, text.x, text.value, ...(crossed ? ['Low', 'High'] : [])],
      rows: shown.map((cell) => [
        cell.panel,
        cell.y,
        cell.x,
        readable(cell.value, 4),
        ...(crossed ? [readable(cell.low), readable(cell.high)] : []),
      ]),
    },
  });
}

/** Numbers ascending, whichever panel they come first in; names in order of appearance. */
function inOrder(categories: string[]): string[] {
  return categories.every((name) => Number.isInteger(Number(name)))
    ? categories.sort((a, b) => Number(a) - Number(b))
    : categories;
}

/** The largest value of every panel. */
function describe(cells: readonly HeatCell[], { value }: HeatMapText): string {
  if (cells.length === 0) return 'Nothing was measured.';
  return [...new Set(cells.map(({ panel }) => panel))]
    .map((panel) => {
      const own = cells.filter((cell) => cell.panel === panel);
      const most = own.reduce((a, b) => (Math.abs(b.value) > Math.abs(a.value) ? b : a));
      return `${panel}: ${value.toLowerCase()} is largest at ${most.y}, ${most.x}: ${readable(most.value)}.`;
    })
    .join(' ');
}
