/** One module measures one checkpoint, and is held to its contract. In whichever process it is called. */
import type { MeasureContext, Options, Probe, ProbeSubject } from '../../../probes/contract.js';
import { loadWeightsFile, openRun } from '../../checkpoint/store.js';
import { gptConfigOf } from '../../config/names.js';
import type { Engine } from '../../engine/engine.js';
import { UserError } from '../../errors.js';
import { sha256Hex } from '../../io/sha256.js';
import { initialParameters } from '../../model/init.js';
import type { Json } from '../../report/schema.js';
import { Rng } from '../../tensor/rng.js';
import { type CheckpointRef, checkPlainJson } from './probe-plan.js';

function loadWeights({ source, config, subject }: CheckpointRef): Float32Array {
  const { parameters, weightsSha256 } =
    source.kind === 'run' ? openRun(source.dir).loadStep(subject.step) : loadWeightsFile(source.path, config);
  if (weightsSha256 !== subject.weightsSha256) {
    throw new UserError(`${subject.id} changed on disk since it was listed; start again.`);
  }
  return parameters;
}

const bytesHash = (values: Float32Array): string =>
  sha256Hex(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));

/** Between two progresses of a module that are passed on. */
export const PROGRESS_EVERY_MS = 100;

/**
 * Lets a module tell its progress as often as it likes: what comes sooner than PROGRESS_EVERY_MS after the last one is left out,
 * but for the end.
 * @param clock - monotonic milliseconds
 */
export function paced(
  progress: MeasureContext['progress'],
  clock: () => number = () => performance.now(),
): MeasureContext['progress'] {
  let last = -Infinity;
  return (done, total) => {
    const now = clock();
    if (now - last < PROGRESS_EVERY_MS && done < total) return;
    last = now;
    progress(done, total);
  };
}

/** Measures one checkpoint and checks that the module kept to its contract. */
export async function measureOne<Measurement = Json>(
  probe: Probe<Measurement>,
  options: Options,
  entry: CheckpointRef,
  engine: Engine,
  progress: MeasureContext['progress'],
): Promise<Measurement> {
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
      progress: paced(progress),
    });
    checkPlainJson(measurement, 'measurement');
    if (bytesHash(parameters) !== before)
      throw new Error(`the module ${probe.name} changed the weights it was given`);
    return measurement;
  } finally {
    model.dispose();
  }
}
