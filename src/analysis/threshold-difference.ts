/**
 * Differences of size thresholds when some arms learn at no size tested, or at every one. Their thresholds are known to lie
 * above, or below, the sizes tested, and no more: how far is the edge of the grid, not a measurement. So the difference is
 * bounded on one side, and is printed as `> L` without an estimate.
 */
import type { TwoByTwo } from './proportions.js';
import {
  type Discrete,
  differenceOf,
  equalTailed,
  type SizeCount,
  thresholdPosterior,
} from './thresholds.js';

/** above: learned in no run of any size. below: in every run of every size. none: somewhere in between. */
export const CENSORINGS = ['none', 'above', 'below'] as const;
export type Censoring = (typeof CENSORINGS)[number];

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
export function startInteraction(thetas: {
  readonly aloneSmall: CensoredTheta;
  readonly jointSmall: CensoredTheta;
  readonly aloneLarge: CensoredTheta;
  readonly jointLarge: CensoredTheta;
}): CensoredTheta {
  return censoredDifference(
    censoredDifference(thetas.aloneSmall, thetas.jointSmall),
    censoredDifference(thetas.aloneLarge, thetas.jointLarge),
  );
}

/** Median and equal-tailed interval as far as they are known: open sides are infinite, and then there is no estimate. */
export type ThresholdEstimate =
  | { readonly kind: 'estimated'; readonly estimate: number; readonly low: number; readonly high: number }
  | { readonly kind: 'above'; readonly low: number; readonly median: number }
  | { readonly kind: 'below'; readonly high: number; readonly median: number }
  | { readonly kind: 'open' };

export function thresholdEstimate({ theta, censoring }: CensoredTheta, level: number): ThresholdEstimate {
  const { estimate, low, high } = equalTailed(theta, level);
  switch (censoring) {
    case 'none':
      return { kind: 'estimated', estimate, low, high };
    case 'above':
      return { kind: 'above', low, median: estimate };
    case 'below':
      return { kind: 'below', high, median: estimate };
    case 'open':
      return { kind: 'open' };
  }
}

/**
 * What the verdict reads: an open side is infinite. The median of a censored posterior is on the side of the bound, since a
 * wider grid would only move it further away.
 */
export function thresholdEvidence(found: ThresholdEstimate): {
  readonly estimate: number;
  readonly interval: { readonly low: number; readonly high: number };
} {
  switch (found.kind) {
    case 'estimated':
      return { estimate: found.estimate, interval: { low: found.low, high: found.high } };
    case 'above':
      return { estimate: found.median, interval: { low: found.low, high: Infinity } };
    case 'below':
      return { estimate: found.median, interval: { low: -Infinity, high: found.high } };
    case 'open':
      return { estimate: 0, interval: { low: -Infinity, high: Infinity } };
  }
}

/** `1.3 [0.4, 2.1]`, `> 0.4`, `< -0.2` or `not known`, in octaves. */
export function thresholdEstimateText(found: ThresholdEstimate): string {
  const show = (value: number): string => (Math.round(value * 10) / 10 + 0).toFixed(1);
  switch (found.kind) {
    case 'estimated':
      return `${show(found.estimate)} [${show(found.low)}, ${show(found.high)}]`;
    case 'above':
      return `> ${show(found.low)}`;
    case 'below':
      return `< ${show(found.high)}`;
    case 'open':
      return 'not known';
  }
}

/** Learned runs of two arms at every size that both have, as strata of proportionDifference. */
export function strataOf(a: readonly SizeCount[], b: readonly SizeCount[]): TwoByTwo[] {
  return a.flatMap(({ parameters, learned, runs }) => {
    const other = b.find((size) => size.parameters === parameters);
    return other === undefined ? [] : [{ k1: learned, n1: runs, k2: other.learned, n2: other.runs }];
  });
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
