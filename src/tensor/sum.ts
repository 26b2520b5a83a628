/** Sums in float64, whatever the element type: every statistic over samples goes through these. Browser-safe. */

/** Any array of numbers that is only read. */
export type NumberArray = ArrayLike<number>;

/** Neumaier's compensated sum: the error does not grow with the length. */
export function sum(values: NumberArray): number {
  let total = 0;
  let lost = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    const next = total + value;
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total;
    total = next;
  }
  // an infinite total makes `lost` NaN; the plain sum is then the answer
  return Number.isFinite(lost) ? total + lost : total;
}

/** Arithmetic mean. Throws on an empty array: it has none. */
export function mean(values: NumberArray): number {
  if (values.length === 0) throw new RangeError('mean: found no values, expected at least one.');
  return sum(values) / values.length;
}

/** Unbiased variance (n - 1), two passes: E[x^2] - E[x]^2 cancels when |mean| >> std. At least two values. */
export function variance(values: NumberArray): number {
  if (values.length < 2) {
    throw new RangeError(`variance: found ${values.length} values, expected at least two.`);
  }
  const centre = mean(values);
  const squares = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) squares[i] = (values[i] - centre) ** 2;
  return sum(squares) / (values.length - 1);
}

/** Square root of the unbiased variance. */
export function standardDeviation(values: NumberArray): number {
  return Math.sqrt(variance(values));
}

/** Inner product of two arrays of one length, float64. */
export function dot(a: NumberArray, b: NumberArray): number {
  if (a.length !== b.length) {
    throw new RangeError(`dot: found lengths ${a.length} and ${b.length}, expected equal lengths.`);
  }
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}
