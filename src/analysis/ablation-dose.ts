/**
 * One seed's dose curves of attention, feed-forward and both, put together as C4 reads them. The formulas are in dose.ts;
 * here is only how the curves of one method combine, and when they cannot. Pure.
 */
import { doseArea, feedForwardShare, lostShare, shapleyFeedForward } from './dose.js';

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
