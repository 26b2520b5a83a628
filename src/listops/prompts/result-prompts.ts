/**
 * Batches that ask for one number: an operation on numbers, with the result as the only target. In both formats the
 * result of such a prompt is the first token after `>` or `=`, so one forward pass is the greedy answer.
 */
import type { DataConfig } from '../data-config.js';
import { RESULT } from '../language/expression.js';
import { type OperationContext, type OperationName, operationRow } from '../language/operations.js';
import type { TokenBatch } from '../language/sequence.js';
import { vocabularyOf } from '../language/tokenizer.js';

/** `s`, the brackets, the operation and `>` or `=` */
const TOKENS_BESIDE_OPERANDS = 5;

/** Input tokens of a prompt of so many operands; the result is predicted at the last of them. */
export function promptTokens(arity: number): number {
  return arity + TOKENS_BESIDE_OPERANDS;
}

export interface ResultBatch {
  readonly batch: TokenBatch;
  /** [prompts] the true results */
  readonly results: Int32Array;
}

/**
 * @param lists - operands of each prompt; all of one length
 * @param context - tables and rules of the run's data
 */
export function resultBatch(
  operation: OperationName,
  lists: readonly (readonly number[])[],
  {
    data,
    context,
  }: {
    readonly data: Pick<DataConfig, 'modulus' | 'format' | 'notation'>;
    readonly context: OperationContext;
  },
): ResultBatch {
  const { evaluate } = operationRow(operation);
  const vocabulary = vocabularyOf(data);
  const { start, open, close, arrow, equals, firstNumber } = vocabulary;
  const token = vocabulary.operationToken(operation);
  const head = vocabulary.notation === 'authors' ? [start, token, open] : [start, open, token];
  const ask = data.format === 'steps' ? arrow : equals;
  const size = promptTokens(lists.at(0)?.length ?? 0);
  const batch = {
    tokens: new Int32Array(lists.length * size),
    targets: new Int32Array(lists.length * size).fill(-1),
    roles: new Int32Array(lists.length * size).fill(-1),
    offsets: Int32Array.from({ length: lists.length + 1 }, (_, s) => s * size),
  };
  const results = new Int32Array(lists.length);
  lists.forEach((operands, s) => {
    let at = s * size;
    for (const id of head) batch.tokens[at++] = id;
    for (const operand of operands) batch.tokens[at++] = firstNumber + operand;
    batch.tokens[at++] = close;
    batch.tokens[at] = ask;
    results[s] = evaluate(operands, context);
    batch.targets[at] = firstNumber + results[s];
    batch.roles[at] = RESULT;
  });
  return { batch, results };
}
