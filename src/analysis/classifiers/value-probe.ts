/**
 * Is the value of a number linear in its embedding? Ridge regression on n points with one left out at a time, against
 * permutations of the numbers. Each prediction is a fixed linear map of the other values, so a permutation costs n².
 */
import { choleskyInPlace, solveInPlace } from './cholesky.js';
import { applyScaling, fitScaling, PENALTY } from './linear-probe.js';
import { type Matrix, matrix, gram } from '../matrix.js';
import { type PermutationOptions, type PermutationTest, permutationTest } from '../statistics/permutation.js';

/**
 * @param x - [n, d] one row a number
 * @returns [n, n] row i maps the values of all numbers to the prediction for i; its diagonal is 0 and its rows sum to 1
 */
export function leaveOneOutMap(x: Matrix): Matrix {
  const { rows: n, cols } = x;
  const m = n - 1;
  const out = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const train = Int32Array.from({ length: m }, (_, j) => (j < i ? j : j + 1));
    const scaling = fitScaling(x.data, cols, train);
    const own = applyScaling(x.data, cols, [i], scaling);
    const rest = matrix(m, cols, applyScaling(x.data, cols, train, scaling));
    const system = gram(rest).data;
    for (let a = 0; a < m; a++) system[a * m + a] += PENALTY;
    if (!choleskyInPlace(system, m)) throw new RangeError('leaveOneOutMap: features are not finite.');
    const weights = new Float64Array(m);
    for (let a = 0; a < m; a++) {
      for (let k = 0; k < cols; k++) weights[a] += rest.data[a * cols + k] * own[k];
    }
    solveInPlace(system, m, weights);
    const mean = weights.reduce((sum, w) => sum + w, 0) / m;
    for (let a = 0; a < m; a++) out[i * n + train[a]] = 1 / m + weights[a] - mean;
  }
  return { rows: n, cols: n, data: out };
}

/** Held-out R² of the value: 1 - sum (y - prediction)² / sum (y - mean of the others)²; below 0 is worse than that mean. */
export function testValue(x: Matrix, options: PermutationOptions): PermutationTest {
  const { rows: n } = x;
  const map = leaveOneOutMap(x).data;
  const mean = (n - 1) / 2;
  let total = 0;
  for (let i = 0; i < n; i++) total += (((i - mean) * n) / (n - 1)) ** 2;
  return permutationTest(
    n,
    (values) => {
      let residual = 0;
      for (let i = 0; i < n; i++) {
        let prediction = 0;
        for (let j = 0; j < n; j++) prediction += map[i * n + j] * values[j];
        residual += (values[i] - prediction) ** 2;
      }
      return 1 - residual / total;
    },
    options,
  );
}
