/** What a run has learned, read off its evaluation rows: accuracy by operation, the definition of "learned", stopping. */
import { type Course, phaseAt, phaseSpans } from '../config/phases.js';
import { LEARNED_ACCURACY } from '../evidence/claims-file.js';
import type { DataConfig } from '../listops/data-config.js';
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

/**
 * Result tokens right inside nested expressions, greedy and free-running; undefined when the row does not tell: at depth 1,
 * where none was asked of this operation, and in rows of older versions.
 */
export function nestedAccuracy(row: EvalRow, operation: string): number | undefined {
  const found = row.nested?.inside?.find((entry) => entry.operation === operation);
  return found === undefined || found.total === 0 ? undefined : found.correct / found.total;
}

/**
 * Rows as far as they tell of what was trained at their step. Older versions asked whole expressions of the operations of all
 * phases, also such as a later phase forgets: what is inside them is then unknown.
 */
export function ofWhatIsTrained(rows: readonly EvalRow[], course: Course): EvalRow[] {
  const spans = phaseSpans(course);
  return rows.map((row) => {
    const tasks: readonly string[] = phaseAt(spans, row.step - 1).tasks;
    const { nested, ...flat } = row;
    return nested?.inside?.every(({ operation }) => tasks.includes(operation)) === false ? flat : row;
  });
}

/** Whether a run's expressions nest, so that `learned` asks for what is inside them too. */
export function isNested(data: Pick<DataConfig, 'depth' | 'nesting' | 'file'>): boolean {
  return data.depth > 1 && data.nesting > 0 && data.file === undefined;
}

export interface LearnedOptions {
  /** evaluations after this step do not count; default: none is left out */
  readonly budget?: number;
  /** default LEARNED_ACCURACY */
  readonly accuracy?: number;
  /** default `trained`; the same as `all` in regime full */
  readonly scope?: PromptScope;
  /** of the run's data (isNested): results inside nested expressions count too; default false */
  readonly nested?: boolean;
}

/**
 * Learned(op, B): accuracy at least `accuracy` at the last two evaluations at or before step B; where expressions nest,
 * inside them too, at the same two.
 * @param rows - evaluation rows in the order of steps
 * @returns null when nothing else speaks against it and the rows do not tell the accuracy inside nested expressions
 */
export function hasLearned(
  rows: readonly EvalRow[],
  operation: string,
  options: LearnedOptions = {},
): boolean | null {
  const { budget = Infinity, accuracy = LEARNED_ACCURACY, scope = 'trained', nested = false } = options;
  const lastTwo = rows.filter((row) => row.step <= budget).slice(-2);
  const isFlat = lastTwo.every((row) => (operationAccuracy(row, operation, scope) ?? 0) >= accuracy);
  if (lastTwo.length < 2 || !isFlat) return false;
  if (!nested) return true;
  const inside = lastTwo.map((row) => nestedAccuracy(row, operation));
  if (inside.some((share) => share !== undefined && share < accuracy)) return false;
  return inside.includes(undefined) ? null : true;
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
