/** One statistic of every run, conditions side by side: each seed a dot, the mean with its interval. Pure and browser-safe. */
import type { ChartSpec } from '../schema.js';
import { chart, counted, pointInterval, readable, type Row } from './common.js';

export interface ComparedConditions {
  /** kebab-case, unique in its module */
  readonly id: string;
  /** what is measured */
  readonly title: string;
  readonly unit: string;
  readonly conditions: readonly {
    readonly label: string;
    readonly runs: readonly { readonly run: string; readonly seed: number; readonly value: number }[];
    readonly mean: number;
    /** null: fewer than two seeds */
    readonly interval: { readonly low: number; readonly high: number } | null;
  }[];
}

/** The one row of the picture; conditions stand beside each other in it, in their colours. */
const ROW = 'runs';

export function comparedConditions({ id, title, unit, conditions }: ComparedConditions): ChartSpec {
  const seeds = conditions.reduce((sum, { runs }) => sum + runs.length, 0);
  const single = conditions.filter(({ interval }) => interval === null).map(({ label }) => label);
  const unbounded =
    single.length === 0
      ? ''
      : single.length === conditions.length
        ? ' One seed a condition: no interval.'
        : ` One seed, so no interval: ${single.join('; ')}.`;
  const axis = unit === '1' ? title : `${title} (${unit})`;
  return chart({
    id: `compared-${id}`,
    title: `Side by side: ${title}`,
    subtitle: `${counted(seeds, 'run')}, whether they learned or not. Each faint dot is a seed; mean with a 95 % t interval over seeds.${unbounded}`,
    summary:
      conditions
        .map(({ label, mean, interval, runs }) => {
          const range =
            interval === null ? ', one seed' : ` (${readable(interval.low)} to ${readable(interval.high)})`;
          return `${label}: mean ${readable(mean)}${range}; seeds ${runs.map(({ value }) => readable(value)).join(', ')}.`;
        })
        .join(' ') || 'Nothing was measured.',
    spec: pointInterval({
      rows: conditions.map(({ label, mean, interval }): Row => ({
        category: ROW,
        condition: label,
        estimate: mean,
        low: interval?.low ?? null,
        high: interval?.high ?? null,
      })),
      seeds: conditions.flatMap(({ label, runs }) =>
        runs.map((run): Row => ({ category: ROW, condition: label, estimate: run.value, run: run.run })),
      ),
      category: { field: 'category', title: null },
      value: { title: axis, format: '.3~g' },
      conditions: conditions.map(({ label }) => label),
    }),
    table: {
      columns: ['Condition', 'Run', 'Seed', axis],
      rows: conditions.flatMap(({ label, runs }) =>
        runs.map(({ run, seed, value }): (string | number)[] => [label, run, seed, value]),
      ),
    },
  });
}
