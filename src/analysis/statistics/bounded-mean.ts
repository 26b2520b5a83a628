/**
 * Interval of the mean of bounded independent values by betting (Waudby-Smith and Ramdas, 2024): a gambler who bets against
 * a true mean m multiplies their capital by at least 2/(1 - level) with probability at most (1 - level)/2, so every m at
 * which they got that rich is excluded. It covers at its level whatever the distribution, two-valued and constant ones too.
 * The bet is their diversified one: capital is spread over fixed fractions, so the result does not depend on the order of
 * the values, and needs no seed.
 */
import { mean } from '../../tensor/sum.js';
import { bisect } from './distributions.js';
import { checkLevel, type IntervalEstimate } from './intervals.js';

/** Capital is spread evenly over bets of (k - 1/2) / N_FRACTIONS of all there is, k = 1..N_FRACTIONS. */
export const N_FRACTIONS = 32;

/**
 * @param values - independent, of one mean, in any order; at least one
 * @param bounds - that no value can leave, known beforehand and not read off the values; default [0, 1]
 * @throws RangeError for a value beyond the bounds
 */
export function boundedMeanInterval(
  values: ArrayLike<number>,
  level: number,
  bounds: readonly [number, number] = [0, 1],
): IntervalEstimate {
  checkLevel(level);
  const [least, most] = bounds;
  if (!(least < most) || values.length === 0) {
    throw new RangeError(
      `boundedMeanInterval: found ${values.length} values in [${least}, ${most}], expected one or more and a range.`,
    );
  }
  const unit = Float64Array.from(values, (value) => {
    if (!(value >= least && value <= most)) {
      throw new RangeError(`boundedMeanInterval: found ${value}, expected ${least} to ${most}.`);
    }
    return (value - least) / (most - least);
  }).sort();
  const mirrored = unit.map((value) => 1 - value).reverse();
  const rich = 2 / (1 - level);
  // capital against too small a mean falls as the mean grows
  const lowOf = (ascending: Float64Array): number =>
    ascending[ascending.length - 1] === 0 ? 0 : bisect((m) => capitalAbove(ascending, m) < rich, 0, 1);
  const [low, high] = [lowOf(unit), 1 - lowOf(mirrored)];
  const estimate = Math.min(most, Math.max(least, mean(values)));
  const scaled = (m: number): number => least + m * (most - least);
  return {
    estimate,
    low: Math.min(estimate, Math.max(least, scaled(low))),
    high: Math.max(estimate, Math.min(most, scaled(high))),
    level,
    method: 'betting over seeds, bounded values',
  };
}

/**
 * Capital of bets that the mean is above m, from 1: the mean over fractions g of prod (1 + g (x - m) / m). Its expectation
 * is 1 when m is the mean.
 * @param values - [n] in [0, 1] @param m - above 0
 */
function capitalAbove(values: Float64Array, m: number): number {
  let total = 0;
  for (let k = 0; k < N_FRACTIONS; k++) {
    const kept = 1 - (k + 0.5) / N_FRACTIONS;
    const perUnit = (1 - kept) / m;
    let capital = 1;
    for (let i = 0; i < values.length; i++) capital *= kept + perUnit * values[i];
    total += capital;
  }
  return total / N_FRACTIONS;
}
