/** Numbers as report.json holds them: 9 significant digits, non-finite ones as strings. */
import type { JsonArray } from '../../src/report/schema.js';

/** Rounded to 9 significant digits; "NaN", "Infinity" or "-Infinity" otherwise. */
export function jsonNumber(value: number): number | string {
  if (!Number.isFinite(value)) return String(value);
  // "-0" and "0" are one number
  return Number(value.toPrecision(9)) + 0;
}

/** As jsonNumber, for what must be finite. @param what - name for the message */
export function finiteNumber(value: number, what: string): number {
  if (!Number.isFinite(value)) throw new RangeError(`${what} is ${value}, expected a finite number.`);
  return Number(value.toPrecision(9)) + 0;
}

/** @param data - row-major, as many as the product of `shape` */
export function jsonArray(shape: readonly number[], data: ArrayLike<number>): JsonArray {
  return { shape, data: Array.from(data, jsonNumber) };
}

/** A number again, whichever way it is written. */
export function numberOf(value: number | string): number {
  return typeof value === 'number' ? value : Number(value);
}
