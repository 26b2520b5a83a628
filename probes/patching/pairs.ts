/**
 * Pairs of flat prompts that differ in one thing and so in their result: one operand, or the operation. Both prompts are ones
 * that training may show.
 */
import type { Lens } from '../../src/lens/lens.js';
import type { PromptPair } from '../../src/lens/patch.js';
import type { DataConfig } from '../../src/listops/data-config.js';
import {
  type OperationName,
  createOperationContext,
  operationRow,
} from '../../src/listops/language/operations.js';
import { createHoldout } from '../../src/listops/sampling/regimes.js';
import type { Rng } from '../../src/tensor/rng.js';

export const CORRUPTIONS = ['operand', 'operation'] as const;
export type Corruption = (typeof CORRUPTIONS)[number];

/** Pairs of one operation whose same thing is changed: the cells of one are those of all. */
export interface PairGroup {
  /** which operand is another, from 0; null: the operation is */
  readonly changed: number | null;
  readonly pairs: readonly PromptPair[];
}

/** Draws for each pair at most. */
const TRIES = 200;

export interface PairOptions {
  readonly data: DataConfig;
  readonly operation: OperationName;
  readonly corruption: Corruption;
  /** of all groups together */
  readonly count: number;
  readonly rng: Rng;
}

/** @returns no groups where no such pair was found: one operation alone, or one that never differs */
export function drawPairs(lens: Lens, { data, operation, corruption, count, rng }: PairOptions): PairGroup[] {
  const context = createOperationContext(data);
  const holdout = createHoldout(data);
  const [arity] = data.operands;
  const n = data.modulus;
  const others = data.tasks.filter((task) => task !== operation);
  if (corruption === 'operation' && others.length === 0) return [];
  const resultOf = (name: OperationName, operands: readonly number[]): number =>
    operationRow(name).evaluate(operands, context);
  const promptOf = (name: OperationName, operands: readonly number[]) =>
    lens.prompt(`(${name} ${operands.join(' ')})`);
  const drawOperands = (): number[] => Array.from({ length: arity }, () => rng.below(n));

  const drawPair = (changed: number | null): PromptPair | undefined => {
    for (let tries = 0; tries < TRIES; tries++) {
      const operands = drawOperands();
      const otherOperands = operands.slice();
      if (changed !== null) otherOperands[changed] = rng.below(n);
      const other = changed === null ? others[rng.below(others.length)] : operation;
      if (holdout.isHeldOut(operands) || holdout.isHeldOut(otherOperands)) continue;
      if (resultOf(operation, operands) === resultOf(other, otherOperands)) continue;
      return { clean: promptOf(operation, operands), corrupted: promptOf(other, otherOperands) };
    }
    return undefined;
  };

  const places = corruption === 'operation' ? [null] : Array.from({ length: arity }, (_, i) => i);
  return places.flatMap((changed): PairGroup[] => {
    const size = Math.max(1, Math.floor(count / places.length));
    const pairs: PromptPair[] = [];
    while (pairs.length < size) {
      const pair = drawPair(changed);
      if (pair === undefined) break;
      pairs.push(pair);
    }
    return pairs.length === 0 ? [] : [{ changed, pairs }];
  });
}
