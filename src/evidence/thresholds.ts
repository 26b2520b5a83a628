/**
 * Size thresholds (C1, C2): from the number of seeds that learned at each model size, the exact posterior of the size at
 * which learning begins, on a grid; differences and maxima of such thresholds, exact on their grids; an exact test of trend.
 * P(learned | x) = (1 - lambda) sigma((x - theta) / s), x = log2 of the number of parameters, all three flat.
 */
import { expDeterministic, logDeterministic } from '../tensor/math.js';
import { binomialCoefficient } from '../analysis/statistics/permutation.js';
import { grouped } from './results.js';

/** Octaves below the smallest and above the largest size that a threshold may lie at. */
export const GRID_MARGIN = 2;
/** Octaves between two values of theta. */
export const GRID_STEP = 0.1;
/** Octaves over which learning sets in. */
export const WIDTHS: readonly number[] = [0.1, 0.2, 0.4, 0.8, 1.6];
/** Share of seeds that never learn, however large the model. */
export const LAPSES: readonly number[] = [0, 0.05, 0.1, 0.2, 0.3];

/** Seeds that learned at one model size. */
export interface SizeCount {
  readonly parameters: number;
  readonly learned: number;
  readonly runs: number;
}

/** A discrete distribution: values ascending, masses that sum to 1. */
export interface Discrete {
  readonly values: Float64Array;
  readonly mass: Float64Array;
}

export interface ThresholdPosterior {
  /** log2 parameters */
  readonly theta: Discrete;
  readonly lambda: Discrete;
  /** log2 of the smallest and the largest size tested */
  readonly first: number;
  readonly last: number;
}

/** @param counts - at least one size, in any order; sizes may repeat */
export function thresholdPosterior(counts: readonly SizeCount[]): ThresholdPosterior {
  checkCounts(counts);
  const x = counts.map(({ parameters }) => log2(parameters));
  const [first, last] = [Math.min(...x), Math.max(...x)];
  const nTheta = Math.floor((last - first + 2 * GRID_MARGIN) / GRID_STEP + 1e-9) + 1;
  const grid = Float64Array.from({ length: nTheta }, (_, i) => first - GRID_MARGIN + GRID_STEP * i);
  const logs: { readonly theta: number; readonly lambda: number; readonly value: number }[] = [];
  grid.forEach((at, theta) => {
    for (const width of WIDTHS) {
      LAPSES.forEach((lapse, lambda) => {
        let value = 0;
        counts.forEach(({ learned, runs }, i) => {
          const z = (x[i] - at) / width;
          const rises = 1 / (1 + expDeterministic(-z));
          // 1 - (1 - lapse) sigma(z), without the cancellation
          const fails = 1 / (1 + expDeterministic(z)) + lapse * rises;
          if (learned > 0) value += learned * logDeterministic((1 - lapse) * rises);
          if (learned < runs) value += (runs - learned) * logDeterministic(fails);
        });
        logs.push({ theta, lambda, value });
      });
    }
  });
  const most = logs.reduce((peak, { value }) => Math.max(peak, value), -Infinity);
  const thetaMass = new Float64Array(nTheta);
  const lambdaMass = new Float64Array(LAPSES.length);
  for (const { theta, lambda, value } of logs) {
    const weight = expDeterministic(value - most);
    thetaMass[theta] += weight;
    lambdaMass[lambda] += weight;
  }
  return {
    theta: { values: grid, mass: normalised(thetaMass) },
    lambda: { values: Float64Array.from(LAPSES), mass: normalised(lambdaMass) },
    first,
    last,
  };
}

/** The greatest of independent values. @param all - at least one */
export function maximumOf(all: readonly Discrete[]): Discrete {
  const values = Float64Array.from(new Set(all.flatMap((one) => [...one.values]))).sort();
  const mass = new Float64Array(values.length);
  // P(max <= v) is the product of the distribution functions
  const at = all.map(() => ({ next: 0, total: 0 }));
  let below = 0;
  values.forEach((value, i) => {
    let reached = 1;
    all.forEach((one, k) => {
      const place = at[k];
      while (place.next < one.values.length && one.values[place.next] <= value) {
        place.total += one.mass[place.next++];
      }
      reached *= place.total;
    });
    mass[i] = Math.max(0, reached - below);
    below = reached;
  });
  return { values, mass: normalised(mass) };
}

/** a - b of independent values, every pair of values taken. */
export function differenceOf(a: Discrete, b: Discrete): Discrete {
  const pairs: { readonly value: number; readonly mass: number }[] = [];
  a.values.forEach((value, i) => {
    b.values.forEach((other, j) => pairs.push({ value: value - other, mass: a.mass[i] * b.mass[j] }));
  });
  pairs.sort((one, two) => one.value - two.value);
  return {
    values: Float64Array.from(pairs, ({ value }) => value),
    mass: Float64Array.from(pairs, ({ mass }) => mass),
  };
}

/** The smallest value that at least `probability` of the mass does not exceed. */
export function quantileOf({ values, mass }: Discrete, probability: number): number {
  if (!(probability > 0 && probability < 1)) {
    throw new RangeError(`quantileOf: found probability ${probability}, expected one between 0 and 1.`);
  }
  let total = 0;
  for (let i = 0; i < values.length; i++) {
    total += mass[i];
    // masses that should add up to the probability exactly fall short of it by rounding
    if (total >= probability - 1e-12) return values[i];
  }
  return values[values.length - 1];
}

/** Median and equal-tailed interval of a distribution. */
export function equalTailed(
  distribution: Discrete,
  level: number,
): { readonly estimate: number; readonly low: number; readonly high: number } {
  return {
    estimate: quantileOf(distribution, 0.5),
    low: quantileOf(distribution, (1 - level) / 2),
    high: quantileOf(distribution, 1 - (1 - level) / 2),
  };
}

/**
 * `8,100 [5,200, 12,000] parameters`. What lies outside the sizes tested is known to be outside and no more: it prints as
 * `<= smallest` or `> largest`.
 */
export function thresholdText({ theta, first, last }: ThresholdPosterior, level: number): string {
  const show = (value: number): string => {
    if (value <= first + 1e-9) return `<= ${parametersText(first, 9)}`;
    if (value > last + 1e-9) return `> ${parametersText(last, 9)}`;
    return parametersText(value, 2);
  };
  const { estimate, low, high } = equalTailed(theta, level);
  const [middle, from, to] = [estimate, low, high].map(show);
  return from === to ? `${middle} parameters` : `${middle} [${from}, ${to}] parameters`;
}

/**
 * Whether successes rise or fall with size: Cochran and Armitage's test with the sizes scored 0, 1, 2, ..., exact. Given
 * how many learned in all, every way to deal them to the runs is equally likely.
 * @param counts - one for each size, in any order
 * @returns two-sided p: outcomes at least as far from the mean as the observed one
 */
export function exactTrendP(counts: readonly SizeCount[]): number {
  checkCounts(counts);
  const ordered = [...counts].sort((a, b) => a.parameters - b.parameters);
  const learned = ordered.reduce((sum, size) => sum + size.learned, 0);
  const runs = ordered.reduce((sum, size) => sum + size.runs, 0);
  const scores = ordered.reduce((sum, size, score) => sum + score * size.runs, 0);
  const expected = (learned * scores) / runs;
  const observed = ordered.reduce((sum, size, score) => sum + score * size.learned, 0);
  // ways[k] maps a score to the number of ways to have k successes with that sum of scores
  let ways: Map<number, number>[] = [new Map([[0, 1]])];
  ordered.forEach(({ runs: n }, score) => {
    const next: Map<number, number>[] = Array.from({ length: learned + 1 }, () => new Map<number, number>());
    ways.forEach((bySum, k) => {
      for (let more = 0; more <= Math.min(n, learned - k); more++) {
        const choices = binomialCoefficient(n, more);
        const target = next[k + more];
        for (const [sum, count] of bySum) {
          const at = sum + score * more;
          target.set(at, (target.get(at) ?? 0) + count * choices);
        }
      }
    });
    ways = next;
  });
  let reached = 0;
  let all = 0;
  for (const [sum, count] of ways[learned]) {
    all += count;
    if (Math.abs(sum - expected) >= Math.abs(observed - expected) - 1e-9) reached += count;
  }
  return reached / all;
}

function normalised(mass: Float64Array): Float64Array {
  const total = mass.reduce((sum, value) => sum + value, 0);
  return mass.map((value) => value / total);
}

function log2(value: number): number {
  return logDeterministic(value) / Math.LN2;
}

function parametersText(log2Parameters: number, digits: number): string {
  const value = Math.round(expDeterministic(log2Parameters * Math.LN2));
  return grouped(Number(value.toPrecision(digits)));
}

function checkCounts(counts: readonly SizeCount[]): void {
  if (counts.length === 0) throw new RangeError('sizes: found none, expected at least one.');
  for (const { parameters, learned, runs } of counts) {
    const isCount = Number.isInteger(learned) && Number.isInteger(runs) && learned >= 0 && learned <= runs;
    if (!isCount || runs < 1 || !(parameters > 0)) {
      throw new RangeError(
        `sizes: found ${learned} of ${runs} runs learned at ${parameters} parameters, expected whole numbers with 0 <= learned <= runs and a size above 0.`,
      );
    }
  }
}
