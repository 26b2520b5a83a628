/** Many p values: Benjamini-Hochberg (false discoveries), Stouffer (is there an effect in any seed). */
import { normalCdf, normalQuantile } from './distributions.js';

/** Benjamini-Hochberg adjusted p values, in the order given. */
export function benjaminiHochberg(p: ArrayLike<number>): Float64Array {
  checkP(p);
  const order = ascending(p);
  const out = new Float64Array(p.length);
  let least = 1;
  for (let rank = p.length; rank >= 1; rank--) {
    const at = order[rank - 1];
    least = Math.min(least, (p[at] * p.length) / rank);
    out[at] = least;
  }
  return out;
}

/**
 * Stouffer's combination of mid-p values (Lancaster's P(T > t) + P(T = t) / 2): evidence that the effect exists in at least one
 * seed, not that it is general.
 */
export function stouffer(midP: ArrayLike<number>): { readonly z: number; readonly p: number } {
  checkP(midP);
  if (midP.length === 0) throw new RangeError('stouffer: found no p values, expected at least one.');
  let total = 0;
  for (let i = 0; i < midP.length; i++) total -= normalQuantile(midP[i]);
  const z = total / Math.sqrt(midP.length);
  return { z, p: normalCdf(-z) };
}

function ascending(p: ArrayLike<number>): number[] {
  return Array.from({ length: p.length }, (_, i) => i).sort((a, b) => p[a] - p[b] || a - b);
}

function checkP(p: ArrayLike<number>): void {
  for (let i = 0; i < p.length; i++) {
    if (!(p[i] >= 0 && p[i] <= 1)) throw new RangeError(`p value ${i}: found ${p[i]}, expected 0 to 1.`);
  }
}
