/** Runs whose operations change on the way, and runs that start from another's checkpoint: schedule, moments, bytes, resume. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openRun } from '../../src/checkpoint/store.js';
import { conditionId, conditionLabel, gptConfigOf, runId } from '../../src/config/names.js';
import { type DeepPartial, resolveRunConfig } from '../../src/config/parse.js';
import { phaseSpans } from '../../src/config/phases.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { openEngine } from '../../src/engine/registry.js';
import { createGenerator } from '../../src/listops/sampling/generate.js';
import { FIRST_NUMBER } from '../../src/listops/language/tokenizer.js';
import { initialParameters } from '../../src/model/init.js';
import { TOKEN_EMBEDDING, parameterTable, parameterView } from '../../src/model/parameters.js';
import { centredNorm } from '../../src/model/transplant.js';
import { type InitRequest, withInit } from '../../src/train/init-source.js';
import { operationAccuracy } from '../../src/train/learned.js';
import { parseMetricRows } from '../../src/train/metrics.js';
import { momentUpdates } from '../../src/train/moments.js';
import { learningRateAt, learningRates, scheduleOf } from '../../src/train/schedule.js';
import { type TrainOptions, trainRun } from '../../src/train/train-run.js';

/** Called before each update of the real engine. */
const onUpdate: { now?: () => void } = {};
vi.mock('../../src/engine/registry.js', async (original) => {
  const real = await original<typeof import('../../src/engine/registry.js')>();
  return {
    ...real,
    openEngine: async (...args: Parameters<typeof real.openEngine>) => {
      const opened = await real.openEngine(...args);
      const createModel = opened.engine.createModel.bind(opened.engine);
      opened.engine.createModel = (...from) => {
        const model = createModel(...from);
        const trainStep = model.trainStep.bind(model);
        model.trainStep = (...batch) => {
          onUpdate.now?.();
          return trainStep(...batch);
        };
        return model;
      };
      return opened;
    },
  };
});

const folder = mkdtempSync(join(tmpdir(), 'sumlens-course-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let places = 0;
const place = (): TrainOptions => ({ root: join(folder, String(places++)), engine: 'wasm', threads: 1 });

const TINY: DeepPartial<RunConfig> = {
  data: { modulus: 4 },
  model: { dModel: 8, nLayers: 1, nCtx: 16 },
  optimizer: { warmupSteps: 10 },
};
const tiny = (fields: DeepPartial<RunConfig>): RunConfig =>
  resolveRunConfig({
    ...TINY,
    ...fields,
    data: { ...TINY.data, ...fields.data },
    training: { batchSize: 8, evaluateEvery: 50, ...fields.training },
  });
const phased = (training: DeepPartial<RunConfig>['training'] = {}, seed = 1): RunConfig =>
  tiny({
    training: {
      phases: [
        { tasks: ['MAX', 'MED'], steps: 70 },
        { tasks: ['SUM'], steps: 50 },
      ],
      ...training,
    },
    seed,
  });

/** Every file that must be equal however often a run was interrupted. */
function bytesOf(dir: string): Record<string, string> {
  const last = readdirSync(join(dir, 'resume')).sort().at(-1) ?? '';
  const files = [
    'config.json',
    'metrics.jsonl',
    ...readdirSync(join(dir, 'steps')).map((step) => `steps/${step}/model.safetensors`),
    `resume/${last}/model.safetensors`,
    `resume/${last}/optimizer.safetensors`,
  ];
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(dir, file)).toString('base64')]));
}

/**
 * Trains with an interruption after each of the steps.
 * @param lost - stops of which nothing is left, as after a kill: the next session goes on from the resume point before
 */
async function inParts(
  config: RunConfig,
  options: TrainOptions,
  stops: readonly number[],
  lost: readonly number[] = [],
): Promise<string> {
  let from = 0;
  for (const stop of stops) {
    const controller = new AbortController();
    let left = stop - from;
    onUpdate.now = () => {
      if (--left === 0) controller.abort();
    };
    const part = await trainRun(config, { ...options, signal: controller.signal });
    expect(part).toMatchObject({ reason: 'interrupted', step: stop });
    if (lost.includes(stop)) {
      rmSync(join(part.dir, 'resume', String(stop).padStart(6, '0')), { recursive: true });
      rmSync(join(part.dir, 'end.json'));
    } else from = stop;
  }
  delete onUpdate.now;
  return (await trainRun(config, options)).dir;
}

const numberRows = (config: RunConfig, arena: Float32Array): Float32Array => {
  const { dModel } = config.model;
  const embedding = parameterView(parameterTable(gptConfigOf(config)), arena, TOKEN_EMBEDDING);
  const rows = FIRST_NUMBER + config.data.modulus;
  return embedding.slice(FIRST_NUMBER * dModel, rows * dModel);
};

describe('phases', () => {
  it('decide tasks and steps, and take them said right', () => {
    const config = phased();
    expect(config.data.tasks).toEqual(['MAX', 'MED', 'SUM']);
    expect(config.training.steps).toBe(120);
    expect(runId(resolveRunConfig({ ...config }))).toBe(runId(config));
    expect(runId(config)).toMatch(/^max-med-then-sum-full-d8-s1-[0-9a-f]{12}$/);
    expect(conditionLabel(config)).toBe('MAX+MED then SUM, full, d=8');
    const text = tiny({ training: { phases: 'MED+MAX:70,SUM:50' as never } });
    expect(text).toEqual(config);
  });

  it.each<[DeepPartial<RunConfig>, RegExp]>([
    [{ training: { phases: [{ tasks: ['SUM'], steps: 5 }] } }, /expected two phases or more/],
    [
      { training: { phases: 'SUM' as never } },
      /found "SUM", expected operations:updates|expected operations:updates/,
    ],
    [
      { training: { phases: 'SUM:5,MAX:0' as never } },
      /steps of training\.phases .*found 0, expected a whole number from 1/,
    ],
    [{ training: { phases: 'SUM:5,MAXX:5' as never } }, /--tasks: found "MAXX".*Did you mean MAX/],
    [
      { training: { phases: 'SUM:5,MAX:5' as never, steps: 11 } },
      /--steps\): found 11, expected 10, the sum of --phases/,
    ],
    [
      { data: { tasks: ['SUM'] }, training: { phases: 'SUM:5,MAX:5' as never } },
      /--tasks\): found "SUM", expected MAX\+SUM/,
    ],
    [
      { training: { phases: 'SUM:5,MAX:5' as never, stop: 'solved' } },
      /--stop\): found "solved", expected budget with --phases/,
    ],
    [
      { training: { phaseSchedule: 're-warmed' } },
      /^--phase-schedule: found "re-warmed", expected nothing without --phases/,
    ],
    [{ training: { phases: 'SUM:5,MAX:5' as never, phaseOptimizer: 'keep' as never } }, /Did you mean kept/],
  ])('are refused in one line: %j', (fields, message) => {
    expect(() => resolveRunConfig(fields)).toThrow(message);
  });

  it('have ids of their own by phases, schedule and optimizer, and defaults leave no trace', () => {
    const all = [
      phased(),
      phased({ phaseSchedule: 're-warmed' }),
      phased({ phaseOptimizer: 'reset' }),
      tiny({ data: { tasks: ['MAX', 'MED', 'SUM'] }, training: { steps: 120 } }),
    ];
    expect(new Set(all.map(runId)).size).toBe(4);
    expect(phased({ phaseSchedule: 'one', phaseOptimizer: 'kept' })).toEqual(all[0]);
  });

  it('follow one curve, or one of their own each', () => {
    const one = learningRates(phased());
    const plain = scheduleOf(phased());
    const warmed = learningRates(phased({ phaseSchedule: 're-warmed' }));
    for (let step = 1; step <= 120; step++) {
      expect(one(step)).toBe(learningRateAt(plain, step));
      const own = step <= 70 ? { ...plain, steps: 70 } : { ...plain, steps: 50 };
      expect(warmed(step)).toBe(learningRateAt(own, step <= 70 ? step : step - 70));
    }
    // the warm-up begins again
    expect(warmed(71)).toBeCloseTo(plain.learningRate / 10, 12);
  });

  it('count what the moments are made of from the last reset', () => {
    const reset = phased({ phaseOptimizer: 'reset' });
    expect([0, 1, 70, 71, 120].map((step) => momentUpdates(reset, step))).toEqual([0, 1, 70, 1, 50]);
    expect([0, 1, 70, 71, 120].map((step) => momentUpdates(phased(), step))).toEqual([0, 1, 70, 71, 120]);
  });

  it('train on the operations of their own phase, evaluate all, and keep a checkpoint where one ends', async () => {
    const config = phased();
    const { dir } = await trainRun(config, place());
    const store = openRun(dir);
    expect(store.steps()).toEqual([0, 64, 70, 120]);
    expect(store.verify()).toEqual([]);
    const rows = parseMetricRows(store.readMetrics(), 'metrics').filter((row) => row.kind === 'eval');
    expect(rows.map(({ step }) => step)).toEqual([50, 70, 100, 120]);
    for (const row of rows) {
      for (const task of ['MAX', 'MED', 'SUM'])
        expect(operationAccuracy(row, task)).toBeGreaterThanOrEqual(0);
    }
    // one update by hand: the batch of update 70 is the one of SUM alone with its place in the whole run
    const [, second] = phaseSpans(config);
    const batch = createGenerator({ ...config.data, tasks: second.tasks }, config.seed).batch(70, 8);
    expect(new Set(batch.operations.filter((operation) => operation >= 0))).toEqual(new Set([3]));
  });

  it('are asked whole expressions of what they train, and single operations of the whole run', async () => {
    const config = tiny({
      data: { depth: 2, operands: [2, 2] },
      model: { ...TINY.model, nCtx: 64 },
      training: { phases: 'MAX+MED:70,SUM:60' as never },
    });
    const { dir } = await trainRun(config, place());
    const rows = parseMetricRows(openRun(dir).readMetrics(), 'metrics.jsonl').filter(
      (row) => row.kind === 'eval',
    );
    const names = (of: readonly { readonly operation: string }[] = []): string[] =>
      [...new Set(of.map(({ operation }) => operation))].sort();
    expect(rows.map(({ step }) => step)).toEqual([50, 70, 100, 130]);
    for (const { step, cells, nested } of rows) {
      const trained = step <= 70 ? ['MAX', 'MED'] : ['SUM'];
      expect(names(nested?.inside)).toEqual(trained);
      expect(names(nested?.results)).toEqual(trained);
      expect(nested?.total).toBe(step === 130 ? 4000 : 500);
      expect(names(cells)).toEqual(['MAX', 'MED', 'SUM']);
    }
  });

  it('whose tasks are all alike on one curve give the weights of the run without them', async () => {
    const tasks = ['MAX', 'SUM'] as const;
    const phases = [
      { tasks, steps: 60 },
      { tasks, steps: 60 },
    ];
    const parts = await trainRun(tiny({ training: { phases } }), place());
    const whole = await trainRun(tiny({ data: { tasks: [...tasks] }, training: { steps: 120 } }), place());
    const [a, b] = [parts, whole].map(({ dir }) => openRun(dir).loadStep('last').weightsSha256);
    expect(a).toBe(b);
  });

  it('reset AdamW, or keep it, where one ends: the update after it by hand', async () => {
    const phases = [
      { tasks: ['MAX', 'MED'], steps: 70 },
      { tasks: ['SUM'], steps: 1 },
    ] as const;
    const ends = new Map<string, string>();
    for (const phaseOptimizer of ['kept', 'reset'] as const) {
      const config = phased({ phases, phaseOptimizer });
      const store = openRun((await trainRun(config, place())).dir);
      const { engine } = await openEngine('wasm', { threads: 1 });
      const at70 = store.loadStep(70).parameters;
      const model = engine.createModel(gptConfigOf(config), { parameters: at70 }, 'train');
      const zeros = (): Float32Array => new Float32Array(at70.length);
      model.setState({ parameters: at70, m: zeros(), v: zeros(), step: 0 });
      const batch = createGenerator({ ...config.data, tasks: ['SUM'] }, config.seed).batch(70, 8);
      model.trainStep(batch, { ...config.optimizer, learningRate: learningRates(config)(71) });
      const isReset = store.loadStep(71).parameters.every((value, i) => value === model.getParameters()[i]);
      expect(isReset).toBe(phaseOptimizer === 'reset');
      ends.set(phaseOptimizer, store.loadStep(70).weightsSha256);
      engine.dispose();
    }
    // the phase before is the same
    expect(ends.get('kept')).toBe(ends.get('reset'));
  });

  it.each([
    [{}, [30, 70, 90], []],
    [{ phaseOptimizer: 'reset' as const, phaseSchedule: 're-warmed' as const }, [30, 69, 70, 71, 110], []],
    // killed in each phase; in the second one after the reset, with the resume point before it
    [{ phaseOptimizer: 'reset' as const }, [20, 50, 60, 100, 110], [50, 100]],
  ])(
    'end in the same bytes after stops and kills in every phase and at its edge: %j',
    async (training, stops, lost) => {
      const config = phased(training);
      const whole = await trainRun(config, place());
      const parts = await inParts(config, place(), stops, lost);
      expect(bytesOf(parts)).toEqual(bytesOf(whole.dir));
    },
  );
});

describe('init', () => {
  const source = tiny({ data: { tasks: ['MAX', 'MED'] }, training: { steps: 60 }, seed: 5 });
  const options = place();
  const trained = trainRun(source, options);
  const target = tiny({ data: { tasks: ['SUM'] }, training: { steps: 40 }, seed: 2 });

  const started = async (
    request: Partial<InitRequest>,
    fields: DeepPartial<RunConfig> = target,
  ): Promise<RunConfig> => {
    const { run } = await trained;
    return resolveRunConfig(withInit(fields, { from: `${run}@60`, ...request }, options.root));
  };
  const startWeights = async (config: RunConfig): Promise<Float32Array> =>
    openRun((await trainRun(config, options)).dir).loadStep(0).parameters;
  const theirs = async (): Promise<Float32Array> => openRun((await trained).dir).loadStep(60).parameters;
  const fresh = initialParameters(gptConfigOf(target), target.seed);

  it('takes over all, the number rows, or all but these, to the bit', async () => {
    const from = await theirs();
    const all = await startWeights(await started({ what: 'all' }));
    expect(all).toEqual(from);

    const numbers = await startWeights(await started({ what: 'numbers' }));
    expect(numberRows(target, numbers)).toEqual(numberRows(target, from));
    const but = await startWeights(await started({ what: 'all-but-numbers' }));
    expect(numberRows(target, but)).toEqual(numberRows(target, fresh));
    // each is the other's complement: what one has of the source, the other has fresh
    numbers.forEach((value, i) => {
      const isSource = but[i] === from[i] && value === fresh[i];
      expect(isSource || (value === from[i] && but[i] === fresh[i])).toBe(true);
    });
    expect(numbers.some((value, i) => value !== fresh[i])).toBe(true);
  });

  it('deals every row to another number', async () => {
    const permuted = numberRows(target, await startWeights(await started({ what: 'numbers-permuted' })));
    const rows = (values: Float32Array): string[] =>
      Array.from({ length: 4 }, (_, k) => values.slice(k * 8, (k + 1) * 8).join());
    const [dealt, own] = [rows(permuted), rows(numberRows(target, await theirs()))];
    expect([...dealt].sort()).toEqual([...own].sort());
    dealt.forEach((row, k) => expect(row).not.toBe(own[k]));
    // by the run's seed
    const other = await startWeights(await started({ what: 'numbers-permuted' }, { ...target, seed: 3 }));
    const another = await startWeights(await started({ what: 'numbers-permuted' }, { ...target, seed: 4 }));
    expect(
      new Set([permuted, numberRows(target, other), numberRows(target, another)].map(String)).size,
    ).toBeGreaterThan(1);
  });

  it('gives random rows the norm of the source and nothing else of it', async () => {
    const rows = numberRows(target, await startWeights(await started({ what: 'norm-of-numbers' })));
    const [own, start] = [numberRows(target, await theirs()), numberRows(target, fresh)];
    const norm = (values: Float32Array): number => {
      const means = Array.from(
        { length: 8 },
        (_, c) => [0, 1, 2, 3].reduce((sum, k) => sum + values[k * 8 + c], 0) / 4,
      );
      return Math.hypot(...values.map((value, i) => value - means[i % 8]));
    };
    expect(Math.abs(norm(own) / norm(start) - 1)).toBeGreaterThan(0.01);
    expect(norm(rows)).toBeCloseTo(norm(own), 5);
    expect(centredNorm(own, 8)).toBeCloseTo(norm(own), 9);
    // the directions are those of the fresh rows
    const dot = (a: Float32Array, b: Float32Array): number => {
      const [x, y] = [a, b].map((values) =>
        values.map((v, i) => v - [0, 1, 2, 3].reduce((s, k) => s + values[k * 8 + (i % 8)], 0) / 4),
      );
      return x.reduce((sum, v, i) => sum + v * y[i], 0) / (norm(a) * norm(b));
    };
    expect(dot(rows, start)).toBeCloseTo(1, 5);
  });

  it('is in the id by the weights and what is taken, not by the name', async () => {
    const config = await started({ what: 'numbers' });
    expect(config.init?.weights).toBe(openRun((await trained).dir).loadStep(60).weightsSha256);
    const named = {
      ...config,
      init: { ...(config.init as NonNullable<typeof config.init>), from: 'elsewhere@60' },
    };
    expect(runId(named)).toBe(runId(config));
    const ids = [
      target,
      config,
      await started({ what: 'all' }),
      await started({ what: 'all', optimizer: 'kept' }),
    ].map(runId);
    expect(new Set(ids).size).toBe(4);
    expect(JSON.stringify(config)).not.toContain(folder);
    expect(conditionLabel(config)).toBe('SUM, full, d=8, numbers of MAX+MED@60');
  });

  it('makes runs from the seeds of one condition replicates', async () => {
    const twin = { ...source, seed: 6, data: { ...source.data, holdoutSeed: 6 } };
    const other = await trainRun(twin, options);
    const a = await started({ what: 'numbers' });
    const b = resolveRunConfig(
      withInit({ ...target, seed: 9 }, { from: `${other.run}@60`, what: 'numbers' }, options.root),
    );
    expect(b.init?.weights).not.toBe(a.init?.weights);
    expect(conditionId(b)).toBe(conditionId(a));
    const earlier = resolveRunConfig(
      withInit(target, { from: `${other.run}@0`, what: 'numbers' }, options.root),
    );
    expect(conditionId(earlier)).not.toBe(conditionId(a));
  });

  it('goes on with the moments of the source as if the source had gone on', async () => {
    // the source's own tasks, one constant rate: its run of 100 updates is 60 and 40
    const flat = { warmupSteps: 0, finalFraction: 1 };
    const fields = (steps: number): DeepPartial<RunConfig> => ({
      data: { tasks: ['MAX'], fixedSize: 8 },
      optimizer: flat,
      training: { steps },
    });
    const [whole, first] = [tiny(fields(100)), tiny(fields(60))];
    await trainRun(whole, options);
    const start = await trainRun(first, options);
    const rest = resolveRunConfig(
      withInit(tiny(fields(40)), { from: `${start.run}@60`, what: 'all', optimizer: 'kept' }, options.root),
    );
    expect(rest.init?.optimizer?.updates).toBe(60);
    // a set of eight examples and batches of eight: every batch is the same, whatever its number
    const kept = await trainRun(rest, options);
    const end = openRun(join(options.root, runId(whole))).loadStep('last');
    expect(openRun(kept.dir).loadStep('last').weightsSha256).toBe(end.weightsSha256);
    const reset = resolveRunConfig(
      withInit(tiny(fields(40)), { from: `${start.run}@60`, what: 'all' }, options.root),
    );
    const other = openRun((await trainRun(reset, options)).dir).loadStep('last');
    expect(other.weightsSha256).not.toBe(end.weightsSha256);
  });

  it('ends in the same bytes after interruptions, also with moments kept, without the source once it has begun', async () => {
    const config = await started({ what: 'all', optimizer: 'kept' });
    const { run, dir } = await trained;
    const whole = await trainRun(config, { ...place(), initFrom: dir });
    const elsewhere = place();
    const parts = await inParts(config, { ...elsewhere, initFrom: `${join(options.root, run)}@60` }, [15]);
    expect(bytesOf(parts)).toEqual(bytesOf(whole.dir));
    const alone = place();
    const controller = new AbortController();
    onUpdate.now = () => controller.abort();
    await trainRun(config, { ...alone, initFrom: dir, signal: controller.signal });
    delete onUpdate.now;
    expect(bytesOf((await trainRun(config, alone)).dir)).toEqual(bytesOf(whole.dir));
  });

  it('refuses another source, one that is not there, and one that does not fit, in one line', async () => {
    const { run, dir } = await trained;
    const config = await started({ what: 'numbers' });
    await expect(trainRun(config, place())).rejects.toThrow(
      /^--init-from: checkpoint ".*@?.*": found no such run/,
    );
    await expect(trainRun(config, { ...place(), initFrom: `${dir}@0` })).rejects.toThrow(
      /found weights [0-9a-f]{12}\.\.\., expected [0-9a-f]{12}/,
    );
    await expect(started({}, { ...target, data: { ...target.data, modulus: 5 } })).rejects.toThrow(
      `--init-from: ${run}@60 does not fit this run: found modulus 4, expected 5. Start from a checkpoint of the same vocabulary and shape.`,
    );
    await expect(
      started({ what: 'numbers' }, { ...target, model: { ...target.model, dModel: 16 } }),
    ).rejects.toThrow('found width 8, expected 16');
    await expect(
      started({ what: 'all' }, { ...target, model: { ...target.model, nLayers: 2 } }),
    ).rejects.toThrow('found nLayers 1, expected 2');
    // number rows fit whatever comes after them
    await started({ what: 'numbers' }, { ...target, model: { ...target.model, nLayers: 2 } });
    await expect(started({ from: `${run}@0`, what: 'all', optimizer: 'kept' })).rejects.toThrow(
      `--init-optimizer: ${run}@0: found no optimizer state, expected one of the steps 60.`,
    );
    await expect(started({ what: 'numbers', optimizer: 'kept' })).rejects.toThrow(
      'init.optimizer (--init-optimizer): found "kept", expected reset with --init numbers',
    );
    await expect(started({ from: `${run}@all` })).rejects.toThrow('expected one checkpoint, not');
    expect(() => resolveRunConfig({ init: { what: 'numbers' } })).toThrow(
      'Name the checkpoint with --init-from.',
    );
    expect(() => resolveRunConfig({ init: { what: 'number' as never } })).toThrow('Did you mean numbers?');
    await expect(trainRun(target, { ...place(), initFrom: dir })).rejects.toThrow('starts from its seed');
  });
});
