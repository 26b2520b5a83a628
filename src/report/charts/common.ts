/**
 * Building blocks of chart specifications, shared by the report's own charts and the probes': axes with units, points
 * with intervals, heat maps, small multiples, and `chart()`, which every chart goes through. Pure and browser-safe.
 * Colours, fonts, sizes of text and the width of the page come from ../theme.ts when the page is drawn, never from here.
 */
import type { ChartSpec, Json } from '../schema.js';

/** One line of inline data. Tokens and names belong in values, never in field names. */
export type Row = Readonly<Record<string, string | number | boolean | null>>;
export type Spec = ChartSpec['spec'];
export type Table = ChartSpec['table'];
type JsonObject = Readonly<Record<string, Json | undefined>>;

/** Drops keys whose value is undefined, so that an optional setting leaves no trace in the specification. */
export function defined(fields: JsonObject): Spec {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Spec;
}

/** A number that can be drawn, or null: absent, non-finite, or one of the strings "NaN", "Infinity", "-Infinity". */
export function finite(value: number | string | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** Inline data; non-finite numbers become null, which Vega-Lite leaves out. */
export function inlineData(rows: readonly Row[]): Spec {
  const clean = (value: Row[string]) => (typeof value === 'number' ? finite(value) : value);
  return {
    values: rows.map((row) => Object.fromEntries(Object.entries(row).map(([key, v]) => [key, clean(v)]))),
  };
}

export interface QuantitativeOptions {
  /** fixed end points; a logarithmic axis must have them */
  readonly domain?: readonly [number, number];
  /** default false: a difference has no natural zero; bars and shares set true */
  readonly zero?: boolean;
  /** d3-format, e.g. `.2f`, `.0%`, `~s` */
  readonly format?: string;
  readonly grid?: boolean;
  readonly tickCount?: number;
}

/**
 * A measured number on an axis.
 * @param title - the quantity and its unit: `Loss (nats a token)`
 */
export function quantitative(field: string, title: string, options: QuantitativeOptions = {}): Spec {
  return defined({
    field,
    type: 'quantitative',
    title,
    scale: defined({ zero: options.zero ?? false, nice: !options.domain, domain: options.domain }),
    axis: defined({ format: options.format, grid: options.grid, tickCount: options.tickCount ?? 6 }),
  });
}

/** Accuracy in [0, 1] shown as per cent. */
export function accuracyAxis(field: string, title = 'Accuracy (% of result tokens)'): Spec {
  return quantitative(field, title, { domain: [0, 1], format: '.0%', tickCount: 5 });
}

/** A logarithmic axis. The domain is explicit and not rounded; it must be positive. */
export function logarithmic(
  field: string,
  title: string,
  domain: readonly [number, number],
  options: { readonly base?: number; readonly format?: string } = {},
): Spec {
  const low = Math.max(domain[0], Number.MIN_VALUE);
  const high = domain[1] > low ? domain[1] : low * 2;
  return {
    field,
    type: 'quantitative',
    title,
    scale: { type: 'log', base: options.base ?? 10, nice: false, domain: [low, high] },
    axis: { format: options.format ?? '~s', tickCount: 6 },
  };
}

/** A category on an axis, in the order given (default: order of the data), never sorted by locale. */
export function nominal(field: string, title: string | null, order?: readonly (string | number)[]): Spec {
  return { field, type: 'nominal', title, sort: order === undefined ? null : [...order] };
}

/** The distinct values of one field in order of appearance. */
export function distinct(rows: readonly Row[], field: string): string[] {
  return [...new Set(rows.map((row) => String(row[field])))];
}

/**
 * Colour by condition. The page gives every condition the same colour in every chart; the field must be `condition`.
 * @param labels - condition labels that occur in this chart, in the order of the legend
 * @param options - `strongSymbols`: full strength where the marks are faint; only when all coloured layers are lines,
 *   since Vega-Lite warns when layers of different marks merge such legends
 */
export function conditionColor(
  labels: readonly string[],
  options: { readonly legend?: boolean; readonly strongSymbols?: boolean } = {},
): Spec {
  const symbols = { opacity: { value: 1 }, strokeWidth: { value: 2.5 } };
  return {
    field: 'condition',
    type: 'nominal',
    title: null,
    scale: { domain: [...labels] },
    legend:
      options.legend === false
        ? null
        : defined({
            orient: 'top',
            direction: 'horizontal',
            columns: 2,
            encoding: options.strongSymbols === true ? { symbols } : undefined,
          }),
  };
}

/** A thin reference line, e.g. chance or the control, with its name written at its end. */
export function referenceLine(axis: 'x' | 'y', value: number, label: string): Spec[] {
  const data = inlineData([{ reference: value, label }]);
  const position = { field: 'reference', type: 'quantitative' };
  const atEnd: Spec =
    axis === 'y'
      ? { x: { value: 'width' }, align: 'right', baseline: 'bottom', dx: -4, dy: -3 }
      : { y: { value: 0 }, align: 'left', baseline: 'top', dx: 4, dy: 3 };
  const { x, y, ...text } = atEnd;
  return [
    { data, mark: { type: 'rule', style: 'reference' }, encoding: { [axis]: position } },
    {
      data,
      mark: { type: 'text', style: 'reference-label', ...text },
      encoding: {
        [axis]: position,
        text: { field: 'label', type: 'nominal' },
        ...(x === undefined ? {} : { x }),
        ...(y === undefined ? {} : { y }),
      },
    },
  ];
}

/** A mark from `low` to `high` with a tick at each end; rows without an interval have none. */
export function intervalMarks(
  x: (field: string) => Spec,
  encoding: Spec,
  { filters = [], clip = false }: { readonly filters?: readonly Spec[]; readonly clip?: boolean } = {},
): Spec[] {
  // an interval that leaves a fixed axis would take all the width
  const clipped = clip ? { clip } : {};
  const valid = (test: string): Spec[] => [...filters, { filter: test }];
  return [
    {
      transform: valid('isValid(datum.low) && isValid(datum.high)'),
      mark: { type: 'rule', style: 'interval', ...clipped },
      encoding: { x: x('low'), x2: { field: 'high' }, ...encoding },
    },
    ...['low', 'high'].map((end) => ({
      transform: valid(`isValid(datum.${end})`),
      mark: { type: 'tick', style: 'interval-end', ...clipped },
      encoding: { x: x(end), ...encoding },
    })),
  ];
}

/**
 * One small chart a value of `field`, all on the same axes unless `independent`.
 * @param view - a single or layered view without data
 */
export function smallMultiples(
  rows: readonly Row[],
  field: string,
  view: Spec,
  options: {
    readonly columns?: number;
    readonly order?: readonly (string | number)[];
    readonly independent?: readonly ('x' | 'y' | 'color')[];
    /** written above the whole; default none */
    readonly title?: string;
  } = {},
): Spec {
  const withoutData = Object.fromEntries(Object.entries(view).filter(([key]) => key !== 'data'));
  const scales = (options.independent ?? []).map((channel) => [channel, 'independent']);
  const { columns = 3, order = distinct(rows, field) } = options;
  // the axis of a column stands below its last row, which has no panel there
  const isPartlyFilled = order.length > columns && order.length % columns !== 0;
  return defined({
    data: inlineData(rows),
    facet: {
      field,
      type: 'nominal',
      title: options.title ?? null,
      sort: options.order === undefined ? null : [...options.order],
    },
    columns,
    spec: withoutData,
    resolve:
      scales.length === 0 && !isPartlyFilled
        ? undefined
        : defined({
            scale: scales.length === 0 ? undefined : (Object.fromEntries(scales) as Spec),
            axis: isPartlyFilled ? { x: 'independent' } : undefined,
          }),
  });
}

/** A chart that says in words that there is nothing to draw. */
export function emptySpec(message: string): Spec {
  return {
    data: { values: [{ message }] },
    height: 60,
    mark: { type: 'text', style: 'empty' },
    encoding: { text: { field: 'message', type: 'nominal' } },
  };
}

/** How many rows of inline data a specification holds, nested views included. */
export function countRows(spec: Json | undefined): number {
  let rows = 0;
  const visit = (node: Json | undefined, key: string): void => {
    if (typeof node !== 'object' || node === null) return;
    if (key === 'values' && Array.isArray(node)) rows += node.length;
    else if (key !== 'encoding' && key !== 'mark')
      Object.entries(node as Spec).forEach(([name, child]) => visit(child, name));
  };
  visit(spec, '');
  return rows;
}

/** What every picture says of itself. */
export interface PictureText {
  readonly id: string;
  readonly title: string;
  /** one or two sentences below the title */
  readonly note: string;
  readonly headline?: boolean;
}

/** The part of a chart that its text gives as it is. */
export function captionOf({
  id,
  title,
  headline,
}: PictureText): Pick<ChartSpec, 'id' | 'title' | 'headline'> {
  return { id, title, ...(headline === true ? { headline } : {}) };
}

/**
 * A table without the columns that have no value in any row.
 * @param columns - name and cells of each, from left to right; undefined and the empty text are no value
 */
export function tableOf(
  columns: readonly (readonly [string, readonly (string | number | undefined)[]])[],
): Table {
  const rows = columns.at(-1)?.[1] ?? [];
  const told = columns.filter(
    ([, cells]) => rows.length === 0 || cells.some((cell) => cell !== undefined && cell !== ''),
  );
  return {
    columns: told.map(([name]) => name),
    rows: rows.map((_, row) => told.map(([, cells]) => cells[row] ?? '')),
  };
}

const KEBAB = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/**
 * The one way to make a ChartSpec: adds the description that a screen reader reads, and replaces a specification without
 * data by a sentence.
 */
export function chart(input: ChartSpec): ChartSpec {
  if (!KEBAB.test(input.id)) throw new Error(`chart id "${input.id}" is not kebab-case`);
  const nothing = input.table.rows.length === 0 || countRows(input.spec) === 0;
  const spec = nothing ? emptySpec('No subject to show here.') : input.spec;
  return { ...input, spec: { description: `${input.title}. ${input.summary}`, ...spec } };
}

/** A number for sentences and tables: `digits` significant digits, "NaN" and the infinities as words, never "-0". */
export function readable(value: number | string | null | undefined, digits = 3): string {
  if (value === null || value === undefined) return 'not computed';
  if (typeof value === 'string') return value;
  if (!Number.isFinite(value)) return String(value);
  const text = String(Number(value.toPrecision(digits)));
  return text === '-0' ? '0' : text;
}

/** `1 run`, `6 runs`. */
export function counted(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? '' : 's'}`;
}

/** A fraction as per cent with one digit: 0.987 gives `98.7 %`. */
export function percent(fraction: number | string | null | undefined, digits = 1): string {
  const value = finite(fraction);
  return value === null ? readable(fraction) : `${(100 * value).toFixed(digits)} %`;
}
