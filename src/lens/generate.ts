/** Greedy answers token by token, with the probability of each and under interventions. Browser-safe. */
import type { Intervention, Model } from '../engine/engine.js';
import { unacceptable } from '../errors.js';
import { parseActivationName } from '../model/activations.js';
import type { GptConfig } from '../model/gpt-config.js';
import type { Prompt, PromptReader } from './prompt.js';
import { largestAt, logitsAt, probabilitiesOf, rowOf, runPrompts } from './run.js';

export interface GenerateOptions {
  /**
   * the same at every step, where a full array in an activation's layout does not fit, as the sequence grows; or made for
   * each step from the number of tokens so far
   */
  readonly interventions?: readonly Intervention[] | ((length: number) => readonly Intervention[]);
  /** what is made from the number of tokens changes a row in the same way however many follow: rows are then computed once */
  readonly isByRow?: boolean;
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
  if (most <= 0) return [];
  const out: GeneratedToken[] = [];
  let isOnChain = prompt.completion !== undefined;
  /** @returns the token that comes next; undefined: the answer ends with it */
  const next = (logits: Float32Array): number | undefined => {
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
    return token === vocabulary.end || out.length >= most ? undefined : token;
  };
  const rows = model.writeOn === undefined ? undefined : byRows(model.config, prompt, options);
  if (rows !== undefined) {
    model.writeOn?.(prompt.tokens, { interventions: rows, next });
    return out;
  }
  for (let current = prompt; ;) {
    const now = typeof interventions === 'function' ? interventions(current.tokens.length) : interventions;
    const run = runPrompts(model, [current], { interventions: now });
    const token = next(logitsAt(run, rowOf(run)));
    if (token === undefined) return out;
    current = { tokens: Int32Array.from([...current.tokens, token]), words: [], kinds: [] };
  }
}

/** Numbers of the patterns of a full context that are kept ready at once: 16 MiB. Longer contexts take passes over all tokens. */
const MOST_PATTERN_NUMBERS = 2 ** 22;

/** The interventions of the longest sequence, where they change each row alone; undefined: every token takes a pass over all. */
function byRows(
  config: GptConfig,
  prompt: Prompt,
  { interventions = [], isByRow = false }: GenerateOptions,
): readonly Intervention[] | undefined {
  if (config.nHeads * config.nCtx ** 2 > MOST_PATTERN_NUMBERS) return undefined;
  if (typeof interventions === 'function' && !isByRow) return undefined;
  const all = typeof interventions === 'function' ? interventions(config.nCtx) : interventions;
  const areRows = all.every(({ at }) => parseActivationName(config, at).row.layout.kind === 'rows');
  // what a list names beyond the prompt is refused by a pass over it
  const isWithin =
    typeof interventions === 'function' ||
    all.every(({ positions }) => positions?.every((position) => position < prompt.tokens.length) ?? true);
  return areRows && isWithin ? all : undefined;
}
