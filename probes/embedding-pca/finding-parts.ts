/** Small pieces that all findings of the embedding probe share. */
import type { IntervalEstimate } from '../../src/analysis/intervals.js';
import type { Finding, Interval } from '../../src/report/schema.js';
import { finiteNumber, jsonNumber } from '../ablation/json-numbers.js';
import type { Arm, Comparison } from './combine.js';

export function estimated(estimate: IntervalEstimate | undefined): Pick<Finding, 'estimate' | 'interval'> {
  if (estimate === undefined) return {};
  const interval: Interval = {
    low: jsonNumber(estimate.low),
    high: jsonNumber(estimate.high),
    level: estimate.level,
    method: estimate.method,
  };
  return { estimate: jsonNumber(estimate.estimate), interval };
}

/** One statistic of every usable run; none when there is no such condition. */
export function values(arm: Arm | null, field: 'order' | 'circularExcess' | 'closure'): number[] {
  return (arm?.usable ?? []).map((run) => run[field]);
}

/** `pairs, d=16`: what the conditions compared have in common. */
export function placeOf({ regime, sumOnly, mixed }: Comparison): string {
  const label = sumOnly?.label ?? mixed?.label;
  return label === undefined ? 'no runs' : label.slice(label.indexOf(', ') + 2) || regime;
}

/** Nine digits. */
export function round(p: number): number {
  return finiteNumber(p, 'p');
}
