/** Prompts of one form: the same expression with other numbers, for means and donors. Browser-safe. */
import { type Call, type Expression, printExpression } from '../listops/language/expression.js';
import type { Rng } from '../tensor/rng.js';
import type { Lens } from './lens.js';
import type { Prompt, PromptOptions } from './prompt.js';

/**
 * @param count - how many; each has the numbers of the expression drawn anew, uniformly and independently
 * @returns prompts of the same length, tokens of the same kind at every position but for numbers
 */
export function promptsAlike(
  lens: Lens,
  expression: Call,
  count: number,
  rng: Rng,
  options?: PromptOptions,
): Prompt[] {
  const drawn = (part: Expression): Expression =>
    typeof part === 'number'
      ? rng.below(lens.vocabulary.modulus)
      : { operation: part.operation, operands: part.operands.map(drawn) };
  return Array.from({ length: count }, () => lens.prompt(printExpression(drawn(expression)), options));
}
