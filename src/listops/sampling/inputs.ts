/**
 * All operand lists of an operation on numbers, split into those training may show and those held out, and their
 * results. What is counted on them is statistics.ts and chance.ts.
 */
import { Rng } from '../../tensor/rng.js';
import type { DataConfig } from '../data-config.js';
import { operationRow } from '../language/operations.js';
import type { OperationContext, OperationName } from '../language/operations.js';
import { createHoldout } from './regimes.js';

/** Up to this many operand lists are enumerated, beyond it this many are drawn. */
export const MOST_INPUTS = 300_000;

export interface SplitInputs {
  readonly arity: number;
  /** enumerated; otherwise a seeded sample */
  readonly exact: boolean;
  /** [nTrained, arity] */
  readonly trained: Int32Array;
  /** [nHeld, arity] */
  readonly held: Int32Array;
}

/** Arities of the data, ascending. */
export function aritiesOf({ operands: [fewest, most] }: Pick<DataConfig, 'operands'>): number[] {
  return Array.from({ length: most - fewest + 1 }, (_, i) => fewest + i);
}

/** @returns [modulus^arity, arity] all ordered operand lists, the last operand the fastest */
export function enumerateInputs(arity: number, modulus: number): Int32Array {
  const count = modulus ** arity;
  if (count > MOST_INPUTS) {
    throw new RangeError(`${modulus}^${arity} operand lists are more than ${MOST_INPUTS}`);
  }
  const inputs = new Int32Array(count * arity);
  for (let index = 0; index < count; index++) {
    let rest = index;
    for (let i = arity - 1; i >= 0; i--) {
      inputs[index * arity + i] = rest % modulus;
      rest = Math.floor(rest / modulus);
    }
  }
  return inputs;
}

/** The operand lists of one arity by the hold-out of the data; the same for every operation. */
export function splitInputs(data: DataConfig, arity: number): SplitInputs {
  const { modulus } = data;
  const exact = modulus ** arity <= MOST_INPUTS;
  const inputs = exact ? enumerateInputs(arity, modulus) : sampleInputs(arity, modulus);
  const holdout = createHoldout(data);
  const trained: number[] = [];
  const held: number[] = [];
  for (let at = 0; at < inputs.length; at += arity) {
    const operands = inputs.subarray(at, at + arity);
    const part = holdout.isHeldOut(operands) ? held : trained;
    for (const operand of operands) part.push(operand);
  }
  return { arity, exact, trained: Int32Array.from(trained), held: Int32Array.from(held) };
}

/** The split of every arity of the data: what is trained and what is held out at depth 1. */
export function heldOutInputs(data: DataConfig): SplitInputs[] {
  return aritiesOf(data).map((arity) => splitInputs(data, arity));
}

function sampleInputs(arity: number, modulus: number): Int32Array {
  const rng = new Rng(0, 'evaluation:inputs', modulus * 64 + arity);
  return Int32Array.from({ length: MOST_INPUTS * arity }, () => rng.below(modulus));
}

/**
 * @param inputs - [count, arity]
 * @returns [count]
 */
export function resultsOf(
  operation: OperationName,
  inputs: Int32Array,
  arity: number,
  context: OperationContext,
): Int32Array {
  const { evaluate } = operationRow(operation);
  const args: number[] = [];
  return Int32Array.from({ length: inputs.length / arity }, (_, row) => {
    for (let i = 0; i < arity; i++) args[i] = inputs[row * arity + i];
    return evaluate(args, context);
  });
}
