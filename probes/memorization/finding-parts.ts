/** Pieces that the verdict on C5 and the exploratory findings share: indices of runs, hold-outs, intervals, p values. */
import { studentCdf } from '../../src/analysis/distributions.js';
import { twoSamplePermutation } from '../../src/analysis/permutation.js';
import {
  type CellRow,
  type MemorizationCondition,
  type MemorizationRun,
  cellOf,
  indexOf,
} from '../../src/report/charts/memorization-data.js';
import type { Finding } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import { mean, standardDeviation } from '../../src/tensor/sum.js';
import { finiteNumber } from '../ablation/json-numbers.js';

/** M of one run with what it holds out. */
export interface RunIndex {
  readonly run: MemorizationRun;
  readonly m: number;
}

/** Runs with an index of the primary operation at so many operands that satisfy `usable`. */
export function indicesOf(
  { runs, primary }: MemorizationCondition,
  arity: number,
  usable: (run: MemorizationRun) => boolean,
): RunIndex[] {
  return runs.filter(usable).flatMap((run) => {
    const m = indexOf(run, primary, arity)?.m;
    return m === undefined || m === null ? [] : [{ run, m }];
  });
}

/** Runs that hold out the same are one observation of it: their mean. In order of first appearance. */
export function byHoldout(all: readonly RunIndex[]): number[] {
  const groups = new Map<string, number[]>();
  for (const { run, m } of all) {
    const key = JSON.stringify(run.heldSets);
    groups.set(key, [...(groups.get(key) ?? []), m]);
  }
  return [...groups.values()].map((group) => mean(group));
}

/** One value of every learned run that has it. */
export function valuesOf(
  { runs }: MemorizationCondition,
  value: (run: MemorizationRun) => number | undefined,
): number[] {
  return runs.flatMap((run) => {
    const found = run.learned ? value(run) : undefined;
    return found === undefined || !Number.isFinite(found) ? [] : [found];
  });
}

export function primaryCell(
  { primary }: MemorizationCondition,
  run: MemorizationRun,
  arity: number,
  isHeld: boolean,
): CellRow | undefined {
  return cellOf(run, primary, arity, isHeld);
}

/** Held-out multisets of all runs together: the effective number of examples. */
export function heldExamples(condition: MemorizationCondition, arity: number): number {
  return condition.runs.reduce(
    (sum, run) => sum + (primaryCell(condition, run, arity, true)?.multisets ?? 0),
    0,
  );
}

/** Two-sided t test of a mean of 0 over seeds; nothing when there is too little to judge the spread by. */
export function tTest(values: readonly number[]): Pick<Finding, 'p' | 'pMethod'> {
  if (values.length < 3) return {};
  const spread = standardDeviation(values);
  // equal but for rounding
  if (!(spread > 1e-9)) return {};
  const t = mean(values) / (spread / Math.sqrt(values.length));
  return {
    p: round(Math.min(1, 2 * studentCdf(-Math.abs(t), values.length - 1))),
    pMethod: 't test over seeds, two-sided',
  };
}

export function permutationP(
  a: readonly number[],
  b: readonly number[],
  name: string,
): Pick<Finding, 'p' | 'pMethod'> {
  const { p, exact, arrangements } = twoSamplePermutation(a, b, {
    rng: new Rng(0, `probe:memorization/${name}`),
  });
  return {
    p: round(p),
    pMethod: `${exact ? 'exact' : 'sampled'} permutation of seeds, two-sided, ${arrangements} splits`,
  };
}

function round(value: number): number {
  return finiteNumber(value, 'memorization');
}
