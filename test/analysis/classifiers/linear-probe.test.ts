/** Linear probes against scikit-learn, their nulls on noise, and what is planted. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { binomialCdf } from '../../../src/analysis/statistics/distributions.js';
import { accuracyInterval, askGrouped, groupFolds } from '../../../src/analysis/classifiers/grouped-probe.js';
import { PairProbe, testLabelling } from '../../../src/analysis/classifiers/leave-pair-out.js';
import {
  fitLogisticProbe,
  LogisticSolver,
  newFitCounts,
  prepareFeatures,
} from '../../../src/analysis/classifiers/linear-probe.js';
import {
  crossCheckHeldOut,
  crossCheckLogistic,
} from '../../../src/analysis/classifiers/logistic-cross-check.js';
import { matrix, type Matrix } from '../../../src/analysis/matrix.js';
import { stouffer } from '../../../src/analysis/statistics/multiple-testing.js';
import { relabellingsOf } from '../../../src/analysis/classifiers/relabellings.js';
import { leaveOneOutMap, testValue } from '../../../src/analysis/classifiers/value-probe.js';
import { Rng } from '../../../src/tensor/rng.js';

interface Case {
  readonly rows: number;
  readonly cols: number;
  readonly x: number[];
  readonly y: number[];
}
interface Fixtures {
  readonly fits: readonly (Case & { readonly weights: number[]; readonly intercept: number })[];
  readonly pairs: readonly (Case & { readonly share: number; readonly margin: number })[];
  readonly ridge: readonly (Case & { readonly predictions: number[] })[];
}

const fixtures = JSON.parse(
  readFileSync(new URL('../fixtures/linear-probe.json', import.meta.url), 'utf8'),
) as Fixtures;

const parityOf = (n: number): number[] => Array.from({ length: n }, (_, i) => i % 2);
const options = { rng: () => new Rng(0, 'test') };

function gaussian(n: number, d: number, rng: Rng): Matrix {
  return matrix(
    n,
    d,
    Float64Array.from({ length: n * d }, () => rng.normal()),
  );
}

/** Isotropic noise with even and odd numbers moved apart by `shift` in a direction of its own. */
function planted(n: number, d: number, shift: number, rng: Rng): Matrix {
  const direction = Float64Array.from({ length: d }, () => rng.normal());
  const norm = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
  const x = gaussian(n, d, rng);
  return matrix(
    n,
    d,
    x.data.map((value, at) => {
      const sign = Math.floor(at / d) % 2 === 0 ? -1 : 1;
      return value + (sign * shift * direction[at % d]) / norm;
    }),
  );
}

describe('fitLogisticProbe', () => {
  it('agrees with scikit-learn to 1e-4 in every weight and in the free intercept', () => {
    for (const { rows, cols, x, y, weights, intercept } of fixtures.fits) {
      const fit = fitLogisticProbe(x, y, cols);
      expect(fit.converged, `${rows} x ${cols}`).toBe(true);
      expect(Math.abs(fit.intercept - intercept)).toBeLessThan(1e-4);
      weights.forEach((weight, j) => expect(Math.abs(fit.weights[j] - weight)).toBeLessThan(1e-4));
    }
  });

  it('finds the optimum with many features, where steps are quasi-Newton: the gradient is 0 by naive sums', () => {
    const rng = new Rng(3, 'wide');
    for (const [rows, cols, shift] of [
      [200, 24, 0],
      [240, 64, 0.5],
      [60, 40, 30],
    ]) {
      const x = Float64Array.from({ length: rows * cols }, () => rng.normal() / Math.sqrt(cols));
      const y = Uint8Array.from({ length: rows }, () => rng.below(2));
      for (let i = 0; i < rows; i++) x[i * cols] += shift * (y[i] === 1 ? 1 : -1);
      const counts = newFitCounts();
      const solver = new LogisticSolver(rows, cols, counts);
      const features = prepareFeatures(x, rows, cols);
      expect(solver.fit(features, y).converged).toBe(true);
      const beta = [...solver.beta];
      const gradient = new Float64Array(cols + 1);
      for (let i = 0; i < rows; i++) {
        let f = beta[cols];
        for (let j = 0; j < cols; j++) f += beta[j] * x[i * cols + j];
        const residual = 1 / (1 + Math.exp(-f)) - y[i];
        for (let j = 0; j < cols; j++) gradient[j] += residual * x[i * cols + j];
        gradient[cols] += residual;
      }
      for (let j = 0; j < cols; j++) gradient[j] += beta[j];
      expect(Math.hypot(...gradient), `${rows} x ${cols}`).toBeLessThan(1e-5);
      // again from the start: nothing of the first fit is left behind
      solver.fit(features, y);
      expect([...solver.beta]).toEqual(beta);
      expect(counts.notConverged).toBe(0);
    }
  });

  it('converges on separated classes, on equal rows and on far outliers', () => {
    const counts = newFitCounts();
    const solver = new LogisticSolver(6, 2, counts);
    const y = [0, 1, 0, 1, 0, 1];
    const apart = prepareFeatures(Float64Array.from([-9, 0, 9, 0, -8, 1, 8, 1, -9, 1, 9, -1]), 6, 2);
    const outlier = prepareFeatures(Float64Array.from([1e6, 0, 0, 1, 1, 0, 0, 1, 1, 1, -1e6, 0]), 6, 2);
    for (const features of [apart, prepareFeatures(new Float64Array(12), 6, 2), outlier]) {
      expect(solver.fit(features, y).converged).toBe(true);
    }
    expect(counts).toMatchObject({ fits: 3, notConverged: 0 });
  });

  it('refuses features that are not finite, and counts a fit that cannot converge', () => {
    expect(() => prepareFeatures(Float64Array.from([NaN, 1]), 2, 1)).toThrow('features are not finite');
    const counts = newFitCounts();
    const solver = new LogisticSolver(4, 1, counts);
    const features = prepareFeatures(Float64Array.from([0, 1, 2, 3]), 4, 1);
    expect(solver.fit(features, [0, 1, 0, NaN]).converged).toBe(false);
    expect(counts.notConverged).toBe(1);
  });

  it('has no finite optimum with one class: the intercept decides', () => {
    const solver = new LogisticSolver(2, 1);
    solver.fit(prepareFeatures(Float64Array.from([1, -1]), 2, 1), [0, 0]);
    expect(solver.decision(Float64Array.from([5]), 0, 1)).toBe(-Infinity);
  });
});

describe('PairProbe', () => {
  it('gives the share and margin of scikit-learn fits on the original features', () => {
    for (const { rows, cols, x, y, share, margin } of fixtures.pairs) {
      const score = new PairProbe(matrix(rows, cols, x)).score(y);
      expect(score.share).toBeCloseTo(share, 12);
      expect(Math.abs(score.margin - margin)).toBeLessThan(1e-4);
    }
  });

  it('scores a labelling and its complement alike', () => {
    const x = gaussian(10, 16, new Rng(1, 'test'));
    const flipped = parityOf(10).map((label) => 1 - label);
    const [a, b] = [new PairProbe(x).score(parityOf(10)), new PairProbe(x).score(flipped)];
    expect(b.share).toBe(a.share);
    expect(b.margin).toBeCloseTo(a.margin, 10);
  });

  it('has a mean of one half over all relabellings, whatever the embedding', () => {
    for (const shift of [0, 2]) {
      const probe = new PairProbe(planted(10, 16, shift, new Rng(2, 'test')));
      expect(testLabelling(probe, parityOf(10), options).nullMean).toBeCloseTo(0.5, 12);
    }
  });

  it('is 1/2 with p = 1 where all embeddings are equal', () => {
    const probe = new PairProbe(matrix(10, 4, new Float64Array(40).fill(3)));
    expect(testLabelling(probe, parityOf(10), options)).toMatchObject({ share: 0.5, p: 1, equal: 126 });
  });

  it('holds out a fixed set of pairs where there are too many', () => {
    const score = new PairProbe(planted(30, 8, 4, new Rng(3, 'test'))).score(parityOf(30));
    expect(score.share).toBe(1);
    expect((score.share * 2 * 60) % 1).toBe(0);
  });

  it('refuses a class of one', () => {
    const probe = new PairProbe(gaussian(6, 4, new Rng(1, 'test')));
    expect(() => probe.score([1, 0, 0, 0, 0, 0])).toThrow(
      'found classes of 5 and 1, expected at least 2 in each',
    );
  });
});

describe('relabellingsOf', () => {
  it('counts those the methods name: 10, 35, 126, 462, and samples from n = 17 on', () => {
    const counts = [6, 8, 10, 11].map((n) => relabellingsOf(parityOf(n), options).count);
    expect(counts).toEqual([10, 35, 126, 462]);
    expect(relabellingsOf(parityOf(18), options)).toMatchObject({ exact: false, count: 9999 });
    expect(relabellingsOf([0, 1, 2, 0, 1, 2, 0, 1, 2, 0], options).count).toBe(4200);
  });

  it('gives each once, keeps class sizes, and holds the observed labelling or its complement', () => {
    const seen = new Set<string>();
    for (const labels of relabellingsOf(parityOf(8), options).labels()) {
      expect(labels.reduce((sum, label) => sum + label, 0)).toBe(4);
      seen.add(labels.join(''));
    }
    expect(seen.size).toBe(35);
    expect(seen.has('01010101')).toBe(true);
    expect(seen.has('10101010')).toBe(false);
  });

  it('draws with the observed class sizes', () => {
    const draws = relabellingsOf(parityOf(20), { ...options, sampled: 50 });
    for (const labels of draws.labels()) expect(labels.reduce((sum, label) => sum + label, 0)).toBe(10);
  });
});

describe('testLabelling', () => {
  it('finds parity planted at sqrt(d): p = 1/126', () => {
    for (const d of [16, 64]) {
      for (let seed = 0; seed < 10; seed++) {
        const probe = new PairProbe(planted(10, d, Math.sqrt(d), new Rng(seed, 'planted', d)));
        const test = testLabelling(probe, parityOf(10), options);
        expect(test, `d ${d}, seed ${seed}`).toMatchObject({ share: 1, p: 1 / 126, exact: true });
        expect(test.midP).toBeCloseTo(0.5 / 126, 12);
      }
    }
  });

  it('holds its level on 1,000 embeddings of isotropic noise at every attainable value', () => {
    const runs = 1000;
    const p: number[] = [];
    const uniform: number[] = [];
    const rng = new Rng(11, 'null');
    for (let run = 0; run < runs; run++) {
      const probe = new PairProbe(gaussian(10, 16, rng));
      const test = testLabelling(probe, parityOf(10), options);
      p.push(test.p);
      uniform.push((test.above + rng.uniform() * test.equal) / 126);
    }
    for (let k = 1; k <= 126; k++) {
      const reached = p.filter((value) => value <= k / 126 + 1e-12).length;
      // three standard errors, a chance of 0.13 % each
      const tail = 1 - binomialCdf(reached - 1, runs, k / 126);
      expect(tail, `share of p <= ${k}/126: ${reached} of ${runs}`).toBeGreaterThan(0.0013 / 2);
    }
    const sorted = uniform.sort((a, b) => a - b);
    const distance = Math.max(
      ...sorted.map((value, i) => Math.max(value - i / runs, (i + 1) / runs - value)),
    );
    // Kolmogorov-Smirnov at 0.1 %
    expect(distance).toBeLessThan(1.95 / Math.sqrt(runs));
  }, 300_000);

  it('keeps every mid-p between 1/(2N) and 1 - 1/(2N), enumerated or drawn, so that Stouffer needs no clamp', () => {
    const noise = new Rng(4, 'mid-p');
    const drawn = { ...options, most: 10, sampled: 20 };
    let [lowest, highest] = [1, 0];
    for (let run = 0; run < 60; run++) {
      const probe = new PairProbe(gaussian(8, 6, noise));
      const [all, some] = [options, drawn].map((how) => testLabelling(probe, parityOf(8), how));
      expect(all.midP).toBeGreaterThanOrEqual(0.5 / 35 - 1e-12);
      expect(all.midP).toBeLessThanOrEqual(1 - 0.5 / 35 + 1e-12);
      expect(some.midP).toBeGreaterThanOrEqual(0.5 / 21 - 1e-12);
      expect(some.midP).toBeLessThanOrEqual(1 - 0.5 / 21 + 1e-12);
      lowest = Math.min(lowest, all.midP);
      highest = Math.max(highest, all.midP);
    }
    expect(lowest).toBeLessThan(0.1);
    expect(highest).toBeGreaterThan(0.9);
    // the labelling that this embedding separates worst reaches the bound, and its quantile is finite
    const probe = new PairProbe(gaussian(8, 6, noise));
    const scores = [];
    for (const labels of relabellingsOf(parityOf(8), options).labels()) {
      const copy = labels.slice();
      scores.push({ copy, ...probe.score(copy) });
    }
    expect(scores).toHaveLength(35);
    const [{ copy }] = scores.sort((a, b) => a.share - b.share || a.margin - b.margin);
    const worst = testLabelling(probe, copy, options);
    expect(worst).toMatchObject({ p: 1, equal: 1 });
    expect(worst.midP).toBeCloseTo(1 - 0.5 / 35, 12);
    expect(stouffer([worst.midP, 0.5]).p).toBeLessThan(1);
  });

  it('gives no p below 0.1 at n = 6, where ten relabellings exist', () => {
    const probe = new PairProbe(planted(6, 16, 8, new Rng(1, 'test')));
    expect(testLabelling(probe, parityOf(6), options).p).toBe(0.1);
  });

  it('asks several classes one against the rest', () => {
    const x = matrix(
      9,
      3,
      Array.from({ length: 27 }, (_, at) => (Math.floor(at / 3) % 3 === at % 3 ? 3 : 0) + 0.01 * at),
    );
    const test = testLabelling(
      new PairProbe(x),
      Array.from({ length: 9 }, (_, i) => i % 3),
      options,
    );
    expect(test).toMatchObject({ share: 1, relabellings: 1680 });
    // exchanging the three equal classes changes nothing
    expect(test.p).toBeCloseTo(6 / 1680, 12);
  });
});

describe('testValue', () => {
  it('predicts as scikit-learn does with one number left out', () => {
    for (const { rows, cols, x, y, predictions } of fixtures.ridge) {
      const map = leaveOneOutMap(matrix(rows, cols, x));
      predictions.forEach((prediction, i) => {
        const own = y.reduce((sum, value, j) => sum + map.data[i * rows + j] * value, 0);
        expect(Math.abs(own - prediction)).toBeLessThan(1e-8);
      });
    }
  });

  it('finds a line and not noise', () => {
    const [noise, line] = fixtures.ridge.map(({ rows, cols, x }) =>
      testValue(matrix(rows, cols, x), { rng: new Rng(1, 'test'), count: 999 }),
    );
    expect(line.observed).toBeGreaterThan(0.6);
    expect(line.p).toBeLessThan(0.01);
    expect(noise.p).toBeGreaterThan(0.05);
  });
});

describe('askGrouped', () => {
  const rows = 300;
  const rng = new Rng(5, 'grouped');
  const values = Int32Array.from({ length: rows }, () => rng.below(10));
  const groups = Array.from({ length: rows }, (_, i) => String(i % 60));
  const folds = groupFolds(groups, 5, rng);

  it('keeps a group in one fold and holds every row out once', () => {
    const held = folds.flatMap((fold) => [...fold.held]).sort((a, b) => a - b);
    expect(held).toEqual(Array.from({ length: rows }, (_, i) => i));
    for (const { train, held: out } of folds) {
      const inTrain = new Set(Array.from(train, (row) => groups[row]));
      for (const row of out) expect(inTrain.has(groups[row])).toBe(false);
    }
  });

  it('reads a planted ring of frequency 3 there and nowhere else, and its residues', () => {
    const x = Float64Array.from({ length: rows * 2 }, (_, at) => {
      const angle = (2 * Math.PI * 3 * values[Math.floor(at / 2)]) / 10;
      return (at % 2 === 0 ? Math.cos(angle) : Math.sin(angle)) + 0.01 * rng.normal();
    });
    const counts = newFitCounts();
    const { accuracy, circleR2 } = askGrouped(
      x,
      2,
      folds,
      { classes: [values], circle: { values, modulus: 10 } },
      counts,
    );
    expect(circleR2[2]).toBeGreaterThan(0.99);
    for (const k of [1, 2, 4, 5]) expect(circleR2[k - 1]).toBeLessThan(0.05);
    expect(accuracy[0]).toBeGreaterThan(0.8);
    expect(counts.notConverged).toBe(0);
  });

  it('gives chance for labels that have nothing to do with the features', () => {
    const x = Float64Array.from({ length: rows * 4 }, () => rng.normal());
    const labels = Int32Array.from({ length: rows }, () => rng.below(2));
    const { accuracy } = askGrouped(x, 4, folds, { classes: [labels] }, newFitCounts());
    expect(Math.abs(accuracy[0] - 0.5)).toBeLessThan(0.1);
  });

  it('answers the majority where activations do not differ', () => {
    const labels = Int32Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? 1 : 0));
    const { accuracy } = askGrouped(
      new Float64Array(rows).fill(2),
      1,
      folds,
      { classes: [labels] },
      newFitCounts(),
    );
    expect(accuracy[0]).toBeCloseTo(2 / 3, 12);
  });
});

describe('accuracyInterval', () => {
  it('counts sets of numbers in one model, not prompts', () => {
    const { low, high, method } = accuracyInterval([0.9], 50);
    // Wilson for 45 of 50, computed by hand
    expect(low).toBeCloseTo(0.7864, 3);
    expect(high).toBeCloseTo(0.9565, 3);
    expect(method).toBe('Wilson over sets of numbers');
  });

  it('is as wide as the spread of models, and never a point where all are alike', () => {
    const spread = accuracyInterval([0.2, 1, 0.6], 50);
    expect([spread.low, spread.high]).toEqual([0, 1]);
    const alike = accuracyInterval([1, 1, 1], 50);
    // Wilson for 150 of 150
    expect(alike.low).toBeCloseTo(0.975, 3);
    expect(alike.high).toBe(1);
  });
});

describe('crossCheckLogistic', () => {
  it('agrees with ml-logistic-regression where parity is planted', () => {
    const x = planted(10, 16, 4, new Rng(1, 'test'));
    expect(crossCheckLogistic(x, parityOf(10))).toMatchObject({
      agreement: 10,
      ownAccuracy: 1,
      otherAccuracy: 1,
      steps: 2000,
    });
    expect(crossCheckHeldOut(x, parityOf(10))).toBe(1);
  });

  it('takes a rate at which the loss falls: no overflow on collinear columns', () => {
    const one = gaussian(10, 1, new Rng(2, 'test'));
    const x = matrix(
      10,
      30,
      Float64Array.from({ length: 300 }, (_, at) => one.data[Math.floor(at / 30)]),
    );
    const check = crossCheckLogistic(x, parityOf(10));
    expect(check.learningRate).toBeLessThan(8 / 300);
    expect(check.otherAccuracy).toBeGreaterThan(0.4);
  });
});
