/**
 * One seed's dose curves of attention, feed-forward and both, put together as C4 reads them. The formulas are in dose.ts;
 * here is only how the curves of one method combine, and when they cannot. Pure.
 */
import { DOSES, doseArea, feedForwardShare, lostShare, shapleyFeedForward } from './dose.js';

/**
 * Doses below those of the claim: trained models lose everything at less than one eighth, so that the curves differ here or
 * nowhere. Description only, they enter neither areas nor shares.
 */
export const LOW_DOSES: readonly number[] = [1 / 64, 1 / 32, 1 / 16];

/** Mean loss on result tokens at each dose, nats. */
export interface DoseLosses {
  readonly attention: readonly number[];
  readonly feedForward: readonly number[];
  readonly both: readonly number[];
}

export interface DoseSummary {
  /** D_X(alpha) in [0, 1], one a dose */
  readonly lost: { readonly attention: number[]; readonly feedForward: number[]; readonly both: number[] };
  /** A_X */
  readonly area: { readonly attention: number; readonly feedForward: number; readonly both: number };
  /** share of the dose curves that is feed-forward */
  readonly share: number;
  /** D_X(1) */
  readonly full: { readonly attention: number; readonly feedForward: number; readonly both: number };
  readonly shapley: number;
}

/**
 * The dose at which half is lost: first crossing of D = 1/2 on the line through (0, 0), the low doses and the doses.
 * @param low - D at LOW_DOSES; @param lost - D at DOSES
 * @returns undefined when less than half is lost at full dose
 */
export function halfDose(low: readonly number[], lost: readonly number[]): number | undefined {
  const alphas = [0, ...LOW_DOSES, ...DOSES];
  const values = [0, ...low, ...lost];
  const after = values.findIndex((value) => value >= 0.5);
  if (after < 0) return undefined;
  const [a, b] = [values[after - 1], values[after]];
  return alphas[after - 1] + ((0.5 - a) / (b - a)) * (alphas[after] - alphas[after - 1]);
}

/** @returns undefined when the intact model is no better than a constant: it has nothing to lose */
export function summarizeDose(
  losses: DoseLosses,
  cleanLossNats: number,
  constantLossNats: number,
): DoseSummary | undefined {
  if (!(constantLossNats > cleanLossNats)) return undefined;
  const lostOf = (nats: readonly number[]): number[] =>
    nats.map((loss) => lostShare(loss, cleanLossNats, constantLossNats));
  const lost = {
    attention: lostOf(losses.attention),
    feedForward: lostOf(losses.feedForward),
    both: lostOf(losses.both),
  };
  const area = {
    attention: doseArea(lost.attention),
    feedForward: doseArea(lost.feedForward),
    both: doseArea(lost.both),
  };
  const last = (values: readonly number[]): number => values[values.length - 1];
  const full = {
    attention: last(lost.attention),
    feedForward: last(lost.feedForward),
    both: last(lost.both),
  };
  return {
    lost,
    area,
    share: feedForwardShare(area.feedForward, area.attention),
    full,
    shapley: shapleyFeedForward(full),
  };
}
