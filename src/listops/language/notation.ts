/**
 * How expressions are spelled. `standard`: `s (SUM (MAX 7 3) 6) > (SUM 7 6) > 3 e`, every operation of the table.
 * `authors`: the tokens of the paper's public pipeline, `<eos> add_10 ( max_10 ( 7 3 ) 6 ) = add_10 ( 7 6 ) = 3 <eos>`.
 * Inside, expressions are always made of the standard token ids; this file turns them into the ids of a notation and
 * back. Both spell a sequence with the same number of tokens, and only "(" and the operation after it change places.
 */
import { ARROW, CLOSE, END, EQUALS, FIRST_NUMBER, OPEN, START, vocabularyOf } from './tokenizer.js';
import type { Notation, Vocabulary } from './tokenizer.js';
import { OPERATION_NAMES } from './operations.js';

/** What a notation is asked for: part of a run's data. */
export interface NotationConfig {
  readonly modulus: number;
  /** absent: standard */
  readonly notation?: Notation | undefined;
}

/** Turns standard tokens into those of a notation, and back. */
export interface Spelling {
  readonly vocabulary: Vocabulary;
  /**
   * Rewrites tokens `from` to `to` (exclusive) of the first column in place; the other columns, which say something of
   * each token, change places with it.
   */
  spell(columns: readonly Int32Array[], from: number, to: number): void;
  /** The standard tokens of an expression: brackets, operations and numbers. */
  unspell(expression: Int32Array): Int32Array;
}

/** @throws RangeError from `spell` for an operation that the notation lacks */
export function createSpelling(config: NotationConfig): Spelling {
  const vocabulary = vocabularyOf(config);
  if (vocabulary.notation === 'standard') {
    return { vocabulary, spell: () => undefined, unspell: (expression) => expression };
  }
  const firstOperation = FIRST_NUMBER + config.modulus;
  const forward = new Int32Array(firstOperation + OPERATION_NAMES.length).fill(-1);
  const backward = new Int32Array(vocabulary.size).fill(-1);
  const pair = (standard: number, spelled: number): void => {
    forward[standard] = spelled;
    backward[spelled] = standard;
  };
  pair(START, vocabulary.start);
  pair(END, vocabulary.end);
  pair(EQUALS, vocabulary.equals);
  pair(ARROW, vocabulary.arrow);
  pair(OPEN, vocabulary.open);
  pair(CLOSE, vocabulary.close);
  for (let value = 0; value < config.modulus; value++) {
    pair(FIRST_NUMBER + value, vocabulary.numberToken(value));
  }
  OPERATION_NAMES.forEach((name, index) => {
    if (vocabulary.operations.includes(name)) {
      pair(firstOperation + index, vocabulary.operationToken(name));
    }
  });
  const spelled = (token: number): number => {
    if (forward[token] < 0) {
      throw new RangeError(`operation ${OPERATION_NAMES[token - firstOperation]} is not in the vocabulary`);
    }
    return forward[token];
  };
  return {
    vocabulary,
    spell(columns, from, to) {
      const [tokens] = columns;
      for (let t = from; t < to; t++) {
        const isOpen = tokens[t] === OPEN;
        tokens[t] = spelled(tokens[t]);
        if (!isOpen) continue;
        // "( OP" becomes "OP ("
        tokens[t + 1] = spelled(tokens[t + 1]);
        for (const column of columns) [column[t], column[t + 1]] = [column[t + 1], column[t]];
        t++;
      }
    },
    unspell(expression) {
      const out = Int32Array.from(expression, (token) => backward[token]);
      for (let t = 0; t + 1 < out.length; t++) {
        if (out[t] < firstOperation) continue;
        [out[t], out[t + 1]] = [out[t + 1], out[t]];
        t++;
      }
      return out;
    },
  };
}
