/** Onsets of planted series: before, at and after the steps measured, with several seeds and with one. */
import { describe, expect, it } from 'vitest';
import { evidenceOf } from '../../src/evidence/evidence.js';
import { onsetsOf, seriesOf } from '../../src/evidence/series.js';
import type { StatisticInfo } from '../../src/evidence/statistic.js';
import { madeSubject, observed } from '../helpers/made-subject.js';

const INFO: StatisticInfo = { id: 'n', title: 'N', formula: 'n', unit: '1', sentence: 'a number' };
const STEPS = [0, 64, 1024, 16_000];

/** @param runs - by seed: whether the number is above its null at each step; null: it has none there */
function seriesWith(runs: readonly (readonly (boolean | null)[])[]) {
  const rows = runs.flatMap((above, i) =>
    above.map((isAbove, s) => {
      const subject = madeSubject({ seed: i + 1, step: STEPS[s], final: s === STEPS.length - 1 });
      const value = isAbove === true ? 0.5 : 0.1;
      const own = isAbove === null ? {} : { null: { mean: 0, high: 0.1 } };
      return { subject, row: observed(subject, 'm/n', value, own) };
    }),
  );
  const evidence = evidenceOf(
    rows.map(({ subject }) => subject),
    rows.map(({ row }) => row),
    new Map([['m/n', INFO]]),
  );
  return seriesOf(evidence, 'm/n');
}

describe('onsets', () => {
  it.each([
    [[false, false, true, true], { after: 64, by: 1024 }],
    [[false, true, false, true], { after: 1024, by: 16_000 }],
    [[true, true, true, true], { after: 0, by: 0 }],
    [[true, true, true, false], { after: 16_000, by: Infinity }],
    [[false, null, true, true], { after: 64, by: 1024 }],
    [[null, null, null, null], undefined],
  ])('of one run: %j', (above, expected) => {
    expect(seriesWith([above])[0].onset).toEqual(expected);
  });

  it('of a condition: median with the range of so few seeds, and its level', () => {
    const [one] = onsetsOf(
      seriesWith([
        [false, true, true, true],
        [false, false, true, true],
        [false, false, false, false],
      ]),
    );
    expect(one.median).toBe(1024);
    expect(one.interval).toMatchObject({ low: 0, high: Infinity, level: expect.closeTo(0.75, 12) as number });
    expect(one.runs.map(({ seed }) => seed)).toEqual([1, 2, 3]);
  });

  it('of one seed have no interval, and none without a null', () => {
    expect(onsetsOf(seriesWith([[false, false, false, true]]))).toMatchObject([
      { median: 16_000, interval: undefined },
    ]);
    expect(onsetsOf(seriesWith([[null, null, null, null]]))).toEqual([]);
  });
});
