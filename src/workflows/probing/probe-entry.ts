/**
 * Child process that does the work of probe modules: measures a list of checkpoints, or brings one module's together.
 * Each checkpoint answers for itself: a throw, a non-finite number or changed weights is one failed measurement, and the
 * others go on.
 */
import type { Measured, Options } from '../../../probes/contract.js';
import type { RunConfig } from '../../config/run-config.js';
import { openEngine } from '../../engine/registry.js';
import { errorMessage, printable } from '../../errors.js';
import { InterruptedError, type JobContext, runJobEntry } from '../../jobs/child.js';
import type { Json, Subject } from '../../report/schema.js';
import type { EngineChoice } from '../../train/train-run.js';
import { combineMeasurements } from './combine-measurements.js';
import { measureOne } from './measure-one.js';
import { type CheckpointSource, loadProbe } from './probe-plan.js';

interface Work {
  /** a module's name, or the path of a file that exports one as `probe` */
  readonly probe: string;
  readonly options: Options;
}

export interface MeasureJob {
  readonly kind: 'measure';
  readonly engine: EngineChoice;
  readonly modules: readonly Work[];
  readonly tasks: readonly {
    readonly index: number;
    /** index of the module */
    readonly module: number;
    readonly source: CheckpointSource;
    readonly config: RunConfig;
    readonly subject: Subject;
  }[];
}

/** Answered with what combine-measurements.ts makes of the measurements. */
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

async function measureAll(job: MeasureJob, context: JobContext): Promise<Json> {
  const { engine } = await openEngine(job.engine, { threads: 1 });
  const tell = (message: ProbeMessage): void => context.send(message);
  for (const entry of job.tasks) {
    if (context.signal.aborted) throw new InterruptedError();
    const { index } = entry;
    const { probe: name, options } = job.modules[entry.module];
    try {
      tell({ kind: 'progress', index, done: 0, total: 1 });
      const progress = (done: number, total: number): void => tell({ kind: 'progress', index, done, total });
      const measurement = await measureOne(await loadProbe(name), options, entry, engine, progress);
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
      return compatibilityOf(probe.isCompatible === undefined ? true : probe.isCompatible(config));
    } catch (error) {
      return { failed: errorMessage(error) };
    }
  });
}

/** What a module of the user's answers is not known to the compiler: JavaScript gives `false` where a reason is meant. */
function compatibilityOf(answer: unknown): Json {
  if (answer === true || (typeof answer === 'string' && answer.trim() !== '')) return { answer };
  const found = typeof answer === 'string' ? 'an empty sentence' : printable(String(answer), 60);
  return {
    failed: `isCompatible returned ${found}, expected true, or a sentence that says why it does not apply`,
  };
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
