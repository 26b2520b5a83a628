/**
 * Child process that does the work of one probe module: measures a list of checkpoints, or brings measurements together.
 * Each checkpoint answers for itself: a throw, a non-finite number or changed weights is one failed measurement, and the
 * others go on.
 */
import type { Measured, MeasureContext, Options, Probe, ProbeSubject } from '../../probes/contract.js';
import { loadWeightsFile, openRun } from '../checkpoint/store.js';
import { gptConfigOf } from '../config/hash.js';
import type { RunConfig } from '../config/run-config.js';
import type { Engine } from '../engine/engine.js';
import { openEngine } from '../engine/registry.js';
import { errorMessage, UserError } from '../errors.js';
import { sha256Hex } from '../io/sha256.js';
import { InterruptedError, type JobContext, runJobEntry } from '../jobs/child.js';
import { initialParameters } from '../model/init.js';
import type { Json, Subject } from '../report/schema.js';
import { Rng } from '../tensor/rng.js';
import type { EngineChoice } from '../train/train-run.js';
import { combineMeasurements } from './combine-measurements.js';
import { type CheckpointSource, checkPlainJson, loadProbe } from './probe-plan.js';

interface Work {
  /** a module's name, or the path of a file that exports one as `probe` */
  readonly probe: string;
  readonly options: Options;
}

export interface MeasureJob extends Work {
  readonly kind: 'measure';
  readonly engine: EngineChoice;
  readonly subjects: readonly {
    readonly index: number;
    readonly source: CheckpointSource;
    readonly config: RunConfig;
    readonly subject: Subject;
  }[];
}

/** Answered with what combined-module.ts makes of the measurements. */
export interface CombineJob extends Work {
  readonly kind: 'combine';
  readonly measured: readonly Measured<Json>[];
}

/** Answered with a list of Compatibility, one for each configuration; without any it tells whether a module loads. */
export interface CompatibleJob {
  readonly kind: 'compatible';
  /** path of the user's file */
  readonly probe: string;
  readonly configs: readonly RunConfig[];
}

export type ProbeMessage =
  | { readonly kind: 'progress'; readonly index: number; readonly done: number; readonly total: number }
  | { readonly kind: 'measured'; readonly index: number; readonly measurement: Json }
  | { readonly kind: 'failed'; readonly index: number; readonly reason: string };

function loadWeights({ source, config, subject }: MeasureJob['subjects'][number]): Float32Array {
  const { parameters, weightsSha256 } =
    source.kind === 'run' ? openRun(source.dir).loadStep(subject.step) : loadWeightsFile(source.path, config);
  if (weightsSha256 !== subject.weightsSha256) {
    throw new UserError(`${subject.id} changed on disk since it was listed; start again.`);
  }
  return parameters;
}

const bytesHash = (values: Float32Array): string =>
  sha256Hex(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));

/** Measures one checkpoint and checks that the module kept to its contract. */
async function measureOne(
  probe: Probe,
  options: Options,
  entry: MeasureJob['subjects'][number],
  engine: Engine,
  progress: MeasureContext['progress'],
): Promise<Json> {
  const { config } = entry;
  const parameters = loadWeights(entry);
  const gptConfig = gptConfigOf(config);
  const untrainedParameters = initialParameters(gptConfig, config.seed);
  const subject: ProbeSubject = { subject: entry.subject, config, parameters, untrainedParameters };
  const before = bytesHash(parameters);
  const model = engine.createModel(gptConfig, { parameters }, 'inference');
  try {
    const measurement = await probe.measure(subject, options, {
      engine,
      model,
      rng: (index = 0) => new Rng(config.seed, `probe:${probe.name}`, index),
      progress,
    });
    checkPlainJson(measurement, 'measurement');
    if (bytesHash(parameters) !== before)
      throw new Error(`the module ${probe.name} changed the weights it was given`);
    return measurement;
  } finally {
    model.dispose();
  }
}

async function measureAll(job: MeasureJob, context: JobContext): Promise<Json> {
  const probe = await loadProbe(job.probe);
  const { engine } = await openEngine(job.engine, { threads: 1 });
  const tell = (message: ProbeMessage): void => context.send(message);
  for (const entry of job.subjects) {
    if (context.signal.aborted) throw new InterruptedError();
    const { index } = entry;
    try {
      tell({ kind: 'progress', index, done: 0, total: 1 });
      const measurement = await measureOne(probe, job.options, entry, engine, (done, total) =>
        tell({ kind: 'progress', index, done, total }),
      );
      tell({ kind: 'measured', index, measurement });
    } catch (error) {
      tell({ kind: 'failed', index, reason: errorMessage(error) });
    }
    // lets a signal be seen between checkpoints
    await new Promise((done) => setImmediate(done));
  }
  engine.dispose();
  return null;
}

async function combineAll({ probe: name, options, measured }: CombineJob): Promise<Json> {
  const probe = await loadProbe(name);
  // the parent checks the shape
  return combineMeasurements(probe, options, measured) as unknown as Json;
}

async function answerCompatible({ probe: path, configs }: CompatibleJob): Promise<Json> {
  const probe = await loadProbe(path);
  return configs.map((config) => {
    try {
      return { answer: probe.isCompatible?.(config) ?? true };
    } catch (error) {
      return { failed: errorMessage(error) };
    }
  });
}

runJobEntry((input, context) => {
  const job = input as unknown as MeasureJob | CombineJob | CompatibleJob;
  switch (job.kind) {
    case 'measure':
      return measureAll(job, context);
    case 'combine':
      return combineAll(job);
    case 'compatible':
      return answerCompatible(job);
  }
});
