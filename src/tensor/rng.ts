/**
 * Counter-based random numbers with named streams. A draw is a pure function of (seed, stream, index), so that
 * batch t can be made without having made batch t - 1, and adding a draw to one stream never moves another.
 * Philox4x32-10: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
import { cosDeterministic, logDeterministic } from './math.js';

const M0 = 0xd2511f53 | 0;
const M1 = 0xcd9e8d57 | 0;
const W0 = 0x9e3779b9 | 0;
const W1 = 0xbb67ae85 | 0;

/** High 32 bits of the 64-bit product of two unsigned 32-bit integers, both and the result as signed ones. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  // no sum is 2^32 or more, so that its 32 bits are all of it
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const middle2 = (Math.imul(aLow, bHigh) + (middle & 0xffff)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (middle2 >>> 16)) | 0;
}

/**
 * One Philox4x32-10 block.
 * @param out - [4] uint32; written
 */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
  out: Uint32Array,
): void {
  // signed, and no iterators: this is the inner loop of every permutation test
  let c0 = counter[0] | 0;
  let c1 = counter[1] | 0;
  let c2 = counter[2] | 0;
  let c3 = counter[3] | 0;
  let k0 = key[0] | 0;
  let k1 = key[1] | 0;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(M0, c0);
    const low0 = Math.imul(M0, c0);
    const high1 = multiplyHigh(M1, c2);
    const low1 = Math.imul(M1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + W0) | 0;
    k1 = (k1 + W1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** 32-bit FNV-1a of a stream name: only a label, never used to choose data by content. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) {
    hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/** A seeded stream. `index` chooses an independent substream, such as the training step. */
export class Rng {
  private readonly block = new Uint32Array(4);
  private used = 4;
  private counter = 0;
  private readonly key: readonly [number, number];
  /** counter and index, as philox takes them */
  private readonly words: [number, number, number, number];

  /**
   * @param seed - non-negative safe integer
   * @param stream - `init`, `data`, `holdout`, `evaluation`, `probe:<name>`, ...
   * @param index - non-negative safe integer, e.g. the step
   */
  constructor(
    readonly seed: number,
    readonly stream: string,
    index = 0,
  ) {
    for (const [name, value] of [
      ['seed', seed],
      ['index', index],
    ] as const) {
      if (!Number.isSafeInteger(value) || value < 0) {
        throw new RangeError(`Rng ${name} must be a non-negative safe integer, found ${value}.`);
      }
    }
    this.key = [
      (seed ^ hashName(stream)) >>> 0,
      (Math.floor(seed / 4294967296) ^ hashName(`${stream}/high`)) >>> 0,
    ];
    this.words = [0, 0, index >>> 0, Math.floor(index / 4294967296) >>> 0];
  }

  /** Uniform unsigned 32-bit integer. */
  uint32(): number {
    if (this.used === 4) {
      this.words[0] = this.counter >>> 0;
      philox(this.words, this.key, this.block);
      this.counter++;
      this.used = 0;
    }
    return this.block[this.used++];
  }

  /** Uniform in [0, 1) with 53 bits. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** Uniform whole number in [0, n), unbiased (rejection). n from 1 to 2^32. */
  below(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 4294967296) {
      throw new RangeError(`Rng.below needs a whole number from 1 to 2^32, found ${n}.`);
    }
    let draw = this.uint32();
    // the last multiple of n below 2^32 is above 2^32 - n: the slow remainder is rarely needed
    while (draw > 4294967295 - n && draw >= 4294967296 - (4294967296 % n)) draw = this.uint32();
    return draw % n;
  }

  /** Standard normal (Box-Muller with our own log and cos: the same bits on every platform). */
  normal(): number {
    const u = 1 - this.uniform();
    const v = this.uniform();
    return Math.sqrt(-2 * logDeterministic(u)) * cosDeterministic(2 * Math.PI * v);
  }

  /** Fisher-Yates in place; returns the same array. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const held = items[i];
      items[i] = items[j];
      items[j] = held;
    }
    return items;
  }

  /** A permutation of 0..n-1. */
  permutation(n: number): Int32Array {
    return this.shuffle(Int32Array.from({ length: n }, (_, i) => i));
  }
}
