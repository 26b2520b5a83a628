/** How estimates, intervals, counts and p values are written on the page. No markup, no locale. */
import { grouped } from '../../evidence/results.js';
import { readable } from '../charts/common.js';
import type { Finding, Interval } from '../schema.js';

/** `8,123` or `2,048 to 8,123` */
export function span(values: readonly number[]): string {
  if (values.length === 0) return 'none';
  const [low, high] = [values[0], values[values.length - 1]];
  return low === high ? grouped(low) : `${grouped(low)} to ${grouped(high)}`;
}

/** Whole numbers as ranges: 1, 2, 3, 5 gives `1-3, 5`. Input ascending. */
export function ranges(values: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const value of values) {
    const last = runs.at(-1);
    if (last !== undefined && value === last[1] + 1) last[1] = value;
    else runs.push([value, value]);
  }
  return runs.map(([a, b]) => (a === b ? String(a) : `${a}\u2013${b}`)).join(', ');
}

/** A dimensionless number has no unit to print; `1 octaves` would be wrong. */
export function unitText(unit: string, value?: number): string {
  if (unit === '1') return '';
  return value === 1 ? unit.replace(/s$/, '') : unit;
}

export function intervalText(interval: Interval | undefined): string {
  if (interval === undefined) return '';
  return `[${minus(readable(interval.low))}, ${minus(readable(interval.high))}]`;
}

/** 95 and 99.17 without trailing zeros. */
export function levelText(level: number): string {
  return `${Number((100 * level).toPrecision(4))} %`;
}

/** A true minus sign for display. */
export function minus(text: string): string {
  return text.replace(/^-/, '\u2212');
}

export function pText(p: number | undefined): string {
  if (p === undefined) return '';
  return p < 0.0001 ? '< 0.0001' : String(Number(p.toPrecision(2)));
}

export function countText({ seeds, examples }: Finding['n']): string {
  const runs = `${grouped(seeds)} ${seeds === 1 ? 'run' : 'runs'}`;
  return examples > 0 ? `${runs}, ${grouped(examples)} examples` : runs;
}
