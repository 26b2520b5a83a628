/** Small pieces that all findings of the embedding probe share. */
import { finiteNumber } from '../ablation/json-numbers.js';
import type { Arm } from './combine.js';

/** One statistic of every usable run; none when there is no such condition. */
export function values(arm: Arm | null, field: 'order' | 'circularExcess' | 'closure'): number[] {
  return (arm?.usable ?? []).map((run) => run[field]);
}

/** Nine digits. */
export function round(p: number): number {
  return finiteNumber(p, 'p');
}
