/** Greedy decoding of many prompts at once. Everything is computed again for each token: slow, and no second attention. */
import { nanLogits } from '../kernels/context.js';
import { checkPrompts, type GenerateOptions } from '../kernels/prompts.js';
import { attendWithin, type ForwardModel, residualStream, unembed } from './forward.js';
import { gatherRows } from './operations.js';
import { planAttention, positionsOf } from './plan.js';

/** Prompts decoded together: bounds the memory. */
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
  /** the prompt and what was made of it */
  readonly tokens: number[];
}

function decodeGroup(
  model: ForwardModel,
  prompts: readonly Int32Array[],
  firstPrompt: number,
  { maxNewTokens, stopToken }: GenerateOptions,
): Int32Array[] {
  const { dVocab, nCtx } = model.config;
  const sequences = prompts.map((prompt, i): Sequence => ({ prompt: firstPrompt + i, tokens: [...prompt] }));
  const nMade = ({ prompt, tokens }: Sequence): number =>
    tokens.length - prompts[prompt - firstPrompt].length;
  const mayGrow = (sequence: Sequence): boolean =>
    nMade(sequence) < maxNewTokens &&
    sequence.tokens.length < nCtx &&
    (stopToken === undefined || nMade(sequence) === 0 || sequence.tokens.at(-1) !== stopToken);
  for (let active = sequences.filter(mayGrow); active.length > 0; active = active.filter(mayGrow)) {
    const logits = model.tf.tidy(() => nextLogits(model, active));
    active.forEach(({ prompt, tokens }, i) => {
      const token = greatest(logits.subarray(i * dVocab, (i + 1) * dVocab));
      if (token === undefined) throw nanLogits(prompt);
      tokens.push(token);
    });
  }
  return sequences.map(({ tokens }, i) => Int32Array.from(tokens.slice(prompts[i].length)));
}

/** @returns [active, V] logits after the last token of each */
function nextLogits(model: ForwardModel, active: readonly Sequence[]): Float32Array {
  const offsets = new Int32Array(active.length + 1);
  active.forEach((sequence, s) => (offsets[s + 1] = offsets[s] + sequence.tokens.length));
  const tokens = Int32Array.from(active.flatMap((sequence) => sequence.tokens));
  const positions = positionsOf({ tokens, offsets });
  const plan = planAttention(offsets, model.config.nHeads);
  const hidden = residualStream(model, { tokens, positions }, attendWithin(model, plan));
  const last = offsets.slice(1).map((end) => end - 1);
  return unembed(model, gatherRows(model.tf, hidden, last))
    .dataSync()
    .slice();
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
