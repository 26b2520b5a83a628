/**
 * A heat map: a value for every pair of categories, one panel for each condition or quantity. A cell may be marked as
 * undecided (its interval covers 0): it is crossed out. Pure and browser-safe.
 */
import {
  captionOf,
  chart,
  defined,
  inlineData,
  nominal,
  percent,
  type PictureText,
  readable,
  type Row,
  smallMultiples,
  type Spec,
  tableOf,
} from '../charts/common.js';
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

/** Of values: two digits after the point, or two that count where all of them are small. */
function formatOf(rows: readonly Row[]): string {
  const most = Math.max(...rows.map(({ value }) => Math.abs(Number(value))));
  return most < 0.1 ? '.2~r' : '.2~f';
}

export interface HeatMapText extends PictureText {
  /** titles of the axes and of the legend, with the unit */
  readonly x: string;
  readonly y: string;
  readonly value: string;
  /** centred on 0 */
  readonly diverging: boolean;
  /** of the colours; what lies beyond has the colour of its end */
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
  /** d3-format of the values; default two digits after the point, or two that count */
  readonly format?: string;
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
  const crossed = shown.some(({ undecided }) => undecided === true);
  const view = viewOf(rows, crossed, text, {
    x: text.order?.x ?? order(({ x }) => x),
    y: text.order?.y ?? order(({ y }) => y),
  });
  const show = (value: number | undefined): string | undefined =>
    value === undefined ? undefined : text.format?.endsWith('%') ? percent(value, 2) : readable(value, 4);
  const isSingle = panels.length <= 1 && (panels.at(0) ?? '') === '';
  return chart({
    ...captionOf(text),
    subtitle: `${text.note}${crossed ? ` Crossed out: ${text.crossed ?? 'the interval covers 0'}.` : ''}`,
    summary: text.summary ?? describe(shown, text),
    spec: isSingle
      ? { ...view, data: inlineData(rows) }
      : smallMultiples(rows, 'panel', view, {
          columns: text.columns ?? 3,
          order: panels,
          independent: text.independent === true ? ['x', 'y'] : [],
        }),
    table: tableOf([
      ['Panel', shown.map(({ panel }) => panel)],
      [text.y, shown.map(({ y }) => y)],
      [text.x, shown.map(({ x }) => x)],
      [text.value, shown.map(({ value }) => show(value))],
      ['Low', shown.map(({ low }) => show(low))],
      ['High', shown.map(({ high }) => show(high))],
    ]),
  });
}

/** Cells, crosses above them; missing values stay empty. */
function viewOf(
  rows: readonly Row[],
  crossed: boolean,
  text: HeatMapText,
  order: Readonly<Record<'x' | 'y', readonly string[]>>,
): Spec {
  const { cell = 26, angle, format = formatOf(rows) } = text;
  const [width, height] = typeof cell === 'number' ? [cell, cell] : cell;
  const place = {
    x: {
      ...nominal('x', text.x, order.x),
      axis: angle === undefined ? { labelAngle: 0 } : { labelAngle: angle, labelOverlap: false },
    },
    y: nominal('y', text.y, order.y),
  };
  const cells = {
    mark: { type: 'rect', style: 'cell' },
    encoding: {
      ...place,
      color: colorOf(rows, text),
      tooltip: [
        { field: 'x', type: 'nominal', title: text.x },
        { field: 'y', type: 'nominal', title: text.y },
        { field: 'value', type: 'quantitative', title: text.value, format },
      ],
    },
  };
  const crosses = {
    mark: { type: 'text', style: 'reference-label' },
    encoding: { ...place, text: { field: 'cross', type: 'nominal' } },
  };
  return {
    ...(crossed ? { layer: [cells, crosses] } : cells),
    width: { step: width },
    height: { step: height },
  };
}

function colorOf(
  rows: readonly Row[],
  { value, domain, diverging, symlog, format = formatOf(rows) }: HeatMapText,
): Spec {
  const most = rows.reduce((a, row) => Math.max(a, Math.abs(Number(row.value))), 0) || 1;
  const range = domain ?? (diverging ? [-most, most] : undefined);
  return {
    field: 'value',
    type: 'quantitative',
    title: value,
    scale: defined({
      type: symlog === undefined ? undefined : 'symlog',
      constant: symlog,
      range: diverging ? 'diverging' : 'heatmap',
      domain: range,
      clamp: domain === undefined ? undefined : true,
      domainMid: diverging ? 0 : undefined,
      // by hue, as Vega does, the way from white to blue leads through a green that no legend shows
      interpolate: 'lab',
      zero: range === undefined ? false : undefined,
    }),
    legend: { format },
  };
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
