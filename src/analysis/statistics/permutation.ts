/**
 * Permutation tests: every rearrangement when they are few, otherwise seeded samples. Exact: p = #(>= observed) / all,
 * the identity among them. Sampled: p = (#(>= observed) + 1) / (N + 1), which is never 0 (Phipson and Smyth, 2010).
 */
import type { Rng } from '../../tensor/rng.js';
import { mean, standardDeviation } from '../../tensor/sum.js';
import { quantileSorted } from './quantile.js';

export interface PermutationOptions {
  readonly rng: Rng;
  /** samples, and the most rearrangements that are enumerated; default DEFAULT_PERMUTATIONS */
  readonly count?: number;
  /** called after each one with the share that is done, for progress */
  readonly onDraw?: ((share: number) => void) | undefined;
}

export const DEFAULT_PERMUTATIONS = 10_000;

export interface PermutationTest {
  readonly observed: number;
  /** upper tail: how often the null reaches the observed value */
  readonly p: number;
  /** values equal to the observed one count half: what is joined over seeds, since its mean is 1/2 without an effect */
  readonly midP: number;
  readonly nullMean: number;
  readonly nullSd: number;
  /** 95th percentile of the null */
  readonly null95: number;
  readonly permutations: number;
  readonly exact: boolean;
}

/**
 * Tests several statistics on the same permutations of 0..n-1; the identity gives the observed values.
 * @param statistics - of one permutation [n]; large values speak against the null. The argument is reused: copy to keep
 */
export function permutationTests(
  n: number,
  statistics: (permutation: Int32Array) => ArrayLike<number>,
  options: PermutationOptions,
): PermutationTest[] {
  const count = options.count ?? DEFAULT_PERMUTATIONS;
  if (n < 2 || count < 1)
    throw new RangeError(`permutationTests: found n ${n}, count ${count}; expected 2, 1 or more.`);
  const identity = Int32Array.from({ length: n }, (_, i) => i);
  const observed = Float64Array.from(statistics(identity));
  const exact = factorialAtMost(n, count);
  const draws = exact ? allPermutations(n) : sampledPermutations(n, count, options.rng);
  const nulls = Array.from(observed, () => new Float64Array(exact ? factorial(n) : count));
  let drawn = 0;
  for (const permutation of draws) {
    const values = statistics(permutation);
    for (let s = 0; s < observed.length; s++) nulls[s][drawn] = values[s];
    drawn++;
    options.onDraw?.(drawn / nulls[0].length);
  }
  return nulls.map((values, s) => summarise(observed[s], values, exact));
}

/** The same for one statistic. */
export function permutationTest(
  n: number,
  statistic: (permutation: Int32Array) => number,
  options: PermutationOptions,
): PermutationTest {
  return permutationTests(n, (permutation) => [statistic(permutation)], options)[0];
}

function summarise(observed: number, values: Float64Array, exact: boolean): PermutationTest {
  const slack = 1e-10 * Math.max(1, Math.abs(observed));
  const reached = countFrom(values, observed - slack);
  const greater = countFrom(values, observed + slack);
  // a sample does not hold the observed arrangement itself, all of them do
  const own = exact ? 0 : 1;
  const sorted = values.slice().sort();
  return {
    observed,
    p: (reached + own) / (values.length + own),
    midP: (greater + (reached - greater + own) / 2) / (values.length + own),
    nullMean: mean(values),
    nullSd: values.length > 1 ? standardDeviation(values) : 0,
    null95: quantileSorted(sorted, 0.95),
    permutations: values.length,
    exact,
  };
}

/** How many values are at least `least`. Values equal up to the order of additions count as equal: hence the slack above. */
function countFrom(values: Float64Array, least: number): number {
  let count = 0;
  for (let i = 0; i < values.length; i++) if (values[i] >= least) count++;
  return count;
}

export interface TwoSampleTest {
  readonly difference: number;
  /** two-sided, of |difference of means| */
  readonly p: number;
  readonly arrangements: number;
  readonly exact: boolean;
}

/** Permutation test of mean(a) - mean(b): all C(na + nb, na) splits when at most `count` times 20, else sampled. */
export function twoSamplePermutation(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: PermutationOptions,
): TwoSampleTest {
  if (a.length < 1 || b.length < 1) {
    throw new RangeError(
      `twoSamplePermutation: found ${a.length} and ${b.length} values, expected one or more.`,
    );
  }
  const count = options.count ?? DEFAULT_PERMUTATIONS;
  const pooled = Float64Array.from([...Array.from(a), ...Array.from(b)]);
  const total = pooled.reduce((sum, value) => sum + value, 0);
  const differenceOf = (sumA: number): number => sumA / a.length - (total - sumA) / b.length;
  const difference = differenceOf(pooled.slice(0, a.length).reduce((sum, value) => sum + value, 0));
  const slack = 1e-10 * Math.max(1, ...pooled.map(Math.abs));
  const reaches = (sumA: number): boolean => Math.abs(differenceOf(sumA)) >= Math.abs(difference) - slack;

  const splits = binomialCoefficient(pooled.length, a.length);
  if (splits <= 20 * count) {
    let reached = 0;
    forEachSubsetSum(pooled, a.length, (sumA) => {
      if (reaches(sumA)) reached++;
    });
    return { difference, p: reached / splits, arrangements: splits, exact: true };
  }
  let reached = 0;
  const shuffled = pooled.slice();
  for (let draw = 0; draw < count; draw++) {
    options.rng.shuffle(shuffled);
    let sumA = 0;
    for (let i = 0; i < a.length; i++) sumA += shuffled[i];
    if (reaches(sumA)) reached++;
  }
  return { difference, p: (reached + 1) / (count + 1), arrangements: count, exact: false };
}

/** Calls `visit` with the sum of every subset of `size` values. */
function forEachSubsetSum(values: Float64Array, size: number, visit: (total: number) => void): void {
  const choose = (from: number, left: number, total: number): void => {
    if (left === 0) {
      visit(total);
      return;
    }
    for (let i = from; i <= values.length - left; i++) choose(i + 1, left - 1, total + values[i]);
  };
  choose(0, size, 0);
}

/** n choose k, exact while below 2^53. */
export function binomialCoefficient(n: number, k: number): number {
  if (k < 0 || k > n) return 0;
  let result = 1;
  for (let i = 1; i <= Math.min(k, n - k); i++) result = Math.round((result * (n - i + 1)) / i);
  return result;
}

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}

function factorialAtMost(n: number, most: number): boolean {
  return n <= 12 && factorial(n) <= most;
}

function* sampledPermutations(n: number, count: number, rng: Rng): Generator<Int32Array> {
  const permutation = Int32Array.from({ length: n }, (_, i) => i);
  for (let draw = 0; draw < count; draw++) yield rng.shuffle(permutation);
}

/** Heap's algorithm; yields one reused array. */
function* allPermutations(n: number): Generator<Int32Array> {
  const permutation = Int32Array.from({ length: n }, (_, i) => i);
  const counters = new Int32Array(n);
  yield permutation;
  for (let i = 1; i < n;) {
    if (counters[i] < i) {
      const other = i % 2 === 0 ? 0 : counters[i];
      [permutation[other], permutation[i]] = [permutation[i], permutation[other]];
      yield permutation;
      counters[i]++;
      i = 1;
    } else {
      counters[i] = 0;
      i++;
    }
  }
}
