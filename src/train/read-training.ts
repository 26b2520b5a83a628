/**
 * The learning curves and final accuracies of one run, out of its metrics rows. The result has the shape of the
 * report's TrainingRecord; workflows hand it on. Nothing is read from disk here.
 */
import { wilsonInterval } from '../analysis/statistics/intervals.js';
import { conditionId, conditionLabel, gptConfigOf } from '../config/names.js';
import type { RunConfig } from '../config/run-config.js';
import { chanceLevel } from '../listops/sampling/chance.js';
import { isOperationName } from '../listops/language/operations.js';
import { parameterTable } from '../model/parameters.js';
import {
  accuracyByOperation,
  divisorAccuracy,
  isNested,
  nestedAccuracy,
  ofWhatIsTrained,
  operationAccuracy,
} from './learned.js';
import type { EvalCell, EvalRow, MetricNumber, MetricRow, RoleLosses } from './metrics.js';
import { parseMetricRows } from './metrics.js';

/** Most points of one run's curves. */
export const MOST_POINTS = 200;

export interface TrainingPoint {
  readonly step: number;
  readonly trainLossNats?: MetricNumber;
  /** accuracy on result tokens of trained prompts, by operation */
  readonly accuracy?: Readonly<Record<string, number>>;
  readonly lossByRole?: RoleLosses;
  /** SUM result right modulo each proper divisor of n */
  readonly divisorAccuracy?: Readonly<Record<string, number>>;
}

export interface FinalAccuracy {
  readonly operation: string;
  readonly arity: number;
  readonly held: boolean;
  readonly correct: number;
  readonly total: number;
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
  /** share of the most frequent result */
  readonly chance: number;
  readonly enumerated: boolean;
}

export interface TrainingCurves {
  readonly run: string;
  readonly condition: string;
  readonly label: string;
  readonly seed: number;
  readonly parameters: number;
  readonly end: 'solved' | 'budget' | 'diverged' | 'interrupted' | 'running';
  readonly points: readonly TrainingPoint[];
  readonly final: readonly FinalAccuracy[];
}

/** @param rows - the run's metrics in the order of steps */
export function readTraining(
  run: string,
  config: RunConfig,
  rows: readonly MetricRow[],
  end: TrainingCurves['end'],
): TrainingCurves {
  const evaluations = rows.filter((row): row is EvalRow => row.kind === 'eval');
  const last = evaluations.at(-1);
  return {
    run,
    condition: conditionId(config),
    label: conditionLabel(config),
    seed: config.seed,
    parameters: parameterTable(gptConfigOf(config)).nParameters,
    end,
    points: curvePoints(rows),
    final: last === undefined ? [] : last.cells.map((cell) => finalAccuracy(cell, config)),
  };
}

/**
 * Accuracy on result tokens of trained prompts, by operation, at one evaluated step.
 * @param rows - as stored in metrics.jsonl
 * @returns undefined when the run was not evaluated at that step
 */
export function accuracyAtStep(rows: readonly unknown[], step: number): Record<string, number> | undefined {
  const row = parseMetricRows(rows, 'metrics.jsonl').find(
    (candidate): candidate is EvalRow => candidate.kind === 'eval' && candidate.step === step,
  );
  return row === undefined ? undefined : accuracyByOperation(row);
}

/**
 * By operation, the smaller accuracy of the last two evaluations at or before a step; undefined with fewer than two.
 * @param config - where expressions nest, accuracy inside them counts too, and an operation of which it is not known is left out
 */
export function lastTwoAtStep(
  rows: readonly unknown[],
  step: number,
  config: Pick<RunConfig, 'data' | 'training'>,
): Record<string, number> | undefined {
  const stored = parseMetricRows(rows, 'metrics.jsonl')
    .filter((row): row is EvalRow => row.kind === 'eval' && row.step <= step)
    .slice(-2);
  if (stored.length < 2) return undefined;
  const lastTwo = ofWhatIsTrained(stored, config);
  const nested = isNested(config.data);
  const lesser: Record<string, number> = {};
  for (const operation of Object.keys(accuracyByOperation(lastTwo[1]))) {
    const flat = lastTwo.map((row) => operationAccuracy(row, operation) ?? 0);
    const inside = nested ? lastTwo.map((row) => nestedAccuracy(row, operation)) : [];
    const known = [...flat, ...inside].filter((accuracy) => accuracy !== undefined);
    if (known.length === flat.length + inside.length) lesser[operation] = Math.min(...known);
  }
  return lesser;
}

/** One point a step, train and eval rows of one step merged; evaluations are kept before train rows are. */
function curvePoints(rows: readonly MetricRow[]): TrainingPoint[] {
  const evaluations = thin(
    rows.filter((row) => row.kind === 'eval'),
    MOST_POINTS / 2,
  );
  const others = thin(
    rows.filter((row) => row.kind !== 'eval'),
    MOST_POINTS - evaluations.length,
  );
  const points = new Map<number, TrainingPoint>();
  for (const row of [...others, ...evaluations]) {
    points.set(row.step, { step: row.step, ...points.get(row.step), ...pointFields(row) });
  }
  return [...points.values()].sort((a, b) => a.step - b.step);
}

function pointFields(row: MetricRow): Omit<TrainingPoint, 'step'> {
  switch (row.kind) {
    case 'train':
      return { trainLossNats: row.lossNats, lossByRole: row.lossByRole };
    case 'diverged':
      return { trainLossNats: row.value };
    case 'eval': {
      const divisors = divisorAccuracy(row, 'SUM');
      return {
        accuracy: accuracyByOperation(row),
        ...(Object.keys(divisors).length > 0 && { divisorAccuracy: divisors }),
      };
    }
  }
}

/** At most `most` items, evenly spaced, first and last among them. */
function thin<T>(items: readonly T[], most: number): T[] {
  if (items.length <= most) return [...items];
  return Array.from({ length: most }, (_, i) => items[Math.round((i * (items.length - 1)) / (most - 1))]);
}

/**
 * Enumerated prompts that training may draw leave nothing to infer: the interval is the number itself. A hold-out is
 * itself a draw, of so many multisets, and a sample is a sample: Wilson.
 */
function finalAccuracy(cell: EvalCell, config: RunConfig): FinalAccuracy {
  const { operation, arity, held, enumerated, correct, total, multisets } = cell;
  const accuracy = correct / total;
  const n = held ? multisets : total;
  const interval =
    enumerated && !held
      ? { low: accuracy, high: accuracy }
      : wilsonInterval(Math.round(accuracy * n), n, 0.95);
  return {
    operation,
    arity,
    held,
    correct,
    total,
    accuracy,
    low: interval.low,
    high: interval.high,
    chance: chance(config, cell),
    enumerated,
  };
}

/** NaN for an operation that this version does not know. */
function chance(config: RunConfig, { operation, arity, held }: EvalCell): number {
  if (!isOperationName(operation)) return NaN;
  return chanceLevel(config.data, operation, arity, held ? 'held' : 'trained');
}
