/**
 * Principal components of a small data matrix: a thin wrapper of ml-pca (SVD), which accepts NaN, keeps components of
 * variance 1e-33 and leaves signs open. Here: finite check, rank cut, signs fixed. The null is in pca-null.ts.
 */
import { PCA } from 'ml-pca';
import { RunError } from '../../errors.js';
import { assertFinite } from '../../tensor/shape.js';
import { centred, fromMl, matMul, type Matrix, toMl, transpose, zeros, columnMeans } from '../matrix.js';

export interface PcaOptions {
  /** keep at most this many components; default: all of the rank */
  readonly maxComponents?: number;
}

export interface PcaModel {
  /** [d] */
  readonly mean: Float64Array;
  /** [k, d] unit rows; the loading of largest absolute value in each row is positive */
  readonly components: Matrix;
  /** [n, k] coordinates of the data */
  readonly scores: Matrix;
  /** [k] variance along each component, divisor n - 1 */
  readonly explainedVariance: Float64Array;
  /** [k] share of the total variance; sums to 1 when no component was cut */
  readonly explainedVarianceRatio: Float64Array;
  /** rank of the centred data: singular values above max(n, d) eps s_1 */
  readonly rank: number;
}

/**
 * @param x - [n, d], n >= 2
 * @throws RangeError on a non-finite element, RunError when all rows are equal (no direction has variance)
 */
export function fitPca(x: Matrix, options: PcaOptions = {}): PcaModel {
  const { rows: n, cols: d } = x;
  if (n < 2 || d < 1) throw new RangeError(`fitPca: found a matrix [${n},${d}], expected at least [2,1].`);
  assertFinite(x.data, 'fitPca: x');
  // copy centred by ourselves: ml-pca's own centring of constant columns leaves rounding residues
  const xCentred = centred(x);
  const fitted = new PCA(toMl(xCentred), { method: 'SVD', center: true, scale: false });
  const eigenvalues = fitted.getEigenvalues();
  const directions = transpose(fromMl(fitted.getEigenvectors()));
  const singular = eigenvalues.map((value) => Math.sqrt(Math.max(value, 0) * (n - 1)));
  const largestEntry = x.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const cut = Math.max(n, d) * Number.EPSILON;
  // relative to the data's own size as well: rows that differ only in their last bits have no variance
  const rank = singular.filter((s) => s > cut * Math.max(singular[0], largestEntry)).length;
  if (rank === 0) throw new RunError('fitPca: all rows are equal, so no direction has any variance.');

  const k = Math.min(rank, options.maxComponents ?? rank);
  const components = zeros(k, d);
  for (let c = 0; c < k; c++) {
    const row = directions.data.subarray(c * d, (c + 1) * d);
    components.data.set(withFixedSign(row), c * d);
  }
  const total = eigenvalues.reduce((sum, value) => sum + Math.max(value, 0), 0);
  const explainedVariance = Float64Array.from(eigenvalues.slice(0, k));
  return {
    mean: columnMeans(x),
    components,
    scores: matMul(xCentred, transpose(components)),
    explainedVariance,
    explainedVarianceRatio: explainedVariance.map((value) => value / total),
    rank,
  };
}

/** The vector or its negative, so that the entry of largest absolute value (the first of equals) is positive. */
function withFixedSign(row: Float64Array): Float64Array {
  let largest = 0;
  for (let j = 1; j < row.length; j++) {
    // entries equal up to rounding count as equal, or the sign would hang on the last bit
    if (Math.abs(row[j]) > Math.abs(row[largest]) * (1 + 1e-9)) largest = j;
  }
  return row[largest] < 0 ? row.map((value) => -value) : row.slice();
}
