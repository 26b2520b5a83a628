/**
 * Renamings of the numbers that SUM mod n cannot tell apart: i -> u i with u coprime to n. A geometry that SUM alone has
 * shaped is determined only up to these, so statistics of it are taken as named and at the best naming.
 */

/** (Z/n)*: the numbers 1..n-1 coprime to n, ascending. */
export function units(n: number): number[] {
  if (!Number.isInteger(n) || n < 2) {
    throw new RangeError(`units: found modulus ${n}, expected a whole number of 2 or more.`);
  }
  return Array.from({ length: n - 1 }, (_, i) => i + 1).filter((u) => gcd(u, n) === 1);
}

/** @returns [n] row i of the renamed data is row u i mod n of the data */
export function renaming(n: number, unit: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => (unit * i) % n);
}

/** Steps between i and j around a ring of n. */
export function circularDistance(i: number, j: number, n: number): number {
  const steps = Math.abs(i - j) % n;
  return Math.min(steps, n - steps);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
