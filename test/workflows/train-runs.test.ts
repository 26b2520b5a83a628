import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createOrOpenRun, openRun } from '../../src/checkpoint/store.js';
import { runId } from '../../src/config/names.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { type TrainRunsProgress, trainRuns } from '../../src/workflows/train-runs.js';

const folder = mkdtempSync(join(tmpdir(), 'sumlens-runs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tiny = (seed: number, steps = 60): RunConfig =>
  resolveRunConfig({
    data: { tasks: ['SUM'], modulus: 4 },
    model: { dModel: 8, nLayers: 1, nCtx: 16 },
    training: { steps, batchSize: 8, evaluateEvery: 30 },
    optimizer: { warmupSteps: 10 },
    seed,
  });

/** Everything in a run directory that must not depend on how it was scheduled. */
function bytesOf(root: string, config: RunConfig): string {
  const dir = join(root, runId(config));
  const steps = readdirSync(join(dir, 'steps')).map((step) =>
    readFileSync(join(dir, 'steps', step, 'model.safetensors')).toString('base64'),
  );
  return [readFileSync(join(dir, 'metrics.jsonl'), 'utf8'), ...steps].join('\n');
}

describe('trainRuns', () => {
  const configs = [tiny(1), tiny(2, 90), tiny(3)];
  const root = join(folder, 'two');

  it('trains every run, gives outcomes in the order of the configurations, and counts up to the end', async () => {
    const seen: TrainRunsProgress[] = [];
    const outcomes = await trainRuns({
      configs: [...configs, tiny(1)],
      root,
      engine: 'wasm',
      parallel: 2,
      onProgress: (progress) => seen.push(progress),
    });
    expect(outcomes.map(({ kind, run }) => [kind, run])).toEqual(
      configs.map((config) => ['finished', runId(config)]),
    );
    for (const outcome of outcomes) {
      if (outcome.kind !== 'finished') throw new Error(outcome.kind);
      expect(outcome.outcome).toMatchObject({ reason: 'budget', already: false });
      expect(outcome.outcome.peakRssBytes).toBeGreaterThan(20e6);
    }
    // the longest run is started first
    expect(seen[0].current).toMatchObject({ run: runId(configs[1]), state: 'training' });
    expect(seen.at(-1)).toMatchObject({ finished: 3, share: 1 });
    expect(seen.at(-1)?.runs.map(({ state }) => state)).toEqual(['finished', 'finished', 'finished']);
    const shares = seen.map(({ share }) => share);
    expect(shares).toEqual([...shares].sort((a, b) => a - b));
  });

  it('gives the bytes of runs trained one after the other in another order', async () => {
    const serial = join(folder, 'one');
    for (const config of [...configs].reverse()) {
      await trainRuns({ configs: [config], root: serial, engine: 'wasm', parallel: 1, threads: 2 });
    }
    for (const config of configs) expect(bytesOf(serial, config)).toBe(bytesOf(root, config));
  });

  it('starts no child for a finished run', async () => {
    const outcomes = await trainRuns({ configs, root, engine: 'wasm' });
    expect(outcomes.every((outcome) => outcome.kind === 'finished' && outcome.outcome.already)).toBe(true);
    expect(openRun(join(root, runId(configs[0]))).readSessions()).toHaveLength(1);
    // a child would have told its memory
    for (const outcome of outcomes) expect(outcome).toMatchObject({ outcome: { peakRssBytes: 0 } });
  });

  it('goes on with the others when one run is damaged and one is held by another process', async () => {
    const place = join(folder, 'failing');
    const damaged = createOrOpenRun(place, tiny(11));
    writeFileSync(join(damaged.dir, 'config.json'), '{');
    const held = createOrOpenRun(place, tiny(12));
    const release = held.lock('a test');
    const outcomes = await trainRuns({
      configs: [tiny(11), tiny(12), tiny(13)],
      root: place,
      engine: 'wasm',
    });
    release();
    expect(outcomes.map(({ kind }) => kind)).toEqual(['failed', 'failed', 'finished']);
    expect(outcomes[0]).toMatchObject({ message: expect.stringContaining('config.json') as string });
    expect(outcomes[1]).toMatchObject({ message: expect.stringContaining(String(process.pid)) as string });
    // what was in the way is gone: the same call finishes the rest
    expect((await trainRuns({ configs: [tiny(12)], root: place, engine: 'wasm' }))[0].kind).toBe('finished');
  });

  it('stops its children at the signal, starts no more, and keeps what they had', async () => {
    const place = join(folder, 'stopped');
    const long = [tiny(21, 1_000_000), tiny(22, 1_000_000), tiny(23, 1_000_000)];
    const stop = new AbortController();
    const working = new Set<string>();
    const outcomes = await trainRuns({
      configs: long,
      root: place,
      engine: 'wasm',
      parallel: 2,
      signal: stop.signal,
      onProgress: ({ current }) => {
        if (current.step > 0) working.add(current.run);
        if (working.size === 2) stop.abort();
      },
    });
    expect(outcomes.map(({ kind }) => kind)).toEqual(['interrupted', 'interrupted', 'interrupted']);
    const points = long.map((config) => openRun(join(place, runId(config))).latestResume()?.step ?? 0);
    expect(points.filter((step) => step > 0)).toHaveLength(2);
  });

  it('refuses one directory for many runs', async () => {
    await expect(trainRuns({ configs, root, out: join(folder, 'x'), engine: 'wasm' })).rejects.toThrow(
      '--out: found 3 runs, expected one. Leave --out away, or train one run.',
    );
  });
});
