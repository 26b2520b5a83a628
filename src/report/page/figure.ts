/**
 * One chart on the page: heading, place for the picture, the same in words, its data as a table, a button that exports it. The
 * specification waits as JSON beside it until ../runtime draws it.
 */
import { mapRows, packSpec } from '../pack.js';
import { readable, type Row, type Spec } from '../charts/common.js';
import type { ChartSpec, Json } from '../schema.js';
import { html, plainText, scriptJson, type Html } from './html.js';
import { numeric, scrollTable } from './table.js';

/** Most rows that a chart draws; more make the page slow and no clearer. */
export const MAX_DRAWN_ROWS = 20_000;
/** Most rows of a data table on the page; report.json holds all. */
export const MAX_TABLE_ROWS = 120;

/** Characters of a summary that stands open. */
const LONG_SUMMARY = 360;

/** Every k-th row, first and last included. */
export function thin(rows: readonly Row[], most: number): readonly Row[] {
  if (rows.length <= most) return rows;
  const stride = (rows.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => rows[Math.round(i * stride)]);
}

/** Pictures below each other: the first stand open, the others fold away. @param anchor - beginning of their ids */
export function figures(charts: readonly ChartSpec[], anchor: string, open: number): Html | undefined {
  if (charts.length === 0) return undefined;
  const drawn = charts.map((chart, i) => figure(chart, `${anchor}-c${i + 1}`));
  const more = charts.slice(open);
  return html`${open === 0 ? undefined : html`<div class="charts">${drawn.slice(0, open)}</div>`}
  ${
    more.length === 0
      ? undefined
      : html`<details class="more">
          <summary>More: ${more.map(({ title }) => title).join('; ')}</summary>
          <div class="charts">${drawn.slice(open)}</div>
        </details>`
  }`;
}

/** What is drawn of a chart: its rows thinned, six digits, no control characters. */
export function drawnSpec(chart: ChartSpec): {
  readonly spec: Spec;
  readonly drawn: number;
  readonly total: number;
} {
  let total = 0;
  let drawn = 0;
  const spec: Spec = mapRows(chart.spec, (rows) => {
    const kept = thin(rows, MAX_DRAWN_ROWS);
    total += rows.length;
    drawn += kept.length;
    return kept.map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, shorter(v)])));
  });
  return { spec: plain(spec) as Spec, drawn, total };
}

/** @param anchor - id of the figure in the page, made of letters, digits and hyphens only */
export function figure(chart: ChartSpec, anchor: string): Html {
  const { spec, drawn, total } = drawnSpec(chart);
  const thinned =
    drawn < total
      ? html`<p class="note">
          Downsampled: ${drawn} of ${total} rows are drawn, evenly spaced in their order.
        </p>`
      : undefined;
  return html`<figure class="chart" id="${anchor}">
    <figcaption>
      <h3>${chart.title}</h3>
      <p class="subtitle">${chart.subtitle}</p>
    </figcaption>
    <div class="plot" data-chart="${anchor}" data-name="${chart.id}">
      <p class="waiting">The picture needs JavaScript. Its numbers are in the table below.</p>
    </div>
    ${scriptJson(`${anchor}-spec`, packSpec(spec))} ${thinned} ${words(chart.summary)}
    <div class="chart-tools">
      <details>
        <summary>Data table<span class="visually-hidden">: ${chart.title}</span></summary>
        ${table(chart)}
      </details>
      <button type="button" class="export" data-for="${anchor}" aria-haspopup="dialog" hidden>
        Export<span class="visually-hidden">: ${chart.title}</span>
      </button>
    </div>
  </figure>`;
}

/** The chart in words; folded away when it is long. */
function words(summary: string): Html {
  if (summary.length <= LONG_SUMMARY) return html`<p class="summary">${summary}</p>`;
  return html`<details class="words">
    <summary>In words</summary>
    <p class="summary">${summary}</p>
  </details>`;
}

/** Every string of a value without control characters, keys included. */
function plain(value: Json | undefined): Json | undefined {
  if (typeof value === 'string') return plainText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => plain(item) ?? null);
  return Object.fromEntries<Json | undefined>(
    Object.entries(value).map(([key, item]) => [plainText(key), plain(item)]),
  );
}

/** Six digits are more than a screen shows. */
function shorter(value: Row[string]): Row[string] {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}

function table({ table: { columns, rows }, title }: ChartSpec): Html {
  const shown = rows.slice(0, MAX_TABLE_ROWS);
  const more =
    shown.length < rows.length
      ? html`<p class="note">First ${shown.length} of ${rows.length} rows; report.json holds the rest.</p>`
      : undefined;
  const areNumbers = columns.map((_, i) => rows.every((row) => isNumber(row[i])));
  const cell = (value: string | number, i: number) => {
    const text =
      typeof value === 'string' ? value : Number.isInteger(value) ? String(value) : readable(value, 5);
    return areNumbers[i] ? html`<td class="number">${text}</td>` : html`<td>${text}</td>`;
  };
  const body = shown.map(
    (row) =>
      html`<tr>
        ${row.map(cell)}
      </tr>`,
  );
  const heads = columns.map((name, i) => (areNumbers[i] ? numeric(name) : name));
  return html`${scrollTable(`Data of ${title}`, heads, { rows: body })} ${more}`;
}

/** A number, one with its sign of per cent, or nothing. */
function isNumber(value: string | number | undefined): boolean {
  return typeof value !== 'string' || /^(-?\d[\d.]*(e[-+]?\d+)?( %)?)?$/.test(value);
}
