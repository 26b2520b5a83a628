/**
 * Functions of two numbers over Z/n x Z/n by Fourier power. A function of a + b has power at the frequencies (k, k) alone, one
 * of a - b at (k, -k), one of a alone at (k, 0). Four marginal sums give all of it: by rows, columns, sums and differences.
 */
import { assertLength } from '../../tensor/shape.js';
import { cosDeterministic, sinDeterministic } from '../../tensor/math.js';

/** Shares of the variance of some functions, pooled over them: large functions count more. */
export interface PairShares {
  /** of what depends on a + b alone: the sum of `byFrequency` */
  readonly sum: number;
  /** [floor(n/2)] at (k, k) and (-k, -k), k = 1.. */
  readonly byFrequency: Float64Array;
  /** of each function at its own best k: (k, 0), (0, k), (k, k), (k, -k) and their negatives */
  readonly oneFrequency: number;
  /** [floor(n/2)] share of the variance that lies in functions whose best frequency is k */
  readonly best: Float64Array;
}

/** Functions of two numbers, means taken out. */
export class PairFunctions {
  private readonly columns: readonly Float64Array[];
  private readonly cosines: Float64Array;
  private readonly sines: Float64Array;
  /** sum of squares over all functions; 0: all are constant, and there are no shares */
  readonly total: number;

  /** @param functions - each [n, n], row a, column b */
  constructor(
    readonly n: number,
    functions: readonly ArrayLike<number>[],
  ) {
    this.columns = functions.map((own) => {
      assertLength(own, n * n, 'function [n, n]');
      const values = Float64Array.from(own);
      const mean = values.reduce((sum, x) => sum + x, 0) / (n * n);
      return values.map((x) => x - mean);
    });
    this.total = this.columns.reduce((sum, own) => sum + own.reduce((part, x) => part + x * x, 0), 0);
    this.cosines = Float64Array.from({ length: n }, (_, s) => cosDeterministic((2 * Math.PI * s) / n));
    this.sines = Float64Array.from({ length: n }, (_, s) => sinDeterministic((2 * Math.PI * s) / n));
  }

  /** @param names - [n] number i is taken as names[i]; absent: as itself */
  shares(names?: ArrayLike<number>): PairShares {
    const { n, total } = this;
    const half = Math.floor(n / 2);
    const byFrequency = new Float64Array(half);
    const best = new Float64Array(half);
    let oneFrequency = 0;
    const [rows, columns, sums, differences] = Array.from({ length: 4 }, () => new Float64Array(n));
    for (const own of this.columns) {
      for (const marginal of [rows, columns, sums, differences]) marginal.fill(0);
      for (let a = 0; a < n; a++) {
        const from = (names === undefined ? a : names[a]) * n;
        for (let b = 0; b < n; b++) {
          const x = own[from + (names === undefined ? b : names[b])];
          rows[a] += x;
          columns[b] += x;
          sums[a + b < n ? a + b : a + b - n] += x;
          differences[a >= b ? a - b : a - b + n] += x;
        }
      }
      let most = 0;
      let at = 0;
      let size = 0;
      for (let k = 1; k <= half; k++) {
        const isOwnPartner = 2 * k === n;
        const ofSums = this.power(sums, k);
        // at n / 2 sums and differences are the same
        const block =
          this.power(rows, k) +
          this.power(columns, k) +
          ofSums +
          (isOwnPartner ? 0 : this.power(differences, k));
        const times = isOwnPartner ? 1 : 2;
        byFrequency[k - 1] += times * ofSums;
        if (times * block > most) {
          most = times * block;
          at = k - 1;
        }
      }
      for (const x of own) size += x * x;
      oneFrequency += most;
      best[at] += size;
    }
    // Parseval: all n^2 frequencies together carry n^2 times the sum of squares
    const whole = n * n * total;
    const shareOf = byFrequency.map((x) => x / whole);
    return {
      sum: shareOf.reduce((sum, x) => sum + x, 0),
      byFrequency: shareOf,
      oneFrequency: oneFrequency / whole,
      best: best.map((x) => x / total),
    };
  }

  /**
   * Shares of the variance at every frequency, those of opposite sign together.
   * @returns [floor(n/2) + 1, n] row k of a from 0, column l of b from 0 to n - 1 (n - l is -l)
   */
  map(): Float64Array {
    const { n, total, cosines, sines } = this;
    const half = Math.floor(n / 2);
    const out = new Float64Array((half + 1) * n);
    const re = new Float64Array(n);
    const im = new Float64Array(n);
    for (const own of this.columns) {
      for (let k = 0; k <= half; k++) {
        re.fill(0);
        im.fill(0);
        for (let a = 0; a < n; a++) {
          const phase = (k * a) % n;
          for (let b = 0; b < n; b++) {
            re[b] += own[a * n + b] * cosines[phase];
            im[b] -= own[a * n + b] * sines[phase];
          }
        }
        const times = k === 0 || 2 * k === n ? 1 : 2;
        for (let l = 0; l < n; l++) {
          let x = 0;
          let y = 0;
          for (let b = 0; b < n; b++) {
            const phase = (l * b) % n;
            x += re[b] * cosines[phase] + im[b] * sines[phase];
            y += im[b] * cosines[phase] - re[b] * sines[phase];
          }
          out[k * n + l] += (times * (x * x + y * y)) / (n * n * total);
        }
      }
    }
    return out;
  }

  /** |sum of x_s e^(-2 pi i k s / n)|^2 */
  private power(x: Float64Array, k: number): number {
    const { n, cosines, sines } = this;
    let re = 0;
    let im = 0;
    for (let s = 0, phase = 0; s < n; s++) {
      re += x[s] * cosines[phase];
      im += x[s] * sines[phase];
      phase += k;
      if (phase >= n) phase -= n;
    }
    return re * re + im * im;
  }
}

/**
 * The part of a function that is a wave of a + b (or of a - b) at some frequencies: its projection on their cosines and sines.
 * @param f - [n, n] @param frequencies - 1..floor(n/2) @param of - 1: a + b; -1: a - b
 * @returns [n, n]
 */
export function wavesOf(
  n: number,
  f: ArrayLike<number>,
  frequencies: readonly number[],
  of: 1 | -1 = 1,
): Float64Array {
  const along = new Float64Array(n);
  const place = (a: number, b: number): number => (a + of * b + n) % n;
  for (let a = 0; a < n; a++) for (let b = 0; b < n; b++) along[place(a, b)] += f[a * n + b];
  const wave = new Float64Array(n);
  for (const k of frequencies) {
    const phases = Float64Array.from({ length: n }, (_, s) => (2 * Math.PI * ((k * s) % n)) / n);
    let re = 0;
    let im = 0;
    for (let s = 0; s < n; s++) {
      re += along[s] * cosDeterministic(phases[s]);
      im += along[s] * sinDeterministic(phases[s]);
    }
    const times = (2 * k === n ? 1 : 2) / (n * n);
    for (let s = 0; s < n; s++)
      wave[s] += times * (re * cosDeterministic(phases[s]) + im * sinDeterministic(phases[s]));
  }
  return Float64Array.from({ length: n * n }, (_, i) => wave[place(Math.floor(i / n), i % n)]);
}

/**
 * The fewest frequencies that hold a share of what all hold, the largest first.
 * @param power - by frequency from 1 @returns ascending; empty where there is no power
 */
export function keyFrequencies(power: ArrayLike<number>, share: number): number[] {
  const order = Array.from(power, (value, k) => ({ value, k: k + 1 })).sort(
    (x, y) => y.value - x.value || x.k - y.k,
  );
  const total = order.reduce((sum, { value }) => sum + value, 0);
  const keys: number[] = [];
  let held = 0;
  for (const { value, k } of order) {
    // equal up to the order of additions is enough
    if (held >= share * total * (1 - 1e-12)) break;
    held += value;
    keys.push(k);
  }
  return keys.sort((x, y) => x - y);
}
