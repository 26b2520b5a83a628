import type { Summary } from './statistics.mjs';

export interface Time {
  readonly wallMs: number;
  readonly cpuMs: number;
}
export function interleave(
  contenders: readonly { readonly name: string; readonly run: () => Time | Promise<Time> }[],
  options?: { readonly rounds?: number; readonly warmup?: number },
): Promise<Record<string, Time[]>>;
export function speedRatio(
  rounds: Record<string, readonly Time[]>,
  ours: readonly [string, number],
  theirs: readonly [string, number],
): { wall: Summary; cpu: Summary; waited: number };
