/** What the parent of a sweep's child sends and receives: plain JSON on both sides of src/jobs. */
import type { RunConfig } from '../../config/run-config.js';
import { RunError } from '../../errors.js';
import type { Json } from '../../io/json.js';
import type { EngineChoice } from '../../train/train-run.js';
import { checkResultLine, type ResultLine } from './results/result-line.js';

/** Path of the child's entry for jobEntryPath. */
export const SWEEP_ENTRY = 'src/workflows/sweep/entry';

/** Train one run, measure its end. Answered with a result line. */
export interface RunJob {
  readonly kind: 'run';
  readonly config: RunConfig;
  /** the checkpoints folder */
  readonly root: string;
  readonly engine: EngineChoice;
  readonly modules: readonly string[];
  /** name AdamW's moments at its end in the line */
  readonly moments?: boolean;
  /** name of the sweep, for sessions.jsonl: what it made it may thin out */
  readonly sweep: string;
}

/** Measure how fast this machine is. Answered with a list of UpdateCost, one a configuration. */
export interface CalibrationJob {
  readonly kind: 'calibrate';
  readonly configs: readonly RunConfig[];
  readonly engine: EngineChoice;
  /** in all */
  readonly seconds: number;
}

export interface UpdateCost {
  /** one update */
  readonly updateMs: number;
  /** one evaluation of a model that has learned nothing */
  readonly evaluateMs: number;
}

export type SweepJob = RunJob | CalibrationJob;

export const jsonOfJob = (job: SweepJob): Json => job as unknown as Json;

/** @throws RunError when a child answers with something else */
export function parseResult(answer: unknown): ResultLine {
  const found = checkResultLine(answer);
  if ('line' in found) return found.line;
  throw new RunError(`sweep child: found an answer that is no result (${found.problem}).`);
}
