/** A comparison in the viewer: its numbers are those of the report that `sumlens compare` writes of the same checkpoints. */
import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Probe } from '../../../probes/contract.js';
import { selectProbes } from '../../../src/workflows/probing/probe-plan.js';
import { differencesOf, summariesOf } from '../../../src/evidence/summaries.js';
import { scopeText } from '../../../src/evidence/scope.js';
import { evidenceOfReport } from '../../../src/report/evidence-of-report.js';
import { differenceName, ranked } from '../../../src/report/marks/forest.js';
import { differenceMaps } from '../../../src/report/page/differences.js';
import type { Report } from '../../../src/report/schema.js';
import { CompareIndex } from '../../../src/viewer/compare/index.js';
import { comparisonSchema, planesSchema } from '../../../src/viewer/api/compare-schemas.js';
import type { Comparison } from '../../../src/viewer/contract/compare.js';
import { RunIndex } from '../../../src/viewer/disk/run-index.js';
import { probeAndReport } from '../../../src/workflows/probing/probe-job.js';
import { findSubjects } from '../../../src/workflows/probing/subjects.js';
import { tinyRun } from '../../workflows/probing/probe-files.js';

let folder: string;
let checkpointsDir: string;
let reportsDir: string;
let runs: string[];
let probes: Probe[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sumlens-compare-'));
  checkpointsDir = join(folder, 'checkpoints');
  reportsDir = join(folder, 'reports');
  probes = selectProbes(['embedding-pca', 'memorization', 'ablation']);
  runs = [];
  for (const tasks of [['SUM'], ['MAX', 'MED', 'SUM']] as const) {
    for (const seed of [1, 2]) runs.push(await tinyRun(checkpointsDir, tasks, seed));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const index = (): CompareIndex =>
  new CompareIndex(new RunIndex([checkpointsDir]), { checkpointsDir, reportsDir }, probes);

async function reportOf(texts: readonly string[]): Promise<Report> {
  const { report } = await probeAndReport({
    kind: 'comparison',
    title: 'test',
    name: 'test',
    refs: findSubjects(texts, checkpointsDir).refs,
    probes: probes.map((probe) => ({ probe })),
    engine: 'auto',
    parallel: 2,
    version: '0.0.0',
    series: true,
    reportsDir,
  });
  return report;
}

describe('CompareIndex', () => {
  let before: Comparison;
  let report: Report;
  let view: Comparison;
  beforeAll(async () => {
    const of = runs.join(',');
    before = await index().compare(of, true);
    report = await reportOf(runs);
    view = await index().compare(of, true);
  });

  it('says what is missing before anything was measured, and shows what the logs hold', () => {
    expect(before.missing).toBe(12);
    expect(before.modules.map(({ measured, missing }) => [measured, missing])).toEqual([
      [0, 4],
      [0, 4],
      [0, 4],
    ]);
    expect(before.runs.map(({ steps }) => steps)).toEqual(runs.map(() => [0, 10]));
    expect(before.runs.every(({ loss }) => loss.length > 0)).toBe(true);
    expect(new Set(before.statistics.map(({ statistic }) => statistic.split('/')[0]))).toEqual(
      new Set(['learning']),
    );
  });

  it('has the shape that the published description says', () => {
    for (const one of [before, view]) {
      const found = comparisonSchema.safeParse(JSON.parse(JSON.stringify(one)));
      expect(found.success ? '' : found.error.message).toBe('');
    }
  });

  it('has every difference of the report, in its order, to the last digit', () => {
    const evidence = evidenceOfReport(report);
    const all = [...evidence.statistics]
      .filter(([, info]) => info.detail !== true)
      .flatMap(([id]) => differencesOf(evidence, id));
    const printed = [...ranked(all), ...all.filter(({ spreads }) => spreads === undefined)];
    expect(view.missing).toBe(0);
    expect(printed.length).toBeGreaterThan(9);
    const labels = new Map(view.conditions.map(({ place, label }) => [place, label]));
    expect(
      view.differences.map((one) => ({
        name: one.within === '' ? one.title : `${one.title}, ${one.within}`,
        sides: [labels.get(one.a), labels.get(one.b)],
        numbers: [one.estimate, one.low, one.high, one.p, one.spreads],
        seeds: one.seeds,
      })),
    ).toEqual(
      printed.map((one) => ({
        name: differenceName(one),
        sides: [one.a.label, one.b.label],
        numbers: [
          one.estimate,
          one.interval?.low ?? null,
          one.interval?.high ?? null,
          one.p?.p ?? null,
          one.spreads ?? null,
        ],
        seeds: [one.valuesA.length, one.valuesB.length],
      })),
    );
  });

  it('has every mean of the report that is not of several runs together', () => {
    const evidence = evidenceOfReport(report);
    const together = ['embedding-pca/same-geometry', 'memorization/same-holdout'];
    const expected = [...evidence.statistics]
      .filter(([id, info]) => info.detail !== true && !together.includes(id))
      .flatMap(([id]) => summariesOf(evidence, id))
      .map(({ statistic, scope, mean, interval, values }) => ({
        key: `${statistic} ${scopeText(scope)}`,
        numbers: [mean, interval?.low ?? null, interval?.high ?? null, values.length],
      }));
    const shown = view.statistics.flatMap(({ statistic, within, means }) =>
      means.map(({ mean, low, high, values }) => ({
        key: `${statistic} ${within}`,
        numbers: [mean, low, high, values.length],
      })),
    );
    expect(shown).toEqual(expected);
  });

  it('maps the pair of conditions that the report maps', () => {
    const { charts } = differenceMaps(evidenceOfReport(report));
    expect(view.maps[0].maps.map(({ title }) => title)).toEqual(charts.map(({ title }) => title));
    const cells = view.maps[0].maps.flatMap(({ panels }) => panels.flatMap((panel) => panel.cells));
    expect(cells.length).toBe(charts.reduce((sum, { table }) => sum + (table?.rows.length ?? 0), 0));
  });

  it('names runs of the same conditions that were not chosen', async () => {
    const some = await index().compare(`${runs[0]},${runs[2]}`, true);
    expect(some.others.map(({ address }) => address).sort()).toEqual([runs[1], runs[3]].sort());
    expect(some.differences.every(({ low, p }) => low === null && p === null)).toBe(true);
  });

  it('takes several steps of a run, of which the last counts', async () => {
    const steps = await index().compare(`${runs[0]}@all,${runs[2]}@0`, true);
    expect(steps.checkpoints.map(({ id, counts }) => [id, counts])).toEqual([
      [`${runs[2]}@0`, true],
      [`${runs[0]}@0`, false],
      [`${runs[0]}@10`, true],
    ]);
    expect(steps.runs.find(({ run }) => run === runs[0])?.chosen).toEqual([0, 10]);
  });

  it('draws the numbers of every run at every step in one plane', async () => {
    const planes = await index().planesOf(runs.join(','));
    expect(planesSchema.safeParse(JSON.parse(JSON.stringify(planes))).error?.message ?? '').toBe('');
    expect(planes.n).toBe(10);
    expect(planes.runs.map(({ steps }) => steps.map(({ step, points }) => [step, points.length]))).toEqual(
      runs.map(() => [
        [0, 10],
        [10, 10],
      ]),
    );
    expect(planes.reach).toBeLessThanOrEqual(1);
  });

  it('follows no link that lies in a run', async () => {
    cpSync(join(checkpointsDir, runs[0]), join(checkpointsDir, 'linked'), { recursive: true });
    rmSync(join(checkpointsDir, 'linked', 'sessions.jsonl'));
    symlinkSync(
      join(checkpointsDir, runs[0], 'sessions.jsonl'),
      join(checkpointsDir, 'linked', 'sessions.jsonl'),
    );
    await expect(index().compare('linked', true)).rejects.toThrow(
      'linked@last: sessions.jsonl is no plain file, so the run is not read.',
    );
    await expect(index().jobOf({ of: ['linked'] })).rejects.toThrow('is no plain file');
    rmSync(join(checkpointsDir, 'linked'), { recursive: true });
  });
});
