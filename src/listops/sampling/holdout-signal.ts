/**
 * How much a hold-out teaches: uniform operands give a sum no low-order signal, and removing operand sets creates
 * some. Choosing a hold-out by it is regimes.ts.
 */
import { cosDeterministic } from '../../tensor/math.js';
import type { DataConfig } from '../data-config.js';

/**
 * What one operand tells of the sum, by frequency k = 1..n/2: the mean over operands a of |E[w^(k s) | a]|^2,
 * w = exp(2 pi i / n), s the sum of a trained input, averaged over two and three operands as far as the range
 * allows. Zero for every k when nothing is held out.
 */
export function firstOrderSignal(
  sets: readonly (readonly number[])[],
  config: Pick<DataConfig, 'regime' | 'modulus' | 'operands'>,
): Float64Array {
  const { modulus: n, regime, operands } = config;
  const signal = new Float64Array(Math.floor(n / 2));
  if (regime === 'triples') {
    addTripleSignal(signal, sets, n);
    return signal;
  }
  const neighbours: number[][] = Array.from({ length: n }, () => []);
  for (const [a, b] of sets) {
    neighbours[a].push(b);
    if (a !== b) neighbours[b].push(a);
  }
  // beyond three operands the signal is weaker still; the pair's own rows stand for it
  if (operands[0] === 2 || operands[0] > 3) addPairSignal(signal, neighbours, n, 1);
  if (operands[0] <= 3 && operands[1] >= 3) addPairSignal(signal, neighbours, n, 2);
  return signal;
}

/**
 * Given operand a, the other operands range over the b not held with a. One other: S_a = sum of w^(kb). Two others,
 * not held with each other either: S_a^2 minus the sum over ordered held pairs (b, c) among them.
 */
function addPairSignal(
  signal: Float64Array,
  neighbours: readonly (readonly number[])[],
  n: number,
  others: 1 | 2,
): void {
  const { cos, sin } = roots(n);
  const allowed = new Uint8Array(n);
  for (let a = 0; a < n; a++) {
    allowed.fill(1);
    for (const b of neighbours[a]) allowed[b] = 0;
    const nAllowed = n - neighbours[a].length;
    let count = others === 1 ? nAllowed : nAllowed * nAllowed;
    /** how often each residue b + c occurs among held pairs allowed with a */
    const heldSums = new Int32Array(n);
    if (others === 2) {
      for (let b = 0; b < n; b++) {
        if (allowed[b] === 0) continue;
        for (const c of neighbours[b]) {
          if (allowed[c] === 0) continue;
          heldSums[(b + c) % n]++;
          count--;
        }
      }
    }
    if (count === 0) continue;
    for (let k = 1; k <= signal.length; k++) {
      let re = 0;
      let im = 0;
      // the sum over all b is 0, so the allowed part is minus the held one
      for (const b of neighbours[a]) {
        re -= cos[(k * b) % n];
        im -= sin[(k * b) % n];
      }
      if (others === 2) {
        [re, im] = [re * re - im * im, 2 * re * im];
        for (let s = 0; s < n; s++) {
          if (heldSums[s] === 0) continue;
          re -= heldSums[s] * cos[(k * s) % n];
          im -= heldSums[s] * sin[(k * s) % n];
        }
      }
      signal[k - 1] += (re * re + im * im) / (count * count * n);
    }
  }
}

/** Three operands with held triples: the allowed sum is minus the held one, as the sum over all (b, c) is 0. */
function addTripleSignal(signal: Float64Array, sets: readonly (readonly number[])[], n: number): void {
  const { cos, sin } = roots(n);
  /** [n, n] how many held ordered (b, c) with operand a have b + c = s */
  const heldSums = new Int32Array(n * n);
  const nHeld = new Int32Array(n);
  /** the orders of an ascending triple that start with `first` */
  const addOrders = (first: number, x: number, y: number): void => {
    const orders = x === y ? 1 : 2;
    heldSums[first * n + ((x + y) % n)] += orders;
    nHeld[first] += orders;
  };
  for (const [a, b, c] of sets) {
    addOrders(a, b, c);
    if (b !== a) addOrders(b, a, c);
    if (c !== b) addOrders(c, a, b);
  }
  for (let a = 0; a < n; a++) {
    const count = n * n - nHeld[a];
    if (count === 0) continue;
    for (let k = 1; k <= signal.length; k++) {
      let re = 0;
      let im = 0;
      for (let s = 0; s < n; s++) {
        re += heldSums[a * n + s] * cos[(k * s) % n];
        im += heldSums[a * n + s] * sin[(k * s) % n];
      }
      signal[k - 1] += (re * re + im * im) / (count * count * n);
    }
  }
}

interface Roots {
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}
const knownRoots = new Map<number, Roots>();

/** [n] real and imaginary parts of the n-th roots of unity, with the same bits on every platform. */
function roots(n: number): Roots {
  let known = knownRoots.get(n);
  if (known === undefined) {
    const angle = (i: number): number => (2 * Math.PI * i) / n;
    known = {
      cos: Float64Array.from({ length: n }, (_, i) => cosDeterministic(angle(i))),
      sin: Float64Array.from({ length: n }, (_, i) => cosDeterministic(angle(i) - Math.PI / 2)),
    };
    knownRoots.set(n, known);
  }
  return known;
}

/** Greatest over least of a signal: 1 is balanced. */
export function signalRatio(signal: Float64Array): number {
  let least = Infinity;
  let greatest = 0;
  for (const value of signal) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  // a frequency without any signal beside one with signal is as unbalanced as can be
  if (greatest < 1e-12) return 1;
  return least < 1e-12 ? Infinity : greatest / least;
}
