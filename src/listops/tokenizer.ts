/**
 * The one vocabulary of all runs at a modulus: specials, then the n numbers, then every operation of the table,
 * whatever tasks a run trains on. An appended operation takes a new id at the end and moves no other.
 */
import { UserError, nearest, printable } from '../errors.js';
import { OPERATION_NAMES } from './operations.js';

/** Start, end, step arrow, `=` of the direct format, brackets; their index is their id. */
export const SPECIAL_TOKENS = ['s', 'e', '>', '=', '(', ')'] as const;
export const START = 0;
export const END = 1;
export const ARROW = 2;
export const EQUALS = 3;
export const OPEN = 4;
export const CLOSE = 5;
/** id of the number 0 */
export const FIRST_NUMBER = SPECIAL_TOKENS.length;

export interface Vocabulary {
  readonly modulus: number;
  /** [size] text of every id */
  readonly tokens: readonly string[];
  readonly size: number;
  readonly operations: readonly string[];
  readonly start: number;
  readonly end: number;
  readonly arrow: number;
  readonly equals: number;
  readonly open: number;
  readonly close: number;
  /** id of the first operation */
  readonly firstOperation: number;
  numberToken(value: number): number;
  /** @throws RangeError when the vocabulary lacks it */
  operationToken(name: string): number;
  /** the number a token stands for, or undefined */
  numberOf(token: number): number | undefined;
  /** the operation a token stands for, or undefined */
  operationOf(token: number): string | undefined;
}

/**
 * @param operations - the operations a checkpoint was made with; default: all of the table
 */
export function vocabulary(modulus: number, operations: readonly string[] = OPERATION_NAMES): Vocabulary {
  const numbers = Array.from({ length: modulus }, (_, i) => String(i));
  const tokens = [...SPECIAL_TOKENS, ...numbers, ...operations];
  const firstOperation = FIRST_NUMBER + modulus;
  return {
    modulus,
    tokens,
    size: tokens.length,
    operations,
    start: START,
    end: END,
    arrow: ARROW,
    equals: EQUALS,
    open: OPEN,
    close: CLOSE,
    firstOperation,
    numberToken(value) {
      if (!Number.isInteger(value) || value < 0 || value >= modulus) {
        throw new RangeError(`number ${value} is outside the vocabulary of modulus ${modulus}`);
      }
      return FIRST_NUMBER + value;
    },
    operationToken(name) {
      const index = operations.indexOf(name);
      if (index < 0) throw new RangeError(`operation ${name} is not in the vocabulary`);
      return firstOperation + index;
    },
    numberOf: (token) => (token >= FIRST_NUMBER && token < firstOperation ? token - FIRST_NUMBER : undefined),
    operationOf: (token) => (token >= firstOperation ? operations[token - firstOperation] : undefined),
  };
}

/**
 * Text to ids; brackets need no spaces around them.
 * @throws UserError naming the first unknown token
 */
export function encode(text: string, vocab: Vocabulary): Int32Array {
  const words = text.match(/[()]|[^\s()]+/g) ?? [];
  return Int32Array.from(words, (word, position) => {
    const id = vocab.tokens.indexOf(word);
    if (id >= 0) return id;
    const meant = nearest(word, vocab.tokens);
    throw new UserError(
      `token ${position + 1}: found "${printable(word)}", expected one of the ${vocab.size} tokens of the vocabulary.` +
        (meant === undefined ? '' : ` Did you mean ${meant}?`),
    );
  });
}

/** Ids to text, written as expressions are: no space after "(" and before ")". An unknown id is `<id>`. */
export function decode(tokens: ArrayLike<number>, vocab: Vocabulary): string {
  let text = '';
  for (let t = 0; t < tokens.length; t++) {
    const glued = t === 0 || tokens[t] === CLOSE || tokens[t - 1] === OPEN;
    text += `${glued ? '' : ' '}${vocab.tokens[tokens[t]] ?? `<${tokens[t]}>`}`;
  }
  return text;
}
