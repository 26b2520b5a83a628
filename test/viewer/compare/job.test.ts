/** Measuring for a comparison is a job as any other: on disk, shared, outliving the server, stopped with what it has kept. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Comparison } from '../../../src/viewer/contract/compare.js';
import type { JobList, JobSummary } from '../../../src/viewer/contract/jobs.js';
import { type RunningViewer, startViewer } from '../../../src/viewer/start.js';
import { tinyRun } from '../../workflows/probing/probe-files.js';
import { change, detailOf, send, testViewer, type TestViewer } from '../test-viewer.js';

let viewer: TestViewer;
let next: RunningViewer | undefined;
let runs: string[];

beforeEach(async () => {
  viewer = await testViewer(() => undefined, { cores: 1 });
  runs = [];
  for (const tasks of [['SUM'], ['MAX', 'MED', 'SUM']] as const)
    runs.push(await tinyRun(viewer.checkpointsDir, tasks, 1));
});
afterEach(async () => {
  const at = next ?? viewer.viewer;
  for (const { id, ended } of await jobsOf(at))
    if (ended === null) {
      await change(at, `/api/jobs/${id}/cancel`, 'POST', {});
      await until(at, id, (job) => job.ended !== null);
    }
  await next?.close();
  next = undefined;
  await viewer.stop();
}, 60_000);

const jobsOf = async (at: RunningViewer): Promise<readonly JobSummary[]> =>
  ((await send(at, '/api/jobs')).body as JobList).jobs;
const measure = async (at: RunningViewer, body: object): Promise<JobSummary> => {
  const answer = await change(at, '/api/compare/job', 'POST', body);
  expect(detailOf(answer)).toBe('undefined');
  expect(answer.status).toBe(201);
  return answer.body as JobSummary;
};
const latest = async (at: RunningViewer, query: string): Promise<JobSummary | null> =>
  ((await send(at, `/api/compare/job?${query}`)).body as { job: JobSummary | null }).job;

async function until(at: RunningViewer, id: string, isSo: (job: JobSummary) => boolean): Promise<JobSummary> {
  for (const end = performance.now() + 120_000; ;) {
    const job = (await send(at, `/api/jobs/${id}`)).body as JobSummary;
    if (isSo(job)) return job;
    if (performance.now() > end) throw new Error(`job is ${JSON.stringify(job)}`);
    await wait(100);
  }
}

describe('the job of a comparison', () => {
  it('is one for all that ask for the same, outlives the server, and the comparison lacks nothing when it has ended', async () => {
    const at = viewer.viewer;
    const parts = runs.map((run) => `${run}@last`);
    expect(await latest(at, `of=${parts.join(',')}&series=1`)).toBeNull();
    const first = await measure(at, { of: parts, series: true });
    expect(first).toMatchObject({ kind: 'compare', title: 'measure 2 checkpoints', report: null });
    expect(first.command).toMatch(/^sumlens probe --no-report --series -- all \S+@last \S+@last$/);
    // in another order, and from the other address
    const second = await measure(at, { of: [...parts].reverse(), series: true });
    expect(second.id).toBe(first.id);
    expect((await latest(at, `of=${[...runs].reverse().join(',')}&series=1`))?.id).toBe(first.id);
    expect(await latest(at, `of=${parts.join(',')}`)).toBeNull();
    const other = await measure(at, { of: [parts[0]], series: true });
    expect(other.id).not.toBe(first.id);
    await until(at, first.id, ({ progress }) => progress !== null);
    await at.close();
    next = await startViewer({
      checkpointsDir: viewer.checkpointsDir,
      reportsDir: viewer.reportsDir,
      assetsDir: viewer.assetsDir,
      cores: 1,
      port: 0,
      log: () => undefined,
    });
    const done = await until(next, first.id, ({ ended }) => ended !== null);
    expect(done).toMatchObject({ state: 'done', reason: null, progress: { share: 1 } });
    // the same measurements, which are known by then
    expect(await until(next, other.id, ({ ended }) => ended !== null)).toMatchObject({ state: 'done' });
    const view = (await send(next, `/api/compare?of=${parts.join(',')}&series=1`)).body as Comparison;
    expect(view.missing).toBe(0);
    expect(view.modules.every(({ measured, leftOut }) => measured + leftOut.length === 2)).toBe(true);
    expect(view.differences.length).toBeGreaterThan(12);
    // asked for again it is a new one, and there is nothing left to do
    const again = await measure(next, { of: parts, series: true });
    expect(again.id).not.toBe(first.id);
    expect(existsSync(join(viewer.reportsDir, 'all'))).toBe(false);
  }, 240_000);

  it('writes the report with verdicts where it has a name, which is refused as on the command line', async () => {
    const at = viewer.viewer;
    for (const name of ['', '../up', 'a/b', '.cache', 'CON', 'a b', 'x'.repeat(65)]) {
      const answer = await change(at, '/api/compare/job', 'POST', { of: runs, name });
      expect(detailOf(answer)).toMatch(/^name: found /);
      expect(answer.status).toBe(400);
    }
    const answer = await change(at, '/api/compare/job', 'POST', { of: ['none@64'] });
    expect(detailOf(answer)).toContain('expected a run of the list');
    expect(await jobsOf(at)).toEqual([]);
    const job = await measure(at, { of: [runs[0]], series: true, name: 'verdicts' });
    expect(job).toMatchObject({ report: 'verdicts', title: `report verdicts, comparing ${runs[0]}@last` });
    // a page that is loaded anew shows it, and asks for no second measuring under another name
    expect((await latest(at, `of=${runs[0]}&series=1`))?.id).toBe(job.id);
    expect(await latest(at, `of=${runs[0]}`)).toBeNull();
    expect(await until(at, job.id, ({ ended }) => ended !== null)).toMatchObject({ state: 'done' });
    expect(existsSync(join(viewer.reportsDir, 'verdicts', 'report.json'))).toBe(true);
  }, 240_000);

  it('that is stopped keeps what it has measured', async () => {
    const at = viewer.viewer;
    const job = await measure(at, { of: runs });
    await until(at, job.id, ({ progress }) => (progress?.share ?? 0) > 0);
    await change(at, `/api/jobs/${job.id}/cancel`, 'POST', {});
    expect(await until(at, job.id, ({ ended }) => ended !== null)).toMatchObject({ state: 'cancelled' });
    expect(existsSync(join(viewer.reportsDir, '.cache'))).toBe(true);
  }, 240_000);
});
