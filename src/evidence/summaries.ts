/**
 * From observations to what is said of conditions: means over seeds with intervals and p values, differences between
 * conditions, series over steps with the step from which a number stays above its null. Pure, and the same for every module.
 */
import {
  type IntervalEstimate,
  limitedInterval,
  meanInterval,
  welchInterval,
} from '../analysis/statistics/intervals.js';
import { stouffer } from '../analysis/statistics/multiple-testing.js';
import { twoSamplePermutation } from '../analysis/statistics/permutation.js';
import { studentCdf } from '../analysis/statistics/distributions.js';
import { Rng } from '../tensor/rng.js';
import { mean, standardDeviation } from '../tensor/sum.js';
import { areComparable, type Condition, hasLearned } from './conditions.js';
import { type BySubject, type Evidence, rowsByScope } from './evidence.js';
import { groupBy } from './group-by.js';
import type { Scope } from './scope.js';
import { nine, type Observation, type StatisticInfo } from './statistic.js';
import type { Subject } from './subject.js';

/** Level of every exploratory interval. */
export const EXPLORATORY_LEVEL = 0.95;

/** A number of one run. */
export interface Value {
  readonly subject: string;
  readonly run: string;
  readonly seed: number;
  readonly value: number;
  readonly control?: number;
}

export interface PValue {
  readonly p: number;
  readonly method: string;
}

/** One statistic, in one scope, over the seeds of a condition that have, or have not, learned. */
export interface Summary {
  readonly statistic: string;
  readonly info: StatisticInfo;
  readonly scope: Scope;
  readonly condition: Condition;
  /** whether these runs have learned SUM; null: it is not their task, or was not evaluated */
  readonly learned: boolean | null;
  readonly values: readonly Value[];
  readonly mean: number;
  /** undefined: fewer than two seeds, or all equal */
  readonly interval: IntervalEstimate | undefined;
  readonly p: PValue | undefined;
  /** means over the runs that have them */
  readonly control: number | undefined;
  readonly nullMean: number | undefined;
  readonly nullHigh: number | undefined;
  /** examples a run, of all runs together */
  readonly examples: number;
}

export interface Difference {
  readonly statistic: string;
  readonly info: StatisticInfo;
  readonly scope: Scope;
  /** the difference is a - b */
  readonly a: Condition;
  readonly b: Condition;
  readonly valuesA: readonly Value[];
  readonly valuesB: readonly Value[];
  readonly estimate: number;
  readonly interval: IntervalEstimate | undefined;
  readonly p: PValue | undefined;
  /** the difference in pooled standard deviations of one run; undefined without spread */
  readonly spreads: number | undefined;
}

/** The last checkpoints of a condition, divided by whether SUM was learned. */
export interface Group {
  readonly condition: Condition;
  readonly learned: boolean | null;
  readonly runs: readonly Subject[];
}

export function groupsOf(conditions: readonly Condition[]): Group[] {
  return conditions.flatMap((condition) =>
    [...groupBy(condition.runs, (run) => hasLearned(run))]
      .map(([learned, runs]): Group => ({ condition, learned, runs }))
      .sort((a, b) => Number(b.learned) - Number(a.learned)),
  );
}

/** `SUM, pairs, d=16`, and what sets unlearned runs apart. */
export function groupName({ condition, learned }: Pick<Group, 'condition' | 'learned'>): string {
  return learned === false ? `${condition.label}, not learned` : condition.label;
}

/** Values of the runs that have one, in the order of the runs. */
export function valuesOf(runs: readonly Subject[], rows: BySubject): Value[] {
  return runs.flatMap(({ id, run, seed }) => {
    const row = rows.get(id);
    if (row === undefined) return [];
    const { value, control } = row;
    return [{ subject: id, run, seed, value, ...(control === undefined ? {} : { control }) }];
  });
}

/** Every mean of one statistic: scopes in order of appearance, conditions in their order, learned before unlearned. */
export function summariesOf(evidence: Evidence, statistic: string): Summary[] {
  const info = evidence.statistics.get(statistic);
  if (info === undefined) return [];
  const groups = groupsOf(evidence.conditions).filter(
    ({ learned }) => info.counts !== 'learned' || learned !== false,
  );
  return rowsByScope(evidence.observations, statistic).flatMap(({ scope, rows }) =>
    groups.flatMap((group) => {
      const summary = summarise(statistic, info, scope, group, rows);
      return summary === undefined ? [] : [summary];
    }),
  );
}

function summarise(
  statistic: string,
  info: StatisticInfo,
  scope: Scope,
  { condition, learned, runs }: Group,
  rows: BySubject,
): Summary | undefined {
  const values = valuesOf(runs, rows);
  if (values.length === 0) return undefined;
  const numbers = values.map(({ value }) => value);
  const own = values.flatMap(({ subject }) => rows.get(subject) ?? []);
  const average = (pick: (row: Observation) => number | undefined): number | undefined => {
    const found = own.flatMap((row) => pick(row) ?? []);
    return found.length === 0 ? undefined : nine(mean(found));
  };
  const nullMean = average((row) => row.null?.mean);
  const [low, high] = limitsOf(info, nullMean);
  return {
    statistic,
    info,
    scope,
    condition,
    learned,
    values,
    mean: nine(mean(numbers)),
    interval: within(bounded(meanInterval(numbers, EXPLORATORY_LEVEL)), low, high),
    p: pOf(info, numbers, own),
    control: average((row) => row.control),
    nullMean,
    nullHigh: average((row) => row.null?.high),
    examples: Math.max(0, ...own.map((row) => row.examples ?? 0)),
  };
}

/** What the values of a statistic can be, from -Infinity to Infinity where nothing bounds them. */
function limitsOf({ range = {} }: StatisticInfo, nullMean = Infinity): readonly [number, number] {
  const { low = -Infinity, high = Infinity } = range;
  return [low, high === 'null mean' ? nullMean : high];
}

const within = (
  interval: IntervalEstimate | undefined,
  low: number,
  high: number,
): IntervalEstimate | undefined =>
  interval === undefined ? undefined : limitedInterval(interval, low, high);

/** One run: its own p. Several: Stouffer of mid-p, evidence in at least one seed and not in general. */
function pOf(
  info: StatisticInfo,
  numbers: readonly number[],
  rows: readonly Observation[],
): PValue | undefined {
  if (info.tested === undefined) return undefined;
  if (info.tested === 'against-0') return tTest(numbers);
  const nulls = rows.flatMap((row) => row.null ?? []);
  const method = info.testMethod ?? 'own null, one-sided';
  if (nulls.length === 1 && nulls[0].p !== undefined) return { p: nulls[0].p, method };
  const midP = nulls.flatMap((one) => one.midP ?? []);
  if (midP.length === 0) return undefined;
  return {
    p: nine(stouffer(midP).p),
    method: `${method}; seeds joined by Stouffer of mid-p (exists in some seed)`,
  };
}

/** Spread below this share of the values' size is rounding, and no t test can be made of it. */
const LEAST_SPREAD = 1e-9;

/** Two-sided t test of a mean of 0 over seeds; undefined when there is no spread to judge by. */
export function tTest(values: readonly number[]): PValue | undefined {
  if (values.length < 2) return undefined;
  const spread = standardDeviation(values);
  if (!(spread > LEAST_SPREAD * Math.max(...values.map(Math.abs)))) return undefined;
  const t = mean(values) / (spread / Math.sqrt(values.length));
  return {
    p: nine(Math.min(1, 2 * studentCdf(-Math.abs(t), values.length - 1))),
    method: 't test over seeds, two-sided',
  };
}

/** undefined where an interval over seeds bounds nothing, or has no width: equal values say nothing of other seeds. */
export function bounded(interval: IntervalEstimate): IntervalEstimate | undefined {
  const { low, high } = interval;
  return Number.isFinite(low) && Number.isFinite(high) && high > low ? interval : undefined;
}

/** a - b over the runs given; undefined when a side has none. */
export function differenceOf(
  statistic: string,
  info: StatisticInfo,
  scope: Scope,
  rows: BySubject,
  a: { readonly condition: Condition; readonly runs: readonly Subject[] },
  b: { readonly condition: Condition; readonly runs: readonly Subject[] },
): Difference | undefined {
  const [valuesA, valuesB] = [valuesOf(a.runs, rows), valuesOf(b.runs, rows)];
  if (valuesA.length === 0 || valuesB.length === 0) return undefined;
  const [x, y] = [valuesA, valuesB].map((values) => values.map(({ value }) => value));
  const interval = welchInterval(x, y, EXPLORATORY_LEVEL);
  const limits = [valuesA, valuesB].map((values) => {
    const nulls = values.flatMap(({ subject }) => rows.get(subject)?.null?.mean ?? []);
    return limitsOf(info, nulls.length === 0 ? undefined : mean(nulls));
  });
  const [[lowA, highA], [lowB, highB]] = limits;
  return {
    statistic,
    info,
    scope,
    a: a.condition,
    b: b.condition,
    valuesA,
    valuesB,
    estimate: nine(interval.estimate),
    interval: within(bounded(interval), lowA - highB, highA - lowB),
    p: permutationP(x, y, statistic),
    spreads: standardised(x, y),
  };
}

export function permutationP(
  x: readonly number[],
  y: readonly number[],
  statistic: string,
): PValue | undefined {
  if (x.length < 2 || y.length < 2) return undefined;
  const { p, exact, arrangements } = twoSamplePermutation(x, y, {
    rng: new Rng(0, `difference/${statistic}`),
  });
  return {
    p: nine(p),
    method: `${exact ? 'exact' : 'sampled'} permutation of seeds, two-sided, ${arrangements} splits`,
  };
}

function standardised(x: readonly number[], y: readonly number[]): number | undefined {
  if (x.length < 2 || y.length < 2) return undefined;
  const pooled = Math.sqrt(
    ((x.length - 1) * standardDeviation(x) ** 2 + (y.length - 1) * standardDeviation(y) ** 2) /
      (x.length + y.length - 2),
  );
  return pooled > 0 ? nine((mean(x) - mean(y)) / pooled) : undefined;
}

/**
 * Differences of one statistic between two conditions: all runs, learned or not.
 * @param asked - which two; default: all of which differences mean something
 */
export function differencesOf(
  evidence: Evidence,
  statistic: string,
  asked: (a: Condition, b: Condition) => boolean = areComparable,
): Difference[] {
  const info = evidence.statistics.get(statistic);
  if (info === undefined || info.compared === false) return [];
  const { conditions } = evidence;
  return rowsByScope(evidence.observations, statistic).flatMap(({ scope, rows }) =>
    conditions.flatMap((a, i) =>
      conditions
        .slice(i + 1)
        .filter((b) => asked(a, b))
        .flatMap((b) => {
          const side = (condition: Condition) => ({ condition, runs: condition.runs });
          return differenceOf(statistic, info, scope, rows, side(a), side(b)) ?? [];
        }),
    ),
  );
}
