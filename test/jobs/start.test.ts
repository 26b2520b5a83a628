import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../../src/io/json.js';
import { jobEntryPath } from '../../src/jobs/entry-path.js';
import { startMemorySampler, treeRssBytes } from '../../src/jobs/memory.js';
import { startJob, type Job, type JobOptions, type JobResult } from '../../src/jobs/start.js';

let folder: string;
let entry: string;
let parent: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), 'sumlens-test-jobs-'));
  await build({
    entryPoints: ['entry.ts', 'parent.ts'].map((name) => join(import.meta.dirname, 'fixtures', name)),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  });
  entry = join(folder, 'entry.mjs');
  parent = join(folder, 'parent.mjs');
});
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

function start(behaviour: string, options: Partial<JobOptions> = {}): Job & { readonly messages: Json[] } {
  const messages: Json[] = [];
  const job = startJob({
    entry,
    job: { behaviour, file: join(folder, `${behaviour}.out`) },
    onMessage: (message) => messages.push(message),
    ...options,
  });
  return { ...job, messages };
}

async function until(what: string, condition: () => boolean, limitMs = 10_000): Promise<void> {
  const started = performance.now();
  while (!condition()) {
    if (performance.now() - started > limitMs) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Running, and not a zombie. */
function isRunning(pid: number): boolean {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2)[0]);
  } catch {
    return false;
  }
}

describe('startJob', () => {
  it('passes messages and the result on, non-finite numbers as strings', async () => {
    const job = start('echo');
    expect(await job.done).toEqual({
      kind: 'ok',
      result: { echoed: { behaviour: 'echo', file: join(folder, 'echo.out') }, value: 'Infinity' },
    });
    expect(job.messages).toEqual([{ progress: 1, loss: 'NaN' }, 'second']);
    expect(
      fs
        .readdirSync(tmpdir())
        .filter((name) => name.startsWith('sumlens-job-') && name.includes(`-${process.pid}-`)),
    ).toEqual([]);
  });

  it('gives the child arguments of node and variables, of which those set already stay as they are', async () => {
    process.env.SUMLENS_TEST_A = 'set by the user';
    const job = start('environment', {
      nodeArguments: ['--max-semi-space-size=2'],
      environment: { SUMLENS_TEST_A: 'a', SUMLENS_TEST_B: 'b' },
    });
    const ended = await job.done;
    delete process.env.SUMLENS_TEST_A;
    expect(ended).toEqual({
      kind: 'ok',
      result: ['set by the user', 'b', ['--max-semi-space-size=2']],
    });
  });

  it('passes a job of 40 MB on', async () => {
    const text = 'x'.repeat(1000);
    const parts = Array.from({ length: 40_000 }, (_, i) => `${i}${text}`);
    const job = start('measure-length', { job: { behaviour: 'measure-length', file: '', parts } });
    expect(await job.done).toEqual({ kind: 'ok', result: parts.join('').length });
  });

  it.each<[string, JobResult | RegExp]>([
    ['throw', { kind: 'failed', message: 'the weights\nare gone', userError: false }],
    ['user-error', { kind: 'failed', message: '--steps: found 0, expected more.', userError: true }],
    [
      'crash',
      /^The child process ended with exit code 1 and no result\. Its last words: RangeError: out of the loop$/,
    ],
    [
      'exit',
      /^The child process ended with exit code 7 and no result\. Its last words: printed by the child$/,
    ],
    ['abort', /^The child process ended with signal SIGKILL and no result\.$/],
  ])('reports a child that ends by "%s"', async (behaviour, expected) => {
    const result = await start(behaviour).done;
    if (expected instanceof RegExp) {
      expect(result).toMatchObject({ kind: 'failed', message: expect.stringMatching(expected) as string });
    } else expect(result).toEqual(expected);
  });

  it('reports an entry that does not exist, without throwing', async () => {
    const result = await start('echo', { entry: join(folder, 'missing.mjs') }).done;
    expect(result).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('Cannot find module') as string,
    });
  });

  it('kills a child that never returns when its time is over', async () => {
    const job = start('endless', { timeLimitMs: 1000 });
    expect(await job.done).toEqual({ kind: 'timeout' });
    expect(isRunning(job.pid ?? -1)).toBe(false);
  });

  it('lets a cancelled child finish what it must', async () => {
    const job = start('polite');
    await until('running', () => job.messages.includes('running'));
    job.cancel();
    expect(await job.done).toEqual({ kind: 'interrupted' });
    expect(fs.readFileSync(join(folder, 'polite.out'), 'utf8')).toBe('published');
  });

  it('kills a child that does not stop within the grace time, and at once on a second cancel', async () => {
    const job = start('endless', { graceMs: 300 });
    await until('running', () => job.messages.includes('running'));
    job.cancel();
    expect(await job.done).toEqual({ kind: 'interrupted', killed: true });
    const second = start('stubborn');
    await until('running', () => second.messages.includes('running'));
    second.cancel();
    second.cancel();
    expect(await second.done).toEqual({ kind: 'interrupted', killed: true });
  });

  it('stops through an AbortSignal, also one that was aborted before', async () => {
    const controller = new AbortController();
    const job = start('polite', { signal: controller.signal });
    await until('running', () => job.messages.includes('running'));
    controller.abort();
    expect(await job.done).toEqual({ kind: 'interrupted' });
    const late = start('polite', { signal: AbortSignal.abort() });
    expect(await late.done).toEqual({ kind: 'interrupted' });
  });

  it('reports a failure while stopping as a failure', async () => {
    const job = start('fails-while-stopping');
    await until('running', () => job.messages.includes('running'));
    job.cancel();
    expect(await job.done).toEqual({ kind: 'failed', message: 'disk full', userError: false });
  });

  it('kills what the child started, on timeout and after a normal end', async () => {
    const job = start('grandchild', { timeLimitMs: 3000 });
    await until('grandchild', () => typeof job.messages[0] === 'number');
    const pid = Number(job.messages[0]);
    expect(isRunning(pid)).toBe(true);
    expect(await job.done).toEqual({ kind: 'timeout' });
    await until('its end', () => !isRunning(pid));
    const leaving = await start('leaves-grandchild').done;
    expect(leaving.kind).toBe('ok');
    await until('its end', () => leaving.kind === 'ok' && !isRunning(Number(leaving.result)));
  });
});

describe('signals', () => {
  interface Running {
    readonly process: ChildProcess;
    readonly lines: string[];
    readonly childPid: () => number;
  }

  async function startParent(behaviour: string): Promise<Running> {
    const process_ = spawn(
      process.execPath,
      [parent, entry, behaviour, join(folder, `${behaviour}.signal`)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const lines: string[] = [];
    let text = '';
    process_.stdout.setEncoding('utf8');
    process_.stdout.on('data', (chunk: string) => {
      text += chunk;
      lines.splice(0, lines.length, ...text.split('\n').slice(0, -1));
    });
    await until('running', () => lines.includes('message "running"'));
    return { process: process_, lines, childPid: () => Number(lines[0].split(' ')[1]) };
  }

  const exitOf = (process_: ChildProcess): Promise<void> =>
    process_.exitCode !== null || process_.signalCode !== null
      ? Promise.resolve()
      : new Promise((resolve) => process_.on('close', () => resolve()));

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'passes the first %s on and ignores repeats within a second',
    async (name) => {
      const running = await startParent('polite');
      running.process.kill(name);
      running.process.kill(name);
      await exitOf(running.process);
      expect(running.lines.at(-1)).toBe(`done ${JSON.stringify({ kind: 'interrupted', signal: name })}`);
      expect(fs.readFileSync(join(folder, 'polite.signal'), 'utf8')).toBe('published');
      fs.rmSync(join(folder, 'polite.signal'));
    },
  );

  it('kills the group on a second signal after a second', async () => {
    const running = await startParent('endless');
    running.process.kill('SIGINT');
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(isRunning(running.childPid())).toBe(true);
    running.process.kill('SIGINT');
    await exitOf(running.process);
    expect(running.lines.at(-1)).toBe('done {"kind":"interrupted","signal":"SIGINT","killed":true}');
    expect(isRunning(running.childPid())).toBe(false);
  });

  it('ends a stopped child with a parent that leaves at once', async () => {
    const running = await startParent('exits');
    const pid = running.childPid();
    process.kill(pid, 'SIGSTOP');
    running.process.kill('SIGUSR2');
    await exitOf(running.process);
    await until('the end of the child', () => !isRunning(pid), 3000);
  });

  it.each(['stubborn', 'endless'])('ends a child ("%s") whose parent was killed', async (behaviour) => {
    const running = await startParent(behaviour);
    const pid = running.childPid();
    expect(isRunning(pid)).toBe(true);
    running.process.kill('SIGKILL');
    await until('the end of the child', () => !isRunning(pid), 5000);
  });
});

describe('treeRssBytes', () => {
  it('counts the memory of a child', async () => {
    const before = treeRssBytes() ?? 0;
    const sampler = startMemorySampler(50);
    const job = start('allocate');
    await job.done;
    expect((sampler.peakTreeRssBytes() ?? 0) - before).toBeGreaterThan(150_000_000);
    sampler.stop();
    expect(before).toBeGreaterThan(10_000_000);
  });
});

describe('jobEntryPath', () => {
  it('names the remedy when the module was not built', () => {
    expect(() => jobEntryPath('src/no-such/entry')).toThrow(
      /dist\/src\/no-such\/entry\.js: found nothing, expected a built module\. Run "npm run build"\.$/,
    );
  });
});
