/**
 * The same labelling by another program: ml-logistic-regression, plain gradient descent without intercept, penalty or test of
 * convergence. It gets standardised features with a column of ones, a rate below the stable limit and few steps; only its
 * predictions are compared.
 */
import LogisticRegression from 'ml-logistic-regression';
import { EigenvalueDecomposition, Matrix as MlMatrix } from 'ml-matrix';
import { choleskyInPlace } from './cholesky.js';
import { fitLogisticProbe } from './linear-probe.js';
import { type Matrix, rowOf, takeRows } from '../matrix.js';

/** Gradient steps on all points, and on each leave-pair-out fold. */
export const CROSS_CHECK_STEPS = 2000;
export const CROSS_CHECK_FOLD_STEPS = 100;

export interface CrossCheck {
  readonly points: number;
  readonly steps: number;
  /** below 8 / lambda_max(XᵀX), the limit of the summed gradient */
  readonly learningRate: number;
  /** points on which both give the same class, fitted on all points */
  readonly agreement: number;
  /** share of points in their own class: the ridge probe, and the other program */
  readonly ownAccuracy: number;
  readonly otherAccuracy: number;
}

/** @param x - [n, d] @param labels - [n] 1 or 0 */
export function crossCheckLogistic(
  x: Matrix,
  labels: ArrayLike<number>,
  steps = CROSS_CHECK_STEPS,
): CrossCheck {
  const n = x.rows;
  const own = fitLogisticProbe(x.data, labels, x.cols);
  const features = keptTransposed(rotated(standardised(x), n));
  const learningRate = safeRate(features);
  const other = new LogisticRegression({ numSteps: steps, learningRate });
  other.train(features, MlMatrix.columnVector(Array.from(labels)));
  const predicted = other.predict(features);
  let [agreement, ownRight, otherRight] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    let f = own.intercept;
    const row = rowOf(x, i);
    if (own.scaling.scale > 0) {
      for (let j = 0; j < x.cols; j++)
        f += (own.weights[j] * (row[j] - own.scaling.mean[j])) / own.scaling.scale;
    }
    const mine = f > 0 ? 1 : 0;
    if (mine === predicted[i]) agreement++;
    if (mine === labels[i]) ownRight++;
    if (predicted[i] === labels[i]) otherRight++;
  }
  return {
    points: n,
    steps,
    learningRate,
    agreement,
    ownAccuracy: ownRight / n,
    otherAccuracy: otherRight / n,
  };
}

/**
 * Leave-pair-out classes of the other program: share of held-out points, over all pairs of one point of either class, that
 * it puts in their own class.
 * @param onPair - after each pair, for progress
 */
export function crossCheckHeldOut(
  x: Matrix,
  labels: ArrayLike<number>,
  steps = CROSS_CHECK_FOLD_STEPS,
  onPair?: () => void,
): number {
  const all = Array.from({ length: x.rows }, (_, i) => i);
  let [right, asked] = [0, 0];
  for (const zero of all.filter((i) => labels[i] === 0)) {
    for (const one of all.filter((i) => labels[i] === 1)) {
      const train = all.filter((i) => i !== zero && i !== one);
      const features = rotated(standardised(takeRows(x, [...train, zero, one]), train.length), train.length);
      const trainRows = keptTransposed(features.subMatrix(0, train.length - 1, 0, features.columns - 1));
      const other = new LogisticRegression({ numSteps: steps, learningRate: safeRate(trainRows) });
      other.train(trainRows, MlMatrix.columnVector(train.map((i) => labels[i])));
      const [first, second] = other.predict(
        features.subMatrix(train.length, train.length + 1, 0, features.columns - 1),
      );
      right += Number(first === 0) + Number(second === 1);
      asked += 2;
      onPair?.();
    }
  }
  return right / asked;
}

/** Columns of mean 0 and variance 1 over the first `rows` rows, then a column of ones. A constant column becomes 0. */
function standardised(x: Matrix, rows = x.rows): MlMatrix {
  const out = MlMatrix.ones(x.rows, x.cols + 1);
  for (let j = 0; j < x.cols; j++) {
    let mean = 0;
    for (let i = 0; i < rows; i++) mean += x.data[i * x.cols + j] / rows;
    let variance = 0;
    for (let i = 0; i < rows; i++) variance += (x.data[i * x.cols + j] - mean) ** 2 / rows;
    const sd = Math.sqrt(variance);
    for (let i = 0; i < x.rows; i++) out.set(i, j, sd === 0 ? 0 : (x.data[i * x.cols + j] - mean) / sd);
  }
  return out;
}

/**
 * The same rows in fewer columns, where there are more columns than training rows: gradient descent from 0 stays in the span
 * of the training rows, so that the coordinates in it, L of X Xᵀ = L Lᵀ, give the same predictions.
 * @param x - [any, columns], the first `rows` of them the training rows
 */
function rotated(x: MlMatrix, rows: number): MlMatrix {
  if (x.columns <= rows) return x;
  const products = x.mmul(x.subMatrix(0, rows - 1, 0, x.columns - 1).transpose()).to1DArray();
  const factor = Float64Array.from(products.slice(0, rows * rows));
  const largest = Math.max(...factor);
  if (!choleskyInPlace(factor, rows)) return x;
  // too near to singular to divide by
  for (let i = 0; i < rows; i++) if (factor[i * rows + i] ** 2 < 1e-9 * largest) return x;
  const out = MlMatrix.zeros(x.rows, rows);
  for (let i = 0; i < x.rows; i++) {
    for (let j = 0; j < rows; j++) {
      let rest = products[i * rows + j];
      for (let k = 0; k < j; k++) rest -= out.get(i, k) * factor[j * rows + k];
      if (i >= rows || j <= i) out.set(i, j, rest / factor[j * rows + j]);
    }
  }
  return out;
}

/** The other program transposes its features anew at every step. */
function keptTransposed(features: MlMatrix): MlMatrix {
  const flipped = features.transpose();
  features.transpose = () => flipped;
  return features;
}

/** Half of the limit 8 / lambda_max: the logistic loss has curvature at most lambda_max / 4. */
function safeRate(features: MlMatrix): number {
  // the smaller of the two Gram matrices has the same largest eigenvalue
  const isTall = features.rows > features.columns;
  const square = isTall ? features.transpose().mmul(features) : features.mmul(features.transpose());
  const { realEigenvalues } = new EigenvalueDecomposition(square, { assumeSymmetric: true });
  return 4 / Math.max(...realEigenvalues);
}
