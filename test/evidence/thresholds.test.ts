/** Size thresholds: against scipy and enumeration (fixtures/make_thresholds.py), and against planted truths. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CLAIMS_LEVEL } from '../../src/evidence/claims-file.js';
import {
  differenceOf,
  equalTailed,
  exactTrendP,
  LAPSES,
  maximumOf,
  quantileOf,
  type SizeCount,
  thresholdPosterior,
  thresholdText,
} from '../../src/evidence/thresholds.js';
import { Rng } from '../../src/tensor/rng.js';
import { expectClose } from '../analysis/fixtures.js';

type Quantiles = Record<string, number>;
const fixture = JSON.parse(
  readFileSync(new URL('../analysis/fixtures/thresholds.json', import.meta.url), 'utf8'),
) as {
  cases: {
    counts: [number, number, number][];
    theta: [number, number, number];
    mean: number;
    thetaMass: number[];
    lambdaMass: number[];
    quantiles: Quantiles;
  }[];
  differences: {
    alone: [number[], number[]];
    others: [number[], number[]][];
    greatest: Quantiles;
    difference: Quantiles;
  }[];
  trends: { learned: number[]; runs: number[]; p: number }[];
};
const SIZES = [1590, 2504, 4908, 8080, 16_728, 28_448];
const sizes = (learned: readonly number[], runs: readonly number[] = learned.map(() => 5)): SizeCount[] =>
  learned.map((k, i) => ({ parameters: SIZES[i], learned: k, runs: runs[i] }));
const close = { atol: 1e-9, rtol: 1e-9 };

function expectAllClose(found: readonly number[], expected: readonly number[], what: string): void {
  expect(found).toHaveLength(expected.length);
  found.forEach((value, i) => expectClose(value, expected[i], close, `${what} ${i}`));
}

describe('thresholdPosterior', () => {
  it.each(fixture.cases)('has the masses of the brute force: case %#', (one) => {
    const counts = one.counts.map(([parameters, learned, runs]) => ({ parameters, learned, runs }));
    const { theta, lambda } = thresholdPosterior(counts);
    expectAllClose(
      [theta.values[0], theta.values[theta.values.length - 1], theta.values.length],
      one.theta,
      'grid',
    );
    expectAllClose(
      [...theta.mass].filter((_, i) => i % 7 === 0),
      one.thetaMass,
      'theta',
    );
    expectAllClose([...lambda.mass], one.lambdaMass, 'lambda');
    for (const [probability, value] of Object.entries(one.quantiles)) {
      expectClose(quantileOf(theta, Number(probability)), value, close, `quantile ${probability}`);
    }
  });

  it('does not depend on the order of sizes, and joins runs of equal size', () => {
    const counts = sizes([0, 1, 4, 3, 2, 5]);
    const split = [...counts, ...counts].reverse();
    const doubled = counts.map(({ parameters, learned, runs }) => ({
      parameters,
      learned: 2 * learned,
      runs: 2 * runs,
    }));
    expectAllClose(
      [...thresholdPosterior(split).theta.mass],
      [...thresholdPosterior(doubled).theta.mass],
      'theta',
    );
  });

  it('recovers planted thresholds: the 99.17 % interval holds at least 195 of 200, the median is right to 0.4', () => {
    let covered = 0;
    const errors: number[] = [];
    for (let i = 0; i < 200; i++) {
      const rng = new Rng(i, 'planted-threshold');
      const theta = 11.5 + 2.5 * rng.uniform();
      const counts = SIZES.map((parameters) => {
        const p = 0.95 / (1 + Math.exp(-(Math.log2(parameters) - theta) / 0.2));
        let learned = 0;
        for (let seed = 0; seed < 5; seed++) if (rng.uniform() < p) learned++;
        return { parameters, learned, runs: 5 };
      });
      const { estimate, low, high } = equalTailed(thresholdPosterior(counts).theta, CLAIMS_LEVEL);
      if (low <= theta && theta <= high) covered++;
      errors.push(Math.abs(estimate - theta));
    }
    expect(covered).toBeGreaterThanOrEqual(195);
    expect(errors.sort((a, b) => a - b)[100]).toBeLessThan(0.4);
  });

  it('names bad counts', () => {
    expect(() => thresholdPosterior([])).toThrow(/found none/);
    expect(() => thresholdPosterior([{ parameters: 100, learned: 3, runs: 2 }])).toThrow(/3 of 2 runs/);
  });
});

describe('maximumOf and differenceOf', () => {
  it.each(fixture.differences)('have the quantiles of the joint distribution: case %#', (one) => {
    const thetaOf = ([learned, runs]: [number[], number[]]) => thresholdPosterior(sizes(learned, runs)).theta;
    const greatest = maximumOf(one.others.map(thetaOf));
    const difference = differenceOf(thetaOf(one.alone), greatest);
    for (const [probability, value] of Object.entries(one.greatest)) {
      expectClose(quantileOf(greatest, Number(probability)), value, close, `max ${probability}`);
    }
    for (const [probability, value] of Object.entries(one.difference)) {
      expectClose(quantileOf(difference, Number(probability)), value, close, `difference ${probability}`);
    }
  });

  it('work on grids that share no point', () => {
    const a = { values: Float64Array.of(0, 1), mass: Float64Array.of(0.5, 0.5) };
    const b = { values: Float64Array.of(0.4, 0.7), mass: Float64Array.of(0.25, 0.75) };
    const { values, mass } = maximumOf([a, b]);
    expectAllClose([...values], [0, 0.4, 0.7, 1], 'values');
    expectAllClose([...mass], [0, 0.125, 0.375, 0.5], 'mass');
    const difference = differenceOf(a, b);
    expectAllClose([...difference.values], [-0.7, -0.4, 0.3, 0.6], 'differences');
    expectAllClose([...difference.mass], [0.375, 0.125, 0.375, 0.125], 'their masses');
  });
});

describe('exactTrendP', () => {
  it.each(fixture.trends)('counts every way to deal $learned of $runs', ({ learned, runs, p }) => {
    expectClose(exactTrendP(sizes(learned, runs)), p, close, 'p');
  });

  it('is large without a trend and small with one', () => {
    expect(exactTrendP(sizes([4, 4, 4, 4, 4, 4]))).toBe(1);
    expect(exactTrendP(sizes([4, 2, 1, 4, 5, 1]))).toBeGreaterThan(0.05);
    expect(exactTrendP(sizes([0, 0, 0, 5, 5, 5]))).toBeLessThan(1e-4);
  });
});

describe('thresholdText', () => {
  it('prints what lies outside the sizes tested as outside', () => {
    const text = (learned: number[]): string =>
      thresholdText(thresholdPosterior(sizes(learned)), CLAIMS_LEVEL);
    expect(text([5, 5, 5, 5, 5, 5])).toMatch(/^<= 1,590/);
    expect(text([0, 0, 0, 0, 0, 0])).toMatch(/^> 28,448/);
    expect(text([0, 0, 0, 5, 5, 5])).toMatch(/^\d[\d,]* \[[^<>]+\] parameters$/);
  });

  it('knows a lapse from a threshold', () => {
    const lambda = thresholdPosterior(
      sizes(
        [7, 7, 7, 7, 7, 7],
        SIZES.slice(0, 6).map(() => 10),
      ),
    ).lambda;
    expect(quantileOf(lambda, 0.5)).toBeGreaterThanOrEqual(0.2);
    expect([...lambda.values]).toEqual([...LAPSES]);
  });
});
