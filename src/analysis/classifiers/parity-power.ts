/**
 * Parity in number embeddings as power: the share of the centred variance at k = n/2, |sum_i (-1)^i x_i|^2 / (n sum_i |x_i|^2),
 * over its mean 1/(n - 1), in octaves. 0 for isotropic embeddings on average, without a floor, the same under every naming
 * in (Z/n)* (units of an even n are odd). Null: all labellings into equal halves, whose mean share is 1/(n - 1) exactly.
 * High power does not say that the model uses parity; an odd n has no k = n/2.
 */
import { RunError } from '../../errors.js';
import { logDeterministic } from '../../tensor/math.js';
import { assertFinite } from '../../tensor/shape.js';
import type { Rng } from '../../tensor/rng.js';
import { centred, gram, type Matrix, squaredNorm } from '../matrix.js';
import { quantileSorted } from '../statistics/quantile.js';
import { relabellingsOf, SAMPLED_RELABELLINGS } from './relabellings.js';

/** Labellings are enumerated up to n = 18 (24,310); n = 20 has 92,378. */
export const MOST_HALVES = 50_000;
/** A share below this is rounding. */
const LEAST_SHARE = 1e-12;

export interface ParityNull {
  /** how often a labelling has as much power or more; the observed labelling counts as one of them */
  readonly p: number;
  /** with equals counted half, for Stouffer */
  readonly midP: number;
  /** of the share */
  readonly nullMean: number;
  readonly null95: number;
  readonly labellings: number;
  readonly exact: boolean;
}

export type ParityPower =
  | {
      readonly kind: 'defined';
      /** of the centred variance, in (0, 1] */
      readonly share: number;
      /** log2((n - 1) share), octaves */
      readonly power: number;
      readonly test: ParityNull;
    }
  /** an odd n, or no variance at k = n/2 beyond rounding: no number stands for it */
  | { readonly kind: 'not defined'; readonly reason: string };

export interface ParityOptions {
  readonly rng: () => Rng;
  /** most labellings enumerated, and drawn when there are more */
  readonly most?: number;
  readonly sampled?: number;
}

/** @param x - [n, d] embedding of number i in row i, n >= 4 @throws RunError when all rows are equal */
export function parityPower(x: Matrix, options: ParityOptions): ParityPower {
  assertFinite(x.data, 'parityPower: x');
  const n = x.rows;
  if (n < 4) throw new RangeError(`parityPower: found ${n} numbers, expected 4 or more.`);
  if (n % 2 === 1) return { kind: 'not defined', reason: `${n} is odd, so there is no frequency n/2` };
  const xCentred = centred(x);
  const total = squaredNorm(xCentred);
  if (total === 0)
    throw new RunError('parity power: all embeddings are equal, so there is no power to share.');
  const shareOf = shareFunction(gram(xCentred), n * total);
  const parity = Uint8Array.from({ length: n }, (_, i) => i % 2);
  const share = shareOf(parity);
  if (share < LEAST_SHARE) {
    return { kind: 'not defined', reason: 'the embeddings have no variance at the frequency n/2' };
  }
  const { most = MOST_HALVES, sampled = SAMPLED_RELABELLINGS, rng } = options;
  const { exact, count, labels } = relabellingsOf(parity, { rng, most, sampled });
  const shares = new Float64Array(count);
  let at = 0;
  for (const own of labels()) shares[at++] = shareOf(own);
  // a sample does not hold the observed labelling: it is counted in (Phipson and Smyth, 2010)
  const own = exact ? 0 : 1;
  const slack = 1e-10 * share;
  const above = shares.filter((other) => other > share + slack).length;
  const reached = shares.filter((other) => other >= share - slack).length;
  return {
    kind: 'defined',
    share,
    power: logDeterministic((n - 1) * share) / Math.LN2,
    test: {
      p: (reached + own) / (count + own),
      midP: (above + (reached - above + own) / 2) / (count + own),
      nullMean: shares.reduce((sum, value) => sum + value, 0) / count,
      null95: quantileSorted(shares.sort(), 0.95),
      labellings: count,
      exact,
    },
  };
}

/** @param products - [n, n] inner products of the centred rows @param scale - n times their squared norm */
function shareFunction({ rows: n, data }: Matrix, scale: number): (isOne: ArrayLike<number>) => number {
  const signs = new Float64Array(n);
  return (isOne) => {
    for (let i = 0; i < n; i++) signs[i] = isOne[i] === 0 ? 1 : -1;
    let power = 0;
    for (let i = 0; i < n; i++) {
      let row = 0;
      for (let j = 0; j < i; j++) row += signs[j] * data[i * n + j];
      power += 2 * signs[i] * row + data[i * n + i];
    }
    return Math.max(power, 0) / scale;
  };
}
