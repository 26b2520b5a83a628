/**
 * Differences of two proportions, such as seeds that learned with and without companions: Miettinen and Nurminen's score
 * interval (1985), plain and stratified (by model size), and the exact stratified permutation p beside it. A difference at
 * one size is stratumless: pass one stratum.
 */
import { bisect, normalQuantile } from './distributions.js';
import { checkCounts, checkLevel, type IntervalEstimate } from './intervals.js';
import { binomialCoefficient } from './permutation.js';

/** k successes of n in two groups. */
export interface TwoByTwo {
  readonly k1: number;
  readonly n1: number;
  readonly k2: number;
  readonly n2: number;
}

/** p1 - p2, strata weighted by n1 n2 / (n1 + n2) (Cochran, Mantel and Haenszel). */
export function proportionDifference(strata: readonly TwoByTwo[], level: number): IntervalEstimate {
  checkStrata(strata);
  checkLevel(level);
  const weights = stratumWeights(strata);
  const estimate = weightedDifference(strata, weights);
  const z = normalQuantile(1 - (1 - level) / 2);
  const score = (delta: number): number => {
    let variance = 0;
    strata.forEach((s, i) => (variance += weights[i] ** 2 * restrictedVariance(s, delta)));
    const distance = estimate - delta;
    return variance > 0
      ? distance / Math.sqrt(variance)
      : Math.sign(distance) * (distance === 0 ? 0 : Infinity);
  };
  // the score falls as delta grows: the limits are where it passes z and -z
  return {
    estimate,
    low: bisect((delta) => score(delta) <= z, -1, estimate),
    high: bisect((delta) => score(delta) < -z, estimate, 1),
    level,
    method: strata.length === 1 ? 'Miettinen-Nurminen' : 'stratified Miettinen-Nurminen',
  };
}

/** Variance of p1 - p2 at the most likely proportions whose difference is delta, with the factor N / (N - 1). */
function restrictedVariance({ k1, n1, k2, n2 }: TwoByTwo, delta: number): number {
  const p2 = restrictedProportion({ k1, n1, k2, n2 }, delta);
  const p1 = Math.min(1, Math.max(0, p2 + delta));
  const total = n1 + n2;
  return ((p1 * (1 - p1)) / n1 + (p2 * (1 - p2)) / n2) * (total / (total - 1));
}

/** Maximises the likelihood over p2 with p1 = p2 + delta; its slope falls, so the root is bracketed. */
function restrictedProportion({ k1, n1, k2, n2 }: TwoByTwo, delta: number): number {
  const slope = (p2: number): number => {
    const p1 = p2 + delta;
    // terms with a zero count are absent, not 0/0
    return (
      (k1 > 0 ? k1 / p1 : 0) -
      (k1 < n1 ? (n1 - k1) / (1 - p1) : 0) +
      (k2 > 0 ? k2 / p2 : 0) -
      (k2 < n2 ? (n2 - k2) / (1 - p2) : 0)
    );
  };
  return bisect((p2) => slope(p2) <= 0, Math.max(0, -delta), Math.min(1, 1 - delta));
}

/**
 * Two-sided p of the weighted difference when successes are dealt at random within each stratum (margins fixed): the
 * convolution of the strata's hypergeometric distributions, exact.
 */
export function exactStratifiedP(strata: readonly TwoByTwo[]): number {
  checkStrata(strata);
  const weights = stratumWeights(strata);
  const observed = Math.abs(weightedDifference(strata, weights));
  let distribution = new Map<string, { value: number; probability: number }>([
    ['0', { value: 0, probability: 1 }],
  ]);
  strata.forEach((stratum, s) => {
    const next = new Map<string, { value: number; probability: number }>();
    for (const { value, probability } of distribution.values()) {
      for (const outcome of hypergeometric(stratum)) {
        const sum = value + weights[s] * outcome.difference;
        // equal sums reached by different paths differ in the last bits only
        const key = sum.toFixed(12);
        const held = next.get(key);
        const mass = probability * outcome.probability;
        if (held === undefined) next.set(key, { value: sum, probability: mass });
        else held.probability += mass;
      }
    }
    distribution = next;
  });
  let p = 0;
  for (const { value, probability } of distribution.values()) {
    if (Math.abs(value) >= observed - 1e-9) p += probability;
  }
  return Math.min(1, p);
}

function hypergeometric({ k1, n1, k2, n2 }: TwoByTwo): { difference: number; probability: number }[] {
  const k = k1 + k2;
  const all = binomialCoefficient(n1 + n2, k);
  const out: { difference: number; probability: number }[] = [];
  for (let x = Math.max(0, k - n2); x <= Math.min(n1, k); x++) {
    const ways = binomialCoefficient(n1, x) * binomialCoefficient(n2, k - x);
    out.push({ difference: x / n1 - (k - x) / n2, probability: ways / all });
  }
  return out;
}

/** @returns weights that sum to 1 */
function stratumWeights(strata: readonly TwoByTwo[]): Float64Array {
  const weights = Float64Array.from(strata, ({ n1, n2 }) => (n1 * n2) / (n1 + n2));
  const total = weights.reduce((sum, value) => sum + value, 0);
  return weights.map((value) => value / total);
}

function weightedDifference(strata: readonly TwoByTwo[], weights: Float64Array): number {
  return strata.reduce((sum, { k1, n1, k2, n2 }, s) => sum + weights[s] * (k1 / n1 - k2 / n2), 0);
}

function checkStrata(strata: readonly TwoByTwo[]): void {
  if (strata.length === 0) throw new RangeError('strata: found none, expected at least one.');
  for (const { k1, n1, k2, n2 } of strata) {
    checkCounts(k1, n1);
    checkCounts(k2, n2);
  }
}
