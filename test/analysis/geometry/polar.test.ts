/** The orthogonal factor against ml-matrix, and what it promises where a matrix has no rank. */
import { Matrix as MlMatrix, SVD } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { PolarFactor } from '../../../src/analysis/geometry/polar.js';
import { Rng } from '../../../src/tensor/rng.js';
import { expectAllClose, expectClose } from '../fixtures.js';

const random = (d: number, draw: Rng): Float64Array =>
  Float64Array.from({ length: d * d }, () => draw.normal());

/** a b, or aᵀ b */
function product(a: Float64Array, b: Float64Array, d: number, isTransposed = false): Float64Array {
  return Float64Array.from({ length: d * d }, (_, at) => {
    const [i, j] = [Math.floor(at / d), at % d];
    let total = 0;
    for (let k = 0; k < d; k++) total += a[isTransposed ? k * d + i : i * d + k] * b[k * d + j];
    return total;
  });
}

const identity = (d: number): Float64Array =>
  Float64Array.from({ length: d * d }, (_, at) => (at % (d + 1) === 0 ? 1 : 0));

describe('PolarFactor', () => {
  it.each([1, 2, 3, 9, 16, 40])('agrees with the singular vectors of ml-matrix, %i by itself', (d) => {
    const draw = new Rng(d, 'test:polar');
    const polar = new PolarFactor(d);
    for (let turn = 0; turn < 5; turn++) {
      const m = random(d, draw);
      const svd = new SVD(MlMatrix.from1DArray(d, d, [...m]), { autoTranspose: true });
      const sum = svd.diagonal.reduce((total, value) => total + value, 0);
      expectClose(polar.of(m), sum, { rtol: 1e-12 }, 'sum of singular values');
      const expected = svd.leftSingularVectors.mmul(svd.rightSingularVectors.transpose()).to1DArray();
      // its condition bounds how well the factor is known
      const atol = (1e-14 * svd.diagonal[0]) / (svd.diagonal[d - 1] / d);
      expectAllClose(polar.rotation, expected, { atol: Math.max(1e-13, atol) }, 'rotation');
    }
  });

  it('starts from the matrix before without remembering it', () => {
    const draw = new Rng(1, 'test:polar/again');
    const [m, other] = [random(9, draw), random(9, draw)];
    const fresh = new PolarFactor(9);
    fresh.of(m);
    const used = new PolarFactor(9);
    for (let turn = 0; turn < 50; turn++) {
      used.of(other);
      used.of(m);
    }
    expectAllClose(used.rotation, fresh.rotation, { atol: 1e-12 }, 'rotation');
  });

  it.each([0, 1, 4])('is orthogonal, and gives back the matrix, at rank %i of 6', (rank) => {
    const d = 6;
    const draw = new Rng(rank, 'test:polar/rank');
    const [a, b] = [random(d, draw), random(d, draw)];
    const m = product(
      a.map((value, at) => (at % d < rank ? value : 0)),
      b,
      d,
    );
    const polar = new PolarFactor(d);
    polar.of(m);
    const { rotation } = polar;
    expectAllClose(product(rotation, rotation, d, true), identity(d), { atol: 1e-13 }, 'orthogonal');
    // m = rotation h, h symmetric and not negative
    const h = product(rotation, m, d, true);
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < i; j++) expectClose(h[i * d + j], h[j * d + i], { atol: 1e-12 }, 'symmetric');
      expect(h[i * d + i]).toBeGreaterThan(-1e-12);
    }
  });
});
