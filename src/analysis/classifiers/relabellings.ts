/**
 * Every way to deal out the observed classes to the n numbers, or seeded samples of them when they are too many: the null of
 * a probe that asks whether one labelling is special. The probes are in leave-pair-out.ts.
 */
import type { Rng } from '../../tensor/rng.js';
import { binomialCoefficient } from '../statistics/permutation.js';

/** At most this many relabellings are enumerated. */
export const MOST_RELABELLINGS = 20_000;
/** Drawn when there are more. */
export const SAMPLED_RELABELLINGS = 9999;

export interface Relabellings {
  /** every one of them, the observed labelling among them; otherwise a sample without it */
  readonly exact: boolean;
  readonly count: number;
  /** yields one reused array [n] of class ids: copy to keep */
  readonly labels: () => Iterable<Uint8Array>;
}

export interface RelabellingOptions {
  readonly rng: () => Rng;
  readonly most?: number;
  readonly sampled?: number;
}

/**
 * Two classes of equal size are dealt out once up to exchanging them, because a probe of the complement is the same probe:
 * 126 for five of ten. Classes keep their sizes.
 * @param labels - [n] class ids 0..255
 */
export function relabellingsOf(labels: ArrayLike<number>, options: RelabellingOptions): Relabellings {
  const n = labels.length;
  const sizes = classSizes(labels);
  const isPaired = sizes.length === 2 && sizes[0] === sizes[1];
  let arrangements = 1;
  let left = n;
  for (const size of sizes) {
    arrangements *= binomialCoefficient(left, size);
    left -= size;
  }
  const count = isPaired ? arrangements / 2 : arrangements;
  if (count <= (options.most ?? MOST_RELABELLINGS)) {
    return { exact: true, count, labels: () => arrangementsOf(sizes, n, isPaired) };
  }
  const sampled = options.sampled ?? SAMPLED_RELABELLINGS;
  return { exact: false, count: sampled, labels: () => samplesOf(labels, sampled, options.rng()) };
}

/** @returns number of elements of class 0, 1, ... */
export function classSizes(labels: ArrayLike<number>): number[] {
  const sizes: number[] = [];
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i];
    if (!Number.isInteger(label) || label < 0 || label > 255) {
      throw new RangeError(`class of number ${i}: found ${label}, expected a whole number from 0 to 255.`);
    }
    while (sizes.length <= label) sizes.push(0);
    sizes[label]++;
  }
  return sizes;
}

function* arrangementsOf(sizes: readonly number[], n: number, isPaired: boolean): Generator<Uint8Array> {
  const out = new Uint8Array(n);
  const left = [...sizes];
  function* place(at: number): Generator<Uint8Array> {
    if (at === n) {
      yield out;
      return;
    }
    for (let label = 0; label < left.length; label++) {
      // the first number stays in class 0: the other half are complements
      if (left[label] === 0 || (isPaired && at === 0 && label > 0)) continue;
      left[label]--;
      out[at] = label;
      yield* place(at + 1);
      left[label]++;
    }
  }
  yield* place(0);
}

function* samplesOf(labels: ArrayLike<number>, count: number, rng: Rng): Generator<Uint8Array> {
  const out = Uint8Array.from(labels);
  for (let draw = 0; draw < count; draw++) yield rng.shuffle(out);
}
