/**
 * Lines: a number along another one within a run, such as accuracy along a dose. Every run a thin line, the mean of a
 * condition a bold one, its control dashed; one panel a quantity. Pure and browser-safe.
 */
import type { Summary } from '../../evidence/summaries.js';
import { groupName } from '../../evidence/summaries.js';
import {
  accuracyAxis,
  captionOf,
  chart,
  conditionColor,
  counted,
  logarithmic,
  percent,
  type PictureText,
  quantitative,
  readable,
  referenceLine,
  type Row,
  smallMultiples,
  type Spec,
  tableOf,
} from '../charts/common.js';
import type { ChartSpec } from '../schema.js';

/** The runs of one condition at one place of the axis. */
export interface LinePoint {
  readonly panel: string;
  readonly x: number;
  readonly summary: Summary;
}

export interface LinesText extends PictureText {
  /** titles of the axes with their units */
  readonly x: string;
  readonly y: string;
  /** the places along x that are written below the axis, which is logarithmic with base 2 */
  readonly ticks: readonly number[];
  /** d3-format of these */
  readonly format: string;
  /** values are shares from 0 to 1, shown as per cent */
  readonly share?: boolean;
  readonly reference?: { readonly value: number; readonly label: string };
  /** what the dashed line is */
  readonly control?: string;
  /** the picture in sentences */
  readonly summary: string;
}

export function linesChart(points: readonly LinePoint[], text: LinesText): ChartSpec {
  const rows = points.flatMap(rowsOf);
  const panels = [...new Set(points.map(({ panel }) => panel))];
  const conditions = [...new Set(points.map(({ summary }) => summary.condition.label))].sort();
  const places = points.map(({ x }) => x);
  const runs = new Set(points.flatMap(({ summary }) => summary.values.map(({ run }) => run))).size;
  const x: Spec = {
    ...logarithmic('x', text.x, [Math.min(1, ...places), Math.max(...places, 0)], { base: 2 }),
    axis: { values: [...text.ticks], format: text.format },
  };
  const y = text.share === true ? accuracyAxis('value', text.y) : quantitative('value', text.y);
  const encoding = { x, y, color: conditionColor(conditions), detail: { field: 'line', type: 'nominal' } };
  const only = (kind: string): Spec => ({ transform: [{ filter: `datum.kind === '${kind}'` }], encoding });
  const dashed = points.some(({ summary }) => summary.control !== undefined);
  return chart({
    ...captionOf(text),
    subtitle:
      points.length === 0
        ? text.note
        : `${counted(runs, 'run')}, a thin line each; mean of a condition: bold${dashed ? `; ${text.control ?? 'control'}: dashed` : ''}. ${text.note}`,
    summary: text.summary,
    spec: smallMultiples(
      rows,
      'panel',
      {
        height: 220,
        // the legend takes its lines from the first layer
        layer: [
          { ...only('mean'), mark: { type: 'line', style: 'median-line' } },
          { ...only('run'), mark: { type: 'line', style: 'seed-line' } },
          { ...only('control'), mark: { type: 'line', strokeWidth: 1.2, strokeDash: [5, 4] } },
          ...(text.reference === undefined
            ? []
            : referenceLine('y', text.reference.value, text.reference.label)),
        ],
      },
      { columns: Math.min(3, Math.max(1, panels.length)), order: panels },
    ),
    table: tableOfLines(points, text),
  });
}

/** A row a run and place. Shares are per cent, as on the axes. */
function tableOfLines(
  points: readonly LinePoint[],
  { x, y, format, share, control }: LinesText,
): ChartSpec['table'] {
  const show = (value: number | undefined): string | undefined =>
    value === undefined ? undefined : share === true ? percent(value) : readable(value, 4);
  const place = (value: number): string => (/[%p]$/.test(format) ? percent(value, 2) : readable(value, 6));
  const rows = points.flatMap((point) => point.summary.values.map((one) => ({ ...one, point })));
  return tableOf([
    ['Panel', rows.map(({ point }) => point.panel)],
    ['Condition', rows.map(({ point }) => groupName(point.summary))],
    ['Seed', rows.map(({ seed }) => seed)],
    [x, rows.map(({ point }) => place(point.x))],
    [y, rows.map(({ value }) => show(value))],
    ['Mean', rows.map(({ point }) => show(point.summary.mean))],
    [sentence(control ?? 'control'), rows.map((row) => show(row.control))],
  ]);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function rowsOf({ panel, x, summary }: LinePoint): Row[] {
  const name = groupName(summary);
  const place = { panel, x, condition: summary.condition.label };
  return [
    { ...place, kind: 'mean', line: name, value: summary.mean },
    ...summary.values.map(({ run, value }) => ({ ...place, kind: 'run', line: run, value })),
    ...(summary.control === undefined
      ? []
      : [{ ...place, kind: 'control', line: name, value: summary.control }]),
  ];
}
