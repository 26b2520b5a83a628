/**
 * Dose curves of an ablation (C4): how much of what a model knows is lost as a component's writes are mixed with
 * replacements, alpha = 1/8..1, and what share of it is feed-forward. The losses come from the ablation probe. At alpha = 1
 * attention is lost wholly by construction (it is the only path between positions): only the curve carries information.
 */
import { RunError } from '../errors.js';
import { logDeterministic } from '../tensor/math.js';
import { mean } from '../tensor/sum.js';

/** Doses at which a component is replaced: x becomes (1 - alpha) x + alpha r. */
export const DOSES: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8].map((eighth) => eighth / 8);

/**
 * Share of the knowledge lost: D = clip((L - L_0) / (L_c - L_0), 0, 1).
 * @param lossNats - loss under ablation, on result tokens
 * @param cleanLossNats - L_0, the intact model
 * @param constantLossNats - L_c, the best constant given operation and arity
 */
export function lostShare(lossNats: number, cleanLossNats: number, constantLossNats: number): number {
  if (!(constantLossNats > cleanLossNats)) {
    throw new RunError(
      `lostShare: the intact loss ${cleanLossNats} is not below the loss of a constant ${constantLossNats}, so there is nothing to lose.`,
    );
  }
  if (Number.isNaN(lossNats)) throw new RunError('lostShare: the loss under ablation is NaN.');
  return Math.min(1, Math.max(0, (lossNats - cleanLossNats) / (constantLossNats - cleanLossNats)));
}

/** A_X: mean of D_X over the doses. */
export function doseArea(lostShares: ArrayLike<number>): number {
  return mean(lostShares);
}

/** (A_F + 0.01) / (A_F + A_A + 0.02): always between 0 and 1, 0.5 when neither matters. */
export function feedForwardShare(areaFeedForward: number, areaAttention: number): number {
  return (areaFeedForward + 0.01) / (areaFeedForward + areaAttention + 0.02);
}

/** Shapley value of the feed-forward part: (D_F + D_AF - D_A) / 2, each at alpha = 1. */
export function shapleyFeedForward(lost: {
  readonly feedForward: number;
  readonly attention: number;
  readonly both: number;
}): number {
  return (lost.feedForward + lost.both - lost.attention) / 2;
}

/**
 * L_c: cross-entropy of the best constant prediction given the group (operation and arity). Uniform results over n: log n.
 * @param groups - for each group [n] counts of each result; groups without counts are skipped
 */
export function bestConstantLossNats(groups: readonly ArrayLike<number>[]): number {
  let total = 0;
  let nats = 0;
  for (const counts of groups) {
    const size = Array.from(counts).reduce((sum, count) => sum + count, 0);
    total += size;
    for (const count of Array.from(counts)) if (count > 0) nats -= count * logDeterministic(count / size);
  }
  if (total === 0) throw new RangeError('bestConstantLossNats: found no counts, expected at least one.');
  return nats / total;
}
