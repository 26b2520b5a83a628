/** Distance and similarity matrices of the rows of a matrix, in the dimension they live in (no projection). */
import { RunError } from '../../errors.js';
import { dot } from '../../tensor/sum.js';
import { type Matrix, rowOf, zeros } from '../matrix.js';

/** @returns [n, n] squared Euclidean distances, symmetric, zero diagonal */
export function squaredDistances(x: Matrix): Matrix {
  const out = zeros(x.rows, x.rows);
  for (let i = 0; i < x.rows; i++) {
    for (let j = i + 1; j < x.rows; j++) {
      let total = 0;
      // summed difference by difference: |a|^2 + |b|^2 - 2 a.b cancels for near rows
      for (let k = 0; k < x.cols; k++) total += (x.data[i * x.cols + k] - x.data[j * x.cols + k]) ** 2;
      out.data[i * x.rows + j] = total;
      out.data[j * x.rows + i] = total;
    }
  }
  return out;
}

/** @returns [n, n] cosine of the angle between rows; the diagonal is 1. Throws RunError for a row of zeros. */
export function cosineSimilarities(x: Matrix): Matrix {
  const norms = Array.from({ length: x.rows }, (_, i) => Math.sqrt(dot(rowOf(x, i), rowOf(x, i))));
  const zero = norms.indexOf(0);
  if (zero >= 0) throw new RunError(`cosineSimilarities: row ${zero} is zero and has no direction.`);
  const out = zeros(x.rows, x.rows);
  for (let i = 0; i < x.rows; i++) {
    out.data[i * x.rows + i] = 1;
    for (let j = i + 1; j < x.rows; j++) {
      const cosine = Math.max(-1, Math.min(1, dot(rowOf(x, i), rowOf(x, j)) / (norms[i] * norms[j])));
      out.data[i * x.rows + j] = cosine;
      out.data[j * x.rows + i] = cosine;
    }
  }
  return out;
}

/** The n (n - 1) / 2 entries above the diagonal of a square matrix, row by row. */
export function upperTriangle(square: Matrix): Float64Array {
  const n = square.rows;
  const out = new Float64Array((n * (n - 1)) / 2);
  let at = 0;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) out[at++] = square.data[i * n + j];
  return out;
}
