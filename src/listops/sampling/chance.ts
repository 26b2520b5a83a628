/** Chance level: the accuracy of always answering the most frequent result, by operation and operand count. */
import type { DataConfig } from '../data-config.js';
import { resultsOf, splitInputs } from './inputs.js';
import { createOperationContext } from '../language/operations.js';
import type { OperationName } from '../language/operations.js';

/**
 * Share of the most frequent result among the operand lists of one arity; NaN when there are none. Exact up to
 * MOST_INPUTS operand lists, else on a seeded sample.
 * @param part - the lists that training may show, or those held out
 */
export function chanceLevel(
  data: DataConfig,
  operation: OperationName,
  arity: number,
  part: 'trained' | 'held' = 'trained',
): number {
  const inputs = splitInputs(data, arity)[part];
  return majorityShare(resultsOf(operation, inputs, arity, createOperationContext(data)), data.modulus);
}

/** Share of the most frequent of the values 0..modulus-1; NaN of none. */
export function majorityShare(values: Int32Array, modulus: number): number {
  const counts = new Int32Array(modulus);
  for (const value of values) counts[value]++;
  return counts.reduce((most, count) => Math.max(most, count), 0) / values.length;
}
