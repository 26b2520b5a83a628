/**
 * Child process that measures a list of checkpoints with one probe module. Each checkpoint answers for itself: a throw,
 * a non-finite number or changed weights is one failed measurement, and the others go on.
 */
import type { MeasureContext, Options, Probe, ProbeSubject } from '../../probes/contract.js';
import { openRun } from '../checkpoint/store.js';
import { gptConfigOf } from '../config/hash.js';
import type { Engine } from '../engine/engine.js';
import { openEngine } from '../engine/registry.js';
import { errorMessage, UserError } from '../errors.js';
import { sha256Hex } from '../io/sha256.js';
import { InterruptedError, runJobEntry } from '../jobs/child.js';
import { initialParameters } from '../model/init.js';
import type { Json, Subject } from '../report/schema.js';
import { Rng } from '../tensor/rng.js';
import type { EngineChoice } from '../train/train-run.js';
import { checkPlainJson, loadProbe } from './probe-plan.js';

export interface ProbeJob {
  /** a module's name, or the path of a file that exports one as `probe` */
  readonly probe: string;
  readonly options: Options;
  readonly engine: EngineChoice;
  readonly subjects: readonly {
    readonly index: number;
    readonly runDir: string;
    readonly subject: Subject;
  }[];
}

export type ProbeMessage =
  | { readonly kind: 'progress'; readonly index: number; readonly done: number; readonly total: number }
  | { readonly kind: 'measured'; readonly index: number; readonly measurement: Json }
  | { readonly kind: 'failed'; readonly index: number; readonly reason: string };

/** Measures one checkpoint and checks that the module kept to its contract. */
async function measureOne(
  probe: Probe,
  job: ProbeJob,
  entry: ProbeJob['subjects'][number],
  engine: Engine,
  progress: MeasureContext['progress'],
): Promise<Json> {
  const store = openRun(entry.runDir);
  const { config } = store;
  const { parameters, weightsSha256 } = store.loadStep(entry.subject.step);
  if (weightsSha256 !== entry.subject.weightsSha256) {
    throw new UserError(`${entry.subject.id} changed on disk since it was listed; start again.`);
  }
  const gptConfig = gptConfigOf(config);
  const untrainedParameters = initialParameters(gptConfig, config.seed);
  const subject: ProbeSubject = { subject: entry.subject, config, parameters, untrainedParameters };
  const before = sha256Hex(new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength));
  const model = engine.createModel(gptConfig, { parameters }, 'inference');
  try {
    const measurement = await probe.measure(subject, job.options, {
      engine,
      model,
      rng: (index = 0) => new Rng(config.seed, `probe:${probe.name}`, index),
      progress,
    });
    checkPlainJson(measurement, 'measurement');
    const after = sha256Hex(new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength));
    if (after !== before) throw new Error(`the module ${probe.name} changed the weights it was given`);
    return measurement;
  } finally {
    model.dispose();
  }
}

runJobEntry(async (input, { send, signal }) => {
  const job = input as unknown as ProbeJob;
  const probe = await loadProbe(job.probe);
  const { engine } = await openEngine(job.engine, { threads: 1 });
  const tell = (message: ProbeMessage): void => send(message);
  for (const entry of job.subjects) {
    if (signal.aborted) throw new InterruptedError();
    const { index } = entry;
    try {
      tell({ kind: 'progress', index, done: 0, total: 1 });
      const measurement = await measureOne(probe, job, entry, engine, (done, total) =>
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
});
