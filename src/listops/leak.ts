/**
 * The leak report: finished examples are read again as tokens, and every reduction whose operands contain a held-out
 * set, in any order, is a leak. It shares no code with the check the generator makes while drawing.
 */
import type { DataConfig } from './data-config.js';
import { createGenerator } from './generate.js';
import { createOperationContext } from './operations.js';
import { createHoldout, orderedHoldout, subsequences } from './regimes.js';
import type { Holdout } from './regimes.js';
import { SequenceWriter } from './sequence.js';
import { ARROW, CLOSE, EQUALS, FIRST_NUMBER, OPEN } from './tokenizer.js';

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
  /** the same sets held out in ascending order only: how many of them the data then shows in another order */
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
  const ordered = examples(data, seed, nExamples, orderedHoldout(holdout));
  const { setsSeen, leaks } = scanForLeaks(ordered, data, holdout);
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
  const held = new Set(holdout.sets.map((set) => set.join(' ')));
  const size = holdout.sets.at(0)?.length ?? 0;
  const writer = new SequenceWriter(createOperationContext(data), 'steps');
  const seen = new Set<string>();
  let nExamples = 0;
  let nReductions = 0;
  let leaks = 0;
  let first: LeakScan['first'];
  for (const sequence of sequences) {
    let scanned = scanTokens(sequence, data.modulus);
    if (scanned.direct) {
      // the reductions of a direct example are not written; write them
      writer.clear();
      writer.append(sequence.subarray(1), sequence.indexOf(EQUALS) - 1);
      scanned = scanTokens(writer.sequence(0).tokens, data.modulus);
    }
    nReductions += scanned.reductions.length;
    let leak = false;
    for (const operands of size === 0 ? [] : scanned.reductions) {
      for (const part of subsequences(
        operands.toSorted((a, b) => a - b),
        size,
      )) {
        const key = part.join(' ');
        if (!held.has(key)) continue;
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
    sets: held.size,
  };
}

/**
 * The operands of every reduction that a sequence shows: the innermost call that closes first in each segment. For
 * the format direct only the innermost calls of the one expression that closes first.
 */
export function scanTokens(
  tokens: Int32Array,
  modulus: number,
): { readonly reductions: number[][]; readonly direct: boolean } {
  const reductions: number[][] = [];
  let operands: number[] = [];
  let found = false;
  let direct = false;
  for (const token of tokens) {
    if (token === ARROW) {
      found = false;
      operands = [];
    } else if (token === EQUALS) direct = true;
    else if (token === OPEN) operands = [];
    else if (token === CLOSE) {
      if (!found) reductions.push(operands);
      found = true;
    } else if (token >= FIRST_NUMBER && token < FIRST_NUMBER + modulus) {
      if (!found) operands.push(token - FIRST_NUMBER);
    }
  }
  return { reductions, direct };
}
