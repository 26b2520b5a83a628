/** Intervals end where values cannot lie; what the modules say of their ranges holds for all that was ever measured here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MORE_PROBES, PROBES } from '../../probes/index.js';
import { learning } from '../../probes/learning.js';
import { limitedInterval, meanInterval, welchInterval } from '../../src/analysis/statistics/intervals.js';
import { evidenceOf } from '../../src/evidence/evidence.js';
import { RANGES, type StatisticInfo } from '../../src/evidence/statistic.js';
import { differencesOf, summariesOf } from '../../src/evidence/summaries.js';
import { fromCsv } from '../../src/evidence/table.js';
import { packageRoot } from '../../src/io/package-root.js';
import { statisticsOf } from '../../src/workflows/probing/combine-measurements.js';
import { madeSubject, observed } from '../helpers/made-subject.js';
import { outOfRange } from '../helpers/rows.js';

describe('an interval', () => {
  const [low, high, level, method] = [0.6, 1.2, 0.95, 't'];
  it.each([
    ['within the limits stays what it is', 0.9, [0, 2], [0.6, 1.2, 't']],
    ['is cut above', 0.9, [0, 1], [0.6, 1, 't, cut at 1']],
    ['is cut below', 0.9, [0.7, 2], [0.7, 1.2, 't, cut at 0.7']],
    ['is cut on both sides', 0.9, [0.7, 1], [0.7, 1, 't, cut at 0.7 and 1']],
    ['never loses its estimate', 1.1, [0, 1], [0.6, 1.1, 't, cut at 1']],
    ['has no limits', 0.9, [-Infinity, Infinity], [0.6, 1.2, 't']],
  ] as const)('%s', (_, estimate, limits, wanted) => {
    const cut = limitedInterval({ estimate, low, high, level, method }, limits[0], limits[1]);
    expect(cut).toEqual({ estimate, low: wanted[0], high: wanted[1], level, method: wanted[2] });
  });
});

/** @param values - of the seeds of SUM alone, and of MAX+SUM */
function evidenceWith(values: readonly (readonly number[])[], range: StatisticInfo['range'], nullMean = 0.5) {
  const info: StatisticInfo = { id: 'n', title: 'N', formula: 'n', unit: '1', sentence: 'a number' };
  const rows = values.flatMap((own, arm) =>
    own.map((value, i) => {
      const subject = madeSubject({ tasks: arm === 0 ? ['SUM'] : ['MAX', 'SUM'], seed: i + 1 });
      return { subject, row: observed(subject, 'm/n', value, { null: { mean: nullMean } }) };
    }),
  );
  return evidenceOf(
    rows.map(({ subject }) => subject),
    rows.map(({ row }) => row),
    new Map([['m/n', range === undefined ? info : { ...info, range }]]),
  );
}

describe('over seeds', () => {
  const [alone, mixed] = [
    [0.02, 0.3, 0.01],
    [0.99, 0.8, 0.99],
  ];
  const intervalsOf = (range: StatisticInfo['range'], nullMean?: number) => {
    const evidence = evidenceWith([alone, mixed], range, nullMean);
    const means = summariesOf(evidence, 'm/n').map(({ condition, interval }) => ({ condition, interval }));
    const [sum, joint] = ['SUM', 'MAX+SUM'].map(
      (label) => means.find(({ condition }) => condition.label.startsWith(label))?.interval,
    );
    const [difference] = differencesOf(evidence, 'm/n');
    return { sum, joint, difference };
  };

  it('a mean without a range has its t interval, which leaves 0 to 1 here', () => {
    const { sum, joint } = intervalsOf(undefined);
    expect(sum).toEqual(meanInterval(alone, 0.95));
    expect(sum?.low).toBeLessThan(0);
    expect(joint?.high).toBeGreaterThan(1);
  });

  it('a share has what lies within 0 to 1 of it, and a difference of shares what lies within -1 to 1', () => {
    const { sum, joint, difference } = intervalsOf(RANGES.share);
    expect(sum).toEqual({ ...meanInterval(alone, 0.95), low: 0, method: 't over seeds, cut at 0' });
    expect(joint).toEqual({ ...meanInterval(mixed, 0.95), high: 1, method: 't over seeds, cut at 1' });
    const uncut = welchInterval(
      difference.valuesA.map(({ value }) => value),
      difference.valuesB.map(({ value }) => value),
      0.95,
    );
    const limited = { low: Math.max(-1, uncut.low), high: Math.min(1, uncut.high) };
    expect(difference.interval).toMatchObject(limited);
    expect([uncut.low < -1, uncut.high > 1]).toContain(true);
  });

  it('what cannot be more than by chance, such as an entropy, ends at the mean of its null', () => {
    const { joint, difference } = intervalsOf({ low: 0, high: 'null mean' }, 1.05);
    expect(joint).toMatchObject({ high: 1.05, method: 't over seeds, cut at 1.05' });
    expect(Math.abs(difference.interval?.low ?? NaN)).toBeLessThanOrEqual(1.05);
    expect(Math.abs(difference.interval?.high ?? NaN)).toBeLessThanOrEqual(1.05);
  });

  it('equal values have no interval, cut or not', () => {
    const evidence = evidenceWith([[1, 1, 1]], RANGES.share);
    expect(summariesOf(evidence, 'm/n').map(({ interval }) => interval)).toEqual([undefined]);
  });
});

describe('the modules', () => {
  const infos = new Map<string, StatisticInfo>(
    [learning, ...PROBES, ...MORE_PROBES].flatMap((module) =>
      statisticsOf(module).map((info) => [`${module.name}/${info.id}`, info] as const),
    ),
  );

  it('say of every accuracy what it can be: a share, or a difference of shares', () => {
    const without = [...infos].filter(([, { unit, range }]) => unit === 'accuracy' && range === undefined);
    expect(without).toEqual([]);
  });

  it('say of no value and no control of the paper what it is not', () => {
    const file = join(packageRoot(), 'reports', 'paper', 'observations.csv.gz');
    const { observations } = fromCsv(gunzipSync(readFileSync(file)).toString('utf8'), file);
    expect(observations.length).toBeGreaterThan(10_000);
    const wrong = observations.flatMap((row) => outOfRange(infos.get(row.statistic), row) ?? []);
    expect(wrong).toEqual([]);
  });
});
