/** What the parent of a training child sends and receives: plain JSON on both sides of src/jobs. */
import type { RunConfig } from '../config/run-config.js';
import { RunError } from '../errors.js';
import type { Json } from '../io/json.js';
import type { TrainProgress } from './pace.js';
import type { TrainOptions, TrainOutcome } from './train-run.js';

/** Path of the child's entry for jobEntryPath. */
export const TRAIN_ENTRY = 'src/train/entry';

export interface TrainJob {
  readonly config: RunConfig;
  readonly options: Omit<TrainOptions, 'signal' | 'onProgress' | 'versions'>;
}

export interface TrainAnswer extends TrainOutcome {
  /** highest resident memory of the child */
  readonly peakRssBytes: number;
}

/** Plain data as JSON; undefined fields are left out. */
export function jsonOf(value: TrainJob | TrainAnswer | TrainProgress): Json {
  return value as unknown as Json;
}

/** @throws RunError when the job is not one of ours; its configuration is checked by the child */
export function parseTrainJob(input: Json): TrainJob {
  if (isRecord(input) && 'config' in input && isRecord(input.options) && 'root' in input.options) {
    return input as unknown as TrainJob;
  }
  throw new RunError('train job: expected config and options.');
}

/** A progress message of the child; numbers that are not finite arrive as strings. */
export function parseProgress(message: Json): TrainProgress {
  if (!isRecord(message) || !('step' in message)) throw new RunError('train child: expected progress.');
  const { lossNats, etaMs } = message;
  return { ...(message as unknown as TrainProgress), lossNats: Number(lossNats), etaMs: Number(etaMs) };
}

/** The child's result. */
export function parseAnswer(result: Json): TrainAnswer {
  if (!isRecord(result) || !('reason' in result)) throw new RunError('train child: expected an outcome.');
  return result as unknown as TrainAnswer;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
