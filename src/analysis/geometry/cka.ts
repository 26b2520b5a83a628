/**
 * Linear centred kernel alignment of two sets of number embeddings: 1 for equal geometry up to rotation and scale.
 * Kornblith et al. 2019. The biased form is near 1 for few points in many dimensions whatever they are (n = 10, d = 64: null
 * 95 % at 0.87), so the debiased form (Song et al. 2012, unbiased HSIC) with a permutation p is the one to read.
 */
import { RunError } from '../../errors.js';
import { centred, gram, type Matrix, matMul, squaredNorm, transpose } from '../matrix.js';
import { renaming, units } from './naming.js';
import { type PermutationOptions, permutationTests } from '../statistics/permutation.js';
import type { NamingTest } from './rsa.js';

/** Biased linear CKA in [0, 1]. @param x - [n, d]. @param y - [n, e] */
export function linearCka(x: Matrix, y: Matrix): number {
  checkRows(x, y, 2);
  const a = centred(x);
  const b = centred(y);
  const norms = Math.sqrt(squaredNorm(matMul(transpose(a), a)) * squaredNorm(matMul(transpose(b), b)));
  if (norms === 0) throw new RunError('linearCka: all embeddings of one side are equal.');
  return squaredNorm(matMul(transpose(a), b)) / norms;
}

/** Debiased linear CKA; 0 in expectation for unrelated embeddings, may be negative. n >= 4. */
export function debiasedCka(x: Matrix, y: Matrix): number {
  checkRows(x, y, 4);
  const [k, l] = [kernel(x), kernel(y)];
  return unbiasedHsic(k, l) / norm(k, l);
}

/** Debiased CKA as named and at the best naming of x, numbers of y permuted under the null. */
export function testDebiasedCka(x: Matrix, y: Matrix, options: PermutationOptions): NamingTest {
  checkRows(x, y, 4);
  const [k, l] = [kernel(x), kernel(y)];
  const scale = norm(k, l);
  const n = x.rows;
  const namings = units(n).map((unit) => ({ unit, names: renaming(n, unit) }));
  const value = (names: Int32Array, permutation: Int32Array): number =>
    unbiasedHsic(k, l, names, permutation) / scale;
  const out = new Float64Array(2);
  const [asNamed, best] = permutationTests(
    n,
    (permutation) => {
      out[0] = value(namings[0].names, permutation);
      out[1] = out[0];
      for (const { names } of namings) out[1] = Math.max(out[1], value(names, permutation));
      return out;
    },
    options,
  );
  const identity = renaming(n, 1);
  const unit = namings.find(({ names }) => value(names, identity) >= best.observed - 1e-9)?.unit ?? 1;
  return { asNamed, best, unit, excess: best.observed - best.nullMean };
}

interface Kernel {
  readonly n: number;
  /** [n, n] with a zero diagonal */
  readonly data: Float64Array;
  /** [n] sums of rows, and the sum of all */
  readonly rowSums: Float64Array;
  readonly total: number;
}

function kernel(x: Matrix): Kernel {
  // centring does not change the estimate, and keeps a large common offset from eating the digits
  const products = gram(centred(x)).data;
  const n = x.rows;
  const rowSums = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    products[i * n + i] = 0;
    for (let j = 0; j < n; j++) rowSums[i] += products[i * n + j];
  }
  return { n, data: products, rowSums, total: rowSums.reduce((sum, value) => sum + value, 0) };
}

/** Song et al. 2012, equation 5: [tr(KL) + 1'K1 1'L1 / ((n-1)(n-2)) - 2/(n-2) 1'KL1] / (n (n-3)), zero diagonals. */
function unbiasedHsic(k: Kernel, l: Kernel, names?: Int32Array, permutation?: Int32Array): number {
  const { n } = k;
  let trace = 0;
  let cross = 0;
  for (let i = 0; i < n; i++) {
    const ki = names === undefined ? i : names[i];
    const li = permutation === undefined ? i : permutation[i];
    cross += k.rowSums[ki] * l.rowSums[li];
    for (let j = 0; j < n; j++) {
      const kj = names === undefined ? j : names[j];
      const lj = permutation === undefined ? j : permutation[j];
      trace += k.data[ki * n + kj] * l.data[li * n + lj];
    }
  }
  return (trace + (k.total * l.total) / ((n - 1) * (n - 2)) - (2 / (n - 2)) * cross) / (n * (n - 3));
}

function norm(k: Kernel, l: Kernel): number {
  const product = unbiasedHsic(k, k) * unbiasedHsic(l, l);
  if (!(product > 0)) throw new RunError('debiasedCka: the embeddings of one side have no spread.');
  return Math.sqrt(product);
}

function checkRows(x: Matrix, y: Matrix, least: number): void {
  if (x.rows !== y.rows || x.rows < least) {
    throw new RangeError(
      `cka: found ${x.rows} and ${y.rows} rows, expected equal numbers of at least ${least}.`,
    );
  }
}
