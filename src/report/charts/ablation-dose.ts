/** Dose curves of an ablation: share of the knowledge lost against the share of a write replaced. Pure and browser-safe. */
import type { ChartSpec } from '../schema.js';
import {
  type Row,
  chart,
  conditionColor,
  logarithmic,
  percent,
  quantitative,
  smallMultiples,
} from './common.js';

export interface DosePoint {
  readonly condition: string;
  /** what is ablated: `attention`, `feed-forward`, `both` */
  readonly part: string;
  /** a run's name; `mean` and `control` are the bold line and the dashed one */
  readonly run: string;
  readonly line: 'seed' | 'mean' | 'control';
  readonly alpha: number;
  /** D in [0, 1] */
  readonly lost: number;
}

/** One dose of one run in the table. */
export interface DoseRow {
  readonly condition: string;
  readonly part: string;
  readonly run: string;
  readonly alpha: number;
  readonly lost: number;
  /** unclipped loss less the intact loss, nats */
  readonly deltaNats: number;
}

/** @param leftOut - sentences on runs that are not drawn */
export function doseChart(
  points: readonly DosePoint[],
  table: readonly DoseRow[],
  leftOut: readonly string[],
): ChartSpec {
  const conditions = [...new Set(points.map(({ condition }) => condition))];
  const parts = [...new Set(points.map(({ part }) => part))];
  const runs = new Set(points.filter(({ line }) => line === 'seed').map(({ run }) => run)).size;
  const rows = points.map(({ condition, part, run, line, alpha, lost }): Row => ({
    condition,
    part,
    run,
    line,
    alpha,
    lost,
  }));
  const least = Math.min(1 / 8, ...points.map(({ alpha }) => alpha));
  // every dose halves down to the least: a logarithmic axis shows them apart
  const x = {
    ...logarithmic('alpha', 'Share of the write replaced (%)', [least, 1], { base: 2 }),
    axis: { values: [1, 2, 4, 8, 16, 32, 64].map((n) => 1 / n).filter((a) => a >= least), format: '.2~p' },
  };
  const y = quantitative('lost', 'Knowledge of results lost (%)', {
    domain: [0, 1],
    format: '.0%',
    tickCount: 5,
  });
  const encoding = { x, y, color: conditionColor(conditions) };
  const only = (line: DosePoint['line']) => ({ transform: [{ filter: { field: 'line', equal: line } }] });
  const byRun = { ...encoding, detail: { field: 'run', type: 'nominal' } };
  const half = points.filter(({ line, alpha }) => line === 'mean' && alpha === 1 / 8);
  const sentences = conditions.map((condition) => {
    const own = half.filter((point) => point.condition === condition);
    return `${condition}: ${own.map(({ part, lost }) => `${part} ${percent(lost, 0)}`).join(', ')}.`;
  });
  return chart({
    id: 'ablation-dose',
    title: 'How much of each part can be replaced before the results are lost?',
    subtitle: [
      `${runs} ${runs === 1 ? 'run' : 'runs'}: thin lines; mean of a condition: bold; as large a random disturbance (control): dashed. Resample ablation, result tokens. The claim reads doses from one eighth on.`,
      ...leftOut,
    ].join(' '),
    summary: [
      `Lost on average when one eighth of each write is replaced. ${sentences.join(' ')}`,
      ...leftOut,
    ].join(' '),
    headline: true,
    spec: smallMultiples(
      rows,
      'part',
      {
        height: 220,
        // the legend takes its lines from the first layer
        layer: [
          { ...only('mean'), mark: { type: 'line', style: 'median-line' }, encoding },
          { ...only('seed'), mark: { type: 'line', style: 'seed-line' }, encoding: byRun },
          { ...only('control'), mark: { type: 'line', strokeWidth: 1.2, strokeDash: [5, 4] }, encoding },
        ],
      },
      { columns: 3, order: parts },
    ),
    table: {
      columns: ['Condition', 'Ablated', 'Run', 'Dose', 'Lost (D)', 'Loss above intact (nats)'],
      rows: table.map((p) => [p.condition, p.part, p.run, p.alpha, p.lost, p.deltaNats]),
    },
  });
}
