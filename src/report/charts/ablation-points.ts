/** Ablation numbers with one point a seed: feed-forward share, real against random damage, norm ratios. Pure and browser-safe. */
import type { ChartSpec } from '../schema.js';
import { type Row, chart, finite, pointInterval, readable } from './common.js';

/** One mean over seeds with its interval; null: no interval. */
export interface MeanRow {
  readonly condition: string;
  /** what stands on the axis down the side */
  readonly category: string;
  readonly estimate: number;
  readonly low: number | null;
  readonly high: number | null;
}

export interface SeedPoint {
  readonly condition: string;
  readonly category: string;
  readonly run: string;
  readonly estimate: number;
}

export interface PointData {
  readonly means: readonly MeanRow[];
  readonly seeds: readonly SeedPoint[];
  readonly leftOut: readonly string[];
}

/** Share of the causal dose curve that is feed-forward, by ablation method. */
export function shareChart(data: PointData): ChartSpec {
  return pointChart(data, {
    id: 'ablation-share',
    title: 'Feed-forward share of the causal effect',
    note: 'Each faint dot is a run; mean with a 95 % interval. Above 1/2 the feed-forward layers matter more than attention. The verdict reads the row resample.',
    axis: 'Feed-forward share (0 to 1)',
    category: 'Ablation',
    domain: [0, 1],
    reference: { value: 0.5, label: 'equal parts' },
    headline: true,
  });
}

/** The same share for every operation a model knows. */
export function operationShareChart(data: PointData): ChartSpec {
  return pointChart(data, {
    id: 'ablation-share-by-operation',
    title: 'Feed-forward share by operation',
    note: 'Resample ablation on result tokens of single operations; each faint dot is a run, mean with a 95 % interval.',
    axis: 'Feed-forward share (0 to 1)',
    category: 'Operation',
    domain: [0, 1],
    reference: { value: 0.5, label: 'equal parts' },
  });
}

/** Damage by another prompt's writes beside damage by as large a random disturbance. */
export function controlChart(data: PointData): ChartSpec {
  return pointChart(data, {
    id: 'ablation-control',
    title: 'Is it the information, or only the disturbance?',
    note: 'Mean share lost over the eight doses: writes replaced by those of another prompt, against writes moved as far in a random direction (control). Each faint dot is a run; mean with a 95 % interval.',
    axis: 'Area under the dose curve (0 to 1)',
    category: 'Ablated',
    domain: [0, 1],
  });
}

/** Sizes of the writes, with the untrained model as control. */
export function normRatioChart(data: PointData): ChartSpec {
  return pointChart(data, {
    id: 'ablation-norm-ratio',
    title: 'Size of the writes: attention against feed-forward (description)',
    note: 'Variation over prompts at result-predicting positions; the same runs before training beside it (control). Above 0 attention writes more. Size says nothing of use.',
    axis: 'log (attention : feed-forward)',
    category: 'Layer',
    reference: { value: 0, label: 'equal size' },
  });
}

interface PointText {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  readonly axis: string;
  readonly category: string;
  readonly domain?: readonly [number, number];
  readonly reference?: { readonly value: number; readonly label: string };
  readonly headline?: boolean;
}

function pointChart({ means, seeds, leftOut }: PointData, text: PointText): ChartSpec {
  // a t interval knows no bounds; the picture ends where the quantity does
  const within = (value: number | null): number | null => {
    const drawn = finite(value);
    const [low, high] = text.domain ?? [-Infinity, Infinity];
    return drawn === null ? null : Math.min(high, Math.max(low, drawn));
  };
  const conditions = [...new Set(means.map(({ condition }) => condition))];
  const categories = [...new Set(means.map(({ category }) => category))];
  const runs = new Set(seeds.map(({ run }) => run)).size;
  const interval = ({ low, high }: MeanRow): string =>
    low === null || high === null ? '' : ` (${readable(low)} to ${readable(high)})`;
  const sentences = means.map(
    (row) => `${row.condition}, ${row.category}: ${readable(row.estimate)}${interval(row)}.`,
  );
  return chart({
    id: text.id,
    title: text.title,
    subtitle: [`${runs} ${runs === 1 ? 'run' : 'runs'}. ${text.note}`, ...leftOut].join(' '),
    summary: [
      means.length === 0 ? 'Nothing was measured.' : `Means over runs. ${sentences.join(' ')}`,
      ...leftOut,
    ].join(' '),
    ...(text.headline === true ? { headline: true } : {}),
    spec: pointInterval({
      rows: means.map((row): Row => ({ ...row, low: within(row.low), high: within(row.high) })),
      seeds: seeds.map((point): Row => ({ ...point })),
      category: { field: 'category', title: text.category, order: categories },
      value: { title: text.axis, ...(text.domain === undefined ? {} : { domain: text.domain }) },
      conditions,
      ...(text.reference === undefined ? {} : { reference: text.reference }),
    }),
    table: {
      columns: ['Condition', text.category, 'Run', 'Value'],
      rows: [
        ...means.map((row): (string | number)[] => [row.condition, row.category, 'mean', row.estimate]),
        ...seeds.map((point): (string | number)[] => [
          point.condition,
          point.category,
          point.run,
          point.estimate,
        ]),
      ],
    },
  });
}
