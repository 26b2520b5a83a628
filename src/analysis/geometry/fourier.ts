/**
 * Fourier power of number embeddings over Z/n: how the variance is shared among the frequencies k = 1..floor(n/2).
 * A line spreads its power as m_k / sin^2(pi k / n), a ring of one frequency puts all in one k, isotropic noise gives
 * m_k / (n - 1), with m_k = 2 (1 at n/2). The share of k = 1 alone cannot tell a line from a ring: see rsa.ts, closure.
 */
import { RunError } from '../../errors.js';
import { assertFinite } from '../../tensor/shape.js';
import { cosDeterministic } from '../../tensor/math.js';
import { centred, gram, type Matrix, squaredNorm } from '../matrix.js';
import {
  type PermutationOptions,
  type PermutationTest,
  permutationTests,
} from '../statistics/permutation.js';

export interface FourierSpectrum {
  /** k of each entry: 1..floor(n/2) */
  readonly frequencies: readonly number[];
  /** share of the total power; sums to 1 */
  readonly share: Float64Array;
  /** the mean share of isotropic noise, m_k / (n - 1) */
  readonly isotropic: Float64Array;
  /** per frequency, numbers permuted */
  readonly tests: readonly PermutationTest[];
  /** the frequency of largest share / isotropic, and the test of that ratio against the null of the same maximum */
  readonly peak: { readonly frequency: number; readonly test: PermutationTest };
}

/** @param x - [n, d] embedding of number i in row i */
export function fourierSpectrum(x: Matrix, options: PermutationOptions): FourierSpectrum {
  assertFinite(x.data, 'fourierSpectrum: x');
  const n = x.rows;
  const shares = shareFunction(x);
  const isotropic = isotropicShares(n);
  const nFrequencies = isotropic.length;
  const out = new Float64Array(nFrequencies + 1);
  const results = permutationTests(
    n,
    (permutation) => {
      shares(permutation, out);
      out[nFrequencies] = 0;
      for (let k = 0; k < nFrequencies; k++) {
        out[nFrequencies] = Math.max(out[nFrequencies], out[k] / isotropic[k]);
      }
      return out;
    },
    options,
  );
  const tests = results.slice(0, nFrequencies);
  const share = Float64Array.from(tests, (test) => test.observed);
  const peak = share.reduce(
    (best, value, k) => (value / isotropic[k] > share[best] / isotropic[best] ? k : best),
    0,
  );
  return {
    frequencies: Array.from(share, (_, k) => k + 1),
    share,
    isotropic,
    tests,
    peak: { frequency: peak + 1, test: results[nFrequencies] },
  };
}

/** @returns [floor(n/2)] m_k / (n - 1) */
export function isotropicShares(n: number): Float64Array {
  return Float64Array.from({ length: Math.floor(n / 2) }, (_, k) => multiplicity(k + 1, n) / (n - 1));
}

/** Frequencies k and n - k carry the same power and are counted together; n/2 is its own partner. */
function multiplicity(k: number, n: number): number {
  return 2 * k === n ? 1 : 2;
}

function shareFunction(x: Matrix): (permutation: Int32Array, out: Float64Array) => void {
  const n = x.rows;
  if (n < 3) throw new RangeError(`fourier: found ${n} numbers, expected 3 or more.`);
  const xCentred = centred(x);
  const total = squaredNorm(xCentred);
  if (total === 0) throw new RunError('fourier: all embeddings are equal, so there is no power to share.');
  // |sum_i x_i e^(-2 pi i k / n)|^2 = sum_ij (x_i . x_j) cos(2 pi k (i - j) / n): one pass over products summed by lag
  const products = gram(xCentred).data;
  const cosines = Float64Array.from({ length: n }, (_, lag) => cosDeterministic((2 * Math.PI * lag) / n));
  const byLag = new Float64Array(n);
  return (permutation, out) => {
    byLag.fill(0);
    for (let i = 0; i < n; i++) {
      const row = permutation[i] * n;
      for (let j = 0; j < i; j++) byLag[i - j] += products[row + permutation[j]];
    }
    for (let k = 1; k <= Math.floor(n / 2); k++) {
      let power = total;
      for (let lag = 1; lag < n; lag++) power += 2 * byLag[lag] * cosines[(k * lag) % n];
      // Parseval: all n frequencies together carry n times the squared norm
      out[k - 1] = (multiplicity(k, n) * Math.max(power, 0)) / (n * total);
    }
  };
}
