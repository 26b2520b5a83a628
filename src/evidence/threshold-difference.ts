/**
 * Differences of size thresholds when some arms learn at no size tested, or at every one. Their thresholds are known to lie
 * above, or below, the sizes tested, and no more: how far is the edge of the grid, not a measurement. So the difference is
 * bounded on one side, and is printed as `> L` without an estimate.
 */
import type { IntervalEstimate } from '../analysis/statistics/intervals.js';
import {
  type Discrete,
  differenceOf,
  equalTailed,
  type SizeCount,
  thresholdPosterior,
} from './thresholds.js';

/** above: learned in no run of any size. below: in every run of every size. none: somewhere in between. */
export type Censoring = 'none' | 'above' | 'below';

/** A threshold, or a difference of thresholds, with what is known of its place. `open`: nothing is. */
export interface CensoredTheta {
  readonly theta: Discrete;
  readonly censoring: Censoring | 'open';
}

export function censoredTheta(counts: readonly SizeCount[]): CensoredTheta {
  return { theta: thresholdPosterior(counts).theta, censoring: censoringOf(counts) };
}

export function censoringOf(counts: readonly SizeCount[]): Censoring {
  if (counts.every(({ learned }) => learned === 0)) return 'above';
  return counts.every(({ learned, runs }) => learned === runs) ? 'below' : 'none';
}

/** The censoring of a maximum: one that is above lifts it above; only where all are below is it below. */
export function censoringOfMaximum(all: readonly CensoredTheta['censoring'][]): CensoredTheta['censoring'] {
  if (all.includes('above')) return 'above';
  if (all.includes('open')) return 'open';
  return all.every((one) => one === 'below') ? 'below' : 'none';
}

/** a - b of independent thresholds; equal values are gathered, so that differences of differences stay small. */
export function censoredDifference(a: CensoredTheta, b: CensoredTheta): CensoredTheta {
  return { theta: gathered(differenceOf(a.theta, b.theta)), censoring: minus(a.censoring, b.censoring) };
}

function minus(a: CensoredTheta['censoring'], b: CensoredTheta['censoring']): CensoredTheta['censoring'] {
  const flipped = b === 'above' ? 'below' : b === 'below' ? 'above' : b;
  if (a === 'none' || a === flipped) return flipped;
  return flipped === 'none' ? a : 'open';
}

/**
 * M1, M2: what joint training saves at the small start, minus what it saves at the larger one, in octaves. 0 when the saving
 * does not depend on the start; the whole of the saving when the larger start leaves none.
 */
export function startInteraction(
  thetas: Readonly<Record<'aloneSmall' | 'jointSmall' | 'aloneLarge' | 'jointLarge', CensoredTheta>>,
): CensoredTheta {
  return censoredDifference(
    censoredDifference(thetas.aloneSmall, thetas.jointSmall),
    censoredDifference(thetas.aloneLarge, thetas.jointLarge),
  );
}

/** A median and an equal-tailed interval as far as they are known: what a verdict reads. */
export interface ThresholdEstimate {
  readonly censoring: CensoredTheta['censoring'];
  /**
   * An estimate only where nothing is censored; otherwise on the side of the bound, since a wider grid would only move it
   * further away, and 0 where nothing is known.
   */
  readonly median: number;
  /** open sides are infinite */
  readonly interval: Omit<IntervalEstimate, 'estimate'>;
}

export function thresholdEstimate({ theta, censoring }: CensoredTheta, level: number): ThresholdEstimate {
  const { estimate, low, high } = equalTailed(theta, level);
  const isOpen = censoring === 'open';
  return {
    censoring,
    median: isOpen ? 0 : estimate,
    interval: {
      low: isOpen || censoring === 'below' ? -Infinity : low,
      high: isOpen || censoring === 'above' ? Infinity : high,
      level,
      method: 'exact posterior, equal-tailed',
    },
  };
}

/** `1.3 [0.4, 2.1]`, `> 0.4`, `< -0.2` or `not known`, in octaves. */
export function thresholdEstimateText({ censoring, median, interval }: ThresholdEstimate): string {
  const [at, low, high] = [median, interval.low, interval.high].map((value) =>
    (Math.round(value * 10) / 10 + 0).toFixed(1),
  );
  return { none: `${at} [${low}, ${high}]`, above: `> ${low}`, below: `< ${high}`, open: 'not known' }[
    censoring
  ];
}

/** Values that differ by rounding only, taken together. */
function gathered({ values, mass }: Discrete): Discrete {
  const places: number[] = [];
  const masses: number[] = [];
  values.forEach((value, i) => {
    const last = places.length - 1;
    if (last >= 0 && value - places[last] < 1e-9) masses[last] += mass[i];
    else {
      places.push(value);
      masses.push(mass[i]);
    }
  });
  return { values: Float64Array.from(places), mass: Float64Array.from(masses) };
}
