/** The live view of a sweep: fed by results.jsonl as it grows, whoever writes it. */
import { once } from 'node:events';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SweepState } from '../../src/viewer/contract.js';
import { MAX_STREAMS } from '../../src/viewer/deps.js';
import { outlineOf, writeOutline } from '../../src/workflows/sweep/plan/outline.js';
import { appendResult } from '../../src/workflows/sweep/results/results-file.js';
import { startCli } from '../helpers/cli.js';
import { resultFor, TINY_PLAN, tinyRuns } from '../workflows/sweep/tiny.js';
import { raw, request, statusOf, testViewer, type TestViewer } from './test-viewer.js';

let viewer: TestViewer;
let folder: string;
beforeEach(async () => {
  viewer = await testViewer(() => undefined);
  folder = join(viewer.reportsDir, 'tiny');
  mkdirSync(folder, { recursive: true });
});
afterEach(() => viewer.stop());

/** Collects the states of one stream. */
async function listen(port: number): Promise<{ states: SweepState[]; names: string[]; close(): void }> {
  const response = await new Promise<IncomingMessage>((resolve, reject) =>
    get({ host: '127.0.0.1', port, path: '/api/sweeps/tiny/events' }, resolve).on('error', reject),
  );
  response.setEncoding('utf8');
  response.on('error', () => undefined);
  const states: SweepState[] = [];
  const names: string[] = [];
  let text = '';
  response.on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const name = /^event: (.*)$/m.exec(block)?.[1];
      if (name !== undefined) names.push(name);
      if (name === 'sweep') states.push(JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? '') as SweepState);
    }
  });
  return { states, names, close: () => response.destroy() };
}

async function until(condition: () => boolean, what: string, ms = 20_000): Promise<void> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`no ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a sweep in the viewer', () => {
  it('is followed line by line: progress, time left, who learned, what is no result', async () => {
    const { port } = viewer.viewer;
    const runs = tinyRuns();
    writeOutline(folder, outlineOf(runs, 2));
    const results = join(folder, 'results.jsonl');
    appendResult(results, resultFor(runs[0]));
    const stream = await listen(port);
    await until(() => stream.states.length > 0, 'first state');
    expect(stream.states[0]).toMatchObject({ finished: 1, total: 12, running: false, unreadable: 0 });
    const learned = {
      ...resultFor(runs[1]),
      evaluations: [40, 60].map((step) => ({
        step,
        trained: { SUM: [10, 10] as [number, number] },
        lossNats: { SUM: 0 },
      })),
    };
    appendResult(results, learned);
    appendFileSync(results, 'hello\n{"id":');
    await until(() => stream.states.at(-1)?.unreadable === 1, 'second state');
    const last = stream.states.at(-1);
    expect(last).toMatchObject({ finished: 2, total: 12 });
    expect(last?.share).toBeGreaterThan(stream.states[0].share ?? 1);
    // 1.5 s for each of two runs; the ten left are larger, two at a time
    expect(last?.etaMs).toBeGreaterThan(5 * 1500);
    expect(last?.latest[0]).toMatchObject({ operation: 'SUM', learned: true, reason: 'budget', step: 60 });
    expect(last?.tables).toHaveLength(1);
    const [table] = last?.tables ?? [];
    expect(table.sizes).toHaveLength(3);
    const row = table.rows.find(({ arm }) => arm === 'SUM in SUM, 60 steps');
    // both seeds of the smallest width: one evaluation says nothing yet, two say learned
    expect(row?.cells).toEqual([
      { learned: 1, runs: 2, planned: 2 },
      { learned: 0, runs: 0, planned: 2 },
      { learned: 0, runs: 0, planned: 2 },
    ]);
    expect(JSON.parse((await raw(port, request(port, '/api/sweeps'))).split('\r\n\r\n')[1])).toMatchObject({
      sweeps: [{ name: 'tiny', finished: 2, total: 12 }],
    });
    // another file in its place is read from its beginning
    rmSync(results);
    await until(() => stream.names.includes('gone'), 'end of the stream');
    stream.close();
  }, 40_000);

  it('is followed while another process runs it, to its end', async () => {
    const plan = join(viewer.reportsDir, 'plan.yaml');
    writeFileSync(plan, TINY_PLAN);
    writeFileSync(join(folder, 'results.jsonl'), '');
    const stream = await listen(viewer.viewer.port);
    const args = ['sweep', plan, '--jobs', '1', '--quiet', '--json', '--reports', viewer.reportsDir];
    const child = startCli([...args, '--checkpoints', viewer.checkpointsDir], viewer.root);
    expect(await once(child, 'exit')).toEqual([0, null]);
    await until(
      () => stream.states.at(-1)?.running === false && stream.states.length > 2,
      'end of the sweep',
    );
    expect(stream.states.some(({ running, finished }) => running && finished > 0 && finished < 12)).toBe(
      true,
    );
    expect(stream.states.at(-1)).toMatchObject({ finished: 12, total: 12, share: 1, unreadable: 0 });
    const counts = stream.states.map(({ finished }) => finished);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    stream.close();
  }, 120_000);

  it('gives its place back when the client is gone before the first answer, and is 404 where there is none', async () => {
    const { port } = viewer.viewer;
    writeFileSync(join(folder, 'results.jsonl'), '');
    for (let i = 0; i < MAX_STREAMS + 8; i++) {
      void raw(port, request(port, '/api/sweeps/tiny/events'), 5);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    const stream = await listen(port);
    await until(() => stream.states.length > 0, 'state after many clients have left');
    stream.close();
    for (const path of ['/api/sweeps/none/events', '/sweeps/none', '/api/sweeps/..%2ftiny/events']) {
      expect([400, 404]).toContain(statusOf(await raw(port, request(port, path))));
    }
    expect(statusOf(await raw(port, request(port, '/sweeps/tiny')))).toBe(200);
  }, 40_000);

  it('shows results whose plan is not known, as far as they tell', async () => {
    appendResult(join(folder, 'results.jsonl'), resultFor(tinyRuns()[0]));
    writeFileSync(join(folder, 'sweep.json'), '{"jobs":0}');
    const stream = await listen(viewer.viewer.port);
    await until(() => stream.states.length > 0, 'state');
    expect(stream.states[0]).toMatchObject({ finished: 1, total: null, share: null, etaMs: null });
    stream.close();
  }, 20_000);
});
