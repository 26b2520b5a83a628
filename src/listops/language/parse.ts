/**
 * Reads an expression that a person typed, such as `(SUM (MAX 7 3) 6)`. Every fault is one line that names the
 * position (characters counted from 1), what was found and what is expected. Evaluation is expression.ts.
 */
import { UserError, nearest, unacceptable } from '../../errors.js';
import type { Call, Expression } from './expression.js';
import { OPERATION_NAMES, operationRow } from './operations.js';
import type { OperationName } from './operations.js';

export interface ParseOptions {
  readonly modulus: number;
  /** default 8 */
  readonly maxDepth?: number;
  /** most tokens of the expression itself: brackets, operations, numbers; default 1,024 */
  readonly maxTokens?: number;
  /** operations that may be used; default: all of the table */
  readonly operations?: readonly OperationName[];
}

interface Word {
  readonly text: string;
  /** 1-based */
  readonly position: number;
}

const EXAMPLE = 'an expression such as (SUM 7 3)';

/** @throws UserError */
export function parseExpression(text: string, options: ParseOptions): Call {
  const { modulus, maxDepth = 8, maxTokens = 1024, operations = OPERATION_NAMES } = options;
  // no valid expression needs more characters than this, so that a huge text is refused before it is split
  const words = splitWords(text.slice(0, 64 * (maxTokens + 1)));
  if (words.length === 0) throw unacceptable('expression', text, EXAMPLE);
  if (words.length > maxTokens || text.length > 64 * (maxTokens + 1)) {
    throw new UserError(
      `expression: found ${words.length > maxTokens ? `${words.length} tokens` : `${text.length} characters`}, ` +
        `expected at most ${maxTokens} tokens. Shorten it.`,
    );
  }
  /** calls that are open, outermost first */
  const open: { operation: OperationName; operands: Expression[]; at: number }[] = [];
  let next = 0;
  for (;;) {
    const word = words.at(next);
    if (word === undefined) {
      const last = open.at(-1);
      throw fault(
        text.length + 1,
        'the end',
        last === undefined ? EXAMPLE : `")" for the "(" at position ${last.at}`,
      );
    }
    next++;
    const parent = open.at(-1);
    if (word.text === '(') {
      if (open.length === maxDepth) {
        throw fault(word.position, `nesting of ${maxDepth + 1}`, `at most ${maxDepth}`);
      }
      open.push({
        operation: readOperation(words.at(next), text, operations),
        operands: [],
        at: word.position,
      });
      next++;
      continue;
    }
    if (word.text === ')') {
      const call = open.pop();
      if (call === undefined) throw unacceptable(`expression at position ${word.position}`, ')', EXAMPLE);
      const [fewest, most] = operationRow(call.operation).arity;
      const n = call.operands.length;
      if (n < fewest || n > most) {
        throw fault(word.position, `${call.operation} of ${n}`, `${fewest} to ${most} operands`);
      }
      const value: Call = { operation: call.operation, operands: call.operands };
      const outer = open.at(-1);
      if (outer !== undefined) {
        outer.operands.push(value);
        continue;
      }
      const rest = words.at(next);
      if (rest === undefined) return value;
      throw unacceptable(`expression at position ${rest.position}`, rest.text, 'the end of the expression');
    }
    if (parent === undefined)
      throw unacceptable(`expression at position ${word.position}`, word.text, EXAMPLE);
    parent.operands.push(readNumber(word, modulus, operations));
  }
}

function splitWords(text: string): Word[] {
  return Array.from(text.matchAll(/[()]|[^\s()]+/g), (match) => ({
    text: match[0],
    position: match.index + 1,
  }));
}

function fault(position: number, found: string, expected: string): UserError {
  return new UserError(`expression at position ${position}: found ${found}, expected ${expected}.`);
}

function readOperation(
  word: Word | undefined,
  text: string,
  operations: readonly OperationName[],
): OperationName {
  const expected = `one of ${operations.join(', ')}`;
  if (word === undefined) throw fault(text.length + 1, 'the end', expected);
  const name = operations.find((operation) => operation === word.text);
  if (name !== undefined) return name;
  const meant = nearest(word.text, operations);
  throw unacceptable(
    `expression at position ${word.position}`,
    word.text,
    expected,
    meant === undefined ? undefined : `Did you mean ${meant}?`,
  );
}

function readNumber(word: Word, modulus: number, operations: readonly OperationName[]): number {
  const value = /^\d{1,3}$/.test(word.text) ? Number(word.text) : NaN;
  if (value < modulus) return value;
  const isName = operations.some((operation) => operation === word.text);
  throw unacceptable(
    `expression at position ${word.position}`,
    word.text,
    `a number from 0 to ${modulus - 1} (modulus ${modulus}) or "("`,
    isName ? `Write (${word.text} ...) with a bracket before it.` : undefined,
  );
}
