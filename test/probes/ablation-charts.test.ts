/** Charts of the ablation probe: they compile without a warning, from a real measurement, from nothing, and from one run. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ablation } from '../../probes/ablation.js';
import type { AblationMeasurement } from '../../probes/ablation/measurement.js';
import type { AblationResult } from '../../probes/ablation/result.js';
import { countRows } from '../../src/report/charts/common.js';
import type { ChartSpec } from '../../src/report/schema.js';
import { measureOn, subjectFor, testEngine } from '../helpers/measure-ablation.js';
import { plantedCopier, plantedPairTable } from '../helpers/planted-models.js';
import { compileWarnings } from '../report/compile.js';

let several: ChartSpec[];
let one: ChartSpec[];
let none: ChartSpec[];
let result: AblationResult;

beforeAll(async () => {
  const engine = await testEngine();
  const table = plantedPairTable();
  const copier = plantedCopier();
  const measured = (
    { config }: typeof copier,
    measurement: AblationMeasurement,
    run: string,
    accuracy = 1,
  ) => ({ subject: subjectFor(config, run, accuracy), config, measurement });
  const tableMeasurement = measureOn(engine, table, 64);
  const copierMeasurement = measureOn(engine, copier, 64);
  const entries = [
    measured(table, tableMeasurement, 'a'),
    measured(table, tableMeasurement, 'b'),
    measured(copier, copierMeasurement, 'c'),
    measured(copier, copierMeasurement, 'd', 0.5),
  ];
  result = ablation.combine(entries, {});
  several = ablation.charts(result);
  one = ablation.charts(ablation.combine(entries.slice(0, 1), {}));
  none = ablation.charts({ ...result, seeds: [], conditions: [] });
});

describe('charts of the ablation probe', () => {
  it('compile without a warning for several runs, one run and none', () => {
    for (const chart of [...several, ...one, ...none]) {
      expect(compileWarnings(chart.spec, ['SUM, full', 'FIRST, full']), chart.id).toEqual([]);
    }
  });

  it('have a table, a summary, and unique ids; two stand on the first screen', () => {
    expect(new Set(several.map(({ id }) => id)).size).toBe(several.length);
    for (const { table, summary, spec, id } of several) {
      expect(table.rows.length, id).toBeGreaterThan(0);
      expect(countRows(spec), id).toBeGreaterThan(0);
      expect(summary.length, id).toBeGreaterThan(20);
      for (const row of table.rows) expect(row.length, id).toBe(table.columns.length);
    }
    expect(several.filter(({ headline }) => headline).map(({ id }) => id)).toEqual([
      'ablation-dose',
      'ablation-share',
    ]);
  });

  it('draw every usable run as its own line and name the one left out', () => {
    const dose = several[0];
    const runs = new Set(dose.table.rows.map((row) => row[2]));
    expect([...runs].sort()).toEqual(['a', 'b', 'c']);
    expect(dose.subtitle).toContain('FIRST, full: 1 of 2 runs left out.');
  });

  it('write the same bytes twice, and only plain JSON', () => {
    expect(JSON.stringify(ablation.charts(result))).toBe(JSON.stringify(several));
    expect(JSON.parse(JSON.stringify(several))).toEqual(several);
  });

  it('say in words that there is nothing to show', () => {
    for (const { spec } of none) expect(JSON.stringify(spec)).toContain('No subject to show here.');
  });
});
