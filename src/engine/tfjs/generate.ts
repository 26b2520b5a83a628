/** Greedy decoding of many prompts at once, with a key/value cache kept outside TensorFlow.js. */
import { nanLogits } from '../kernels/context.js';
import { checkPrompts, type GenerateOptions } from '../kernels/prompts.js';
import {
  type Attend,
  createMask,
  type ForwardModel,
  joinGroups,
  residualStream,
  scoresOf,
  splitGroups,
  unembed,
} from './forward.js';
import { gatherRows } from './operations.js';
import { type AttentionPlan, type LengthGroup, planAttention } from './plan.js';
import type { Tensor } from './tensorflow.js';

/** Prompts decoded together: bounds the cache. */
const GROUP = 256;

/** @returns the new tokens of each prompt; see Model.generate */
export function generateGreedy(
  model: ForwardModel,
  prompts: readonly Int32Array[],
  options: GenerateOptions,
): Int32Array[] {
  checkPrompts(model.config, prompts, options);
  const results: Int32Array[] = [];
  for (let at = 0; at < prompts.length; at += GROUP) {
    results.push(...decodeGroup(model, prompts.slice(at, at + GROUP), at, options));
  }
  return results;
}

interface Sequence {
  readonly prompt: number;
  /** tokens whose keys and values are not in the cache yet */
  pending: Int32Array;
  cached: number;
  readonly made: number[];
  /** for each layer [capacity, C] */
  readonly keys: readonly Float32Array[];
  readonly values: readonly Float32Array[];
}

function decodeGroup(
  model: ForwardModel,
  prompts: readonly Int32Array[],
  firstPrompt: number,
  { maxNewTokens, stopToken }: GenerateOptions,
): Int32Array[] {
  const { tf, config } = model;
  const sequences = prompts.map((prompt, index): Sequence => {
    const capacity = Math.min(config.nCtx, prompt.length + maxNewTokens);
    const cache = (): Float32Array[] =>
      Array.from({ length: config.nLayers }, () => new Float32Array(capacity * config.dModel));
    return {
      prompt: firstPrompt + index,
      pending: prompt,
      cached: 0,
      made: [],
      keys: cache(),
      values: cache(),
    };
  });
  const mayGrow = (sequence: Sequence): boolean =>
    sequence.made.length < maxNewTokens &&
    sequence.cached + sequence.pending.length < config.nCtx &&
    (stopToken === undefined || sequence.made.at(-1) !== stopToken);
  let active = sequences.filter(mayGrow);
  while (active.length > 0) {
    const logits = tf.tidy(() => nextLogits(model, active));
    active.forEach((sequence, index) => {
      const token = greatest(logits.subarray(index * config.dVocab, (index + 1) * config.dVocab));
      if (token === undefined) throw nanLogits(sequence.prompt);
      sequence.cached += sequence.pending.length;
      sequence.pending = Int32Array.of(token);
      sequence.made.push(token);
    });
    active = active.filter(mayGrow);
  }
  return sequences.map((sequence) => Int32Array.from(sequence.made));
}

/** @returns [active, V] logits after the last pending token of each; the cache gets the pending ones */
function nextLogits(model: ForwardModel, active: readonly Sequence[]): Float32Array {
  const { tf, config } = model;
  const offsets = new Int32Array(active.length + 1);
  active.forEach(({ pending }, s) => (offsets[s + 1] = offsets[s] + pending.length));
  const tokens = new Int32Array(offsets[active.length]);
  const positions = new Int32Array(tokens.length);
  active.forEach(({ pending, cached }, s) => {
    tokens.set(pending, offsets[s]);
    pending.forEach((_, t) => (positions[offsets[s] + t] = cached + t));
  });
  const plan = planAttention(
    offsets,
    config.nHeads,
    active.map(({ cached }) => cached),
  );
  const hidden = residualStream(model, { tokens, positions }, attendToCache(model, plan, active, offsets));
  const last = offsets.slice(1).map((end) => end - 1);
  return unembed(model, gatherRows(tf, hidden, last))
    .dataSync()
    .slice();
}

/** Attention of the pending rows to everything before them. */
function attendToCache(
  model: ForwardModel,
  plan: AttentionPlan,
  active: readonly Sequence[],
  offsets: Int32Array,
): Attend {
  const { tf, config } = model;
  const { dModel, nHeads } = config;
  const masks = plan.groups.map(({ sequences, length, before }) =>
    createMask(tf, sequences.length * nHeads, length, before),
  );
  const store = (rows: Float32Array, cacheOf: (sequence: Sequence) => Float32Array): void =>
    active.forEach((sequence, s) =>
      cacheOf(sequence).set(
        rows.subarray(offsets[s] * dModel, offsets[s + 1] * dModel),
        sequence.cached * dModel,
      ),
    );
  return (layer, q, k, v) => {
    store(k.dataSync(), ({ keys }) => keys[layer]);
    store(v.dataSync(), ({ values }) => values[layer]);
    const parts = splitGroups(model, plan, q).map((queries, g) => {
      const group = plan.groups[g];
      const keys = headRows(model, group, (s) => active[s].keys[layer]);
      const values = headRows(model, group, (s) => active[s].values[layer]);
      return tf.matMul(tf.softmax(scoresOf(model, queries, keys, masks[g])), values);
    });
    return joinGroups(model, plan, parts);
  };
}

/** @returns [sequences nHeads, before + T, dHead] from caches [capacity, C] */
function headRows(
  { tf, config }: ForwardModel,
  { sequences, length, before }: LengthGroup,
  cacheOf: (s: number) => Float32Array,
): Tensor {
  const { dModel, nHeads } = config;
  const dHead = dModel / nHeads;
  const T = before + length;
  const out = new Float32Array(sequences.length * nHeads * T * dHead);
  let at = 0;
  for (const s of sequences) {
    const cache = cacheOf(s);
    for (let head = 0; head < nHeads; head++) {
      for (let t = 0; t < T; t++) {
        for (let d = 0; d < dHead; d++) out[at++] = cache[t * dModel + head * dHead + d];
      }
    }
  }
  return tf.tensor(out, [sequences.length * nHeads, T, dHead]);
}

/** Index of the greatest; ties go to the smallest. Undefined where one is NaN. */
function greatest(logits: Float32Array): number | undefined {
  let best = 0;
  for (let i = 0; i < logits.length; i++) {
    if (Number.isNaN(logits[i])) return undefined;
    if (logits[i] > logits[best]) best = i;
  }
  return best;
}
