/** Text of report.json: canonical, nine significant digits, equal reports give equal bytes. No file access. */
import { canonicalJson } from '../io/json.js';
import type { Json, JsonArray, Report } from './schema.js';

const DIGITS = 9;

/** Nine significant digits; non-finite numbers as the strings "NaN", "Infinity", "-Infinity"; -0 as 0. */
export function jsonNumber(value: number): number | string {
  if (!Number.isFinite(value)) return String(value);
  return Number.isInteger(value) ? value + 0 : Number(value.toPrecision(DIGITS)) + 0;
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

/** As jsonNumber, for what must be finite. @param what - name for the message */
export function finiteNumber(value: number, what: string): number {
  if (!Number.isFinite(value)) throw new RangeError(`${what} is ${value}, expected a finite number.`);
  return Number(value.toPrecision(DIGITS)) + 0;
}

/** Every number of a value rounded to nine digits. */
export function rounded(value: Json): Json {
  if (typeof value === 'number') return jsonNumber(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(rounded);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, item === undefined ? undefined : rounded(item)]),
  );
}

/** @returns one line of canonical JSON and a newline */
export function reportJson(report: Report): string {
  return `${canonicalJson(rounded(report as unknown as Json))}\n`;
}
