/** Jobs of the viewer, with the built command line as child: they queue on disk, outlive the server, and can be stopped. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { lockHolder } from '../../src/io/lock.js';
import { dryRunSchema } from '../../src/viewer/api/schemas.js';
import type { DryRunResult, JobList, JobRequest, JobSummary } from '../../src/viewer/contract/jobs.js';
import { type RunningViewer, startViewer } from '../../src/viewer/start.js';
import { type Answer, change, detailOf, send, testViewer, type TestViewer } from './test-viewer.js';

let viewer: TestViewer;
const started: RunningViewer[] = [];

async function begin(cores: number): Promise<RunningViewer> {
  viewer = await testViewer(() => undefined, { cores });
  return viewer.viewer;
}

/** Another server over the same folders. */
async function restart(cores: number): Promise<RunningViewer> {
  const { checkpointsDir, reportsDir, assetsDir } = viewer;
  const next = await startViewer({
    checkpointsDir,
    reportsDir,
    assetsDir,
    cores,
    port: 0,
    log: () => undefined,
  });
  started.push(next);
  return next;
}

const jobsOf = async (at: RunningViewer): Promise<readonly JobSummary[]> =>
  ((await send(at, '/api/jobs')).body as JobList).jobs;

async function add(at: RunningViewer, request: JobRequest): Promise<JobSummary> {
  const answer = await change(at, '/api/jobs', 'POST', request);
  expect(answer.text).toContain('"id"');
  expect(answer.status).toBe(201);
  return answer.body as JobSummary;
}

async function until(
  at: RunningViewer,
  id: string,
  isSo: (job: JobSummary) => boolean,
  seconds = 90,
): Promise<JobSummary> {
  for (const end = performance.now() + seconds * 1000; ;) {
    const job = (await send(at, `/api/jobs/${id}`)).body as JobSummary;
    if (isSo(job)) return job;
    if (performance.now() > end) throw new Error(`job is ${JSON.stringify(job)}`);
    await wait(100);
  }
}

const hasEnded = ({ ended }: JobSummary): boolean => ended !== null;

const TINY = {
  'model.dModel': '8',
  'model.nLayers': 1,
  'training.batchSize': 4,
  'training.evaluateEvery': 50_000,
  'model.nCtx': '32',
};
const short = (seed: number): JobRequest => ({
  kind: 'train',
  fields: { ...TINY, seed, 'training.steps': 20, 'data.tasks': 'SUM' },
});
/** Trains until it is stopped. */
const long = (seed: number): JobRequest => ({
  kind: 'train',
  fields: { ...TINY, seed, 'training.steps': 50_000_000, 'data.tasks': 'SUM' },
});

afterEach(async () => {
  const at = started.at(-1) ?? viewer.viewer;
  for (const { id, ended } of await jobsOf(at)) {
    if (ended !== null) continue;
    await change(at, `/api/jobs/${id}/cancel`, 'POST', {});
  }
  for (const { id, state } of await jobsOf(at)) if (state === 'stopping') await until(at, id, hasEnded);
  for (const one of started.splice(0)) await one.close();
  await viewer.stop();
}, 120_000);

const JOBS = '.sumlens-jobs';
const pidOf = (id: string): number => {
  const holder = lockHolder(join(viewer.checkpointsDir, JOBS, id, 'lock'));
  if (holder === undefined) throw new Error('nobody holds the job');
  return holder.pid;
};

describe('a job', () => {
  it('trains a form-filled configuration, tells its progress and its words, and ends done', async () => {
    const at = await begin(2);
    const job = await add(at, {
      kind: 'train',
      fields: { ...TINY, 'training.steps': 3000, 'data.tasks': 'MAX+SUM' },
    });
    expect(job.command).toMatch(/^sumlens train --tasks MAX\+SUM --d-model 8 --layers 1 /);
    const [run] = job.runs;
    const done = await until(at, job.id, hasEnded);
    expect(done).toMatchObject({ state: 'done', reason: null, kind: 'train' });
    expect(done.progress).toMatchObject({ share: 1, etaMs: null });
    expect(existsSync(join(viewer.checkpointsDir, run, 'end.json'))).toBe(true);
    const events = await send(at, `/api/jobs/${job.id}/events`);
    expect(events.text).toContain(`${run} is trained`);
    expect(events.text).toContain('event: end');
  }, 120_000);

  it('fails with the sentence of the command line', async () => {
    const at = await begin(1);
    const first = await add(at, short(1));
    await until(at, first.id, hasEnded);
    writeFileSync(join(viewer.checkpointsDir, first.runs[0], 'config.json'), '{');
    const again = (await change(at, `/api/jobs/${first.id}/again`, 'POST', {})).body as JobSummary;
    const failed = await until(at, again.id, hasEnded);
    expect(failed.state).toBe('failed');
    expect(failed.reason).toMatch(/config\.json/);
  }, 120_000);

  it('waits on disk for a core, can be cancelled there, and is taken up in order', async () => {
    const at = await begin(1);
    const first = await add(at, long(1));
    await until(at, first.id, ({ state }) => state === 'running');
    const [second, third] = [await add(at, short(2)), await add(at, short(3))];
    await wait(1500);
    expect((await jobsOf(at)).map(({ state }) => state)).toEqual(['queued', 'queued', 'running']);
    const cancelled = (await change(at, `/api/jobs/${second.id}/cancel`, 'POST', {})).body as JobSummary;
    expect(cancelled.state).toBe('cancelled');
    await change(at, `/api/jobs/${first.id}/cancel`, 'POST', {});
    const stopped = await until(at, first.id, hasEnded);
    expect(stopped.state).toBe('cancelled');
    // what it had reached is published
    expect(readFileSync(join(viewer.checkpointsDir, first.runs[0], 'end.json'), 'utf8')).toContain(
      'interrupted',
    );
    expect((await until(at, third.id, hasEnded)).state).toBe('done');
    expect((await send(at, `/api/jobs/${second.id}`)).body).toMatchObject({
      state: 'cancelled',
      begun: null,
    });
  }, 180_000);

  it('outlives the server, and the next one shows and stops it; what waited is taken up', async () => {
    const at = await begin(1);
    const job = await add(at, long(1));
    const waiting = await add(at, short(2));
    await until(at, job.id, ({ progress }) => progress !== null);
    const pid = pidOf(job.id);
    await at.close();
    const next = await restart(1);
    expect((await send(next, `/api/jobs/${job.id}`)).body).toMatchObject({ state: 'running' });
    expect(pidOf(job.id)).toBe(pid);
    await change(next, `/api/jobs/${job.id}/cancel`, 'POST', {});
    expect((await until(next, job.id, hasEnded)).state).toBe('cancelled');
    expect((await until(next, waiting.id, hasEnded)).state).toBe('done');
  }, 180_000);

  it('whose worker was killed is shown as stopped, its core is free, and it can be started again', async () => {
    const at = await begin(1);
    const job = await add(at, {
      kind: 'train',
      fields: { ...TINY, seed: 1, 'training.steps': 12_000, 'data.tasks': 'SUM' },
    });
    await until(at, job.id, ({ begun, state }) => begun !== null && state === 'running');
    process.kill(pidOf(job.id), 'SIGKILL');
    expect((await until(at, job.id, ({ state }) => state === 'stopped')).ended).toBeNull();
    const other = await add(at, short(2));
    expect((await until(at, other.id, hasEnded)).state).toBe('done');
    // the command line that it had started goes on by itself, and publishes
    for (let i = 0; i < 300 && !existsSync(join(viewer.checkpointsDir, job.runs[0], 'end.json')); i++)
      await wait(200);
    const again = (await change(at, `/api/jobs/${job.id}/again`, 'POST', {})).body as JobSummary;
    expect((await until(at, again.id, hasEnded)).state).toBe('done');
  }, 180_000);
});

describe('what a job may be', () => {
  const refused = async (at: RunningViewer, body: unknown): Promise<string> => {
    const answers: Answer[] = [];
    for (const path of ['/api/jobs/check', '/api/jobs']) answers.push(await change(at, path, 'POST', body));
    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
    return detailOf(answers[0]);
  };

  it('is said in the words of the command line, and nothing is started', async () => {
    const at = await begin(1);
    mkdirSync(join(viewer.root, 'outside'));
    const train = (fields: unknown): unknown => ({ kind: 'train', fields });
    expect(await refused(at, train({ 'model.dModel': '0' }))).toBe(
      'model.dModel (--d-model): found 0, expected a whole number from 1 to 1024.',
    );
    expect(await refused(at, train({ 'model.dModle': '8' }))).toMatch(/Did you mean model\.dModel\?$/);
    expect(await refused(at, train({ 'data.tasks': 'SUMM' }))).toContain('SUM');
    expect(await refused(at, train({ 'data.file': '/etc/passwd' }))).toContain('unknown field');
    expect(await refused(at, { kind: 'train', preset: 'quik' })).toMatch(/Did you mean quick\?$/);
    expect(await refused(at, { kind: 'sweep', plan: '../outside/plan.yaml' })).toContain('one of');
    expect(await refused(at, { kind: 'probe', module: './evil.mjs', checkpoints: ['x'] })).toContain(
      'one of all',
    );
    for (const text of ['../outside', '/etc', 'x.safetensors', '--debug', 'none', '../outside@all']) {
      await refused(at, { kind: 'probe', module: 'all', checkpoints: [text] });
    }
    expect(await refused(at, { kind: 'shell', command: 'true' })).toContain('kind');
    expect(existsSync(join(viewer.checkpointsDir, JOBS))).toBe(false);
    const check = await change(at, '/api/jobs/check', 'POST', { kind: 'preset', preset: 'smoke', steps: 20 });
    expect(check.body).toMatchObject({ command: 'sumlens run smoke --steps 20 --no-serve' });
  });

  it('is what its request comes to, whatever else lies in its folder', async () => {
    const at = await begin(1);
    const stored = (id: string, more: object): void => {
      const folder = join(viewer.checkpointsDir, JOBS, id);
      mkdirSync(folder, { recursive: true });
      const request = { kind: 'probe', module: './evil.mjs', checkpoints: ['x'] };
      const words = { title: 'harmless', command: 'true', runs: [], notes: [], cores: 1, report: null };
      writeFileSync(join(folder, 'job.json'), JSON.stringify({ request, ...words, added: '', ...more }));
    };
    stored('20260101-000000-000-abcdef', { args: ['probe', './evil.mjs'] });
    stored('20260101-000000-001-abcdef', {});
    expect((await jobsOf(at)).map(({ id }) => id)).toEqual(['20260101-000000-001-abcdef']);
    const ended = await until(at, '20260101-000000-001-abcdef', hasEnded);
    expect(ended.state).toBe('failed');
    expect(ended.reason).toContain('expected one of all');
  }, 60_000);
});

describe("a sweep of a plan of one's own", () => {
  const plan = (more = ''): string => `
name: own-two
base:
  model: { dModel: 8, nLayers: 1, nCtx: 32 }
  training: { steps: 20, batchSize: 4 }
arms:
  sum: { data.tasks: [SUM] }
  max: { data.tasks: [MAX]${more} }
seeds: [1]
claims: [C2]
`;

  it('is checked, told what it costs and can decide, kept with its job, and trained as on the command line', async () => {
    const at = await begin(2);
    const request: JobRequest = { kind: 'sweep', text: plan() };
    const check = (await change(at, '/api/jobs/check', 'POST', request)).body;
    expect(check).toMatchObject({ title: 'sweep own-two: 2 runs', command: 'sumlens sweep plan.yaml' });
    const [first, second] = await Promise.all([
      change(at, '/api/jobs/dry-run', 'POST', request),
      // this machine can be timed for one at a time
      wait(50).then(() => change(at, '/api/jobs/dry-run', 'POST', request)),
    ]);
    expect([first.status, second.status]).toEqual([200, 409]);
    const cost = first.body as DryRunResult;
    expect(dryRunSchema.safeParse(cost).error?.message ?? '').toBe('');
    expect(cost).toMatchObject({ plan: 'own-two', jobs: 2, runs: 2, left: 2 });
    expect(cost.rows.map(({ arm, runs }) => [arm, runs])).toEqual([
      ['sum', 1],
      ['max', 1],
    ]);
    expect(cost.coreHours).toBeGreaterThan(0);
    expect(cost.claims.map(({ reachable }) => reachable)).toContain(false);
    expect(existsSync(join(viewer.checkpointsDir, JOBS))).toBe(false);
    const job = await add(at, request);
    const done = await until(at, job.id, hasEnded);
    expect(done).toMatchObject({ state: 'done', report: 'own-two', reason: null });
    expect(readFileSync(join(viewer.checkpointsDir, JOBS, job.id, 'plan.yaml'), 'utf8')).toBe(plan());
    const folder = join(viewer.reportsDir, 'own-two');
    expect(readFileSync(join(folder, 'plans', 'plan.yaml'), 'utf8')).toBe(plan());
    expect(readFileSync(join(folder, 'results.jsonl'), 'utf8').trim().split('\n').length).toBe(2);
    const again = (await change(at, '/api/jobs/check', 'POST', request)).body as JobSummary;
    expect(again.notes).toEqual([
      'The sweep own-two is there already: runs that have a result are not trained again.',
    ]);
    expect((await change(at, '/api/jobs/dry-run', 'POST', request)).body).toMatchObject({
      left: 0,
      coreHours: 0,
    });
  }, 240_000);

  it('is refused in one line, wherever it leads', async () => {
    const at = await begin(1);
    mkdirSync(join(viewer.root, 'outside'));
    writeFileSync(join(viewer.root, 'outside', 'config.json'), '{}');
    mkdirSync(join(viewer.reportsDir, 'taken'));
    writeFileSync(join(viewer.reportsDir, 'taken', 'report.json'), '{}');
    const refused = async (request: object): Promise<string> => {
      const answers: Answer[] = [];
      for (const path of ['/api/jobs/check', '/api/jobs/dry-run', '/api/jobs'])
        answers.push(await change(at, path, 'POST', { kind: 'sweep', ...request }));
      expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
      expect(answers.map(detailOf)).toEqual(Array.from(answers, () => detailOf(answers[0])));
      expect(detailOf(answers[0])).not.toContain(viewer.root);
      expect(detailOf(answers[0])).not.toContain('\n');
      return detailOf(answers[0]);
    };
    expect(await refused({})).toBe('plan: found neither a name nor a text, expected one of them.');
    expect(await refused({ plan: 'paper', text: plan() })).toContain('found a name and a text');
    expect(await refused({ text: 'name: [' })).toMatch(/^plan\.yaml: is not acceptable YAML: /);
    expect(await refused({ text: '{"name": "a", "name": "b"}' })).toContain('plan.yaml');
    expect(await refused({ text: plan().replace('name: own-two', 'name: ../up') })).toMatch(
      /^plan\.yaml: name: found "\.\.\/up"/,
    );
    expect(await refused({ text: plan().replace('own-two', 'taken') })).toContain('is the name of a report');
    expect(await refused({ text: `${plan()}size: 3\n` })).toContain('size');
    expect(await refused({ text: plan(', model.dModle: 8') })).toContain('model.dModel');
    expect(await refused({ text: plan().replace('[1]', '1..3000') })).toMatch(
      /^plan\.yaml: found 6[^0-9]?000 runs .* in a terminal/,
    );
    expect(await refused({ text: `${plan()}modules: [./evil.mjs]\n` })).toContain('evil.mjs');
    expect(await refused({ text: 'a: &a [x,x]\nb: &b [*a,*a]\n' + 'c: [*b,*b]\n'.repeat(200) })).toMatch(
      /YAML/,
    );
    expect(await refused({ text: 'x'.repeat(50_000) })).toMatch(/^text: /);
    for (const from of ['../outside', '/etc', 'x.safetensors', '../outside@5'])
      expect(await refused({ text: plan(`, init: { from: "${from}" }`) })).toMatch(
        /arm max: init\.from: found/,
      );
    // what is missing is named
    expect(await refused({ text: plan(', init: { from: none@5 }') })).toContain(
      'checkpoint "none": found no such run',
    );
    expect(await refused({ text: plan(', init: { from: { arm: sun } }') })).toContain('Did you mean sum?');
    expect(existsSync(join(viewer.checkpointsDir, JOBS))).toBe(false);
  }, 120_000);
});
