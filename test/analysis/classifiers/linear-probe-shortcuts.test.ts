/** What makes the probes of linear-probe.ts fast and must not change them: equal rows taken together, the first Newton step. */
import { Matrix as MlMatrix, solve } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import {
  MOST_FITTED_NUMBERS,
  PairProbe,
  testLabelling,
} from '../../../src/analysis/classifiers/leave-pair-out.js';
import {
  applyScaling,
  fitScaling,
  LogisticSolver,
  PENALTY,
  prepareFeatures,
} from '../../../src/analysis/classifiers/linear-probe.js';
import type { Matrix } from '../../../src/analysis/matrix.js';
import { Rng } from '../../../src/tensor/rng.js';
import { expectAllClose, expectClose, gaussian, parity, planted } from '../fixtures.js';

const rng = (name: string): Rng => new Rng(3, `test:shortcuts/${name}`);

describe('LogisticSolver on rows taken together', () => {
  it.each([
    [3, 12],
    [16, 60],
  ])('has the optimum of the repeated rows (%i features, %i rows)', (cols, distinct) => {
    const draw = rng(`rows ${cols}`);
    const times = Array.from({ length: distinct }, () => 1 + draw.below(5));
    const owner = times.flatMap((count, i) => Array.from({ length: count }, () => i));
    const base = gaussian(distinct, cols, draw);
    const repeated = Float64Array.from(
      owner.flatMap((i) => [...base.data.subarray(i * cols, (i + 1) * cols)]),
    );
    const all = Int32Array.from(owner, (_, row) => row);
    const scaling = fitScaling(repeated, cols, all);
    // equal rows may have different labels
    const y = owner.map(() => (draw.below(4) === 0 ? 1 : 0));
    const one = new LogisticSolver(owner.length, cols);
    one.fit(prepareFeatures(applyScaling(repeated, cols, all, scaling), owner.length, cols), y);

    const ones = new Float64Array(distinct);
    owner.forEach((i, row) => (ones[i] += y[row]));
    const rows = Int32Array.from(times, (_, i) => i);
    const together = new LogisticSolver(distinct, cols);
    const features = prepareFeatures(
      applyScaling(base.data, cols, rows, scaling),
      distinct,
      cols,
      PENALTY,
      Float64Array.from(times),
    );
    expect(together.fit(features, ones).converged).toBe(true);
    // both end at a gradient of 1e-8 a row, on an objective that curves by 1 or more
    expectAllClose(together.beta, one.beta, { atol: 1e-7 }, 'weights');
  });
});

/** f of two held-out points by the first Newton step from the intercept, by a general solver. */
function firstStep(x: Matrix, low: number, high: number, labels: readonly number[]): [number, number] {
  const train = Array.from({ length: x.rows }, (_, i) => i).filter((i) => i !== low && i !== high);
  const scaling = fitScaling(x.data, x.cols, train);
  const design = new MlMatrix(
    Array.from({ length: train.length }, (_, i) => [...applyScaling(x.data, x.cols, [train[i]], scaling), 1]),
  );
  const share = train.reduce((sum, i) => sum + labels[i], 0) / train.length;
  const hessian = design
    .transpose()
    .mmul(design)
    .mul(share * (1 - share));
  for (let j = 0; j < x.cols; j++) hessian.set(j, j, hessian.get(j, j) + PENALTY);
  const gradient = design.transpose().mmul(MlMatrix.columnVector(train.map((i) => labels[i] - share)));
  const step = solve(hessian, gradient).to1DArray();
  const start = Math.log(share / (1 - share));
  return [low, high].map((i) => {
    const row = applyScaling(x.data, x.cols, [i], scaling);
    return start + step[x.cols] + row.reduce((sum, value, j) => sum + value * step[j], 0);
  }) as [number, number];
}

describe('PairProbe above 16 numbers', () => {
  it.each([
    [18, [9, 9]],
    [19, [7, 12]],
  ])('says what the first Newton step says, of %i numbers', (n, [size]) => {
    const x = gaussian(n, 6, rng(`step ${n}`));
    const labels = Array.from(rng(`labels ${n}`).permutation(n), (place) => (place < size ? 1 : 0));
    const found = new PairProbe(x).score(labels);
    let [right, margin, pairs] = [0, 0, 0];
    for (let zero = 0; zero < n; zero++) {
      for (let one = 0; one < n; one++) {
        if (labels[zero] !== 0 || labels[one] !== 1) continue;
        const [fZero, fOne] = firstStep(x, zero, one, labels);
        right += fOne > fZero ? 1 : 0;
        margin += fOne - fZero;
        pairs++;
      }
    }
    expect(n).toBeGreaterThan(MOST_FITTED_NUMBERS);
    expectClose(found.share, right / pairs, { atol: 1e-12 }, 'share');
    expectClose(found.margin, margin / pairs, { rtol: 1e-9 }, 'margin');
  });

  it('finds planted parity, and keeps its level on noise', () => {
    const labels = Uint8Array.from({ length: 20 }, (_, i) => i % 2);
    const p = (x: Matrix, s: number): number =>
      testLabelling(new PairProbe(x), labels, { rng: () => rng(`null ${s}`), sampled: 99 }).p;
    expect(
      p(
        planted(20, 16, rng('planted'), 1, (i) => [4 * parity(i)[0]]),
        0,
      ),
    ).toBe(0.01);
    const source = rng('noise');
    const low = Array.from({ length: 200 }, (_, s) => p(gaussian(20, 16, source), s)).filter(
      (one) => one <= 0.1,
    );
    // binomial: 20 expected, three standard errors
    expect(low.length).toBeLessThanOrEqual(20 + 3 * Math.sqrt(18));
    expect(low.length).toBeGreaterThanOrEqual(20 - 3 * Math.sqrt(18));
  });
});
