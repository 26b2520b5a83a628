/**
 * Dose curves of an ablation: how much of what a model knows is lost as the writes of a kind are mixed with replacements, and
 * what share of it is feed-forward. At dose 1 attention is lost wholly by construction (it is the only path between
 * positions): only the curve carries information. Half doses by accuracy, which C4 reads, are in probes/ablation/half-dose.ts.
 */
import { RunError } from '../../src/errors.js';
import { logDeterministic } from '../../src/tensor/math.js';
import { mean } from '../../src/tensor/sum.js';
import { type Kind, KINDS } from '../../src/lens/components.js';

/** Doses of areas and shares: x becomes (1 - alpha) x + alpha r. */
export const DOSES: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8].map((eighth) => eighth / 8);

/** Doses below those, for the dose at which half of the loss is reached; they enter neither areas nor shares. */
export const LOW_DOSES: readonly number[] = [1 / 64, 1 / 32, 1 / 16];

export type ByKind<T> = Readonly<Record<Kind, T>>;

export function byKind<T>(of: (kind: Kind) => T): ByKind<T> {
  const [attention, feedForward, both] = KINDS.map(of);
  return { attention, 'feed-forward': feedForward, both };
}

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

/** (A_F + 0.01) / (A_F + A_A + 0.02): always between 0 and 1, 0.5 when neither matters. */
export function feedForwardShare(areaFeedForward: number, areaAttention: number): number {
  return (areaFeedForward + 0.01) / (areaFeedForward + areaAttention + 0.02);
}

export interface DoseSummary {
  /** D_X at DOSES, each in [0, 1] */
  readonly lost: ByKind<readonly number[]>;
  /** A_X: mean of D_X over the doses */
  readonly area: ByKind<number>;
  /** share of the dose curves that is feed-forward */
  readonly share: number;
  /** Shapley value of the feed-forward part: (D_F + D_AF - D_A) / 2, each at dose 1 */
  readonly shapley: number;
}

/**
 * @param nats - mean loss on result tokens at DOSES
 * @returns undefined when the intact model is no better than a constant: it has nothing to lose
 */
export function summarizeDose(
  nats: ByKind<readonly number[]>,
  cleanLossNats: number,
  constantLossNats: number,
): DoseSummary | undefined {
  if (!(constantLossNats > cleanLossNats)) return undefined;
  const lost = byKind((kind) => nats[kind].map((loss) => lostShare(loss, cleanLossNats, constantLossNats)));
  const area = byKind((kind) => mean(lost[kind]));
  const full = byKind((kind) => lost[kind][lost[kind].length - 1]);
  return {
    lost,
    area,
    share: feedForwardShare(area['feed-forward'], area.attention),
    shapley: (full['feed-forward'] + full.both - full.attention) / 2,
  };
}

/**
 * The dose at which half is lost: first crossing of D = 1/2 on the line through (0, 0), the low doses and the doses.
 * @param low - D at LOW_DOSES; @param lost - D at DOSES
 * @returns undefined when less than half is lost at full dose
 */
export function halfLossDose(low: readonly number[], lost: readonly number[]): number | undefined {
  const alphas = [0, ...LOW_DOSES, ...DOSES];
  const values = [0, ...low, ...lost];
  const after = values.findIndex((value) => value >= 0.5);
  if (after < 0) return undefined;
  const [a, b] = [values[after - 1], values[after]];
  return alphas[after - 1] + ((0.5 - a) / (b - a)) * (alphas[after] - alphas[after - 1]);
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
