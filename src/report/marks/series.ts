/**
 * Series: numbers over training steps, one panel a quantity. Every run a thin line, the median of a condition bold, what chance
 * gives grey; dotted, on the right axis, the accuracy of the condition; below them the onset: where a number begins to stay
 * above its null, median over seeds with an interval. Pure and browser-safe.
 */
import { groupBy } from '../../evidence/group-by.js';
import { grouped } from '../../evidence/results.js';
import { scopeText } from '../../evidence/scope.js';
import { onsetsOf, type OnsetSummary, type Series } from '../../evidence/series.js';
import { median } from '../charts/training-curves.js';
import {
  chart,
  conditionColor,
  counted,
  inlineData,
  logarithmic,
  readable,
  type Row,
  smallMultiples,
  type Spec,
} from '../charts/common.js';
import type { ChartSpec } from '../schema.js';

export interface SeriesText {
  readonly id: string;
  readonly title: string;
  readonly note: string;
}

/** Accuracy of a run on one operation over its steps, from its log. */
export interface AccuracyCurve {
  readonly condition: string;
  readonly operation: string;
  readonly points: readonly { readonly step: number; readonly value: number }[];
}

/** Height of the lines, and of the onset of one condition below them; pixels. */
const LINES = 130;
const LANE = 9;
/** Where step 0 is drawn, which has no place on a logarithmic axis. */
const START = 0.5;

/** `Order as named`, `Norm ratio, attention, layer 0 (nats)` */
export function panelOf({ info, scope }: Pick<Series, 'info' | 'scope'>): string {
  const within = scopeText(scope);
  const unit = info.unit === '1' || info.title.includes(`(${info.unit})`) ? '' : ` (${info.unit})`;
  return `${info.title}${within === '' ? '' : `, ${within}`}${unit}`;
}

export function seriesChart(
  series: readonly Series[],
  accuracies: readonly AccuracyCurve[],
  text: SeriesText,
): ChartSpec {
  const panels = [...new Set(series.map(panelOf))];
  const labels = [...new Set(series.map(({ condition }) => condition.label))].sort();
  const steps = series.flatMap(({ points }) => points.map(({ step }) => step));
  const domain = [Math.max(START, Math.min(...steps)), Math.max(1, ...steps)] as const;
  const onsets = onsetsOf(series);
  const drawn = onsets.length > 0 ? labels.length : 0;
  const runs = new Set(series.map(({ run }) => run)).size;
  const operations = [...new Set(accuracies.map(({ operation }) => operation))].join(', ');
  return chart({
    id: text.id,
    title: text.title,
    subtitle: [
      runs === labels.length
        ? `${counted(runs, 'run')}.`
        : `${counted(runs, 'run')}, a thin line each; median of a condition: bold.`,
      ...(accuracies.length === 0 ? [] : [`Dotted, right axis: accuracy on ${operations}, from the log.`]),
      ...(onsets.length === 0
        ? []
        : [
            'Grey: 95 % of chance lies below. At the foot of a panel the onset, the step from which a number stays above that: median over seeds with its interval, an open triangle where it was not reached.',
          ]),
      ...(steps.includes(0) ? ['Step 0 stands at the left edge.'] : []),
      text.note,
    ].join(' '),
    summary:
      series.length === 0 ? 'Nothing was measured.' : panels.map((name) => describe(name, series)).join(' '),
    spec: smallMultiples(
      [...series.flatMap(runRows), ...middles(series), ...onsets.map((one) => onsetRow(one, labels, domain))],
      'panel',
      view(labels, drawn, domain, accuracies),
      { columns: Math.min(3, Math.max(1, panels.length)), order: panels, independent: ['y'] },
    ),
    table: {
      columns: ['Quantity', 'Condition', 'Run', 'Step', 'Value', '95 % of chance', 'Onset'],
      rows: series.flatMap((one) =>
        one.points.map(({ step, value, nullHigh }) => [
          panelOf(one),
          one.condition.label,
          one.run,
          step,
          readable(value, 6),
          nullHigh === undefined ? '' : readable(nullHigh),
          one.onset === undefined ? '' : Number.isFinite(one.onset.by) ? one.onset.by : 'not reached',
        ]),
      ),
    },
  });
}

const place = (one: Pick<Series, 'info' | 'scope' | 'condition'>): { panel: string; condition: string } => ({
  panel: panelOf(one),
  condition: one.condition.label,
});
const stepOf = (step: number): number => Math.max(step, START);

function runRows(one: Series): Row[] {
  return one.points.map(({ step, value }) => ({
    ...place(one),
    kind: 'run',
    run: one.run,
    step: stepOf(step),
    value,
  }));
}

/** By condition and step: the median of its runs, and the mean of what chance gives them. */
function middles(series: readonly Series[]): Row[] {
  const own = groupBy(series, (one) => JSON.stringify(place(one)));
  return [...own.values()].flatMap((runs) => {
    const points = runs.flatMap((one) => one.points);
    return [...groupBy(points, ({ step }) => String(step)).values()].flatMap((at): Row[] => {
      const nulls = at.flatMap(({ nullHigh }) => nullHigh ?? []);
      const here = { ...place(runs[0]), step: stepOf(at[0].step) };
      return [
        { ...here, kind: 'median', value: median(at.map(({ value }) => value)) },
        ...(nulls.length === 0
          ? []
          : [
              { ...here, kind: 'chance', value: nulls.reduce((sum, value) => sum + value, 0) / nulls.length },
            ]),
      ];
    });
  });
}

/** Steps beyond the last one measured are drawn at the right edge. */
function onsetRow(
  one: OnsetSummary,
  labels: readonly string[],
  [first, last]: readonly [number, number],
): Row {
  const at = (step: number): number => Math.min(last, Math.max(first, step));
  return {
    ...place(one),
    kind: Number.isFinite(one.median) ? 'onset' : 'later',
    lane: LANE * (labels.length - 1 - labels.indexOf(one.condition.label)) + LANE / 2,
    onset: at(one.median),
    low: one.interval === undefined ? null : at(one.interval.low),
    high: one.interval === undefined ? null : at(one.interval.high),
    text: onsetText(one),
  };
}

/** `1,024 [256, 4,096]`, `later than 16,000 [1,024, open]`; without the interval where no run has an onset. */
export function onsetText({ median: middle, interval, runs }: OnsetSummary): string {
  const last = Math.max(...runs.map(({ onset }) => (Number.isFinite(onset.by) ? onset.by : onset.after)));
  const show = (step: number): string =>
    Number.isFinite(step) ? grouped(step) : `later than ${grouped(last)}`;
  if (interval === undefined || runs.every(({ onset }) => onset.by === Infinity)) return show(middle);
  return `${show(middle)} [${show(interval.low)}, ${Number.isFinite(interval.high) ? grouped(interval.high) : 'open'}]`;
}

function view(
  labels: readonly string[],
  lanes: number,
  domain: readonly [number, number],
  accuracies: readonly AccuracyCurve[],
): Spec {
  const height = LINES + LANE * lanes;
  const range = [LINES, 0];
  const [first, last] = domain;
  const decades = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000].filter(
    (step) => step > first && step <= last,
  );
  const x: Spec = {
    ...logarithmic('step', 'Training step', domain),
    axis: { values: decades, format: '~s', grid: false },
  };
  const color = conditionColor(labels);
  const only = (...kinds: readonly string[]): Spec => ({
    transform: [{ filter: { field: 'kind', oneOf: [...kinds] } }],
  });
  const values = { field: 'value', type: 'quantitative', title: null };
  const y: Spec = {
    ...values,
    scale: { zero: false, nice: false, range },
    axis: { tickCount: 4 },
  };
  const tooltip = [
    { field: 'condition', type: 'nominal' },
    { field: 'step', type: 'quantitative' },
    { field: 'value', type: 'quantitative', format: '.3~f' },
  ];
  const lane: Spec = {
    field: 'lane',
    type: 'quantitative',
    axis: null,
    scale: { domain: [0, height], nice: false, zero: false },
  };
  const along = (field: string): Spec => ({ ...x, field });
  const accuracyRows = accuracies.flatMap(({ condition, points }) =>
    points
      .filter(({ step }) => step >= first && step <= last)
      .map(({ step, value }): Row => ({ condition, step, value })),
  );
  return {
    height,
    layer: [
      {
        layer: [
          {
            ...only('chance'),
            mark: { type: 'line', style: 'reference', strokeDash: [1, 0] },
            encoding: { x, y, detail: { field: 'condition', type: 'nominal' } },
          },
          {
            ...only('run'),
            mark: { type: 'line', style: 'seed-line' },
            encoding: { x, y, color, detail: { field: 'run', type: 'nominal' } },
          },
          {
            ...only('median'),
            mark: { type: 'line', style: 'median-line', point: { size: 22, filled: true } },
            encoding: { x, y, color, tooltip },
          },
        ],
      },
      ...(accuracyRows.length === 0
        ? []
        : [
            {
              data: inlineData(accuracyRows),
              mark: { type: 'line', strokeWidth: 1.2, strokeDash: [1.5, 2.5], opacity: 0.9 },
              encoding: {
                x,
                y: {
                  ...values,
                  scale: { domain: [0, 1], range },
                  axis: { orient: 'right', format: '.0%', values: [0, 0.5, 1], grid: false },
                },
                color,
              },
            },
          ]),
      ...(lanes === 0
        ? []
        : [
            {
              layer: [
                {
                  ...only('onset', 'later'),
                  mark: { type: 'rule', style: 'interval' },
                  encoding: { x: along('low'), x2: { field: 'high' }, y: lane, color },
                },
                ...[
                  { kind: 'onset', mark: { type: 'point', style: 'estimate', size: 40 } },
                  {
                    kind: 'later',
                    mark: { type: 'point', shape: 'triangle-right', filled: false, size: 50 },
                  },
                ].map(({ kind, mark }) => ({
                  ...only(kind),
                  mark,
                  encoding: {
                    x: along('onset'),
                    y: lane,
                    color,
                    tooltip: [tooltip[0], { field: 'text', type: 'nominal', title: 'onset' }],
                  },
                })),
              ],
            },
          ]),
    ],
    resolve: { scale: { y: 'independent' } },
  };
}

function describe(panel: string, all: readonly Series[]): string {
  const own = all.filter((one) => panelOf(one) === panel);
  const parts = [...groupBy(own, ({ condition }) => condition.label)].map(([label, runs]) => {
    const ends = [0, -1].map((i) => runs.flatMap(({ points }) => points.at(i) ?? []));
    const [start, end] = ends.map((points) => {
      const [least, most] = [Math.min, Math.max].map((f) => f(...points.map(({ step }) => step)));
      const step = least === most ? grouped(least) : `${grouped(least)} to ${grouped(most)}`;
      return `${readable(median(points.map(({ value }) => value)), 2)} at step ${step}`;
    });
    const onset = onsetsOf(runs).map((one) => `, onset ${onsetText(one)}`);
    return `${label}: ${start}, ${end}${onset.join('')}`;
  });
  return `${panel}. ${parts.join('; ')}.`;
}
