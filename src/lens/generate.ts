/** Greedy answers token by token, with the probability of each and under interventions. Browser-safe. */
import type { Intervention, Model } from '../engine/engine.js';
import { unacceptable } from '../errors.js';
import type { Prompt, PromptReader } from './prompt.js';
import { largestAt, logitsAt, probabilitiesOf, rowOf, runPrompts } from './run.js';

export interface GenerateOptions {
  /**
   * the same at every step, where a full array in an activation's layout does not fit, as the sequence grows; or made for
   * each step from the number of tokens so far
   */
  readonly interventions?: readonly Intervention[] | ((length: number) => readonly Intervention[]);
  /** default: until `e` or the end of the context */
  readonly maxNewTokens?: number;
}

export interface GeneratedToken {
  readonly token: number;
  readonly word: string;
  /** of the token chosen */
  readonly probability: number;
  /** [dVocab] of every token */
  readonly probabilities: Float64Array;
  /** what a right answer has here; absent where the chain is not known or has been left */
  readonly expected?: number;
}

export function generateAnswer(
  model: Model,
  reader: PromptReader,
  prompt: Prompt,
  options: GenerateOptions = {},
): GeneratedToken[] {
  const { interventions = [] } = options;
  const { vocabulary } = reader;
  const most = Math.min(options.maxNewTokens ?? Infinity, model.config.nCtx - prompt.tokens.length);
  for (const { at, value } of typeof interventions === 'function' ? [] : interventions) {
    if (typeof value === 'number' || value.length <= Math.max(model.config.dModel, model.config.dMlp))
      continue;
    throw unacceptable(
      `intervention at ${at}`,
      `${value.length} values`,
      'a number or one row: the sequence grows as it is generated',
    );
  }
  const out: GeneratedToken[] = [];
  let current = prompt;
  let isOnChain = prompt.completion !== undefined;
  while (out.length < most) {
    const now = typeof interventions === 'function' ? interventions(current.tokens.length) : interventions;
    const run = runPrompts(model, [current], { interventions: now });
    const logits = logitsAt(run, rowOf(run));
    const token = largestAt(logits);
    const probabilities = probabilitiesOf(logits);
    const expected = isOnChain ? prompt.completion?.[out.length] : undefined;
    out.push({
      token,
      word: vocabulary.tokens[token],
      probability: probabilities[token],
      probabilities,
      ...(expected === undefined ? {} : { expected }),
    });
    if (token !== expected) isOnChain = false;
    if (token === vocabulary.end) break;
    current = { tokens: Int32Array.from([...current.tokens, token]), words: [], kinds: [] };
  }
  return out;
}
