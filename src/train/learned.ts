/** What a run has learned, read off its evaluation rows: accuracy by operation, the definition of "learned", stopping. */
import { LEARNED_ACCURACY } from '../analysis/claims.js';
import type { EvalCell, EvalRow } from './metrics.js';

/** Which prompts an accuracy is over. `trained`: operand multisets that training may draw. */
export const PROMPT_SCOPES = ['all', 'trained', 'held'] as const;
export type PromptScope = (typeof PROMPT_SCOPES)[number];

function inScope(cell: EvalCell, scope: PromptScope): boolean {
  return scope === 'all' || cell.held === (scope === 'held');
}

/** Result tokens right over prompts of one operation alone; undefined when there are none. */
export function operationAccuracy(
  row: EvalRow,
  operation: string,
  scope: PromptScope = 'trained',
): number | undefined {
  let correct = 0;
  let total = 0;
  for (const cell of row.cells) {
    if (cell.operation !== operation || !inScope(cell, scope)) continue;
    correct += cell.correct;
    total += cell.total;
  }
  return total === 0 ? undefined : correct / total;
}

/** Accuracy of every operation of the row, in the row's order. */
export function accuracyByOperation(row: EvalRow, scope: PromptScope = 'trained'): Record<string, number> {
  const accuracies: Record<string, number> = {};
  for (const { operation } of row.cells) {
    if (operation in accuracies) continue;
    const accuracy = operationAccuracy(row, operation, scope);
    if (accuracy !== undefined) accuracies[operation] = accuracy;
  }
  return accuracies;
}

/** Share of answers of one operation that are right modulo each proper divisor of n, trained and held together. */
export function divisorAccuracy(row: EvalRow, operation: string): Record<string, number> {
  const correct: Record<string, number> = {};
  let total = 0;
  for (const cell of row.cells) {
    if (cell.operation !== operation) continue;
    total += cell.total;
    for (const [divisor, count] of Object.entries(cell.divisors)) {
      correct[divisor] = (correct[divisor] ?? 0) + count;
    }
  }
  return Object.fromEntries(Object.entries(correct).map(([divisor, count]) => [divisor, count / total]));
}

export interface LearnedOptions {
  /** evaluations after this step do not count; default: none is left out */
  readonly budget?: number;
  /** default LEARNED_ACCURACY */
  readonly accuracy?: number;
  /** default `trained`; the same as `all` in regime full */
  readonly scope?: PromptScope;
}

/**
 * Learned(op, B): accuracy at least `accuracy` at the last two evaluations at or before step B.
 * @param rows - evaluation rows in the order of steps
 */
export function hasLearned(
  rows: readonly EvalRow[],
  operation: string,
  options: LearnedOptions = {},
): boolean {
  const { budget = Infinity, accuracy = LEARNED_ACCURACY, scope = 'trained' } = options;
  const lastTwo = rows.filter((row) => row.step <= budget).slice(-2);
  return (
    lastTwo.length === 2 &&
    lastTwo.every((row) => (operationAccuracy(row, operation, scope) ?? 0) >= accuracy)
  );
}

/** The stop rule `solved`: two evaluations in a row with every answer right, held-out ones and whole chains too. */
export function isSolved(rows: readonly EvalRow[]): boolean {
  const lastTwo = rows.slice(-2);
  return (
    lastTwo.length === 2 &&
    lastTwo.every(
      ({ cells, nested, lines = [] }) =>
        [...cells, ...lines].every(({ correct, total }) => correct === total) &&
        (nested === undefined || nested.exact === nested.total),
    )
  );
}
