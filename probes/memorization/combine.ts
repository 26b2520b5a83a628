/** Runs brought together by condition, and which conditions may be compared: pure, and no verdicts here. */
import { claimById } from '../../src/evidence/claims-file.js';
import { differingFields } from '../../src/config/hash.js';
import type { RunConfig } from '../../src/config/run-config.js';
import type {
  MemorizationCondition,
  MemorizationRun,
  MemorizationStep,
} from '../../src/report/charts/memorization-data.js';
import type { JsonArray } from '../../src/report/schema.js';
import { mean } from '../../src/tensor/sum.js';
import { numberOf } from '../ablation/json-numbers.js';
import { compareText, lastOfEachRun, inSeries } from '../conditions.js';
import { sideOfRun, whyUnusable } from '../conditions.js';
import type { Measured } from '../contract.js';
import { type Control, controlCommands, controlsOf } from './controls.js';
import type { MemorizationMeasurement } from './measurement.js';

export type MeasuredMemorization = Measured<MemorizationMeasurement>;

/** Accuracy on trained result tokens that a run needs to count in C5. */
export const C5_ACCURACY = claimById('C5').learnedAccuracy;
/** Tables of pairs of single runs are kept up to this modulus. */
const MOST_KEPT_NUMBERS = 24;

export interface MemorizationResult {
  readonly conditions: readonly MemorizationCondition[];
  /** places in `conditions`: SUM-only and mixed, equal in everything but the tasks and seeds */
  readonly comparisons: readonly { readonly sumOnly: number; readonly mixed: number }[];
  /** for each SUM-only condition with held-out pairs, the memorizers that stand beside it */
  readonly claims: readonly {
    readonly sumOnly: number;
    readonly controls: readonly Control[];
    /** what trains the controls */
    readonly commands: readonly string[];
  }[];
  /** runs of which several checkpoints were measured */
  readonly series: readonly MemorizationStep[];
}

export function combineMemorization(measured: readonly MeasuredMemorization[]): MemorizationResult {
  const groups = groupByCondition(lastOfEachRun(measured));
  const configs = groups.map(([{ config }]) => config);
  const indices = configs.map((_, index) => index);
  const isSumOnly = (index: number): boolean => sideOfRun(configs[index]) === 'SUM-only';
  const isMixed = (index: number): boolean => sideOfRun(configs[index]) === 'mixed';
  return {
    conditions: groups.map(conditionOf),
    comparisons: indices
      .filter(isSumOnly)
      .flatMap((sumOnly) =>
        indices
          .filter((mixed) => isMixed(mixed) && differInTasksOnly(configs[sumOnly], configs[mixed]))
          .map((mixed) => ({ sumOnly, mixed })),
      ),
    claims: indices
      .filter((index) => isSumOnly(index) && configs[index].data.regime === 'pairs')
      .map((sumOnly) => ({
        sumOnly,
        controls: controlsOf(configs[sumOnly], configs),
        commands: controlCommands(configs[sumOnly]),
      })),
    series: seriesOf(measured),
  };
}

function groupByCondition(runs: readonly MeasuredMemorization[]): MeasuredMemorization[][] {
  const groups = new Map<string, MeasuredMemorization[]>();
  for (const run of runs) {
    groups.set(run.subject.condition, [...(groups.get(run.subject.condition) ?? []), run]);
  }
  return [...groups.values()];
}

function differInTasksOnly(a: RunConfig, b: RunConfig): boolean {
  const allowed = ['data.tasks', 'data.holdoutSeed', 'seed'];
  return differingFields([a, b]).every((path) => allowed.includes(path));
}

function conditionOf(group: readonly MeasuredMemorization[]): MemorizationCondition {
  const [{ subject, measurement }] = group;
  const { holdout, modulus, primary, regime, tasks } = measurement;
  const holdouts = new Set(group.map((run) => JSON.stringify(run.measurement.holdout?.sets)));
  const tables = group.flatMap((run) => run.measurement.pairs ?? []);
  return {
    condition: subject.condition,
    label: subject.label,
    tasks,
    regime,
    n: modulus,
    primary,
    level: holdout?.level ?? null,
    heldShare: holdout?.share ?? null,
    equalHoldout: holdouts.size === 1,
    pairMean: tables.length === 0 ? null : meanTable(tables),
    runs: group.map(runOf),
  };
}

function runOf(run: MeasuredMemorization): MemorizationRun {
  const { subject, measurement } = run;
  const { holdout, primary, modulus, pairs } = measurement;
  const own = measurement.learned.find(({ operation }) => operation === primary);
  const accuracy = own?.accuracy ?? 0;
  return {
    subject: subject.id,
    seed: subject.seed,
    final: subject.final,
    trainedAccuracy: accuracy,
    lossNats: own?.lossNats ?? 'NaN',
    learned: accuracy >= C5_ACCURACY,
    leftOut: whyUnusable(run, 'C5', primary) ?? null,
    heldSets: holdout?.sets ?? [],
    signalRatio: holdout?.signalRatio ?? 1,
    leaks: measurement.leak.leaks,
    cells: measurement.cells,
    indices: measurement.indices,
    frequency: measurement.frequency.filter(({ operation }) => operation === primary),
    beyond: measurement.beyond,
    pairs: pairs === null || holdout === null || modulus > MOST_KEPT_NUMBERS ? null : meanTable([pairs]),
  };
}

/** Mean of [n, n] tables as rows. */
function meanTable(tables: readonly JsonArray[]): (number | null)[][] {
  const [rows, columns] = tables[0].shape;
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (__, j) => {
      const value = mean(tables.map(({ data }) => numberOf(data[i * columns + j])));
      return Number.isFinite(value) ? Number(value.toPrecision(4)) : null;
    }),
  );
}

function seriesOf(measured: readonly MeasuredMemorization[]): MemorizationStep[] {
  return inSeries(measured)
    .flatMap(({ subject, measurement }) => {
      const cells = measurement.cells.filter(
        ({ operation, arity }) => operation === measurement.primary && arity === 2,
      );
      const trained = cells.find(({ level }) => level === 'trained');
      if (trained === undefined) return [];
      return [
        {
          run: subject.run,
          label: subject.label,
          seed: subject.seed,
          step: subject.step,
          trained: trained.accuracy,
          held: cells.find(({ level }) => level !== 'trained')?.accuracy ?? null,
        },
      ];
    })
    .sort((a, b) => compareText(a.label, b.label) || compareText(a.run, b.run) || a.step - b.step);
}
