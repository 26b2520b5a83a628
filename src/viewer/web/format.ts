/** Numbers and words as the pages show them. Pure. */

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

/** A whole number in groups of three. */
export function whole(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
}

export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  if (size < 1e6) return `${(size / 1e3).toFixed(size < 1e4 ? 1 : 0)} kB`;
  return `${(size / 1e6).toFixed(1)} MB`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${whole(count)} ${count === 1 ? one : many}`;
}

const STATUS_WORDS: Readonly<Record<string, string>> = {
  running: 'training',
  solved: 'solved',
  budget: 'finished',
  diverged: 'diverged',
  interrupted: 'interrupted',
  stopped: 'stopped',
  corrupt: 'not readable',
};

export function statusWord(status: string): string {
  return STATUS_WORDS[status] ?? status;
}

/** Place of a series colour: operations keep theirs on every page. */
const KNOWN_SERIES = ['SUM', 'MAX', 'MED', 'MIN', 'FIRST', 'PROD', 'NADD', 'TABLE'];

export function seriesColor(name: string, place: number): number {
  const known = KNOWN_SERIES.indexOf(name);
  return known === -1 ? place % 8 : known;
}
