/**
 * Learning curves: accuracy by operation, loss by role, and SUM right modulo each divisor of n (plateaus at the cosets of
 * a subgroup show there first). One thin line a seed, the median of a condition bold, chance dashed.
 */
import type { ChartSpec, TrainingRecord } from '../schema.js';
import {
  accuracyAxis,
  chart,
  conditionColor,
  distinct,
  finite,
  percent,
  quantitative,
  readable,
  smallMultiples,
  type Row,
  type Spec,
} from './common.js';

/** Most points of one line: 100 show every plateau at the width of the page. */
const MAX_POINTS = 100;

type Point = TrainingRecord['points'][number];

interface Curves {
  readonly rows: readonly Row[];
  readonly panels: readonly string[];
  readonly conditions: readonly string[];
  readonly runs: number;
}

/** Result accuracy by operation over steps. */
export function accuracyCurves(training: readonly TrainingRecord[]): ChartSpec {
  const chance = (record: TrainingRecord, operation: string) => chanceOf(record, operation);
  const curves = collect(training, (point) => point.accuracy, chance);
  return curveChart(curves, {
    id: 'accuracy-curves',
    title: 'Accuracy by operation during training',
    quantity: 'accuracy',
    y: accuracyAxis('value'),
    panelTitle: 'Operation',
    words: percent,
    reference: 'chance',
  });
}

/** Loss in nats by the role of the target token; the training loss stands for it in runs without roles. */
export function lossCurves(training: readonly TrainingRecord[]): ChartSpec {
  const hasRoles = training.some(({ points }) => points.some(({ lossByRole }) => lossByRole !== undefined));
  const curves = collect(training, (point) =>
    hasRoles
      ? point.lossByRole
      : point.trainLossNats === undefined
        ? undefined
        : { 'all tokens': point.trainLossNats },
  );
  return curveChart(curves, {
    id: 'loss-curves',
    title: 'Loss by role during training',
    quantity: 'loss',
    y: quantitative('value', 'Loss (nats a token)', { zero: true, tickCount: 5 }),
    panelTitle: 'Role',
    words: (value) => `${readable(value)} nats`,
  });
}

/** SUM result right modulo each divisor of n. */
export function divisorCurves(training: readonly TrainingRecord[]): ChartSpec {
  const named = (point: Point) =>
    point.divisorAccuracy === undefined
      ? undefined
      : Object.fromEntries(
          Object.entries(point.divisorAccuracy)
            .filter(([divisor]) => Number(divisor) > 1)
            .map(([divisor, value]) => [`SUM mod ${divisor}`, value]),
        );
  const curves = collect(training, named, (_, panel) => 1 / Number(panel.slice('SUM mod '.length)));
  return curveChart(curves, {
    id: 'divisor-curves',
    title: 'Is the sum right modulo each divisor?',
    quantity: 'accuracy',
    y: accuracyAxis('value', 'Accuracy (% of SUM results)'),
    panelTitle: 'Divisor',
    words: percent,
    reference: 'uniform guess',
  });
}

/** Chance of an operation, averaged over arities by their number of examples. */
function chanceOf(record: TrainingRecord, operation: string): number | null {
  const rows = record.final.filter((row) => row.operation === operation && !row.held);
  const total = rows.reduce((sum, row) => sum + row.total, 0);
  return total === 0 ? null : rows.reduce((sum, row) => sum + row.chance * row.total, 0) / total;
}

/** Every k-th point, first and last included. */
function thinned(points: readonly Point[]): readonly Point[] {
  if (points.length <= MAX_POINTS) return points;
  const stride = (points.length - 1) / (MAX_POINTS - 1);
  return Array.from({ length: MAX_POINTS }, (_, i) => points[Math.round(i * stride)]);
}

function collect(
  training: readonly TrainingRecord[],
  pick: (point: Point) => Readonly<Record<string, number | string>> | undefined,
  chance?: (record: TrainingRecord, panel: string) => number | null,
): Curves {
  const seeds: Row[] = [];
  const references = new Map<string, Row>();
  for (const { record, points } of ordered(training)) {
    for (const point of points) {
      for (const [panel, raw] of Object.entries(pick(point) ?? {}).sort(([a], [b]) => natural(a, b))) {
        const value = finite(raw);
        if (value === null) continue;
        const { label: condition, run, seed } = record;
        seeds.push({ kind: 'seed', panel, condition, run, seed, step: point.step, value: fourDigits(value) });
        const reference = chance?.(record, panel) ?? null;
        if (reference !== null && !references.has(panel))
          references.set(panel, { kind: 'reference', panel, value: reference });
      }
    }
  }
  const conditions = distinct(seeds, 'condition');
  const panels = distinct(seeds, 'panel').sort(natural);
  const runs = new Set(seeds.map(({ run }) => run)).size;
  return { rows: [...seeds, ...medians(seeds), ...references.values()], panels, conditions, runs };
}

function ordered(
  training: readonly TrainingRecord[],
): { readonly record: TrainingRecord; readonly points: readonly Point[] }[] {
  const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return [...training]
    .sort((a, b) => text(a.label, b.label) || a.seed - b.seed || text(a.run, b.run))
    .map((record) => ({
      record,
      points: thinned(record.points.filter((point) => Object.keys(point).length > 1)),
    }));
}

/** Names by code unit, but `mod 2` before `mod 10`. */
function natural(a: string, b: string): number {
  const [x, y] = [a, b].map((text) => Number(/(\d+)$/.exec(text)?.[1] ?? NaN));
  if (Number.isFinite(x) && Number.isFinite(y) && x !== y) return x - y;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Median over the runs of a condition at every step that at least half of them reach. */
function medians(seeds: readonly Row[]): Row[] {
  const groups = new Map<string, { readonly row: Row; readonly values: number[] }>();
  const runsOf = new Map<string, Set<unknown>>();
  for (const row of seeds) {
    const curve = JSON.stringify([row.condition, row.panel]);
    runsOf.set(curve, (runsOf.get(curve) ?? new Set()).add(row.run));
    const key = JSON.stringify([curve, row.step]);
    const group = groups.get(key) ?? { row, values: [] };
    group.values.push(row.value as number);
    groups.set(key, group);
  }
  return [...groups.values()].flatMap(({ row, values }) => {
    const runs = runsOf.get(JSON.stringify([row.condition, row.panel]))?.size ?? 0;
    // one run is its own median
    if (2 * values.length < runs) return [];
    const { panel, condition, step } = row;
    return [{ kind: 'median', panel, condition, run: 'median', step, value: fourDigits(median(values)) }];
  });
}

/** More digits than a curve can show only make the page larger. */
function fourDigits(value: number): number {
  return Number(value.toPrecision(4));
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

interface CurveText {
  readonly id: string;
  readonly title: string;
  readonly quantity: string;
  readonly y: Spec;
  readonly panelTitle: string;
  readonly words: (value: number | null) => string;
  readonly reference?: string;
}

function curveChart(curves: Curves, text: CurveText): ChartSpec {
  const { rows, panels, conditions, runs } = curves;
  const last = lastValues(rows);
  const sentences = panels.map((panel) => {
    const parts = conditions.flatMap((condition) => {
      const values = last.filter((row) => row.panel === panel && row.condition === condition);
      if (values.length === 0) return [];
      const numbers = values.map((row) => row.value as number);
      return `${condition}: ${text.words(median(numbers))}`;
    });
    return `${panel} \u2013 ${parts.join('; ')}.`;
  });
  return chart({
    id: text.id,
    title: text.title,
    subtitle: `${runs} ${runs === 1 ? 'run' : 'runs'}${runs === conditions.length ? '' : ': thin lines; median of a condition: bold'}${text.reference === undefined || !rows.some(({ kind }) => kind === 'reference') ? '' : `; ${text.reference}: dashed`}.`,
    summary:
      runs === 0
        ? `No ${text.quantity} was recorded.`
        : `Median ${text.quantity} at the end. ${sentences.join(' ')}`,
    spec: smallMultiples(rows, 'panel', lines(conditions, text), {
      columns: panels.length === 4 ? 4 : 3,
      order: panels,
    }),
    table: {
      columns: [text.panelTitle, 'Condition', 'Run', 'Last step', `Last ${text.quantity}`],
      rows: last.map((row) => [
        String(row.panel),
        String(row.condition),
        String(row.run),
        Number(row.step),
        Number(row.value),
      ]),
    },
  });
}

/** The last point of every run in every panel. */
function lastValues(rows: readonly Row[]): Row[] {
  const last = new Map<string, Row>();
  for (const row of rows) if (row.kind === 'seed') last.set(JSON.stringify([row.panel, row.run]), row);
  return [...last.values()].sort((a, b) => natural(String(a.panel), String(b.panel)));
}

function lines(conditions: readonly string[], text: CurveText): Spec {
  const step = quantitative('step', 'Step (optimizer updates)', { format: '~s', grid: false, tickCount: 4 });
  const encoding = { x: step, y: text.y, color: conditionColor(conditions, { strongSymbols: true }) };
  const only = (kind: string) => ({ transform: [{ filter: { field: 'kind', equal: kind } }] });
  return {
    height: 180,
    layer: [
      {
        ...only('reference'),
        mark: { type: 'rule', style: 'reference' },
        encoding: { y: text.y },
      },
      {
        ...only('seed'),
        mark: { type: 'line', style: 'seed-line' },
        encoding: { ...encoding, detail: { field: 'run', type: 'nominal' } },
      },
      { ...only('median'), mark: { type: 'line', style: 'median-line' }, encoding },
    ],
  };
}
