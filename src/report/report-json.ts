/** Text of report.json: canonical, nine significant digits, equal reports give equal bytes. No file access. */
import { nine } from '../evidence/statistic.js';
import { canonicalJson } from '../io/json.js';
import type { Json, JsonArray, Report } from './schema.js';

/** Nine significant digits; non-finite numbers as the strings "NaN", "Infinity", "-Infinity"; -0 as 0. */
export function jsonNumber(value: number): number | string {
  if (!Number.isFinite(value)) return String(value);
  return Number.isInteger(value) ? value + 0 : nine(value);
}

/**
 * A numeric array for a result.
 * @param shape - sizes, row-major; their product is the length of `data`
 */
export function jsonArray(shape: readonly number[], data: ArrayLike<number>): JsonArray {
  const size = shape.reduce((product, length) => product * length, 1);
  if (size !== data.length)
    throw new RangeError(`jsonArray: shape [${shape.join(', ')}] holds ${size} numbers, got ${data.length}.`);
  return { shape: [...shape], data: Array.from(data, jsonNumber) };
}

/** A number again, whichever way it is written. */
export function numberOf(value: number | string): number {
  return typeof value === 'number' ? value : Number(value);
}

/** A value of the same form whose numbers have nine digits, for a measurement: what is not finite stays so, and is refused. */
export function nineDigits<T>(value: T): T {
  return changed(value, nine) as T;
}

/** Every number of a value rounded to nine digits. */
export function rounded(value: Json): Json {
  return changed(value, jsonNumber) as Json;
}

function changed(value: unknown, change: (value: number) => number | string): unknown {
  if (typeof value === 'number') return change(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => changed(item, change));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, changed(item, change)]));
}

/** @returns one line of canonical JSON and a newline */
export function reportJson(report: Report): string {
  return `${canonicalJson(report, jsonNumber)}\n`;
}
