/** Sample quantiles. */

/** @param sorted - ascending; linear interpolation between order statistics (Hyndman and Fan type 7) */
export function quantileSorted(sorted: ArrayLike<number>, probability: number): number {
  if (sorted.length === 0) throw new RangeError('quantile: found no values, expected at least one.');
  if (!(probability >= 0 && probability <= 1)) {
    throw new RangeError(`quantile: found probability ${probability}, expected 0 to 1.`);
  }
  const at = (sorted.length - 1) * probability;
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

/** The same of values in any order. */
export function quantile(values: ArrayLike<number>, probability: number): number {
  return quantileSorted(Float64Array.from(values).sort(), probability);
}
