/**
 * The vocabularies. Standard, the one of all runs at a modulus: specials, then the n numbers, then every operation of the
 * table, whatever tasks a run trains on; an appended operation takes a new id at the end and moves no other. Authors': the
 * 20 tokens (at modulus 10) of the paper's public pipeline. Turning one into the other is notation.ts.
 */
import { UserError, nearest, printable } from '../../errors.js';
import { OPERATION_NAMES } from './operations.js';
import type { OperationName } from './operations.js';

export const NOTATIONS = ['standard', 'authors'] as const;
export type Notation = (typeof NOTATIONS)[number];

/** Ids of the standard vocabulary: start, end, step arrow, `=` of the direct format, brackets; their index is their id. */
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
  readonly notation: Notation;
  /** [size] text of every id */
  readonly tokens: readonly string[];
  readonly size: number;
  readonly operations: readonly string[];
  /** where a sequence starts; the authors' `<eos>` both starts and ends one */
  readonly start: number;
  readonly end: number;
  /** before every step of the format steps; the authors write `=` in both formats */
  readonly arrow: number;
  readonly equals: number;
  readonly open: number;
  readonly close: number;
  /** id of the number 0; the others follow */
  readonly firstNumber: number;
  /** id of the first operation; the others follow */
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
 * The standard vocabulary.
 * @param operations - the operations a checkpoint was made with; default: all of the table
 */
export function vocabulary(modulus: number, operations: readonly string[] = OPERATION_NAMES): Vocabulary {
  const numbers = Array.from({ length: modulus }, (_, i) => String(i));
  return describe({
    modulus,
    notation: 'standard',
    tokens: [...SPECIAL_TOKENS, ...numbers, ...operations],
    operations,
    start: START,
    end: END,
    arrow: ARROW,
    equals: EQUALS,
    open: OPEN,
    close: CLOSE,
    firstNumber: FIRST_NUMBER,
    firstOperation: FIRST_NUMBER + modulus,
  });
}

/** Operations of the authors' pipeline in the order of their token ids, with the names it gives them. */
const AUTHORS = [
  ['MIN', 'min'],
  ['MAX', 'max'],
  ['MED', 'median'],
  ['SUM', 'add'],
  ['PROD', 'prod'],
  ['NADD', 'nadd'],
] as const satisfies readonly (readonly [OperationName, string])[];
export const AUTHORS_OPERATIONS: readonly OperationName[] = AUTHORS.map(([name]) => name);

/** `<eos> ( ) = min_n max_n median_n add_n prod_n nadd_n 0 .. n-1` */
export function authorsVocabulary(modulus: number): Vocabulary {
  const names = AUTHORS.map(([, name]) => `${name}_${modulus}`);
  const numbers = Array.from({ length: modulus }, (_, i) => String(i));
  return describe({
    modulus,
    notation: 'authors',
    tokens: ['<eos>', '(', ')', '=', ...names, ...numbers],
    operations: AUTHORS_OPERATIONS,
    start: 0,
    end: 0,
    arrow: 3,
    equals: 3,
    open: 1,
    close: 2,
    firstNumber: 4 + names.length,
    firstOperation: 4,
  });
}

/**
 * The vocabulary of a run.
 * @param operations - as `vocabulary`; the authors' are fixed
 */
export function vocabularyOf(
  data: { readonly modulus: number; readonly notation?: Notation | undefined },
  operations?: readonly string[],
): Vocabulary {
  return data.notation === 'authors' ? authorsVocabulary(data.modulus) : vocabulary(data.modulus, operations);
}

type Facts = Omit<Vocabulary, 'size' | 'numberToken' | 'operationToken' | 'numberOf' | 'operationOf'>;

function describe(facts: Facts): Vocabulary {
  const { modulus, operations, firstNumber, firstOperation } = facts;
  return {
    ...facts,
    size: facts.tokens.length,
    numberToken(value) {
      if (!Number.isInteger(value) || value < 0 || value >= modulus) {
        throw new RangeError(`number ${value} is outside the vocabulary of modulus ${modulus}`);
      }
      return firstNumber + value;
    },
    operationToken(name) {
      const index = operations.indexOf(name);
      if (index < 0) throw new RangeError(`operation ${name} is not in the vocabulary`);
      return firstOperation + index;
    },
    numberOf: (token) =>
      token >= firstNumber && token < firstNumber + modulus ? token - firstNumber : undefined,
    operationOf: (token) => operations[token - firstOperation],
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

/**
 * Ids to text, written as expressions are: no space after "(" and before ")", but between all tokens in the authors'
 * notation. An unknown id is `<id>`.
 */
export function decode(tokens: ArrayLike<number>, vocab: Vocabulary): string {
  const isGlued = vocab.notation === 'standard';
  let text = '';
  for (let t = 0; t < tokens.length; t++) {
    const glued = t === 0 || (isGlued && (tokens[t] === vocab.close || tokens[t - 1] === vocab.open));
    text += `${glued ? '' : ' '}${vocab.tokens[tokens[t]] ?? `<${tokens[t]}>`}`;
  }
  return text;
}
