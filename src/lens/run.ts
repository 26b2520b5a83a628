/** One forward pass over prompts with everything that a lens reads afterwards. Browser-safe. */
import type { Batch, Intervention, Model } from '../engine/engine.js';
import type { ActivationName } from '../model/activations.js';
import { argmax, expDeterministic } from '../tensor/math.js';
import type { Prompt } from './prompt.js';

export interface RunOptions {
  /** activations to keep, such as `blocks.0.attn.pattern` */
  readonly capture?: readonly ActivationName[];
  /** changes of activations; rows count over all prompts end to end */
  readonly interventions?: readonly Intervention[];
}

/** N tokens of P prompts end to end; row = offsets[prompt] + position. */
export interface LensRun {
  readonly prompts: readonly Prompt[];
  /** [P + 1] */
  readonly offsets: Int32Array;
  /** [N, dVocab] of every position: what the model says comes next */
  readonly logits: Float32Array;
  /** those asked for, each in its own layout */
  readonly activations: ReadonlyMap<ActivationName, Float32Array>;
  readonly interventions: readonly Intervention[];
}

export function runPrompts(model: Model, prompts: readonly Prompt[], options: RunOptions = {}): LensRun {
  const { capture = [], interventions = [] } = options;
  const batch = batchOf(prompts);
  const { logits, activations } = model.forward(batch, { capture, interventions });
  return { prompts, offsets: batch.offsets, logits, activations, interventions };
}

/** @returns [P + 1] where each prompt begins when they lie end to end, and their end */
export function offsetsOf(prompts: readonly Prompt[]): Int32Array {
  const offsets = new Int32Array(prompts.length + 1);
  prompts.forEach(({ tokens }, p) => (offsets[p + 1] = offsets[p] + tokens.length));
  return offsets;
}

/** Every position has a target, so that every position has logits; which one it is does not change them. */
function batchOf(prompts: readonly Prompt[]): Batch {
  const offsets = offsetsOf(prompts);
  const n = offsets[prompts.length];
  const tokens = new Int32Array(n);
  prompts.forEach((prompt, p) => tokens.set(prompt.tokens, offsets[p]));
  return { tokens, targets: new Int32Array(n), roles: new Int32Array(n).fill(-1), offsets };
}

/**
 * Row of a position in a run.
 * @param position - from the end where negative; default the last
 * @throws RangeError outside the prompt
 */
export function rowOf({ offsets }: Pick<LensRun, 'offsets'>, prompt = 0, position = -1): number {
  const length = offsets[prompt + 1] - offsets[prompt];
  const at = position < 0 ? length + position : position;
  if (!(at >= 0 && at < length)) {
    throw new RangeError(`position ${position}: prompt ${prompt} has ${length} tokens.`);
  }
  return offsets[prompt] + at;
}

/** @returns [dVocab] a view of one row */
export function logitsAt(run: LensRun, row: number): Float32Array {
  const width = run.logits.length / run.offsets[run.prompts.length];
  return run.logits.subarray(row * width, (row + 1) * width);
}

/** Softmax in float64. @param logits - [V] @returns [V], summing to 1 */
export function probabilitiesOf(logits: ArrayLike<number>): Float64Array {
  let most = -Infinity;
  for (let i = 0; i < logits.length; i++) most = Math.max(most, logits[i]);
  const out = Float64Array.from(logits, (x) => expDeterministic(x - most));
  const total = out.reduce((sum, x) => sum + x, 0);
  return out.map((x) => x / total);
}

/** Greedy choice; ties go to the smallest id, as in generation. */
export function largestAt(values: ArrayLike<number>, from = 0, count = values.length): number {
  return argmax(values, from, count);
}

/**
 * An activation of a run: as it was captured, or from a second pass under the same interventions.
 * @throws what the engine throws for a name that does not exist
 */
export function activationsOf(
  model: Model,
  run: LensRun,
  names: readonly ActivationName[],
): ReadonlyMap<ActivationName, Float32Array> {
  if (names.every((name) => run.activations.has(name))) return run.activations;
  return runPrompts(model, run.prompts, { capture: names, interventions: run.interventions }).activations;
}
