/** One forward pass over prompts with everything that a lens reads afterwards. Browser-safe. */
import type { Batch, ForwardOptions, Intervention, Model } from '../engine/engine.js';
import { unacceptable } from '../errors.js';
import { type ActivationName, parseActivationName } from '../model/activations.js';
import { argmax, expDeterministic } from '../tensor/math.js';
import type { Prompt } from './prompt.js';

export interface RunOptions {
  /** activations to keep, such as `blocks.0.attn.pattern` */
  readonly capture?: readonly ActivationName[];
  /** changes of activations; rows count over all prompts end to end */
  readonly interventions?: readonly Intervention[];
  /**
   * `last`: of every prompt the last position alone, for many prompts of which nothing else is asked: several times as fast.
   * Each prompt has then one row; attention patterns cannot be captured so. Default `all`
   */
  readonly keep?: 'all' | 'last';
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
  /** which positions of each prompt have rows */
  readonly keep: 'all' | 'last';
}

export function runPrompts(model: Model, prompts: readonly Prompt[], options: RunOptions = {}): LensRun {
  const { capture = [], interventions = [], keep = 'all' } = options;
  if (keep === 'last') return lastOf(model, prompts, capture, interventions);
  const batch = batchOf(prompts, 'all');
  const { logits, activations } = model.forward(batch, { capture, interventions });
  return { prompts, offsets: batch.offsets, logits, activations, interventions, keep };
}

function lastOf(
  model: Model,
  prompts: readonly Prompt[],
  capture: readonly ActivationName[],
  interventions: readonly Intervention[],
): LensRun {
  for (const name of capture) {
    if (parseActivationName(model.config, name).row.layout.kind === 'rows') continue;
    throw unacceptable(
      'capture',
      name,
      "activations of one row a position; take patterns from a run without keep: 'last'",
    );
  }
  const batch = batchOf(prompts, 'last');
  const { logits, activations } = model.forward(batch, { capture, captureRows: 'targets', interventions });
  const offsets = Int32Array.from({ length: prompts.length + 1 }, (_, p) => p);
  return { prompts, offsets, logits, activations, interventions, keep: 'last' };
}

/** One pass with logits after the last position of every prompt alone. Activations are captured at every position. */
export function lastRun(
  model: Model,
  prompts: readonly Prompt[],
  options: ForwardOptions = {},
): Pick<LensRun, 'logits' | 'activations'> {
  return model.forward(batchOf(prompts, 'last'), options);
}

/** @returns [P, dVocab] what the model says comes next, after the last position of every prompt */
export function lastLogits(
  model: Model,
  prompts: readonly Prompt[],
  interventions: readonly Intervention[] = [],
): Float32Array {
  return lastRun(model, prompts, { interventions }).logits;
}

/** @returns [P + 1] where each prompt begins when they lie end to end, and their end */
export function offsetsOf(prompts: readonly Prompt[]): Int32Array {
  const offsets = new Int32Array(prompts.length + 1);
  prompts.forEach(({ tokens }, p) => (offsets[p + 1] = offsets[p] + tokens.length));
  return offsets;
}

/** Positions with logits have a target; which one it is does not change them. */
function batchOf(prompts: readonly Prompt[], withLogits: 'all' | 'last'): Batch {
  const offsets = offsetsOf(prompts);
  const n = offsets[prompts.length];
  const tokens = new Int32Array(n);
  prompts.forEach((prompt, p) => tokens.set(prompt.tokens, offsets[p]));
  const targets = new Int32Array(n);
  if (withLogits === 'last') {
    targets.fill(-1);
    for (let p = 0; p < prompts.length; p++) targets[offsets[p + 1] - 1] = 0;
  }
  return { tokens, targets, roles: new Int32Array(n).fill(-1), offsets };
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
  const { interventions, keep } = run;
  return runPrompts(model, run.prompts, { capture: names, interventions, keep }).activations;
}
