/**
 * Hold-outs: which operand multisets never appear in training, at any reduction step. They depend on
 * (holdoutSeed, modulus, operand range) and the regime only, never on the operations, so that runs of one seed
 * hold out the same in every condition. Scanning data for leaks is leak.ts.
 */
import { Rng } from '../../tensor/rng.js';
import type { DataConfig, Regime } from '../data-config.js';
import { firstOrderSignal, signalRatio } from './holdout-signal.js';

export type HoldoutConfig = Pick<
  DataConfig,
  'regime' | 'modulus' | 'operands' | 'holdoutSeed' | 'holdoutMethod'
>;

/** Levels of evaluation prompts; every table names them. */
export const HOLDOUT_LEVELS = ['trained', 'triple', 'ordered-triple', 'pair-closed', 'pair-only'] as const;
export type HoldoutLevel = (typeof HOLDOUT_LEVELS)[number];

export interface Holdout {
  readonly regime: Regime;
  readonly modulus: number;
  /** what a held-out prompt tests; `trained` in the regime full, where there is none */
  readonly level: HoldoutLevel;
  /** the held pairs or triples, each ascending but for ordered triples, in lexicographic order */
  readonly sets: readonly (readonly number[])[];
  /**
   * whether these operands, in any order, contain a held set (with multiplicity); in the regime ordered-triples: whether
   * three neighbours among them are a held triple as it is written
   */
  isHeldOut(operands: ArrayLike<number>): boolean;
  /** max over min of the first-order signal; 1 is perfectly balanced; 1 in the regime full; NaN for ordered triples */
  readonly signalRatio: number;
  /** draws looked at until one was balanced */
  readonly draws: number;
}

/** A draw is balanced when no frequency has more than this times the signal of another. */
export const BALANCE_LIMIT = 1.3;
export const MOST_DRAWS = 5000;
/** Additions that the search may cost: from about modulus 27 on this bound, not MOST_DRAWS, ends it. */
const MOST_WORK = 1e8;
/** 10 % is held out: 5 pairs or 22 triples at modulus 10 */
const HELD_ONE_IN = 10;

/** The operands ascending, as text: equal for equal multisets. */
export function multisetKey(operands: ArrayLike<number>): string {
  return Array.from(operands)
    .sort((a, b) => a - b)
    .join(' ');
}

/** Hold-outs made before: they are asked for again by training, evaluation and reports, and never change. */
const made = new Map<string, Holdout>();
const MOST_KEPT = 64;

/** The hold-out of a configuration; choosing one takes up to half a second at modulus 64, asking again nothing. */
export function createHoldout(config: HoldoutConfig): Holdout {
  const { regime, modulus, operands, holdoutSeed, holdoutMethod = '' } = config;
  const key = [regime, modulus, ...operands, holdoutSeed, holdoutMethod].join(' ');
  const known = made.get(key);
  if (known !== undefined) return known;
  const holdout = makeHoldout(config);
  if (made.size === MOST_KEPT) made.clear();
  made.set(key, holdout);
  return holdout;
}

function makeHoldout(config: HoldoutConfig): Holdout {
  const { regime, modulus } = config;
  if (regime === 'full') {
    return { regime, modulus, level: 'trained', sets: [], isHeldOut: () => false, signalRatio: 1, draws: 0 };
  }
  if (regime === 'ordered-triples') return holdOutOrderedTriples(config);
  const pairs = regime === 'pairs';
  const candidates = pairs ? allPairs(modulus) : allTriples(modulus);
  const nHeld = Math.max(1, Math.floor(candidates.length / HELD_ONE_IN));
  const chosen = chooseBalanced(config, candidates, nHeld);
  const { sets } = chosen;
  const lookup = new Uint8Array(modulus ** (pairs ? 2 : 3));
  for (const set of sets) for (const order of permutations(set)) lookup[flatIndex(order, modulus)] = 1;
  return {
    regime,
    modulus,
    level: pairs ? (config.operands[1] === 2 ? 'pair-only' : 'pair-closed') : 'triple',
    sets,
    isHeldOut: pairs ? containsPair(lookup, modulus) : containsTriple(lookup, modulus),
    signalRatio: chosen.signalRatio,
    draws: chosen.draws,
  };
}

/** One draw for every so many of the n^3 triples. */
const ORDERED_ONE_IN = 20;

/**
 * The hold-out of the paper's public pipeline: ordered triples of distinct numbers, drawn with replacement, 50 draws at
 * modulus 10, which give 46 to 50 different triples. Not balanced, and in any other order the same numbers are trained.
 */
function holdOutOrderedTriples({ regime, modulus: n, holdoutSeed }: HoldoutConfig): Holdout {
  const rng = new Rng(holdoutSeed, `holdout:${regime}`, n);
  const draws = Math.max(1, Math.floor(n ** 3 / ORDERED_ONE_IN));
  const held = new Map<number, number[]>();
  for (let draw = 0; draw < draws; draw++) {
    const numbers = Array.from(rng.permutation(n)).slice(0, 3);
    held.set(flatIndex(numbers, n), numbers);
  }
  const sets = [...held].sort(([a], [b]) => a - b).map(([, numbers]) => numbers);
  const lookup = new Uint8Array(n ** 3);
  for (const index of held.keys()) lookup[index] = 1;
  return {
    regime,
    modulus: n,
    level: 'ordered-triple',
    sets,
    isHeldOut: (operands) => {
      for (let i = 2; i < operands.length; i++) {
        if (lookup[(operands[i - 2] * n + operands[i - 1]) * n + operands[i]] === 1) return true;
      }
      return false;
    },
    signalRatio: NaN,
    draws,
  };
}

/**
 * The same sets held out in ascending order only: what an ordered hold-out does. For the leak report's comparison,
 * never for training.
 */
export function orderedHoldout(holdout: Holdout): Holdout {
  const held = new Set(holdout.sets.map((set) => set.join(' ')));
  const size = holdout.sets.at(0)?.length ?? 0;
  return {
    ...holdout,
    isHeldOut: (operands) =>
      subsequences(Array.from(operands), size).some((part) => held.has(part.join(' '))),
  };
}

function containsPair(lookup: Uint8Array, n: number): (operands: ArrayLike<number>) => boolean {
  return (operands) => {
    for (let i = 0; i < operands.length; i++) {
      for (let j = i + 1; j < operands.length; j++) {
        if (lookup[operands[i] * n + operands[j]] === 1) return true;
      }
    }
    return false;
  };
}

function containsTriple(lookup: Uint8Array, n: number): (operands: ArrayLike<number>) => boolean {
  return (operands) => {
    for (let i = 0; i < operands.length; i++) {
      for (let j = i + 1; j < operands.length; j++) {
        for (let k = j + 1; k < operands.length; k++) {
          if (lookup[(operands[i] * n + operands[j]) * n + operands[k]] === 1) return true;
        }
      }
    }
    return false;
  };
}

/**
 * Draws until one is good, else takes the best. The first good draw is a random one among all good ones, since draws are
 * independent. Good: balanced, and, where few sets are held out, their sums modulo n spread: with three of five held
 * sums equal, always answering that sum would already be right for 60 % of what was never shown.
 */
function chooseBalanced(
  config: HoldoutConfig,
  candidates: readonly (readonly number[])[],
  nHeld: number,
): { sets: readonly (readonly number[])[]; signalRatio: number; draws: number } {
  const { modulus: n, holdoutSeed, regime, holdoutMethod } = config;
  const stream = holdoutMethod === undefined ? regime : `${regime}:${holdoutMethod}`;
  const rng = new Rng(holdoutSeed, `holdout:${stream}`, n);
  const strata = strataOf(config, candidates, nHeld);
  const cost = n ** 3 + 30 * nHeld;
  const most = Math.max(20, Math.min(MOST_DRAWS, Math.floor(MOST_WORK / cost)));
  let best: { sets: readonly (readonly number[])[]; ratio: number; spread: boolean } | undefined;
  for (let draws = 1; ; draws++) {
    for (const { order, nHeld } of strata) {
      for (let i = 0; i < nHeld; i++) {
        const j = i + rng.below(order.length - i);
        [order[i], order[j]] = [order[j], order[i]];
      }
    }
    const drawn = Int32Array.from(strata.flatMap(({ order, nHeld }) => [...order.subarray(0, nHeld)]));
    const sets = Array.from(drawn.sort(), (index) => candidates[index]);
    const ratio = signalRatio(firstOrderSignal(sets, config));
    const spread = areSumsSpread(sets, n);
    if (best === undefined || (spread === best.spread ? ratio < best.ratio : spread)) {
      best = { sets, ratio, spread };
    }
    if ((spread && ratio <= BALANCE_LIMIT) || draws === most) {
      return { sets: best.sets, signalRatio: best.ratio, draws };
    }
  }
}

/** What is drawn from separately: indices of candidates, and how many of them are held out. */
interface Stratum {
  /** permuted by the draws */
  readonly order: Int32Array;
  readonly nHeld: number;
}

/**
 * One stratum, or with the method `stratified` pairs of equal and of different numbers. The balance of the signal prefers
 * pairs a, a (39 % of what it holds out at modulus 10, where they are 18 % of the pairs), and they may be easier or harder.
 */
function strataOf(
  { holdoutMethod }: HoldoutConfig,
  candidates: readonly (readonly number[])[],
  nHeld: number,
): Stratum[] {
  const indices = candidates.map((_, i) => i);
  if (holdoutMethod === undefined) return [{ order: Int32Array.from(indices), nHeld }];
  const isDouble = (i: number): boolean => candidates[i][0] === candidates[i][1];
  const doubles = indices.filter(isDouble);
  const nDoubles = Math.round((nHeld * doubles.length) / candidates.length);
  return [
    { order: Int32Array.from(doubles), nHeld: nDoubles },
    { order: Int32Array.from(indices.filter((i) => !isDouble(i))), nHeld: nHeld - nDoubles },
  ];
}

/** No sum twice among at most 0.6 n sets, none three times among at most n; more sets spread by themselves. */
function areSumsSpread(sets: readonly (readonly number[])[], n: number): boolean {
  if (sets.length > n) return true;
  const most = sets.length <= 0.6 * n ? 1 : 2;
  const counts = new Int32Array(n);
  return sets.every((set) => ++counts[set.reduce((sum, a) => sum + a, 0) % n] <= most);
}

function allPairs(n: number): number[][] {
  const pairs: number[][] = [];
  for (let a = 0; a < n; a++) for (let b = a; b < n; b++) pairs.push([a, b]);
  return pairs;
}

function allTriples(n: number): number[][] {
  return allPairs(n).flatMap(([a, b]) => Array.from({ length: n - b }, (_, i) => [a, b, b + i]));
}

/** Distinct orders of a pair or triple. */
function permutations(set: readonly number[]): number[][] {
  if (set.length === 1) return [[...set]];
  return set.flatMap((first, i) =>
    set.indexOf(first) < i ? [] : permutations(set.toSpliced(i, 1)).map((rest) => [first, ...rest]),
  );
}

function flatIndex(operands: readonly number[], n: number): number {
  return operands.reduce((index, operand) => index * n + operand, 0);
}

/** All subsequences of a size, in order; subsequences of an ascending list are its sub-multisets. */
export function subsequences(items: readonly number[], size: number): number[][] {
  if (size === 0) return [[]];
  return items.flatMap((item, i) =>
    subsequences(items.slice(i + 1), size - 1).map((rest) => [item, ...rest]),
  );
}
