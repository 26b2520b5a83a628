/** Textbook forms that tests hold the statistics to. */
import { ranks, standardised } from '../../src/analysis/geometry/correlation.js';
import { fourierSpectrum } from '../../src/analysis/geometry/fourier.js';
import type { Matrix } from '../../src/analysis/matrix.js';
import { Rng } from '../../src/tensor/rng.js';
import type { NumberArray } from '../../src/tensor/sum.js';

/** Product-moment correlation. */
export function pearson(x: NumberArray, y: NumberArray): number {
  const b = standardised(y, 'second sample');
  return standardised(x, 'first sample').reduce((sum, value, i) => sum + value * b[i], 0);
}

/** Rank correlation, ties averaged. */
export function spearman(x: NumberArray, y: NumberArray): number {
  return pearson(ranks(x), ranks(y));
}

/** Shares of the frequencies alone. @returns [floor(n/2)] */
export function fourierShares(x: Matrix): Float64Array {
  return Float64Array.from(fourierSpectrum(x, { rng: new Rng(1, 'test'), count: 1 }).share);
}

/** @returns [floor(n/2)] shares of a straight line of equal steps: m_k / sin^2(pi k / n), summing to 1 */
export function lineShares(n: number): Float64Array {
  const weights = Float64Array.from(
    { length: Math.floor(n / 2) },
    (_, k) => (2 * (k + 1) === n ? 1 : 2) / Math.sin((Math.PI * (k + 1)) / n) ** 2,
  );
  const total = weights.reduce((sum, value) => sum + value, 0);
  return weights.map((value) => value / total);
}
