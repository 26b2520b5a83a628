/** The one job of the page of comparison, with a child that does as it is told. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JobResult } from '../../../src/jobs/start.js';
import { CompareWorker, type StartWork } from '../../../src/viewer/compare/work.js';
import type { CompareWork } from '../../../src/workflows/compare-entry.js';

let reportsDir: string;
beforeAll(() => {
  reportsDir = mkdtempSync(join(tmpdir(), 'sumlens-work-'));
  mkdirSync(join(reportsDir, 'taken'));
});
afterAll(() => rmSync(reportsDir, { recursive: true, force: true }));

/** A worker whose child waits to be told what to say. */
function worker() {
  const given: CompareWork[] = [];
  let say: Parameters<StartWork>[1] = () => undefined;
  let end: (result: JobResult) => void = () => undefined;
  const start: StartWork = (work, onMessage) => {
    given.push(work);
    say = onMessage;
    const done = new Promise<JobResult>((resolve) => (end = resolve));
    return { done, cancel: () => end({ kind: 'interrupted' }) };
  };
  const made = new CompareWorker(
    { checkpointsDir: 'checkpoints', reportsDir },
    (of) => Promise.resolve(of.split(',').map((text) => `/runs/${text}`)),
    start,
  );
  return {
    made,
    given,
    say: (...args: Parameters<typeof say>) => say(...args),
    end: (r: JobResult) => end(r),
  };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const of = ['a@64', 'b@last'];

describe('CompareWorker', () => {
  it('measures one thing at a time, and tells how far it has come', async () => {
    const { made, given, say, end } = worker();
    expect(made.job).toBeNull();
    let told = 0;
    const forget = made.onChange(() => told++);
    await made.measure({ of, series: true });
    expect(given[0]).toMatchObject({ texts: ['/runs/a@64', '/runs/b@last'], series: true });
    expect(given[0].report).toBeUndefined();
    say({ module: 'embedding-pca', subject: 'a@64', done: 3, total: 8, share: 1 });
    expect(made.job).toMatchObject({ state: 'running', done: 3, total: 8, text: 'embedding-pca, a@64' });
    await expect(made.measure({ of })).rejects.toThrow('Something is being measured already.');
    await expect(made.save({ of, name: 'new' })).rejects.toThrow('Something is being measured already.');
    end({ kind: 'ok', result: { failures: [] } });
    await turn();
    expect(made.job).toMatchObject({ state: 'done', reason: null, report: null });
    forget();
    expect(told).toBe(3);
    await made.measure({ of });
    expect(given.length).toBe(2);
  });

  it('lets one of two requests that come together begin', async () => {
    const { made, given } = worker();
    const outcomes = await Promise.allSettled([made.measure({ of }), made.measure({ of })]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(given.length).toBe(1);
  });

  it('says what could not be measured', async () => {
    const { made, end } = worker();
    await made.measure({ of });
    end({ kind: 'ok', result: { failures: ['ablation failed on a@64: it is odd'] } });
    await turn();
    expect(made.job).toMatchObject({ state: 'done', reason: 'ablation failed on a@64: it is odd' });
    await made.measure({ of });
    end({ kind: 'failed', message: 'a@64 is damaged', userError: false });
    await turn();
    expect(made.job).toMatchObject({ state: 'failed', reason: 'a@64 is damaged' });
  });

  it('cancels, and refuses to where nothing runs', async () => {
    const { made } = worker();
    expect(() => made.cancel()).toThrow('Nothing is being measured.');
    await made.save({ of, name: 'new' });
    made.cancel();
    await turn();
    expect(made.job).toMatchObject({ state: 'cancelled', report: null });
    expect(() => made.cancel()).toThrow('Nothing is being measured.');
  });

  it('saves under a name that is free and usable on every system', async () => {
    const { made, given, end } = worker();
    await expect(made.save({ of, name: 'taken' })).rejects.toThrow('There is a report taken already.');
    for (const name of ['', '../up', 'a/b', '.cache', 'CON', 'a b', 'x'.repeat(65)]) {
      await expect(made.save({ of, name })).rejects.toThrow(/^name: found /);
    }
    await expect(made.save({ of, name: 'new', title: 'a\nb' })).rejects.toThrow(/^title: found /);
    expect(given).toEqual([]);
    await made.save({ of, name: 'new.1', title: ' Two runs ' });
    expect(given[0].report).toEqual({ name: 'new.1', title: 'Two runs' });
    end({ kind: 'ok', result: { failures: [] } });
    await turn();
    expect(made.job).toMatchObject({ kind: 'save', state: 'done', report: 'new.1' });
  });
});
