/**
 * What explained variance looks like without any structure: isotropic Gaussian rows of the same number and width.
 * A first component of 30 % is nothing special for ten points in sixteen dimensions; this says what would be.
 */
import { EVD } from 'ml-matrix';
import type { Rng } from '../../tensor/rng.js';
import { centred, gram, toMl, transpose, zeros } from '../matrix.js';
import { quantileSorted } from '../statistics/quantile.js';

export interface ExplainedVarianceNull {
  readonly draws: number;
  /** [k] with k = min(n - 1, d): mean share of component c */
  readonly mean: Float64Array;
  /** [k] 2.5 % and 97.5 % limits of component c */
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** Shares of explained variance of `draws` standard normal matrices [n, d], by component. @param onDraw - after each, for progress */
export function explainedVarianceNull(
  n: number,
  d: number,
  rng: Rng,
  draws = 500,
  onDraw?: (share: number) => void,
): ExplainedVarianceNull {
  if (n < 2 || d < 1 || draws < 1) {
    throw new RangeError(
      `explainedVarianceNull: found n ${n}, d ${d}, draws ${draws}; expected 2, 1, 1 or more.`,
    );
  }
  const k = Math.min(n - 1, d);
  const shares = Array.from({ length: k }, () => new Float64Array(draws));
  for (let draw = 0; draw < draws; draw++) {
    const x = zeros(n, d);
    for (let i = 0; i < x.data.length; i++) x.data[i] = rng.normal();
    const xCentred = centred(x);
    // the smaller of the two Gram matrices has the same non-zero eigenvalues
    const small = n <= d ? gram(xCentred) : gram(transpose(xCentred));
    const values = new EVD(toMl(small), { assumeSymmetric: true }).realEigenvalues
      .map((value) => Math.max(value, 0))
      .sort((a, b) => b - a);
    const total = values.reduce((sum, value) => sum + value, 0);
    for (let c = 0; c < k; c++) shares[c][draw] = values[c] / total;
    onDraw?.((draw + 1) / draws);
  }
  for (const column of shares) column.sort();
  return {
    draws,
    mean: Float64Array.from(shares, (column) => column.reduce((sum, v) => sum + v, 0) / draws),
    low: Float64Array.from(shares, (column) => quantileSorted(column, 0.025)),
    high: Float64Array.from(shares, (column) => quantileSorted(column, 0.975)),
  };
}
