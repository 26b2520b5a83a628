/** Asks a model for results: operands in, answers out. One forward pass a chunk of prompts. */
import type { MultisetAnswers } from '../../src/analysis/memorization-index.js';
import type { Model } from '../../src/engine/engine.js';
import type { DataConfig } from '../../src/listops/data-config.js';
import { answersAt } from '../../src/lens/answers.js';
import { RESULT } from '../../src/listops/language/expression.js';
import type { OperandMultiset } from '../../src/listops/sampling/multisets.js';
import type { OperationContext, OperationName } from '../../src/listops/language/operations.js';
import { resultBatch } from '../../src/listops/prompts/result-prompts.js';
import type { AnnotatedBatch } from '../../src/listops/language/sequence.js';
import { type Vocabulary, vocabularyOf } from '../../src/listops/language/tokenizer.js';
import { expDeterministic } from '../../src/tensor/math.js';

/** Prompts of one forward pass. */
const CHUNK = 2048;

export interface Asker {
  readonly model: Model;
  readonly data: DataConfig;
  readonly context: OperationContext;
}

/** The answers to some operand lists, in their order. */
export interface Answers {
  /** [lists] the number answered, -1: a token that is no number */
  readonly answers: Int32Array;
  readonly results: Int32Array;
  readonly lossNats: Float64Array;
}

/** @param lists - operand lists of one length */
export function askResults(
  { model, data, context }: Asker,
  operation: OperationName,
  lists: readonly (readonly number[])[],
): Answers {
  const answers = new Int32Array(lists.length);
  const results = new Int32Array(lists.length);
  const lossNats = new Float64Array(lists.length);
  const vocabulary = vocabularyOf(data);
  for (let from = 0; from < lists.length; from += CHUNK) {
    const part = lists.slice(from, from + CHUNK);
    const asked = resultBatch(operation, part, { data, context });
    const said = answersAt(model, asked.batch);
    answers.set(
      said.tokens.map((token) => vocabulary.numberOf(token) ?? -1),
      from,
    );
    results.set(asked.results, from);
    lossNats.set(said.lossNats, from);
  }
  return { answers, results, lossNats };
}

/** Answers to every order of some multisets, with the mean loss of each multiset. */
export interface AskedMultiset extends MultisetAnswers {
  readonly multiset: OperandMultiset;
  /** [orders] */
  readonly lossNats: ArrayLike<number>;
}

export function askMultisets(
  asker: Asker,
  operation: OperationName,
  multisets: readonly OperandMultiset[],
): AskedMultiset[] {
  const { answers, results, lossNats } = askResults(
    asker,
    operation,
    multisets.flatMap(({ orders }) => orders),
  );
  let at = 0;
  return multisets.map((multiset) => {
    const from = at;
    at += multiset.orders.length;
    return {
      multiset,
      operands: multiset.operands,
      answers: answers.subarray(from, at),
      results: results.subarray(from, at),
      lossNats: lossNats.subarray(from, at),
    };
  });
}

/**
 * Scores whole chains with the true chain before every token. The first wrong token of a free-running answer is the same
 * as here, so `exact` is that of greedy generation. Chance is the best fixed answer to each operation and operand count.
 */
export function scoreChains(
  model: Model,
  batch: AnnotatedBatch,
  vocabulary: Vocabulary,
): { accuracy: number; exact: number; noNumber: number; chance: number } {
  const { tokens } = answersAt(model, batch);
  const chains = batch.offsets.length - 1;
  const tally = { right: 0, total: 0, exact: 0, noNumber: 0 };
  // by operation and operand count: how often each token is the result
  const results = new Map<string, Map<number, number>>();
  let k = 0;
  for (let s = 0; s < chains; s++) {
    let exact = 1;
    for (let t = batch.offsets[s]; t < batch.offsets[s + 1]; t++) {
      if (batch.targets[t] < 0) continue;
      const answer = tokens[k++];
      const isRight = answer === batch.targets[t] ? 1 : 0;
      exact &= isRight;
      if (batch.roles[t] !== RESULT) continue;
      if (vocabulary.numberOf(answer) === undefined) tally.noNumber++;
      tally.right += isRight;
      tally.total++;
      const group = `${batch.operations[t]} ${batch.arities[t]}`;
      const counts = results.get(group) ?? new Map<number, number>();
      counts.set(batch.targets[t], (counts.get(batch.targets[t]) ?? 0) + 1);
      results.set(group, counts);
    }
    tally.exact += exact;
  }
  return {
    accuracy: tally.right / tally.total,
    exact: tally.exact / chains,
    noNumber: tally.noNumber / tally.total,
    chance:
      [...results.values()].reduce((sum, counts) => sum + Math.max(...counts.values()), 0) / tally.total,
  };
}

/** Probability of the right answer from its loss. */
export function probabilityOf(lossNats: number): number {
  return expDeterministic(-lossNats);
}
