/** Dense float64 matrices as plain data, and the few products the analyses need. Decompositions are ml-matrix's. */
import { Matrix as MlMatrix } from 'ml-matrix';
import { assertLength } from '../tensor/shape.js';

/** Row-major; a value, not a view: functions here never write to their arguments. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  /** [rows, cols] row-major */
  readonly data: Float64Array;
}

/** @param data - [rows, cols] row-major, any numeric array; copied to float64 */
export function matrix(rows: number, cols: number, data: ArrayLike<number>): Matrix {
  assertLength(data, rows * cols, `matrix [${rows},${cols}]`);
  return { rows, cols, data: Float64Array.from(data) };
}

export function zeros(rows: number, cols: number): Matrix {
  return { rows, cols, data: new Float64Array(rows * cols) };
}

/** One row, shares memory. */
export function rowOf(x: Matrix, row: number): Float64Array {
  return x.data.subarray(row * x.cols, (row + 1) * x.cols);
}

/** The rows named by `indices`, in that order. */
export function takeRows(x: Matrix, indices: ArrayLike<number>): Matrix {
  const out = zeros(indices.length, x.cols);
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i];
    if (!Number.isInteger(row) || row < 0 || row >= x.rows) {
      throw new RangeError(`takeRows: found row ${row}, expected 0..${x.rows - 1}.`);
    }
    out.data.set(rowOf(x, row), i * x.cols);
  }
  return out;
}

/** The first `cols` columns; columns that x does not have are zero. */
export function withColumns(x: Matrix, cols: number): Matrix {
  const out = zeros(x.rows, cols);
  const kept = Math.min(cols, x.cols);
  for (let i = 0; i < x.rows; i++) out.data.set(rowOf(x, i).subarray(0, kept), i * cols);
  return out;
}

export function transpose(x: Matrix): Matrix {
  const out = zeros(x.cols, x.rows);
  for (let i = 0; i < x.rows; i++) {
    for (let j = 0; j < x.cols; j++) out.data[j * x.rows + i] = x.data[i * x.cols + j];
  }
  return out;
}

/** a [m,k] times b [k,n]. */
export function matMul(a: Matrix, b: Matrix): Matrix {
  if (a.cols !== b.rows) {
    throw new RangeError(`matMul: found [${a.rows},${a.cols}] x [${b.rows},${b.cols}], inner sizes differ.`);
  }
  const out = zeros(a.rows, b.cols);
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < a.cols; k++) {
      const aIK = a.data[i * a.cols + k];
      for (let j = 0; j < b.cols; j++) out.data[i * b.cols + j] += aIK * b.data[k * b.cols + j];
    }
  }
  return out;
}

/** x xᵀ, [rows, rows]. */
export function gram(x: Matrix): Matrix {
  return matMul(x, transpose(x));
}

/** @returns [cols] mean of each column */
export function columnMeans(x: Matrix): Float64Array {
  if (x.rows === 0) throw new RangeError('columnMeans: found no rows, expected at least one.');
  const means = new Float64Array(x.cols);
  for (let i = 0; i < x.rows; i++) {
    for (let j = 0; j < x.cols; j++) means[j] += x.data[i * x.cols + j];
  }
  for (let j = 0; j < x.cols; j++) means[j] /= x.rows;
  return means;
}

/** x with every column's mean taken away. */
export function centred(x: Matrix): Matrix {
  const means = columnMeans(x);
  const out = zeros(x.rows, x.cols);
  for (let i = 0; i < x.rows; i++) {
    for (let j = 0; j < x.cols; j++) out.data[i * x.cols + j] = x.data[i * x.cols + j] - means[j];
  }
  return out;
}

/** Sum of squares of all elements. */
export function squaredNorm(x: Matrix): number {
  let total = 0;
  for (const value of x.data) total += value * value;
  return total;
}

/** Copy as ml-matrix's class, for its decompositions. */
export function toMl(x: Matrix): MlMatrix {
  return MlMatrix.from1DArray(x.rows, x.cols, Array.from(x.data));
}

/** Copy from ml-matrix's class. */
export function fromMl(x: MlMatrix): Matrix {
  return matrix(x.rows, x.columns, x.to1DArray());
}
