/**
 * Normal, Student t, beta and binomial distributions, from our own log and exp so that a published interval has the same
 * digits everywhere. Accuracy against scipy is in test/analysis/statistics/distributions.test.ts.
 */
import { expDeterministic, logDeterministic } from '../../tensor/math.js';

/** Lanczos coefficients, g = 7, n = 9 (Godfrey's set). */
const LANCZOS = [
  0.9999999999998099, 676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;
const LOG_SQRT_2PI = 0.9189385332046728;

/** log of the gamma function, x > 0. */
export function logGamma(x: number): number {
  if (!(x > 0)) throw new RangeError(`logGamma: found ${x}, expected a number above 0.`);
  if (x < 0.5) return logGamma(x + 1) - logDeterministic(x);
  const shifted = x - 1;
  const t = shifted + 7.5;
  let series: number = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) series += LANCZOS[i] / (shifted + i);
  return LOG_SQRT_2PI + (shifted + 0.5) * logDeterministic(t) - t + logDeterministic(series);
}

/** Standard normal P(Z <= z). */
export function normalCdf(z: number): number {
  if (Number.isNaN(z)) return NaN;
  return z > 0 ? 1 - normalUpperTail(z) : normalUpperTail(-z);
}

/** P(Z > z) for z >= 0 with small relative error in the tail. */
function normalUpperTail(z: number): number {
  if (z > 38.6) return 0;
  const density = expDeterministic((-z * z) / 2 - LOG_SQRT_2PI);
  if (z < 2.5) {
    // P(0 < Z < z) = density * (z + z^3/3 + z^5/(3*5) + ...) (Marsaglia 2004)
    let term = z;
    let total = z;
    for (let k = 3; Math.abs(term) > total * 1e-17 && k < 400; k += 2) {
      term *= (z * z) / k;
      total += term;
    }
    return 0.5 - density * total;
  }
  // Laplace's continued fraction, evaluated from the far end
  let fraction = z;
  for (let k = 160; k >= 1; k--) fraction = z + k / fraction;
  return density / fraction;
}

/** z with P(Z <= z) = p; -Infinity and Infinity at 0 and 1. */
export function normalQuantile(p: number): number {
  checkProbability(p);
  if (p === 0) return -Infinity;
  if (p === 1) return Infinity;
  if (p > 0.5) return -normalQuantile(1 - p);
  return -bisect((z) => normalUpperTail(z) <= p, 0, 39);
}

/** Regularised incomplete beta function I_x(a, b): continued fraction (Lentz) on the side where it converges fast. */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (!(a > 0 && b > 0))
    throw new RangeError(`incompleteBeta: found a ${a}, b ${b}; expected numbers above 0.`);
  checkProbability(x);
  if (x === 0 || x === 1) return x;
  return x < (a + 1) / (a + b + 2) ? betaFraction(x, 1 - x, a, b) : 1 - betaFraction(1 - x, x, b, a);
}

function betaFraction(x: number, rest: number, a: number, b: number): number {
  const logFactor =
    a * logDeterministic(x) + b * logDeterministic(rest) + logGamma(a + b) - logGamma(a) - logGamma(b);
  const tiny = 1e-300;
  const away = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m <= 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 2e-16) break;
  }
  return (expDeterministic(logFactor) * fraction) / a;
}

/** x with I_x(a, b) = p. */
export function betaQuantile(p: number, a: number, b: number): number {
  checkProbability(p);
  if (p === 0 || p === 1) return p;
  return bisect((x) => incompleteBeta(x, a, b) >= p, 0, 1);
}

/** P(T <= t) of Student's t with `df` degrees of freedom (any number above 0). */
export function studentCdf(t: number, df: number): number {
  if (!(df > 0))
    throw new RangeError(`studentCdf: found ${df} degrees of freedom, expected a number above 0.`);
  if (Number.isNaN(t)) return NaN;
  if (!Number.isFinite(t)) return t > 0 ? 1 : 0;
  const t2 = t * t;
  // the tail from the side that does not cancel
  const tail =
    t2 < df
      ? (1 - incompleteBeta(t2 / (df + t2), 0.5, df / 2)) / 2
      : incompleteBeta(df / (df + t2), df / 2, 0.5) / 2;
  return t > 0 ? 1 - tail : tail;
}

/** quantiles already found, by `p df`: a report asks a thousand times for those of few seeds */
const quantiles = new Map<string, number>();
const MOST_QUANTILES = 1000;

/** t with P(T <= t) = p. */
export function studentQuantile(p: number, df: number): number {
  const key = `${p} ${df}`;
  const known = quantiles.get(key);
  if (known !== undefined) return known;
  const quantile = newQuantile(p, df);
  if (quantiles.size >= MOST_QUANTILES) quantiles.clear();
  quantiles.set(key, quantile);
  return quantile;
}

function newQuantile(p: number, df: number): number {
  checkProbability(p);
  if (p === 0.5) return 0;
  if (p === 0 || p === 1) return p === 0 ? -Infinity : Infinity;
  if (p > 0.5) return -newQuantile(1 - p, df);
  let far = 2;
  while (studentCdf(-far, df) > p && far < 1e300) far *= 2;
  return -bisect((t) => studentCdf(-t, df) <= p, 0, far);
}

/** P(X <= k) of the binomial distribution. */
export function binomialCdf(k: number, n: number, p: number): number {
  checkProbability(p);
  if (k < 0) return 0;
  if (k >= n) return 1;
  return 1 - incompleteBeta(p, Math.floor(k) + 1, n - Math.floor(k));
}

/** The smallest point of [low, high] where a monotone condition holds, to the last bit. */
export function bisect(holds: (x: number) => boolean, low: number, high: number): number {
  let [below, above] = [low, high];
  for (let i = 0; i < 1100; i++) {
    const middle = below + (above - below) / 2;
    if (middle <= below || middle >= above) break;
    if (holds(middle)) above = middle;
    else below = middle;
  }
  return above;
}

function checkProbability(p: number): void {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`probability: found ${p}, expected 0 to 1.`);
}
