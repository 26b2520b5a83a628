/**
 * The leak report: finished examples are read again as tokens, and every reduction whose operands contain a held-out
 * set, in any order, is a leak. Ordered triples leak as they are written; that their numbers appear in another order is
 * what such a hold-out lets through, and is counted beside. It shares no code with the check the generator makes while
 * drawing.
 */
import type { DataConfig } from '../data-config.js';
import { createGenerator } from './generate.js';
import { createOperationContext } from '../language/operations.js';
import { createHoldout, orderedHoldout, subsequences } from './regimes.js';
import type { Holdout } from './regimes.js';
import { SequenceWriter } from '../language/sequence.js';
import { vocabularyOf } from '../language/tokenizer.js';

export interface LeakScan {
  readonly examples: number;
  readonly reductions: number;
  /** examples with at least one held-out reduction; must be 0 */
  readonly leaks: number;
  /** the first leak: number of the example and the operands */
  readonly first?: { readonly example: number; readonly operands: readonly number[] };
  /** how many of the held sets were seen */
  readonly setsSeen: number;
  readonly sets: number;
}

export interface LeakReport extends LeakScan {
  /**
   * the same sets held out in one order only: how many of them the data then shows in another order, and in how many
   * examples. In the regime ordered-triples this is the data itself, otherwise a comparison with the sets in ascending order
   */
  readonly ordered: { readonly setsSeen: number; readonly leaks: number };
}

/**
 * Scans the first examples of a seed.
 * @returns leaks 0 unless the generator is wrong
 */
export function leakReport(data: DataConfig, seed: number, nExamples: number): LeakReport {
  const holdout = createHoldout(data);
  const scan = scanForLeaks(examples(data, seed, nExamples), data, holdout);
  if (holdout.sets.length === 0) return { ...scan, ordered: { setsSeen: 0, leaks: 0 } };
  const { setsSeen, leaks } =
    holdout.regime === 'ordered-triples'
      ? countHeld(examples(data, seed, nExamples), data, reorderedParts(holdout))
      : scanForLeaks(examples(data, seed, nExamples, orderedHoldout(holdout)), data, holdout);
  return { ...scan, ordered: { setsSeen, leaks } };
}

function* examples(data: DataConfig, seed: number, count: number, holdout?: Holdout): Generator<Int32Array> {
  const generator = createGenerator(data, seed, holdout === undefined ? {} : { holdout });
  for (let index = 0; index < count; index++) yield generator.example(index).tokens;
}

/** @param sequences - whole sequences, from `s` to `e` */
export function scanForLeaks(
  sequences: Iterable<Int32Array>,
  data: DataConfig,
  holdout: Holdout = createHoldout(data),
): LeakScan {
  const parts = holdout.regime === 'ordered-triples' ? writtenParts(holdout) : unorderedParts(holdout);
  return { ...countHeld(sequences, data, parts), sets: holdout.sets.length };
}

/** The held sets that the operands of one reduction contain, as keys. */
type HeldParts = (operands: readonly number[]) => string[];

const keyOf = (numbers: readonly number[]): string => numbers.join(' ');
const ascending = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

/** In any order. */
function unorderedParts({ sets }: Holdout): HeldParts {
  if (sets.length === 0) return () => [];
  const held = new Set(sets.map(keyOf));
  return (operands) =>
    subsequences(ascending(operands), sets[0].length)
      .map(keyOf)
      .filter((key) => held.has(key));
}

/** Neighbours, as they are written. */
function writtenParts({ sets }: Holdout): HeldParts {
  const held = new Set(sets.map(keyOf));
  return (operands) =>
    neighbours(operands)
      .map(keyOf)
      .filter((key) => held.has(key));
}

/** Neighbours in any order but the held one; the keys are those of the held sets. */
function reorderedParts({ sets }: Holdout): HeldParts {
  return (operands) =>
    neighbours(operands).flatMap((part) => {
      const numbers = keyOf(ascending(part));
      return sets.filter((set) => keyOf(ascending(set)) === numbers && keyOf(set) !== keyOf(part)).map(keyOf);
    });
}

function neighbours(operands: readonly number[]): (readonly number[])[] {
  return operands.slice(2).map((last, i) => [operands[i], operands[i + 1], last]);
}

function countHeld(
  sequences: Iterable<Int32Array>,
  data: DataConfig,
  partsOf: HeldParts,
): Omit<LeakScan, 'sets'> {
  const writer = new SequenceWriter(createOperationContext(data), { ...data, format: 'steps' });
  const { equals } = vocabularyOf(data);
  const seen = new Set<string>();
  let nExamples = 0;
  let nReductions = 0;
  let leaks = 0;
  let first: LeakScan['first'];
  for (const sequence of sequences) {
    let tokens = sequence;
    if (data.format === 'direct') {
      // the reductions of a direct example are not written; write them
      const expression = sequence.subarray(1, sequence.indexOf(equals));
      writer.clear();
      writer.append(writer.unspell(expression), expression.length);
      tokens = writer.sequence(0).tokens;
    }
    const reductions = scanTokens(tokens, data);
    nReductions += reductions.length;
    let leak = false;
    for (const operands of reductions) {
      for (const key of partsOf(operands)) {
        seen.add(key);
        leak = true;
        first ??= { example: nExamples, operands };
      }
    }
    if (leak) leaks++;
    nExamples++;
  }
  return {
    examples: nExamples,
    reductions: nReductions,
    leaks,
    ...(first === undefined ? {} : { first }),
    setsSeen: seen.size,
  };
}

/**
 * The operands of every reduction that a sequence shows: the innermost call that closes first in each segment. For
 * the format direct only the innermost call of the one expression that closes first.
 */
export function scanTokens(tokens: Int32Array, data: Pick<DataConfig, 'modulus' | 'notation'>): number[][] {
  const { arrow, open, close, firstNumber } = vocabularyOf(data);
  const reductions: number[][] = [];
  let operands: number[] = [];
  let found = false;
  for (const token of tokens) {
    if (token === arrow) {
      found = false;
      operands = [];
    } else if (token === open) operands = [];
    else if (token === close) {
      if (!found) reductions.push(operands);
      found = true;
    } else if (token >= firstNumber && token < firstNumber + data.modulus) {
      if (!found) operands.push(token - firstNumber);
    }
  }
  return reductions;
}
