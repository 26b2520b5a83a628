/**
 * Confidence intervals of means and of one proportion. Differences of proportions are in proportions.ts, means of bounded
 * values in bounded-mean.ts.
 */
import { mean, variance } from '../../tensor/sum.js';
import { betaQuantile, binomialCdf, normalQuantile, studentQuantile } from './distributions.js';

export interface IntervalEstimate {
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  readonly level: number;
  readonly method: string;
}

/**
 * Mean with a t interval over independent values, such as seeds. Fewer than two values, and values that are all equal,
 * bound nothing: -Infinity..Infinity. Equal values do not say how far the next one may lie, so their interval is never a
 * point; where values are bounded, boundedMeanInterval has an answer.
 */
export function meanInterval(values: ArrayLike<number>, level: number): IntervalEstimate {
  checkLevel(level);
  const estimate = mean(values);
  const method = 't over seeds';
  if (values.length < 2 || isConstant(values)) {
    return { estimate, low: -Infinity, high: Infinity, level, method };
  }
  const half =
    studentQuantile(1 - (1 - level) / 2, values.length - 1) * Math.sqrt(variance(values) / values.length);
  return { estimate, low: estimate - half, high: estimate + half, level, method };
}

/**
 * mean(a) - mean(b), Welch's t interval: unequal variances, Satterthwaite's degrees of freedom. A side of one value, and two
 * sides without any spread, bound nothing.
 */
export function welchInterval(a: ArrayLike<number>, b: ArrayLike<number>, level: number): IntervalEstimate {
  checkLevel(level);
  const estimate = mean(a) - mean(b);
  const method = 'Welch t over seeds';
  if (a.length < 2 || b.length < 2 || (isConstant(a) && isConstant(b))) {
    return { estimate, low: -Infinity, high: Infinity, level, method };
  }
  const va = variance(a) / a.length;
  const vb = variance(b) / b.length;
  const df = (va + vb) ** 2 / (va ** 2 / (a.length - 1) + vb ** 2 / (b.length - 1));
  const half = studentQuantile(1 - (1 - level) / 2, df) * Math.sqrt(va + vb);
  return { estimate, low: estimate - half, high: estimate + half, level, method };
}

/** Equal up to the rounding of a sum. */
function isConstant(values: ArrayLike<number>): boolean {
  let [least, most] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    least = Math.min(least, values[i]);
    most = Math.max(most, values[i]);
  }
  return most - least <= 8 * Number.EPSILON * Math.max(Math.abs(least), Math.abs(most));
}

/** Wilson score interval of k successes in n. */
export function wilsonInterval(k: number, n: number, level = 0.95): IntervalEstimate {
  checkCounts(k, n);
  checkLevel(level);
  const z2 = normalQuantile(1 - (1 - level) / 2) ** 2;
  const p = k / n;
  const centre = (p + z2 / (2 * n)) / (1 + z2 / n);
  const half = Math.sqrt(z2 * ((p * (1 - p)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return {
    estimate: p,
    // exact at the ends, where rounding leaves 1e-17
    low: k === 0 ? 0 : Math.max(0, centre - half),
    high: k === n ? 1 : Math.min(1, centre + half),
    level,
    method: 'Wilson',
  };
}

/** Clopper-Pearson interval: never covers less than its level. */
export function clopperPearsonInterval(k: number, n: number, level = 0.95): IntervalEstimate {
  checkCounts(k, n);
  checkLevel(level);
  const tail = (1 - level) / 2;
  return {
    estimate: k / n,
    low: k === 0 ? 0 : betaQuantile(tail, k, n - k + 1),
    high: k === n ? 1 : betaQuantile(1 - tail, k + 1, n - k),
    level,
    method: 'Clopper-Pearson',
  };
}

/**
 * Median of values each known to lie above `after` and at `by` at the latest, Infinity where it was not seen. The estimate is
 * the smallest bound by which half of them lie. The interval is that of order statistics: from the r-th smallest `after` to the
 * r-th largest `by`, which holds the median of any distribution with a probability of 1 - 2 P(Bin(n, 1/2) < r) or more, r being
 * the largest that keeps `level`. With fewer than six values none does for 95 %: it is their range then, and the level given
 * back is what that has (3 values: 75 %, 1: 0).
 */
export function medianInterval(
  after: readonly number[],
  by: readonly number[],
  level: number,
): IntervalEstimate {
  checkLevel(level);
  const n = by.length;
  if (n < 1 || after.length !== n)
    throw new RangeError(`medianInterval: found ${after.length} and ${n} bounds, expected as many.`);
  const [lows, highs] = [after, by].map((values) => Float64Array.from(values).sort());
  const outside = (rank: number): number => 2 * binomialCdf(rank - 1, n, 0.5);
  let r = 1;
  while (2 * (r + 1) <= n + 1 && 1 - outside(r + 1) >= level) r++;
  return {
    estimate: highs[Math.ceil(n / 2) - 1],
    low: lows[r - 1],
    high: highs[n - r],
    level: Math.max(0, 1 - outside(r)),
    method: 'order statistics of the median',
  };
}

/**
 * An interval without what the quantity cannot be. Whenever the whole interval holds the true value so does what is left of it,
 * since the true value lies within the limits: coverage stays. An estimate is never cut off; where a limit was met `method` says so.
 * @param low - least possible value, -Infinity where there is none; `high` the greatest
 */
export function limitedInterval(interval: IntervalEstimate, low: number, high: number): IntervalEstimate {
  const { estimate, method } = interval;
  const [cutBelow, cutAbove] = [interval.low < low, interval.high > high];
  if (!cutBelow && !cutAbove) return interval;
  const at = [...(cutBelow ? [low] : []), ...(cutAbove ? [high] : [])];
  return {
    ...interval,
    low: cutBelow ? Math.min(low, estimate) : interval.low,
    high: cutAbove ? Math.max(high, estimate) : interval.high,
    method: `${method}, cut at ${at.map((limit) => Number(limit.toPrecision(3))).join(' and ')}`,
  };
}

export function checkLevel(level: number): void {
  if (!(level > 0 && level < 1))
    throw new RangeError(`level: found ${level}, expected a number between 0 and 1.`);
}

export function checkCounts(k: number, n: number): void {
  if (!Number.isInteger(k) || !Number.isInteger(n) || n < 1 || k < 0 || k > n) {
    throw new RangeError(`counts: found ${k} of ${n}, expected whole numbers with 0 <= k <= n, n >= 1.`);
  }
}
