/** Fourier power, RSA, closure, CKA, Procrustes and distances on planted embeddings. */
import { describe, expect, it } from 'vitest';
import { binomialCdf } from '../../../src/analysis/statistics/distributions.js';
import { debiasedCka, linearCka, testDebiasedCka } from '../../../src/analysis/geometry/cka.js';
import { ranks, standardised } from '../../../src/analysis/geometry/correlation.js';
import {
  cosineSimilarities,
  squaredDistances,
  upperTriangle,
} from '../../../src/analysis/geometry/distances.js';
import { covarianceEllipse } from '../../../src/analysis/geometry/ellipse.js';
import { fourierSpectrum, isotropicShares } from '../../../src/analysis/geometry/fourier.js';
import { matMul, matrix, takeRows, transpose } from '../../../src/analysis/matrix.js';
import { circularDistance, renaming, units } from '../../../src/analysis/geometry/naming.js';
import { alignAll, alignTo } from '../../../src/analysis/geometry/procrustes.js';
import { closure, testCircular, testOrder } from '../../../src/analysis/geometry/rsa.js';
import { Rng } from '../../../src/tensor/rng.js';
import {
  expectAllClose,
  expectClose,
  fixtures,
  gaussian,
  line,
  parity,
  planted,
  ring,
  toMatrix,
} from '../fixtures.js';
import { fourierShares, lineShares, pearson, spearman } from '../references.js';

const options = (seed = 1, count = 999): { rng: Rng; count: number } => ({
  rng: new Rng(seed, 'test'),
  count,
});
const noise = (): Rng => new Rng(11, 'planted');

describe('naming', () => {
  it('finds the numbers coprime to n and renames by them', () => {
    expect(units(10)).toEqual([1, 3, 7, 9]);
    expect(units(11)).toHaveLength(10);
    expect(units(2)).toEqual([1]);
    expect(Array.from(renaming(10, 3))).toEqual([0, 3, 6, 9, 2, 5, 8, 1, 4, 7]);
    expect(circularDistance(0, 9, 10)).toBe(1);
    expect(circularDistance(2, 7, 10)).toBe(5);
  });
});

describe('correlation', () => {
  it('agrees with scipy, ties averaged', () => {
    const { x, y, pearson: r, spearman: rho, ranks: expected } = fixtures.correlation;
    expectClose(pearson(x, y), r, { rtol: 1e-14 }, 'Pearson');
    expectClose(spearman(x, y), rho, { rtol: 1e-14 }, 'Spearman');
    expect(Array.from(ranks(x))).toEqual(expected);
  });

  it('refuses constant samples instead of giving NaN', () => {
    expect(() => standardised([0.1, 0.1, 0.1], 'sample')).toThrow(/sample: all 3 values are equal/);
  });
});

describe('distances', () => {
  it('are those of the plane, also far from the origin', () => {
    const x = matrix(3, 2, [1e8, 0, 1e8 + 3, 4, 1e8, 0]);
    expect(Array.from(upperTriangle(squaredDistances(x)))).toEqual([25, 0, 25]);
  });

  it('give cosines of angles and refuse a row without direction', () => {
    const c = cosineSimilarities(matrix(3, 2, [1, 0, 0, 2, -3, 0]));
    expect(Array.from(upperTriangle(c))).toEqual([0, -1, 0]);
    expect(() => cosineSimilarities(matrix(2, 1, [1, 0]))).toThrow(/row 1 is zero/);
  });
});

describe('fourierShares', () => {
  it('agrees with numpy', () => {
    expectAllClose(
      fourierShares(toMatrix(fixtures.fourier.x)),
      fixtures.fourier.share,
      { rtol: 1e-12 },
      'share',
    );
  });

  it('gives the known shares of a line and of isotropic noise', () => {
    const percent = (shares: Float64Array): number[] => Array.from(shares, (s) => Math.round(1000 * s) / 10);
    expect(percent(lineShares(10))).toEqual([63.5, 17.5, 9.3, 6.7, 3]);
    expect(percent(lineShares(11))).toEqual([63, 17.1, 8.8, 6, 5.1]);
    expect(percent(isotropicShares(10))).toEqual([22.2, 22.2, 22.2, 22.2, 11.1]);
    const exactLine = matrix(10, 1, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expectAllClose(fourierShares(exactLine), lineShares(10), { rtol: 1e-12 }, 'line');
    const mean = new Float64Array(5);
    const rng = noise();
    for (let i = 0; i < 400; i++) {
      fourierShares(gaussian(10, 16, rng)).forEach((share, k) => (mean[k] += share / 400));
    }
    // standard error of a mean share is below 0.003
    expectAllClose(mean, isotropicShares(10), { atol: 0.01 }, 'isotropic mean');
  });

  it('puts a ring of frequency 3 wholly in k = 3 and parity wholly in k = 5', () => {
    const of = (coordinates: (i: number) => number[]): Float64Array =>
      fourierShares(planted(10, 4, noise(), 0, coordinates));
    expectAllClose(of(ring(10, 3)), [0, 0, 1, 0, 0], { atol: 1e-14 }, 'ring');
    expectAllClose(of(parity), [0, 0, 0, 0, 1], { atol: 1e-14 }, 'parity');
  });
});

describe('fourierSpectrum', () => {
  it('finds planted parity in noise and names its frequency', () => {
    const x = planted(10, 16, noise(), 0.3, (i) => parity(i).map((v) => 1.5 * v));
    const spectrum = fourierSpectrum(x, options());
    expect(spectrum.peak.frequency).toBe(5);
    expect(spectrum.peak.test.p).toBeLessThanOrEqual(0.01);
    expect(spectrum.tests[4].p).toBeLessThanOrEqual(0.01);
    expect(spectrum.frequencies).toEqual([1, 2, 3, 4, 5]);
  });

  it('reaches p <= 0.05 on noise in about 5 % of cases (99.8 % binomial bounds)', () => {
    const rng = noise();
    let reached = 0;
    for (let i = 0; i < 200; i++) {
      if (fourierSpectrum(gaussian(10, 16, rng), options(i, 199)).peak.test.p <= 0.05) reached++;
    }
    expect(reached).toBeGreaterThanOrEqual(2);
    expect(reached).toBeLessThanOrEqual(20);
  });

  it('refuses embeddings without power', () => {
    expect(() => fourierShares(matrix(4, 1, [2, 2, 2, 2]))).toThrow(/no power to share/);
  });
});

describe('testOrder and testCircular', () => {
  it('find a line as ordered: correlation 1 with |i - j|', () => {
    const d2 = squaredDistances(planted(10, 16, noise(), 0, line));
    const order = testOrder(d2, options());
    expectClose(order.asNamed.observed, 1, { atol: 1e-12 }, 'order of a line');
    expect(order.asNamed.p).toBe(0.001);
    expect(order.unit).toBe(1);
  });

  it('find a ring of frequency 3 only after renaming', () => {
    const d2 = squaredDistances(planted(10, 16, noise(), 0.05, ring(10, 3)));
    const circular = testCircular(d2, options());
    expect(circular.asNamed.observed).toBeLessThan(0.3);
    expect(circular.best.observed).toBeGreaterThan(0.9);
    // row 3i... of a frequency-3 ring: 3 * 7 = 1 mod 10, and 3 gives -1: both are the ring
    expect([3, 7]).toContain(circular.unit);
    expect(circular.best.p).toBeLessThanOrEqual(0.002);
    expect(circular.excess).toBeGreaterThan(0.4);
  });

  it('agree with Pearson and Spearman of the pairs', () => {
    const d2 = squaredDistances(gaussian(10, 5, noise()));
    const pairs = upperTriangle(d2);
    const lag: number[] = [];
    const steps: number[] = [];
    for (let i = 0; i < 10; i++) {
      for (let j = i + 1; j < 10; j++) {
        lag.push(j - i);
        steps.push(circularDistance(i, j, 10));
      }
    }
    const few = options(1, 10);
    expectClose(testOrder(d2, few).asNamed.observed, spearman(pairs, lag), { atol: 1e-13 }, 'order');
    expectClose(testCircular(d2, few).asNamed.observed, pearson(pairs, steps), { atol: 1e-13 }, 'circular');
  });

  it('give noise an order below 0.25 in about 95 % of cases', () => {
    const rng = noise();
    const values = Array.from(
      { length: 400 },
      () => testOrder(squaredDistances(gaussian(10, 16, rng)), options(1, 1)).asNamed.observed,
    );
    const below = values.filter((v) => v < 0.25).length / 400;
    // 400 at 0.95: three standard errors are 0.033 (1,500 draws put the limit at 0.250)
    expect(below).toBeGreaterThan(0.917);
    expect(below).toBeLessThan(0.983);
  });
});

describe('permutation p of noise', () => {
  it.each([
    [
      'order',
      (rng: Rng, i: number) => testOrder(squaredDistances(gaussian(10, 16, rng)), options(i, 99)).best.p,
    ],
    [
      'circular',
      (rng: Rng, i: number) => testCircular(squaredDistances(gaussian(10, 16, rng)), options(i, 99)).best.p,
    ],
    [
      'debiased CKA',
      (rng: Rng, i: number) =>
        testDebiasedCka(gaussian(10, 16, rng), gaussian(10, 16, rng), options(i, 99)).best.p,
    ],
  ] as const)(
    'is uniform for %s at the best naming, inside binomial bounds of 99.8 per cent',
    (_name, pOf) => {
      const rng = noise();
      const p = Array.from({ length: 300 }, (_, i) => pOf(rng, i));
      for (const level of [0.05, 0.1, 0.2, 0.5]) {
        const reached = p.filter((value) => value <= level + 1e-12).length;
        expect(binomialCdf(reached, 300, level), `at ${level}`).toBeGreaterThan(0.001);
        expect(1 - binomialCdf(reached - 1, 300, level), `at ${level}`).toBeGreaterThan(0.001);
      }
    },
  );
});

describe('closure', () => {
  const of = (coordinates: (i: number) => number[], sd = 0): ReturnType<typeof closure> => {
    const d2 = squaredDistances(planted(10, 16, noise(), sd, coordinates));
    return closure(d2, testCircular(d2, options(1, 20)).unit);
  };

  it('is 81/25 for an exact line: open, whatever the naming', () => {
    const found = of(line);
    expectClose(found.asNamed, 81 / 25, { rtol: 1e-12 }, 'as named');
    expectClose(found.maximum, 81 / 25, { rtol: 1e-12 }, 'maximum');
    expectClose(found.widestGap, 81 / 25, { rtol: 1e-12 }, 'widest gap');
  });

  it('is sin^2(pi/10) for a ring, and for a ring of frequency 3 only the widest gap says so', () => {
    const small = Math.sin(Math.PI / 10) ** 2;
    expectClose(of(ring(10)).asNamed, small, { rtol: 1e-12 }, 'as named');
    const renamed = of(ring(10, 3));
    expectClose(renamed.asNamed, Math.sin((3 * Math.PI) / 10) ** 2, { rtol: 1e-12 }, 'as named');
    expectClose(renamed.widestGap, small, { rtol: 1e-12 }, 'widest gap');
    expect(renamed.maximum).toBeLessThan(0.7);
  });
});

describe('CKA', () => {
  it('agrees with numpy, biased and debiased', () => {
    for (const { x, y, biased, debiased } of fixtures.cka) {
      expectClose(linearCka(toMatrix(x), toMatrix(y)), biased, { rtol: 1e-11 }, 'biased');
      expectClose(debiasedCka(toMatrix(x), toMatrix(y)), debiased, { atol: 1e-11 }, 'debiased');
    }
  });

  it('is 1 for the same geometry up to rotation, scale and shift', () => {
    const x = planted(10, 2, noise(), 0.1, ring(10));
    const turned = matMul(x, matrix(2, 2, [0, 5, -5, 0]));
    expectClose(
      debiasedCka(
        x,
        matrix(
          10,
          2,
          turned.data.map((v) => v + 3),
        ),
      ),
      1,
      { rtol: 1e-11 },
      'debiased',
    );
  });

  it('has null mean 0, sd near 0.17 and 95 % near 0.28 for n = 10 (methods)', () => {
    const rng = noise();
    const values = Array.from({ length: 500 }, () =>
      debiasedCka(gaussian(10, 16, rng), gaussian(10, 16, rng)),
    );
    const mean = values.reduce((a, b) => a + b) / 500;
    const sd = Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / 499);
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(sd).toBeGreaterThan(0.14);
    expect(sd).toBeLessThan(0.2);
    const below = values.filter((v) => v < 0.28).length / 500;
    expect(below).toBeGreaterThan(0.91);
    expect(below).toBeLessThan(0.98);
  });

  it('finds two rings of different frequency equal up to renaming', () => {
    const rng = noise();
    const [one, three] = [planted(10, 8, rng, 0.1, ring(10)), planted(10, 8, rng, 0.1, ring(10, 3))];
    const test = testDebiasedCka(one, three, options());
    expect(test.asNamed.observed).toBeLessThan(0.2);
    expect(test.best.observed).toBeGreaterThan(0.7);
    expect(test.best.p).toBeLessThanOrEqual(0.01);
    expect([3, 7]).toContain(test.unit);
  });
});

describe('alignTo', () => {
  it('agrees with scipy: rotation, scale and disparity', () => {
    for (const { a, b, rotation, scale, disparity } of fixtures.procrustes) {
      const found = alignTo(toMatrix(a), toMatrix(b), { scaling: true });
      expectAllClose(found.rotation.data, rotation.data, { atol: 1e-11 }, 'rotation');
      expectClose(found.scale, scale, { rtol: 1e-11 }, 'scale');
      expectClose(found.residualShare, disparity, { rtol: 1e-10 }, 'disparity');
    }
  });

  it('recovers a reflection exactly', () => {
    const a = gaussian(10, 3, noise());
    const b = matMul(a, matrix(3, 3, [0, 1, 0, 1, 0, 0, 0, 0, -1]));
    const found = alignTo(a, b, { scaling: false });
    expectClose(found.residualShare, 0, { atol: 1e-13 }, 'residual');
    const identity = matMul(found.rotation, transpose(found.rotation));
    expectAllClose(identity.data, [1, 0, 0, 0, 1, 0, 0, 0, 1], { atol: 1e-13 }, 'orthogonal');
  });
});

describe('alignAll', () => {
  it('lays turned copies on one another and leaves noise apart', () => {
    const rng = noise();
    const base = gaussian(10, 4, rng);
    const turned = [
      base,
      matMul(
        base,
        matrix(
          4,
          4,
          [0, 1, 0, 0, -3, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, -3].map((v, i) => (i === 1 ? 3 : v)),
        ),
      ),
    ];
    expectClose(alignAll(turned).unexplainedShare, 0, { atol: 1e-12 }, 'copies');
    const apart = alignAll(Array.from({ length: 6 }, () => gaussian(10, 9, rng)));
    expect(apart.unexplainedShare).toBeGreaterThan(0.2);
  });

  it('lets each configuration choose its naming when asked', () => {
    const x = planted(10, 4, noise(), 0.1, ring(10));
    const renamed = takeRows(x, renaming(10, 3));
    expect(alignAll([x, renamed]).unexplainedShare).toBeGreaterThan(0.2);
    const free = alignAll([x, renamed], { units: units(10) });
    expectClose(free.unexplainedShare, 0, { atol: 1e-12 }, 'unexplained');
    expect(free.units).toEqual([1, 7]);
  });
});

describe('covarianceEllipse', () => {
  it('holds its level of fresh normal points', () => {
    const rng = noise();
    const draw = (): [number, number] => {
      const [u, v] = [rng.normal(), rng.normal()];
      return [3 + 2 * u, -1 + u + 0.5 * v];
    };
    const ellipse = covarianceEllipse(Float64Array.from(Array.from({ length: 4000 }, draw).flat()));
    expectClose(ellipse.centre[0], 3, { atol: 0.12 }, 'centre');
    const [cos, sin] = [Math.cos(ellipse.angle), Math.sin(ellipse.angle)];
    let inside = 0;
    for (let i = 0; i < 4000; i++) {
      const [x, y] = draw();
      const [dx, dy] = [x - ellipse.centre[0], y - ellipse.centre[1]];
      const u = (dx * cos + dy * sin) / ellipse.semiAxes[0];
      const v = (-dx * sin + dy * cos) / ellipse.semiAxes[1];
      if (u * u + v * v <= 1) inside++;
    }
    expect(inside / 4000).toBeGreaterThan(0.935);
    expect(inside / 4000).toBeLessThan(0.965);
  });

  it('needs three points', () => {
    expect(() => covarianceEllipse(new Float64Array(4))).toThrow(/expected \[n,2\] with n >= 3/);
  });
});
