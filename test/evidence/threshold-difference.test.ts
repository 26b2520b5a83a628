import { describe, expect, it } from 'vitest';
import {
  censoredDifference,
  censoredTheta,
  censoringOf,
  censoringOfMaximum,
  startInteraction,
  thresholdEstimate,
  thresholdEstimateText,
} from '../../src/evidence/threshold-difference.js';
import {
  differenceOf,
  equalTailed,
  type SizeCount,
  thresholdPosterior,
} from '../../src/evidence/thresholds.js';
import { decideVerdict } from '../../src/evidence/verdict.js';
import { expectClose } from '../analysis/fixtures.js';

const SIZES = [1000, 2000, 4000, 8000, 16_000, 32_000];
/** Learned seeds of five at each size. */
const ladder = (...learned: number[]): SizeCount[] =>
  learned.map((count, i) => ({ parameters: SIZES[i], learned: count, runs: 5 }));
const LATE = ladder(0, 0, 0, 0, 5, 5);
const EARLY = ladder(0, 0, 5, 5, 5, 5);
const NEVER = ladder(0, 0, 0, 0, 0, 0);
const ALWAYS = ladder(5, 5, 5, 5, 5, 5);
const LEVEL = 0.9917;
const difference = (a: readonly SizeCount[], b: readonly SizeCount[]) =>
  thresholdEstimate(censoredDifference(censoredTheta(a), censoredTheta(b)), LEVEL);

describe('censoredDifference', () => {
  it('finds a planted difference of two octaves, the same as the exact difference of posteriors', () => {
    const found = difference(LATE, EARLY);
    const exact = equalTailed(
      differenceOf(thresholdPosterior(LATE).theta, thresholdPosterior(EARLY).theta),
      LEVEL,
    );
    expect(found.censoring).toBe('none');
    const numbers = { ...found.interval, estimate: found.median };
    for (const key of ['estimate', 'low', 'high'] as const)
      expectClose(numbers[key], exact[key], { atol: 1e-8 }, key);
    expect(Math.abs(found.median - 2)).toBeLessThanOrEqual(0.1 + 1e-9);
    expect(thresholdEstimateText(found)).toMatch(/^2\.\d \[/);
  });

  it('is > L without an estimate when an arm learns at no size', () => {
    const found = difference(NEVER, EARLY);
    expect(found.censoring).toBe('above');
    expect(thresholdEstimateText(found)).toMatch(/^> \d\.\d$/);
    const { median: estimate, interval } = found;
    expect(interval.high).toBe(Infinity);
    const decided = decideVerdict({
      rule: { kind: 'effect', delta: 1 },
      usable: [{ condition: 'SUM alone', runs: 5 }],
      nMin: 5,
      estimate,
      interval,
    });
    expect(decided.verdict).toBe('supported');
  });

  it('does not take more failing sizes for more precision: the lower bound rises, and there is still no estimate', () => {
    const short = difference(NEVER.slice(0, 4), EARLY);
    const long = difference(NEVER, EARLY);
    expect([short.censoring, long.censoring]).toEqual(['above', 'above']);
    expect(long.interval.low).toBeGreaterThan(short.interval.low);
  });

  it('knows on which side each censoring leaves it open', () => {
    expect(difference(EARLY, NEVER).censoring).toBe('below');
    expect(difference(LATE, ALWAYS).censoring).toBe('above');
    expect(difference(ALWAYS, LATE).censoring).toBe('below');
    expect(difference(NEVER, ALWAYS).censoring).toBe('above');
    expect(difference(NEVER, NEVER).censoring).toBe('open');
    expect(thresholdEstimateText(difference(ALWAYS, ALWAYS))).toBe('not known');
    expect(thresholdEstimateText(difference(EARLY, NEVER))).toMatch(/^< -?\d\.\d$/);
    expect([NEVER, ALWAYS, LATE].map(censoringOf)).toEqual(['above', 'below', 'none']);
    expect(censoringOfMaximum(['below', 'none'])).toBe('none');
    expect(censoringOfMaximum(['below', 'below'])).toBe('below');
    expect(censoringOfMaximum(['above', 'below'])).toBe('above');
  });
});

describe('startInteraction', () => {
  it('is 0 when both starts save the same, and the whole saving when the larger start saves nothing', () => {
    const theta = (counts: readonly SizeCount[]) => censoredTheta(counts);
    const same = thresholdEstimate(
      startInteraction({
        aloneSmall: theta(LATE),
        jointSmall: theta(EARLY),
        aloneLarge: theta(LATE),
        jointLarge: theta(EARLY),
      }),
      LEVEL,
    );
    expect(same.censoring).toBe('none');
    expect(Math.abs(same.median)).toBeLessThanOrEqual(0.1);
    expectClose(same.interval.low, -same.interval.high, { atol: 0.11 }, 'symmetric');
    const gone = thresholdEstimate(
      startInteraction({
        aloneSmall: theta(LATE),
        jointSmall: theta(EARLY),
        aloneLarge: theta(EARLY),
        jointLarge: theta(EARLY),
      }),
      LEVEL,
    );
    expect(gone.censoring).toBe('none');
    expect(Math.abs(gone.median - 2)).toBeLessThanOrEqual(0.2);
    const open = startInteraction({
      aloneSmall: theta(NEVER),
      jointSmall: theta(EARLY),
      aloneLarge: theta(EARLY),
      jointLarge: theta(EARLY),
    });
    expect(thresholdEstimate(open, LEVEL).censoring).toBe('above');
  });

  it('agrees with sampling from the four posteriors', () => {
    const counts = [
      ladder(0, 0, 1, 3, 5, 5),
      ladder(0, 2, 4, 5, 5, 5),
      ladder(0, 1, 3, 5, 5, 5),
      ladder(1, 2, 5, 5, 5, 5),
    ];
    const [aloneSmall, jointSmall, aloneLarge, jointLarge] = counts.map(censoredTheta);
    const found = startInteraction({ aloneSmall, jointSmall, aloneLarge, jointLarge }).theta;
    const meanOf = ({ values, mass }: { values: Float64Array; mass: Float64Array }): number =>
      values.reduce((sum, value, i) => sum + value * mass[i], 0);
    const varianceOf = (one: { values: Float64Array; mass: Float64Array }): number =>
      one.values.reduce((sum, value, i) => sum + (value - meanOf(one)) ** 2 * one.mass[i], 0);
    const thetas = [aloneSmall, jointSmall, aloneLarge, jointLarge].map(({ theta }) => theta);
    const [a, b, c, d] = thetas.map(meanOf);
    // means and variances of independent terms add up
    expectClose(meanOf(found), a - b - (c - d), { atol: 1e-9 }, 'mean');
    expectClose(
      varianceOf(found),
      thetas.reduce((sum, one) => sum + varianceOf(one), 0),
      { rtol: 1e-9 },
      'variance',
    );
    expectClose(
      found.mass.reduce((sum, mass) => sum + mass, 0),
      1,
      { atol: 1e-12 },
      'mass',
    );
    expect(found.values.length).toBeLessThan(1000);
  });
});
