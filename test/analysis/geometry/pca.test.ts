import { describe, expect, it } from 'vitest';
import { matMul, matrix, transpose } from '../../../src/analysis/matrix.js';
import { explainedVarianceNull } from '../../../src/analysis/geometry/pca-null.js';
import { fitPca } from '../../../src/analysis/geometry/pca.js';
import { quantile } from '../../../src/analysis/statistics/quantile.js';
import { Rng } from '../../../src/tensor/rng.js';
import { expectAllClose, expectClose, fixtures, gaussian, toMatrix } from '../fixtures.js';

describe('fitPca', () => {
  it.each(fixtures.pca.map((fixture, index) => ({ index, fixture })))(
    'agrees with scikit-learn, signs included (case $index)',
    ({ fixture }) => {
      const fit = fitPca(toMatrix(fixture.x));
      expect(fit.rank).toBe(fixture.rank);
      expectAllClose(fit.mean, fixture.mean, { rtol: 1e-12, atol: 1e-13 }, 'mean');
      // the third case lies at 100, so its centred data carry errors of 1e-14
      expectAllClose(fit.components.data, fixture.components.data, { atol: 1e-11 }, 'components');
      expectAllClose(fit.scores.data, fixture.scores.data, { atol: 1e-11 }, 'scores');
      expectAllClose(fit.explainedVariance, fixture.explainedVariance, { rtol: 1e-10 }, 'variance');
      expectAllClose(fit.explainedVarianceRatio, fixture.explainedVarianceRatio, { rtol: 1e-10 }, 'ratio');
    },
  );

  it('reconstructs the data from scores and components', () => {
    const x = gaussian(10, 16, new Rng(1, 'test'));
    const fit = fitPca(x);
    const back = matMul(fit.scores, fit.components);
    for (let i = 0; i < 10; i++) for (let j = 0; j < 16; j++) back.data[i * 16 + j] += fit.mean[j];
    expectAllClose(back.data, x.data, { atol: 1e-13 }, 'reconstruction');
    const identity = matMul(fit.components, transpose(fit.components));
    for (let i = 0; i < 9; i++) expectClose(identity.data[i * 9 + i], 1, { rtol: 1e-13 }, 'unit');
  });

  it('does not write to its argument and gives the same signs for the negated data', () => {
    const x = gaussian(6, 3, new Rng(2, 'test'));
    const before = x.data.slice();
    const fit = fitPca(x);
    expect(x.data).toEqual(before);
    const negated = fitPca(
      matrix(
        6,
        3,
        x.data.map((v) => -v),
      ),
    );
    expectAllClose(negated.components.data, fit.components.data, { atol: 1e-12 }, 'components');
  });

  it('keeps at most maxComponents but reports the whole rank', () => {
    const fit = fitPca(gaussian(10, 16, new Rng(3, 'test')), { maxComponents: 2 });
    expect([fit.scores.cols, fit.components.rows, fit.rank]).toEqual([2, 2, 9]);
  });

  it('refuses NaN and infinities with the element, and data without variance', () => {
    expect(() => fitPca(matrix(2, 2, [1, 2, NaN, 4]))).toThrow(
      'fitPca: x: found NaN at element 2, expected finite numbers.',
    );
    expect(() => fitPca(matrix(3, 2, [0.1, 0.2, 0.1, 0.2, 0.1, 0.2]))).toThrow(/all rows are equal/);
    expect(() => fitPca(matrix(1, 2, [1, 2]))).toThrow(/expected at least \[2,1\]/);
  });
});

describe('explainedVarianceNull', () => {
  it('covers 95 % of fresh Gaussian embeddings, within binomial bounds', () => {
    const limits = explainedVarianceNull(10, 16, new Rng(4, 'test'), 1000);
    const rng = new Rng(5, 'test');
    let inside = 0;
    for (let i = 0; i < 400; i++) {
      const share = fitPca(gaussian(10, 16, rng)).explainedVarianceRatio[0];
      if (share >= limits.low[0] && share <= limits.high[0]) inside++;
    }
    // 400 draws at 0.95: three standard errors are 0.033, the limits' own error about 0.01
    expect(inside / 400).toBeGreaterThan(0.905);
    expect(inside / 400).toBeLessThan(0.99);
    expectClose(
      limits.mean.reduce((a, b) => a + b),
      1,
      { rtol: 1e-12 },
      'means sum to 1',
    );
  });

  it('uses the smaller Gram matrix without changing the result', () => {
    const tall = explainedVarianceNull(30, 4, new Rng(6, 'test'), 200);
    expect(tall.mean.length).toBe(4);
    expect(tall.mean[0]).toBeGreaterThan(0.3);
    expect(tall.mean[0]).toBeLessThan(0.45);
  });
});

describe('quantile', () => {
  it('agrees with numpy', () => {
    for (const { p, value } of fixtures.quantile.q) {
      expectClose(quantile(fixtures.quantile.x, p), value, { rtol: 1e-14 }, `p ${p}`);
    }
  });
});
