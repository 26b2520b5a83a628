import { describe, expect, it } from 'vitest';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { RunConfig } from '../../src/config/run-config.js';
import type { TrainingState } from '../../src/engine/engine.js';
import { toJsonLine } from '../../src/io/json.js';
import { createGenerator } from '../../src/listops/sampling/generate.js';
import { Rng } from '../../src/tensor/rng.js';
import type { EvalRow, MetricRow, WindowState } from '../../src/train/metrics.js';
import { Pace } from '../../src/train/pace.js';
import { type LoopEnd, type LoopOptions, trainLoop } from '../../src/train/trainer.js';
import { ToyModel } from './toy-model.js';

const config = resolveRunConfig({
  training: { steps: 230, batchSize: 4, evaluateEvery: 60 },
  optimizer: { warmupSteps: 10, learningRate: 1e-3 },
});

/** A disk in memory: what a resumed run finds. */
class Disk {
  rows: MetricRow[] = [];
  readonly steps = new Map<number, Float32Array>();
  resume: { state: TrainingState; window: WindowState } | undefined;
}

interface SessionOptions {
  readonly config?: RunConfig;
  readonly model?: ToyModel;
  /** stop when this many updates are done */
  readonly stopAt?: number;
  /** forget everything since the last resume point, as SIGKILL does */
  readonly kill?: boolean;
  readonly accuracy?: (step: number) => number;
  /** stop inside the evaluation of this step */
  readonly stopInEvaluation?: number;
  readonly resumeEvery?: number;
}

/** One session on a disk, as train-run.ts does it. */
async function session(disk: Disk, options: SessionOptions = {}): Promise<LoopEnd> {
  const run = options.config ?? config;
  const model = options.model ?? new ToyModel();
  const stop = new AbortController();
  const step = disk.resume?.state.step ?? 0;
  disk.rows = disk.rows.filter((row) => row.step <= step);
  if (disk.resume !== undefined) model.setState(disk.resume.state);
  const generator = createGenerator(run.data, run.seed);
  let clock = 0;
  const pace = new Pace({
    steps: run.training.steps,
    startStep: step,
    resumeEveryMs: options.resumeEvery ?? Infinity,
    // time counts updates
    clock: () => clock,
  });
  const evaluate: LoopOptions['evaluate'] = async (at, pause) => {
    if (options.stopInEvaluation === at) stop.abort();
    await pause();
    return evaluationAt(at, model, options.accuracy?.(at) ?? 0.5);
  };
  return trainLoop({
    config: run,
    model,
    batch: (t) => {
      clock++;
      if (t + 1 === options.stopAt) stop.abort();
      return generator.batch(t, run.training.batchSize);
    },
    evaluate,
    log: {
      metrics: (row) => disk.rows.push(row),
      timing: () => undefined,
      publishStep: (at) => {
        const parameters = model.getParameters();
        const present = disk.steps.get(at);
        if (present !== undefined) expect(parameters).toEqual(present);
        disk.steps.set(at, parameters);
      },
      publishResume: (at, window) => {
        if (options.kill === true && stop.signal.aborted) return;
        const state = model.getState();
        expect(state.step).toBe(at);
        disk.resume = { state, window: JSON.parse(JSON.stringify(window)) as WindowState };
      },
    },
    pace,
    start: {
      step,
      window: disk.resume?.window,
      evaluations: disk.rows.filter((row): row is EvalRow => row.kind === 'eval'),
    },
    signal: stop.signal,
  });
}

/** Depends on the parameters, so that a wrong resume shows. */
function evaluationAt(step: number, model: ToyModel, accuracy: number): EvalRow {
  return {
    kind: 'eval',
    step,
    cells: [
      {
        operation: 'SUM',
        arity: 2,
        held: false,
        enumerated: true,
        total: 100,
        multisets: 55,
        correct: Math.round(100 * accuracy),
        exact: 0,
        lossNats: model.parameters[0],
        divisors: {},
      },
    ],
  };
}

const bytes = (disk: Disk): string => disk.rows.map(toJsonLine).join('');

describe('trainLoop', () => {
  it('writes rows at update 1, every 50 and the last, evaluates on schedule, keeps the scheduled steps', async () => {
    const disk = new Disk();
    const end = await session(disk);
    expect(end).toEqual({ reason: 'budget', step: 230 });
    const stepsOf = (kind: string): number[] =>
      disk.rows.filter((row) => row.kind === kind).map((row) => row.step);
    expect(stepsOf('train')).toEqual([1, 50, 100, 150, 200, 230]);
    expect(stepsOf('eval')).toEqual([60, 120, 180, 230]);
    expect([...disk.steps.keys()]).toEqual([0, 64, 230]);
    expect(disk.steps.get(0)).toEqual(new ToyModel().parameters);
    expect(disk.resume?.state.step).toBe(230);
  });

  it('ends in the same rows and parameters after any chain of interruptions and kills', async () => {
    const whole = new Disk();
    await session(whole);
    for (let trial = 0; trial < 25; trial++) {
      const rng = new Rng(trial, 'interruptions');
      const disk = new Disk();
      let sessions = 0;
      let end: LoopEnd | undefined;
      while (end?.reason !== 'budget') {
        const from = disk.resume?.state.step ?? 0;
        end = await session(disk, {
          stopAt: from + 1 + rng.below(90),
          kill: rng.below(2) === 0,
          resumeEvery: 20,
        });
        expect(++sessions).toBeLessThan(200);
      }
      expect(bytes(disk)).toBe(bytes(whole));
      expect(disk.resume?.state).toEqual(whole.resume?.state);
      expect([...disk.steps.entries()].sort(([a], [b]) => a - b)).toEqual([...whole.steps.entries()]);
    }
  });

  it('repeats an evaluation that was interrupted, once, and writes its row at its place', async () => {
    const whole = new Disk();
    await session(whole);
    const disk = new Disk();
    expect(await session(disk, { stopInEvaluation: 120 })).toEqual({ reason: 'interrupted', step: 120 });
    expect(disk.resume?.state.step).toBe(120);
    expect(await session(disk, { stopInEvaluation: 230 })).toEqual({ reason: 'interrupted', step: 230 });
    expect(await session(disk)).toEqual({ reason: 'budget', step: 230 });
    expect(bytes(disk)).toBe(bytes(whole));
  });

  it('stops at a number that is not finite before it is applied, and says NaN', async () => {
    const disk = new Disk();
    await session(disk, { stopAt: 100 });
    const before = disk.resume;
    const model = new ToyModel();
    const setState = model.setState.bind(model);
    model.setState = (state) => {
      setState(state);
      model.parameters[3] = NaN;
    };
    const end = await session(disk, { model });
    expect(end).toEqual({ reason: 'diverged', step: 100, divergence: { quantity: 'loss', value: NaN } });
    expect(disk.resume).toBe(before);
    expect([...disk.steps.keys()]).toEqual([0, 64]);
    const last = disk.rows.at(-1);
    expect(last).toEqual({ kind: 'diverged', step: 101, quantity: 'loss', value: 'NaN' });
    expect(bytes(disk)).not.toContain('null');
  });

  it.each([64, config.training.steps])('publishes nothing when update %i itself overflows', async (at) => {
    const disk = new Disk();
    const model = new ToyModel();
    const trainStep = model.trainStep.bind(model);
    let updates = 0;
    model.trainStep = (batch, options) => {
      const result = trainStep(batch, options);
      if (++updates === at) model.parameters[2] = Infinity;
      return result;
    };
    const end = await session(disk, { model });
    expect(end.reason).toBe('diverged');
    expect(disk.rows.at(-1)?.kind).toBe('diverged');
    expect([...disk.steps.keys()]).not.toContain(at);
    for (const parameters of disk.steps.values()) expect(parameters.every(Number.isFinite)).toBe(true);
    expect(disk.resume?.state.step).not.toBe(at);
  });

  it('finds the divergence of a learning rate of 1e6', async () => {
    const hot = resolveRunConfig({
      training: config.training,
      optimizer: { warmupSteps: 0, learningRate: 1e6 },
    });
    const disk = new Disk();
    const end = await session(disk, { config: hot });
    expect(end.reason).toBe('diverged');
    for (const parameters of disk.steps.values()) expect(parameters.every(Number.isFinite)).toBe(true);
  });

  it('ends after two perfect evaluations under the stop rule solved, and not under budget', async () => {
    const accuracy = (step: number): number => (step >= 120 ? 1 : 0.99);
    const training = { ...config.training, stop: 'solved' as const };
    const disk = new Disk();
    const end = await session(disk, { accuracy, config: resolveRunConfig({ training }) });
    expect(end).toEqual({ reason: 'solved', step: 180 });
    expect([...disk.steps.keys()]).toEqual([0, 64, 180]);
    expect((await session(new Disk(), { accuracy })).reason).toBe('budget');
  });
});

describe('Pace', () => {
  it('lets other events in at least every 50 ms of work, and not at every update', async () => {
    let now = 0;
    const pace = new Pace({ steps: 10, startStep: 0, clock: () => now });
    let turns = 0;
    let next = setImmediate(function turn() {
      turns++;
      next = setImmediate(turn);
    });
    for (let update = 0; update < 150; update++) {
      now += 2;
      await pace.breathe();
    }
    clearImmediate(next);
    // 300 ms of work by the clock that was passed in: nothing here depends on how busy the machine is
    expect(turns).toBeGreaterThanOrEqual(6);
    expect(turns).toBeLessThan(30);
  });

  it('knows rate and time left from the updates of this session alone', () => {
    let now = 0;
    const pace = new Pace({ steps: 100, startStep: 40, clock: () => now });
    for (let step = 41; step <= 50; step++) {
      now += 100;
      pace.update(step, 50, 1);
    }
    expect(pace.progress()).toMatchObject({ step: 50, steps: 100, tokensPerSecond: 500, etaMs: 5000 });
  });
});
