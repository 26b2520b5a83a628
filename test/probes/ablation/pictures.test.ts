/** Pictures of the ablation module: they compile without a warning, from real measurements, from nothing, and from one run. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ablation } from '../../../probes/ablation/index.js';
import type { Measured } from '../../../probes/contract.js';
import { countRows } from '../../../src/report/charts/common.js';
import type { ChartSpec } from '../../../src/report/schema.js';
import { combineMeasurements } from '../../../src/workflows/probing/combine-measurements.js';
import { type MeasuredAblation, measureOn, subjectFor, testEngine } from '../../helpers/measure-ablation.js';
import { plantedCopier, plantedPairTable } from '../../helpers/planted-models.js';
import { compileWarnings } from '../../report/compile.js';

const IDS = ['ablation-dose', 'ablation-half-dose', 'ablation-beside', 'ablation-effects', 'ablation-ways'];
let entries: Measured<MeasuredAblation>[];
let several: readonly ChartSpec[];

const picturesOf = (measured: readonly Measured<MeasuredAblation>[]) =>
  combineMeasurements(ablation, {}, measured).charts;
const byId = (id: string): ChartSpec => several.find((one) => one.id === id) ?? several[-1];

beforeAll(async () => {
  const engine = await testEngine();
  const table = plantedPairTable();
  const copier = plantedCopier();
  const measured = ({ config }: typeof copier, measurement: MeasuredAblation, run: string, accuracy = 1) => ({
    subject: subjectFor(config, run, accuracy),
    config,
    measurement,
  });
  const tableMeasurement = measureOn(engine, table, 64);
  const copierMeasurement = measureOn(engine, copier, 64);
  entries = [
    measured(table, tableMeasurement, 'a'),
    measured(table, tableMeasurement, 'b'),
    measured(copier, copierMeasurement, 'c'),
    measured(table, tableMeasurement, 'd', 0.5),
  ];
  several = picturesOf(entries);
});

describe('pictures of the ablation module', () => {
  it('compile without a warning for several runs, one run and none', () => {
    for (const chart of [...several, ...picturesOf(entries.slice(0, 1)), ...picturesOf([])]) {
      expect(compileWarnings(chart.spec, ['SUM, full', 'FIRST, full']), chart.id).toEqual([]);
    }
  });

  it('have a table, a summary, and their ids; two may stand on the first screen', () => {
    expect(several.map(({ id }) => id)).toEqual(IDS);
    for (const { table, summary, spec, id } of several) {
      expect(table.rows.length, id).toBeGreaterThan(0);
      expect(countRows(spec), id).toBeGreaterThan(0);
      expect(summary.length, id).toBeGreaterThan(20);
      for (const row of table.rows) expect(row.length, id).toBe(table.columns.length);
    }
    expect(several.filter(({ headline }) => headline).map(({ id }) => id)).toEqual(IDS.slice(0, 2));
  });

  it('draw every run that has learned as its own line, and the runs that have not in none', () => {
    const rows = (
      JSON.parse(JSON.stringify(byId('ablation-dose').spec)) as {
        data: { values: { line: string; kind: string }[] };
      }
    ).data.values;
    const lines = (kind: string) => [
      ...new Set(rows.filter((row) => row.kind === kind).map(({ line }) => line)),
    ];
    expect(lines('run').sort()).toEqual(['a', 'b', 'c']);
    expect(lines('mean')).toHaveLength(2);
    expect(lines('control')).toHaveLength(2);
  });

  it('name the runs without a half dose', () => {
    // the copier has nothing in its feed-forward layer
    expect(byId('ablation-half-dose').subtitle).toContain('1 run without a value');
  });

  it('show a part and a replacement once: heads only where a layer has several', () => {
    for (const id of ['ablation-effects', 'ablation-ways']) {
      const { columns, rows } = byId(id).table;
      expect(columns.slice(0, 2)).toEqual(['Panel', 'Part']);
      const places = rows.map((row) => row.slice(0, 3).join('|'));
      expect(new Set(places).size, id).toBe(places.length);
      expect(rows.some(([, part]) => String(part).startsWith('head'))).toBe(false);
    }
    const ways = new Set(byId('ablation-ways').table.rows.map((row) => row[2]));
    expect([...ways].slice(0, 4)).toEqual(['resample', 'mean', 'zero', 'random']);
    expect(ways).toContain('direct');
    expect(ways).toContain('frozen pattern');
  });

  it('write the same bytes twice, and only plain JSON', () => {
    expect(JSON.stringify(picturesOf(entries))).toBe(JSON.stringify(several));
    expect(JSON.parse(JSON.stringify(several))).toEqual(several);
  });

  it('say in words that there is nothing to show', () => {
    for (const { spec } of picturesOf([])) expect(JSON.stringify(spec)).toContain('No subject to show here.');
  });
});
