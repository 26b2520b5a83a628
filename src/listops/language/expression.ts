/**
 * Expressions as trees: print, evaluate, reduce step by step. Reading typed text is parse.ts, token sequences are
 * sequence.ts.
 */
import { operationRow } from './operations.js';
import type { OperationContext, OperationName } from './operations.js';

export { parseExpression } from './parse.js';
export type { ParseOptions } from './parse.js';

/**
 * Role of a target token of the completion; the index is the role id that engines use. result: the one new number
 * of a reduction. copy: numbers and operations carried over. format: brackets, `>`, `e`.
 */
export const ROLES = ['result', 'copy', 'format'] as const;
export type Role = (typeof ROLES)[number];
export const RESULT = 0;
export const COPY = 1;
export const FORMAT = 2;

export interface Call {
  readonly operation: OperationName;
  readonly operands: readonly Expression[];
}
export type Expression = number | Call;

/** One reduction: an innermost call, leftmost first, replaced by its value. */
export interface Reduction {
  readonly operation: OperationName;
  readonly operands: readonly number[];
  readonly result: number;
  /** the whole expression after it */
  readonly after: Expression;
}

export function printExpression(expression: Expression): string {
  if (typeof expression === 'number') return String(expression);
  return `(${[expression.operation, ...expression.operands.map(printExpression)].join(' ')})`;
}

export function evaluateExpression(expression: Expression, context: OperationContext): number {
  if (typeof expression === 'number') return expression;
  const args = expression.operands.map((operand) => evaluateExpression(operand, context));
  return operationRow(expression.operation).evaluate(args, context);
}

/** 0 for a number, 1 for a call of numbers. */
export function expressionDepth(expression: Expression): number {
  if (typeof expression === 'number') return 0;
  return 1 + expression.operands.reduce<number>((most, o) => Math.max(most, expressionDepth(o)), 0);
}

/** All reductions down to a number, in the order in which the `steps` format writes them. */
export function reductionSteps(expression: Expression, context: OperationContext): Reduction[] {
  const steps: Reduction[] = [];
  let current = expression;
  while (typeof current !== 'number') {
    const step = reduceOnce(current, context);
    steps.push(step);
    current = step.after;
  }
  return steps;
}

/** The innermost call whose closing bracket comes first. */
function reduceOnce(call: Call, context: OperationContext): Reduction {
  const { operation, operands } = call;
  for (let i = 0; i < operands.length; i++) {
    const operand = operands[i];
    if (typeof operand === 'number') continue;
    const inner = reduceOnce(operand, context);
    return { ...inner, after: { operation, operands: operands.with(i, inner.after) } };
  }
  const numbers = operands.filter((operand) => typeof operand === 'number');
  const result = operationRow(operation).evaluate(numbers, context);
  return { operation, operands: numbers, result, after: result };
}
