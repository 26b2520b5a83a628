/**
 * Arithmetic of memorization: the index M, accuracies in which every operand multiset weighs the same however many
 * orders it has, wrong answers by their difference modulo n, answers right modulo a divisor, agreement between orders.
 * An answer of -1 is a token that is no number.
 */

import { expDeterministic, logDeterministic } from '../tensor/math.js';

/** What a model answered to the orders of one operand multiset. */
export interface MultisetAnswers {
  /** ascending */
  readonly operands: ArrayLike<number>;
  /** [orders] the numbers answered, -1: no number */
  readonly answers: ArrayLike<number>;
  /** [orders] the true results; all equal when the operation is commutative */
  readonly results: ArrayLike<number>;
}

/** Below this lead of the trained accuracy over the majority guess the index is noise and is not given. */
export const SMALLEST_LEAD = 0.1;

/**
 * M = (trained - held) / (trained - chance): 0 when held-out operands are answered as well as trained ones, 1 when they
 * are answered no better than by the most frequent held result. Below 0 or above 1 it is not cut off.
 * @param chance - majority rate of the held results
 * @returns undefined when the trained accuracy does not lead chance by SMALLEST_LEAD
 */
export function memorizationIndex(trained: number, held: number, chance: number): number | undefined {
  return trained - chance < SMALLEST_LEAD ? undefined : (trained - held) / (trained - chance);
}

/** Mean over multisets of the share of orders for which `holds`; NaN of none. */
export function multisetMean(
  all: readonly MultisetAnswers[],
  holds: (answer: number, result: number) => boolean,
): number {
  let total = 0;
  for (const { answers, results } of all) {
    let count = 0;
    for (let i = 0; i < answers.length; i++) if (holds(answers[i], results[i])) count++;
    total += count / answers.length;
  }
  return total / all.length;
}

/** Share of right answers, every multiset weighted once. */
export function multisetAccuracy(all: readonly MultisetAnswers[]): number {
  return multisetMean(all, (answer, result) => answer === result);
}

/** Share of answers that are right modulo a divisor of n; modulo n it is the accuracy. */
export function cosetAccuracy(all: readonly MultisetAnswers[], divisor: number): number {
  return multisetMean(all, (answer, result) => answer >= 0 && answer % divisor === result % divisor);
}

/**
 * Accuracy of always giving the best single answer, every multiset weighted once, when only the answer modulo `divisor`
 * counts.
 */
export function majorityRate(all: readonly MultisetAnswers[], divisor: number): number {
  const weights = new Float64Array(divisor);
  for (const { results } of all) {
    for (let i = 0; i < results.length; i++) weights[results[i] % divisor] += 1 / results.length;
  }
  return weights.reduce((most, weight) => Math.max(most, weight), 0) / all.length;
}

/**
 * Answers by their difference from the result modulo n, every multiset weighted once.
 * @returns shares [n], 0 the right answers; `outside`: answers that are no number. All together 1; NaN of none
 */
export function differenceShares(
  all: readonly MultisetAnswers[],
  n: number,
): { readonly shares: Float64Array; readonly outside: number } {
  const shares = new Float64Array(n);
  let outside = 0;
  for (const { answers, results } of all) {
    const weight = 1 / answers.length / all.length;
    for (let i = 0; i < answers.length; i++) {
      if (answers[i] < 0) outside += weight;
      else shares[(answers[i] - results[i] + n) % n] += weight;
    }
  }
  return all.length === 0 ? { shares: shares.fill(NaN), outside: NaN } : { shares, outside };
}

export interface OrderAgreement {
  /** multisets that were asked in at least two orders */
  readonly multisets: number;
  /** share of pairs of orders of one multiset with the same answer, right or wrong; NaN of none */
  readonly agreement: number;
  /** the same for answers of two different multisets: what agreement would be if operands did not matter */
  readonly byChance: number;
}

/** Whether a model answers the same when the operands are written in another order. */
export function orderAgreement(all: readonly MultisetAnswers[]): OrderAgreement {
  const several = all.filter(({ answers }) => answers.length > 1);
  const overall = new Map<number, number>();
  let agreement = 0;
  let within = 0;
  for (const { answers } of several) {
    const own = new Map<number, number>();
    for (let i = 0; i < answers.length; i++) own.set(answers[i], (own.get(answers[i]) ?? 0) + 1);
    let same = 0;
    for (const [answer, count] of own) {
      const share = count / answers.length;
      same += count * (count - 1);
      within += share * share;
      overall.set(answer, (overall.get(answer) ?? 0) + share);
    }
    agreement += same / (answers.length * (answers.length - 1));
  }
  const m = several.length;
  // pairs of different multisets: all pairs less those of a multiset with itself
  const all2 = [...overall.values()].reduce((sum, weight) => sum + weight * weight, 0);
  return { multisets: m, agreement: agreement / m, byChance: (all2 - within) / (m * (m - 1)) };
}

/**
 * How likely so many right answers are by luck alone, when each of some independent questions is right with a chance known
 * beforehand: Hoeffding's bound exp(-N KL(share || chance)) (1963, theorem 1), which holds for answers that count in part too.
 * @param share - mean over the questions of what was right
 * @param questions - independent ones; where some count more than others, one over the greatest weight
 * @returns 1 when no more were right than expected
 */
export function luckyShareP(share: number, questions: number, chance: number): number {
  if (!(chance > 0 && chance < 1 && share >= 0 && share <= 1)) {
    throw new RangeError(`luckyShareP: found share ${share} and chance ${chance}, expected shares.`);
  }
  if (share <= chance) return 1;
  const part = (x: number, y: number): number => (x === 0 ? 0 : x * logDeterministic(x / y));
  return expDeterministic(-questions * (part(share, chance) + part(1 - share, 1 - chance)));
}

/** Divisors of n above 1, ascending, n among them. */
export function divisorsOf(n: number): number[] {
  const divisors: number[] = [];
  for (let d = 2; d <= n; d++) if (n % d === 0) divisors.push(d);
  return divisors;
}

/** What part of the operands a multiset has; every multiset is in two of the four. */
export const STRATA = ['distinct', 'repeated', 'without 0', 'with 0'] as const;
export type Stratum = (typeof STRATA)[number];

/** @param operands - ascending */
export function isInStratum(operands: ArrayLike<number>, stratum: Stratum): boolean {
  switch (stratum) {
    case 'distinct':
      return !hasRepeat(operands);
    case 'repeated':
      return hasRepeat(operands);
    case 'without 0':
      return operands[0] !== 0;
    case 'with 0':
      return operands[0] === 0;
  }
}

function hasRepeat(ascending: ArrayLike<number>): boolean {
  for (let i = 1; i < ascending.length; i++) if (ascending[i] === ascending[i - 1]) return true;
  return false;
}

/** A difference 0..n-1 as the step nearest to 0: -(n-1)/2..n/2, for axes. */
export function signedDifference(difference: number, n: number): number {
  return difference > n / 2 ? difference - n : difference;
}
