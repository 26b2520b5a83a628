import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openRun } from '../../src/checkpoint/store.js';
import { runId } from '../../src/config/names.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { RunConfig } from '../../src/config/run-config.js';
import type { Engine, Model } from '../../src/engine/engine.js';
import { UserError } from '../../src/errors.js';
import { chanceLevel } from '../../src/listops/sampling/chance.js';
import { hasLearned, operationAccuracy } from '../../src/train/learned.js';
import { type EvalRow, parseMetricRows } from '../../src/train/metrics.js';
import { train } from '../../src/train/train.js';
import { type TrainOptions, trainRun } from '../../src/train/train-run.js';

/** The real engine behind other names: what another machine, or another build, would say of itself. */
const pretended: { kernelHash?: string; opened: number; onModel?: (model: Model) => void } = { opened: 0 };
vi.mock('../../src/engine/registry.js', async (original) => {
  const real = await original<typeof import('../../src/engine/registry.js')>();
  return {
    ...real,
    openEngine: async (...args: Parameters<typeof real.openEngine>) => {
      pretended.opened++;
      const { engine, note } = await real.openEngine(...args);
      const shown: Engine = {
        name: engine.name,
        isa: engine.isa,
        kernelHash: pretended.kernelHash ?? engine.kernelHash,
        threads: engine.threads,
        createModel: (...from) => {
          const model = engine.createModel(...from);
          pretended.onModel?.(model);
          return model;
        },
        dispose: () => engine.dispose(),
      };
      return { engine: shown, note };
    },
  };
});

const folder = mkdtempSync(join(tmpdir(), 'sumlens-train-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  delete pretended.kernelHash;
  delete pretended.onModel;
});

const tiny = resolveRunConfig({
  data: { tasks: ['MAX', 'SUM'], modulus: 4 },
  model: { dModel: 8, nLayers: 1, nCtx: 16 },
  training: { steps: 120, batchSize: 8, evaluateEvery: 50 },
  optimizer: { warmupSteps: 10 },
});

let places = 0;
const place = (): Pick<TrainOptions, 'root' | 'engine' | 'threads'> => ({
  root: join(folder, String(places++)),
  engine: 'wasm',
  threads: 1,
});

/** Aborts at the first sign of life. */
function stopSoon(options: TrainOptions): TrainOptions {
  const controller = new AbortController();
  pretended.onModel = (model) => {
    const step = model.trainStep.bind(model);
    let done = 0;
    model.trainStep = (...args) => {
      if (++done === 40) controller.abort();
      return step(...args);
    };
  };
  return { ...options, signal: controller.signal };
}

describe('trainRun', () => {
  it('returns at once, opening no engine, when the run is finished', async () => {
    const options = place();
    const first = await trainRun(tiny, options);
    expect(first).toMatchObject({ reason: 'budget', step: 120, already: false, run: runId(tiny) });
    const bytes = readFileSync(join(first.dir, 'metrics.jsonl'));
    const before = pretended.opened;
    const second = await trainRun(tiny, options);
    expect(second).toMatchObject({ reason: 'budget', step: 120, already: true, accuracy: first.accuracy });
    expect(pretended.opened).toBe(before);
    expect(readFileSync(join(first.dir, 'metrics.jsonl'))).toEqual(bytes);
  });

  it('says interrupted, keeps a resume checkpoint, and ends in the bytes of an uninterrupted run', async () => {
    const [whole, parts] = [place(), place()];
    await trainRun(tiny, whole);
    const stopped = await trainRun(tiny, stopSoon(parts));
    expect(stopped).toMatchObject({ reason: 'interrupted', step: 40 });
    const store = openRun(stopped.dir);
    expect(store.end()).toMatchObject({ reason: 'interrupted', step: 40 });
    expect(store.latestResume()?.step).toBe(40);

    delete pretended.onModel;
    expect((await trainRun(tiny, parts)).step).toBe(120);
    const [a, b] = [whole, parts].map(({ root }) => join(root, runId(tiny)));
    for (const file of ['metrics.jsonl', 'config.json', 'resume/000120/optimizer.safetensors']) {
      expect(readFileSync(join(b, file))).toEqual(readFileSync(join(a, file)));
    }
    expect(readdirSync(join(b, 'steps'))).toEqual(['000000', '000064', '000120']);
    expect(openRun(b).verify()).toEqual([]);
    expect(openRun(b).readSessions()).toMatchObject([{ fromStep: 0 }, { fromStep: 40, engine: 'wasm' }]);
  });

  it('refuses to go on with other kernels, changes nothing, and records it when allowed', async () => {
    const options = place();
    const { dir } = await trainRun(tiny, stopSoon(options));
    delete pretended.onModel;
    const metrics = readFileSync(join(dir, 'metrics.jsonl'));
    const real = (openRun(dir).readSessions()[0] as { kernelHash: string }).kernelHash;

    pretended.kernelHash = 'f'.repeat(64);
    const refused = trainRun(tiny, options);
    await expect(refused).rejects.toBeInstanceOf(UserError);
    await expect(refused).rejects.toThrow(
      `--engine: found wasm (kernels ffffffffffff), but ${runId(tiny)} was trained with wasm (kernels ${real.slice(0, 12)}) ` +
        'up to step 40. Pass --engine wasm, or --allow-engine-change to go on with other rounding.',
    );
    expect(readFileSync(join(dir, 'metrics.jsonl'))).toEqual(metrics);
    expect(openRun(dir).readSessions()).toHaveLength(1);

    expect((await trainRun(tiny, { ...options, allowEngineChange: true })).reason).toBe('budget');
    expect(openRun(dir).readSessions().at(-1)).toMatchObject({
      fromStep: 40,
      kernelHash: 'f'.repeat(64),
      engineChangedFrom: `wasm (kernels ${real.slice(0, 12)})`,
    });
  });

  it('refuses, even when a change is allowed, where published steps would be computed again', async () => {
    const options = place();
    const { dir } = await trainRun({ ...tiny, seed: 2 }, { ...options });
    // as after a kill: steps 0, 64 and 120 are published, the resume points are lost
    rmSync(join(dir, 'resume'), { recursive: true });
    rmSync(join(dir, 'end.json'));
    pretended.kernelHash = 'e'.repeat(64);
    await expect(trainRun({ ...tiny, seed: 2 }, { ...options, allowEngineChange: true })).rejects.toThrow(
      /holds step 120 made with wasm .* would go on from step 0\. Pass --engine wasm, or train it elsewhere with --out\.$/,
    );
  });

  it('finds a NaN planted in a weight before the update, and keeps the last finite checkpoint', async () => {
    const options = place();
    const { dir } = await trainRun(tiny, stopSoon(options));
    const last = openRun(dir).latestResume();
    pretended.onModel = (model) => {
      const setState = model.setState.bind(model);
      model.setState = (state) => {
        const parameters = state.parameters.slice();
        parameters[5] = NaN;
        setState({ ...state, parameters });
      };
    };
    const outcome = await trainRun(tiny, options);
    expect(outcome).toMatchObject({ reason: 'diverged', step: 40 });
    expect(outcome.notes.join(' ')).toMatch(/Diverged at step 41: .* is NaN\. The update was not applied/);
    const store = openRun(dir);
    expect(store.latestResume()).toEqual(last);
    expect(store.steps()).toEqual([0]);
    expect(readFileSync(join(dir, 'metrics.jsonl'), 'utf8').trim().split('\n').at(-1)).toMatch(
      /^\{"kind":"diverged","step":41,.*"value":"NaN"\}$/,
    );
    delete pretended.onModel;
    expect(await trainRun(tiny, options)).toMatchObject({ reason: 'diverged', already: true });
  });

  it('finds the divergence of a learning rate of 1e6 and publishes no number that is not finite', async () => {
    const options = place();
    const hot = resolveRunConfig({ ...tiny, optimizer: { learningRate: 1e6, warmupSteps: 0 } });
    const outcome = await trainRun(hot, options);
    expect(outcome.reason).toBe('diverged');
    const store = openRun(outcome.dir);
    for (const step of store.steps()) {
      expect(store.loadStep(step).parameters.every(Number.isFinite)).toBe(true);
    }
  });

  it('trains elsewhere with out, and takes a partial configuration as a library call', async () => {
    const options = place();
    const out = join(options.root, 'elsewhere');
    const outcome = await train({ ...tiny, seed: 5 }, { ...options, out });
    expect(outcome.dir).toBe(out);
    expect(readdirSync(options.root)).toEqual(['elsewhere']);
    await expect(train({ data: { modulus: 1 } }, options)).rejects.toThrow(/--modulus: found 1/);
  });
});

describe('a TABLE run on two operands', () => {
  const memorizer = (seed: number): RunConfig =>
    resolveRunConfig({
      data: { tasks: ['TABLE'], operands: [2, 2], regime: 'pairs', modulus: 16 },
      model: { dModel: 48, nLayers: 1, nCtx: 16 },
      optimizer: { learningRate: 4e-3 },
      training: { steps: 1000, evaluateEvery: 250 },
      seed,
    });

  it(
    'knows what it was shown and sits at the majority rate on held-out pairs',
    { timeout: 60_000 },
    async () => {
      const options = { ...place(), engine: 'auto' as const };
      let held = 0;
      let pairs = 0;
      let chance = 0;
      for (const seed of [1, 2, 3]) {
        const config = memorizer(seed);
        const { dir } = await trainRun(config, options);
        const rows = parseMetricRows(openRun(dir).readMetrics(), 'metrics.jsonl').filter(
          (row): row is EvalRow => row.kind === 'eval',
        );
        expect(hasLearned(rows, 'TABLE')).toBe(true);
        const last = rows[rows.length - 1];
        const n = last.cells.find((cell) => cell.held)?.multisets ?? 0;
        held += (operationAccuracy(last, 'TABLE', 'held') ?? 0) * n;
        chance += chanceLevel(config.data, 'TABLE', 2, 'held') * n;
        pairs += n;
      }
      // a leak of the hold-out would give 1; three standard errors above the majority rate are far below it
      expect(pairs).toBe(39);
      const rate = chance / pairs;
      expect(held / pairs).toBeLessThan(rate + 3 * Math.sqrt((rate * (1 - rate)) / pairs));
    },
  );
});
