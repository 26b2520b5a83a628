/**
 * Half dose: how much of an ablation a model stands. a50 is the dose at which accuracy first falls below half of the way from
 * the intact accuracy to guessing, (acc0 + 1/n) / 2, log-linear between grid points. A curve that never falls, or has
 * fallen at the first dose, bounds a50 on one side only, and says so. Compared in octaves: h = log2 a50(F) - log2 a50(A).
 * Where something is computed it does not say: see docs, "ablation".
 */
import { expDeterministic, logDeterministic } from '../../src/tensor/math.js';

/** Half octaves from 2^-8 to 1. */
export const HALF_OCTAVE_DOSES: readonly number[] = Array.from({ length: 17 }, (_, i) =>
  i % 2 === 0 ? 2 ** (i / 2 - 8) : Math.SQRT2 * 2 ** ((i - 1) / 2 - 8),
);

/** The half dose, as far as the grid tells. */
export type HalfDose =
  | { readonly kind: 'measured'; readonly dose: number; readonly log2: number }
  /** accuracy holds up to the last dose: a50 is above it */
  | { readonly kind: 'never falls'; readonly last: number }
  /** accuracy has fallen at the first dose: a50 is at most that */
  | { readonly kind: 'below the first dose'; readonly first: number }
  /** the intact model does no better than guessing */
  | { readonly kind: 'nothing to lose' };

/** An octave difference of which one or both ends may be open; `low` equals `high` when it is measured. */
export interface CensoredOctaves {
  readonly kind: 'measured' | 'at least' | 'at most' | 'unknown';
  readonly low: number;
  readonly high: number;
}

/**
 * @param doses - ascending, above 0; HALF_OCTAVE_DOSES unless there is a reason
 * @param accuracies - at each dose, in [0, 1]
 * @param intact - accuracy at dose 0, on the same prompts
 * @param n - modulus: guessing is right 1/n of the time
 */
export function halfDose(
  doses: readonly number[],
  accuracies: ArrayLike<number>,
  intact: number,
  n: number,
): HalfDose {
  check(doses, accuracies, intact);
  if (!(intact > 1 / n)) return { kind: 'nothing to lose' };
  const limit = (intact + 1 / n) / 2;
  const after = doses.findIndex((_, i) => accuracies[i] < limit);
  if (after < 0) return { kind: 'never falls', last: doses[doses.length - 1] };
  if (after === 0) return { kind: 'below the first dose', first: doses[0] };
  const [from, to] = [log2(doses[after - 1]), log2(doses[after])];
  const [above, below] = [accuracies[after - 1], accuracies[after]];
  const at = from + ((above - limit) / (above - below)) * (to - from);
  return { kind: 'measured', dose: expDeterministic(at * Math.LN2), log2: at };
}

/** h = log2 a50(feed-forward) - log2 a50(attention): above 0 the model stands more noise in feed-forward than in attention. */
export function halfDoseDifference(feedForward: HalfDose, attention: HalfDose): CensoredOctaves {
  const [f, a] = [boundsOf(feedForward), boundsOf(attention)];
  const [low, high] = [f.low - a.high, f.high - a.low];
  const kind =
    low === high
      ? 'measured'
      : Number.isFinite(low)
        ? 'at least'
        : Number.isFinite(high)
          ? 'at most'
          : 'unknown';
  return { kind, low, high };
}

function boundsOf(dose: HalfDose): { readonly low: number; readonly high: number } {
  switch (dose.kind) {
    case 'measured':
      return { low: dose.log2, high: dose.log2 };
    case 'never falls':
      return { low: log2(dose.last), high: Infinity };
    case 'below the first dose':
      return { low: -Infinity, high: log2(dose.first) };
    case 'nothing to lose':
      return { low: -Infinity, high: Infinity };
  }
}

function log2(dose: number): number {
  return logDeterministic(dose) / Math.LN2;
}

function check(doses: readonly number[], accuracies: ArrayLike<number>, intact: number): void {
  const isAscending = doses.every((dose, i) => dose > (i === 0 ? 0 : doses[i - 1]));
  if (doses.length === 0 || !isAscending || accuracies.length !== doses.length) {
    throw new RangeError(
      `halfDose: found ${accuracies.length} accuracies at doses ${doses.join(', ')}, expected as many as ascending doses above 0.`,
    );
  }
  const outside = [intact, ...Array.from(accuracies)].find((value) => !(value >= 0 && value <= 1));
  if (outside !== undefined) throw new RangeError(`halfDose: found accuracy ${outside}, expected 0 to 1.`);
}
