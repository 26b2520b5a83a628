/**
 * The statistics that claims are decided by: order over all namings (rsa.ts), parity-power.ts, half-dose.ts, bounded-mean.ts.
 * References are made by fixtures/make_statistics.py.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { boundedMeanInterval } from '../../src/analysis/statistics/bounded-mean.js';
import { squaredDistances } from '../../src/analysis/geometry/distances.js';
import {
  HALF_OCTAVE_DOSES,
  halfDose,
  halfDoseDifference,
  type HalfDose,
} from '../../probes/ablation/half-dose.js';
import { clopperPearsonInterval } from '../../src/analysis/statistics/intervals.js';
import { matrix, type Matrix, takeRows } from '../../src/analysis/matrix.js';
import { renaming } from '../../src/analysis/geometry/naming.js';
import { type ParityPower, parityPower } from '../../src/analysis/classifiers/parity-power.js';
import { testOrder, testOrderOverUnits } from '../../src/analysis/geometry/rsa.js';
import { Rng } from '../../src/tensor/rng.js';
import {
  expectClose,
  type FixtureMatrix,
  gaussian,
  line,
  parity,
  planted,
  ring,
  toMatrix,
} from './fixtures.js';
import { fourierShares } from './references.js';

interface Statistics {
  order: { x: FixtureMatrix; value: number; p: number | null }[];
  parity: {
    x: FixtureMatrix;
    share: number;
    power: number;
    p: number;
    nullMean: number;
    labellings: number;
  }[];
  halfDose: { accuracies: number[]; intact: number; n: number; log2: number }[];
  betting: { values: number[]; level: number; bounds: [number, number]; low: number; high: number }[];
}
const fixtures = JSON.parse(
  readFileSync(new URL('fixtures/statistics.json', import.meta.url), 'utf8'),
) as Statistics;

const rng = (name: string): Rng => new Rng(5, `test:${name}`);
const defined = (found: ParityPower): Extract<ParityPower, { kind: 'defined' }> => {
  if (found.kind !== 'defined') throw new Error(found.reason);
  return found;
};
const powerOf = (x: Matrix): number =>
  defined(parityPower(x, { rng: () => rng('p'), most: 1, sampled: 1 })).power;

describe('testOrderOverUnits', () => {
  it("agrees with the mean of scipy's rank correlations, and with every permutation where they are few", () => {
    for (const { x, value, p } of fixtures.order) {
      const found = testOrderOverUnits(squaredDistances(toMatrix(x)), { rng: rng('order'), count: 720 });
      expectClose(found.observed, value, { atol: 1e-12 }, `n ${x.rows}`);
      expect(found.exact).toBe(p !== null);
      if (p !== null) expectClose(found.p, p, { atol: 1e-12 }, `p at n ${x.rows}`);
    }
  });

  it('does not depend on what the numbers are called, where the order as named does', () => {
    const x = planted(10, 8, rng('named'), 0.1, line);
    const found = [1, 3, 7, 9].map((unit) => {
      const d2 = squaredDistances(takeRows(x, renaming(10, unit)));
      const options = { rng: rng('renamed'), count: 200 };
      return {
        mean: testOrderOverUnits(d2, options).observed,
        named: testOrder(d2, options).asNamed.observed,
      };
    });
    for (const { mean } of found) expectClose(mean, found[0].mean, { atol: 1e-12 }, 'mean over units');
    expect(found[0].mean).toBeGreaterThan(0.25);
    expect(found[0].named).toBeGreaterThan(0.95);
    expect(found[1].named).toBeLessThan(0.3);
  });

  it('is 0 on average for noise, and its p keeps its level', () => {
    const source = rng('noise');
    const found = Array.from({ length: 200 }, () =>
      testOrderOverUnits(squaredDistances(gaussian(10, 16, source)), { rng: rng('null'), count: 400 }),
    );
    const average = found.reduce((sum, { observed }) => sum + observed, 0) / 200;
    const sd = found[0].nullSd;
    expect(Math.abs(average)).toBeLessThan((3 * sd) / Math.sqrt(200));
    const low = found.filter(({ p }) => p <= 0.1).length;
    expect(low).toBeLessThanOrEqual(20 + 3 * Math.sqrt(18));
    expect(low).toBeGreaterThan(20 - 3 * Math.sqrt(18));
  });

  it('refuses what is no square of four or more', () => {
    expect(() => testOrderOverUnits(matrix(3, 3, new Float64Array(9)), { rng: rng('x') })).toThrow(
      'rsa: found distances [3,3], expected square, n >= 4.',
    );
  });
});

describe('parityPower', () => {
  it('agrees with a Fourier transform, and with every labelling into halves', () => {
    for (const { x, share, power, p, nullMean, labellings } of fixtures.parity) {
      const found = defined(parityPower(toMatrix(x), { rng: () => rng('parity') }));
      expectClose(found.share, share, { rtol: 1e-12 }, 'share');
      expectClose(found.power, power, { atol: 1e-12 }, 'power');
      expect(found.test).toMatchObject({ exact: true, labellings });
      expectClose(found.test.p, p, { atol: 1e-12 }, 'p');
      expectClose(found.test.nullMean, nullMean, { rtol: 1e-12 }, 'null mean');
      // the mean over all labellings is 1 / (n - 1) whatever the embedding
      expectClose(found.test.nullMean, 1 / (x.rows - 1), { rtol: 1e-12 }, 'null mean, exactly');
      expectClose(found.share, fourierShares(toMatrix(x))[x.rows / 2 - 1], { rtol: 1e-10 }, 'fourier.ts');
    }
  });

  it('finds planted parity, and not a line or a ring', () => {
    const strong = defined(
      parityPower(
        planted(10, 16, rng('strong'), 1, (i) => [4 * parity(i)[0]]),
        { rng: () => rng('s') },
      ),
    );
    expect(strong.test.p).toBeCloseTo(1 / 126, 12);
    expect(strong.power).toBeGreaterThan(1.5);
    expect(powerOf(planted(10, 16, rng('line'), 0.05, line))).toBeLessThan(-1);
    expect(powerOf(planted(10, 16, rng('ring'), 0.1, ring(10)))).toBeLessThan(-1);
  });

  it('is the same under every renaming, rotation aside and scale', () => {
    const x = gaussian(12, 6, rng('renaming'));
    for (const unit of [5, 7, 11]) {
      expectClose(powerOf(takeRows(x, renaming(12, unit))), powerOf(x), { atol: 1e-12 }, `unit ${unit}`);
    }
    expectClose(
      powerOf(
        matrix(
          12,
          6,
          x.data.map((v) => 3 * v + 7),
        ),
      ),
      powerOf(x),
      { atol: 1e-9 },
      'scaled',
    );
  });

  it('has a share of 1 / (n - 1) on average for isotropic noise', () => {
    const source = rng('isotropic');
    const shares = Array.from({ length: 400 }, () => 2 ** powerOf(gaussian(10, 16, source)) / 9);
    const average = shares.reduce((a, b) => a + b) / 400;
    const sd = Math.sqrt(shares.reduce((sum, s) => sum + (s - average) ** 2, 0) / 399);
    expect(Math.abs(average - 1 / 9)).toBeLessThan((3 * sd) / Math.sqrt(400));
  });

  it('enumerates up to 18 numbers and samples from 20 on', () => {
    const options = { rng: () => rng('many'), sampled: 500 };
    expect(defined(parityPower(gaussian(18, 8, rng('18')), options)).test).toMatchObject({
      exact: true,
      labellings: 24_310,
    });
    const twenty = defined(parityPower(gaussian(20, 8, rng('20')), options)).test;
    expect(twenty).toMatchObject({ exact: false, labellings: 500 });
    expect(twenty.p).toBeGreaterThan(0);
    expect(Math.abs(twenty.nullMean - 1 / 19)).toBeLessThan(0.01);
  });

  it('is not defined for odd n and without any variance there, and refuses equal rows', () => {
    const options = { rng: () => rng('odd') };
    expect(parityPower(gaussian(11, 4, rng('11')), options)).toEqual({
      kind: 'not defined',
      reason: '11 is odd, so there is no frequency n/2',
    });
    const pure = matrix(10, 2, Array.from({ length: 10 }, (_, i) => ring(10)(i)).flat());
    expect(parityPower(pure, options)).toMatchObject({ kind: 'not defined' });
    expect(() => parityPower(matrix(10, 1, new Float64Array(10).fill(2)), options)).toThrow(
      /all embeddings are equal/,
    );
  });
});

describe('halfDose', () => {
  it('agrees with the root of the piecewise linear curve over log2 dose', () => {
    expect(HALF_OCTAVE_DOSES).toHaveLength(17);
    HALF_OCTAVE_DOSES.forEach((dose, i) =>
      expectClose(Math.log2(dose), i / 2 - 8, { atol: 1e-14 }, `dose ${i}`),
    );
    for (const { accuracies, intact, n, log2 } of fixtures.halfDose) {
      const found = halfDose(HALF_OCTAVE_DOSES, accuracies, intact, n);
      if (found.kind !== 'measured') throw new Error(found.kind);
      expectClose(found.log2, log2, { atol: 1e-10 }, 'log2');
      expectClose(found.dose, 2 ** log2, { rtol: 1e-10 }, 'dose');
    }
  });

  it('finds a planted threshold, at the first crossing', () => {
    const doses = [0.125, 0.25, 0.5, 1];
    // (1 + 0.1) / 2 = 0.55: three quarters of the way from 0.7 at 1/4 to 0.5 at 1/2
    expect(halfDose(doses, [1, 0.7, 0.5, 0.9], 1, 10)).toMatchObject({ kind: 'measured' });
    const found = halfDose(doses, [1, 0.7, 0.5, 0.9], 1, 10);
    expectClose(found.kind === 'measured' ? found.log2 : NaN, -1.25, { atol: 1e-12 }, 'log2');
    // exactly at the limit has not fallen below it
    const touching = halfDose(doses, [1, 0.55, 0.1, 0.1], 1, 10);
    expectClose(touching.kind === 'measured' ? touching.log2 : NaN, -2, { atol: 1e-12 }, 'touching');
  });

  it('says what the grid cannot tell', () => {
    const doses = [0.25, 0.5, 1];
    expect(halfDose(doses, [1, 0.9, 0.8], 1, 10)).toEqual({ kind: 'never falls', last: 1 });
    expect(halfDose(doses, [0.3, 0.2, 0.1], 1, 10)).toEqual({ kind: 'below the first dose', first: 0.25 });
    expect(halfDose(doses, [0.1, 0.1, 0.1], 0.1, 10)).toEqual({ kind: 'nothing to lose' });
    expect(() => halfDose(doses, [1, 1], 1, 10)).toThrow(/found 2 accuracies at doses 0.25, 0.5, 1/);
    expect(() => halfDose(doses, [1, NaN, 1], 1, 10)).toThrow(
      'halfDose: found accuracy NaN, expected 0 to 1.',
    );
  });
});

describe('halfDoseDifference', () => {
  const at = (log2: number): HalfDose => ({ kind: 'measured', dose: 2 ** log2, log2 });
  const never: HalfDose = { kind: 'never falls', last: 1 };
  const early: HalfDose = { kind: 'below the first dose', first: 2 ** -8 };

  it('is measured in octaves, and open where a dose is', () => {
    expect(halfDoseDifference(at(-1), at(-3))).toEqual({ kind: 'measured', low: 2, high: 2 });
    expect(halfDoseDifference(never, at(-3))).toEqual({ kind: 'at least', low: 3, high: Infinity });
    expect(halfDoseDifference(at(-3), never)).toEqual({ kind: 'at most', low: -Infinity, high: -3 });
    expect(halfDoseDifference(early, at(-3))).toEqual({ kind: 'at most', low: -Infinity, high: -5 });
    expect(halfDoseDifference(never, early)).toEqual({ kind: 'at least', low: 8, high: Infinity });
    expect(halfDoseDifference(never, never).kind).toBe('unknown');
    expect(halfDoseDifference({ kind: 'nothing to lose' }, at(-1)).kind).toBe('unknown');
  });
});

describe('boundedMeanInterval', () => {
  it('agrees with root finding on the capital of the bets', () => {
    for (const { values, level, bounds, low, high } of fixtures.betting) {
      const found = boundedMeanInterval(values, level, bounds);
      expectClose(found.low, low, { atol: 1e-9 }, `low of ${values.join()}`);
      expectClose(found.high, high, { atol: 1e-9 }, `high of ${values.join()}`);
      expect(found.low).toBeLessThanOrEqual(found.estimate);
      expect(found.high).toBeGreaterThanOrEqual(found.estimate);
    }
  });

  it('does not depend on the order of the values, and is never a point', () => {
    const values = [0.9, 0.1, 0.4, 1, 0, 0.33, 0.2, 0.2];
    expect(boundedMeanInterval(values.toReversed(), 0.9917)).toEqual(boundedMeanInterval(values, 0.9917));
    const equal = boundedMeanInterval(new Array<number>(24).fill(1), 0.9917);
    expect(equal.high).toBe(1);
    expect(equal.low).toBeLessThan(0.8);
    // no narrower than the exact interval of a proportion, which knows that values are 0 or 1
    expect(equal.low).toBeLessThan(clopperPearsonInterval(24, 24, 0.9917).low);
  });

  it('refuses values beyond the bounds, and no values', () => {
    expect(() => boundedMeanInterval([0.5, 1.2], 0.95)).toThrow(
      'boundedMeanInterval: found 1.2, expected 0 to 1.',
    );
    expect(() => boundedMeanInterval([], 0.95)).toThrow(/found 0 values/);
  });

  it('covers at its level: two-valued, Beta and constant values, 8, 16 and 24 of them', () => {
    const source = rng('coverage');
    const beta = (a: number, b: number) => (): number =>
      Float64Array.from({ length: a + b - 1 }, () => source.uniform()).sort()[a - 1];
    const two =
      (p: number, low = 0, high = 1) =>
      (): number =>
        source.uniform() < p ? high : low;
    const kinds: [string, number, () => number][] = [
      ['two-valued 0.2', 0.2, two(0.2)],
      ['two-valued 0.5', 0.5, two(0.5)],
      ['two-valued 0.05', 0.05, two(0.05)],
      ['0.15 or 1', 0.235, two(0.1, 0.15, 1)],
      ['Beta(1, 4)', 0.2, beta(1, 4)],
      ['Beta(2, 2)', 0.5, beta(2, 2)],
      ['Beta(8, 1)', 8 / 9, beta(8, 1)],
      ['constant', 0.3, () => 0.3],
    ];
    const level = 0.9;
    const nSimulations = 250;
    for (const [name, truth, draw] of kinds) {
      for (const n of [8, 16, 24]) {
        let missed = 0;
        for (let s = 0; s < nSimulations; s++) {
          const { low, high } = boundedMeanInterval(Float64Array.from({ length: n }, draw), level);
          if (truth < low || truth > high) missed++;
        }
        expect(missed / nSimulations, `${name}, n ${n}`).toBeLessThanOrEqual(1 - level);
      }
    }
  });
});
