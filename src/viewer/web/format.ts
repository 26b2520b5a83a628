/** Numbers, words and strokes as the pages show them. Pure. */
import { grouped } from '../../evidence/results.js';
import { colorIndex, CONDITION_COLORS, DASHES, type ThemeName } from '../../palette.js';

/** A share as per cent, one decimal where it matters. */
export function percent(share: number | null | undefined): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return '–';
  const value = share * 100;
  return `${value > 99.94 || value < 0.05 ? value.toFixed(0) : value.toFixed(1)} %`;
}

/** A share on an axis: no decimals. */
export function wholePercent(share: number | null): string {
  return share === null ? '' : `${Math.round(share * 100)} %`;
}

/** Three significant digits; very small numbers by power of ten. */
export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size < 1e-3) return value.toExponential(1);
  return size >= 1000 ? whole(Math.round(value)) : String(Number(value.toPrecision(3)));
}

/** A whole number in groups of three, as in reports; a dash for none. */
export function whole(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return grouped(value);
}

export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  if (size < 1e6) return `${(size / 1e3).toFixed(size < 1e4 ? 1 : 0)} kB`;
  return `${(size / 1e6).toFixed(1)} MB`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

/** Curves of one run have the colour of its condition and differ by dash; the first of a row of names is drawn whole. */
const KNOWN_SERIES: readonly (readonly string[])[] = [
  ['SUM', 'MAX', 'MED', 'MIN', 'FIRST', 'PROD'],
  ['result', 'copy', 'format'],
];

/** Stroke of a curve, the same for one name on every page. */
export function dashOf(name: string, place: number): string {
  const known = Math.max(...KNOWN_SERIES.map((names) => names.indexOf(name)));
  return DASHES[(known === -1 ? place : known) % DASHES.length].join(' ');
}

/** Class of what is drawn in the colour of a condition. */
export function colorClass(place: number): string {
  return `c${colorIndex(place)}`;
}

/** `.c0`, `.c1`, ...: --c is the colour of a condition, in the theme that shows. */
export function conditionColors(): string {
  const rules = (theme: ThemeName, root: string): string =>
    CONDITION_COLORS[theme].map((color, i) => `${root} .c${i}{--c:${color}}`).join('');
  const dark = rules('dark', ":root:not([data-theme='light'])");
  return `${rules('light', ':root')}@media (prefers-color-scheme:dark){${dark}}${rules('dark', ":root[data-theme='dark']")}`;
}

/** `3 h 5 min`, `12 min`, `40 s` */
export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
