/**
 * Representational similarity of n number embeddings to a line and to a ring: the matrix of squared distances against
 * |i - j| (Spearman) and against the steps around Z/n (Pearson), as named and at the best naming in (Z/n)*.
 * Kriegeskorte, Mur and Bandettini, 2008. Null: the numbers permuted, the same maximum taken. Neither number says whether a
 * model uses the geometry.
 */
import { RunError } from '../../errors.js';
import { ranks, standardised } from './correlation.js';
import { upperTriangle } from './distances.js';
import { type Matrix, zeros } from '../matrix.js';
import { circularDistance, renaming, units } from './naming.js';
import {
  type PermutationOptions,
  type PermutationTest,
  permutationTest,
  permutationTests,
} from '../statistics/permutation.js';

export interface NamingTest {
  /** the numbers under their own names */
  readonly asNamed: PermutationTest;
  /** maximum over (Z/n)*, against the null of the same maximum */
  readonly best: PermutationTest;
  /** the unit u that gives the maximum (the smallest of equals) */
  readonly unit: number;
  /** best.observed - best.nullMean: 0 in expectation without structure */
  readonly excess: number;
}

/** Order: Spearman(d2_ij, |i - j|) over pairs. @param d2 - [n, n] squared distances */
export function testOrder(d2: Matrix, options: PermutationOptions): NamingTest {
  return testNamings(d2, (i, j) => Math.abs(i - j), 'ranks', options);
}

/** Ring: Pearson(d2_ij, steps around the ring) over pairs. @param d2 - [n, n] squared distances */
export function testCircular(d2: Matrix, options: PermutationOptions): NamingTest {
  return testNamings(d2, (i, j) => circularDistance(i, j, d2.rows), 'values', options);
}

/**
 * Order whatever the numbers are called: the mean over u in (Z/n)* of Spearman(d2_{ui,uj}, |i - j|). SUM alone is invariant
 * under i -> u i, so its order as named depends on which of the equal namings a run fell into; the mean does not.
 * 0 in expectation without structure, and well below 1 for a line (0.33 at n = 10), which only u = 1 and -1 see straight.
 * @param d2 - [n, n] squared distances
 */
export function testOrderOverUnits(d2: Matrix, options: PermutationOptions): PermutationTest {
  const n = d2.rows;
  checkSquare(d2);
  const source = symmetric(standardised(ranks(upperTriangle(d2)), DISTANCES), n);
  const steps = zeros(n, n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) steps.data[i * n + j] = Math.abs(i - j);
  const pattern = standardised(ranks(upperTriangle(steps)), DISTANCES);
  // renaming the distances is renaming the pattern the other way: the mean over u is one inner product with a mean pattern
  const meanPattern = new Float64Array(n * n);
  const all = units(n);
  for (const unit of all) {
    const names = renaming(n, unit);
    let pair = 0;
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        const value = pattern[pair++] / all.length;
        meanPattern[Math.min(names[i], names[j]) * n + Math.max(names[i], names[j])] += value;
      }
    }
  }
  return permutationTest(
    n,
    (permutation) => {
      let r = 0;
      for (let i = 0; i < n; i++) {
        const row = permutation[i] * n;
        for (let j = i + 1; j < n; j++) r += source[row + permutation[j]] * meanPattern[i * n + j];
      }
      return r;
    },
    options,
  );
}

const DISTANCES = 'rsa: distances between the numbers';
/** Distances of float32 embeddings that differ by less, relative to the largest, differ by rounding alone. */
const ROUNDING = 1e-6;

/** Why neither order nor ring is defined; undefined: they are. @param d2 - [n, n] squared distances */
export function whyNoArrangement(d2: Matrix): string | undefined {
  const pairs = upperTriangle(d2);
  const [least, most] = [Math.min(...pairs), Math.max(...pairs)];
  return most - least <= ROUNDING * most ? 'the numbers are all equally far apart' : undefined;
}

/** Why closure is not defined; undefined: it is. @param d2 - [n, n] squared distances */
export function whyNoClosure(d2: Matrix): string | undefined {
  const n = d2.rows;
  const half = Math.floor(n / 2);
  const across = (unit: number, i: number): number => {
    const [a, b] = [(unit * i) % n, (unit * (i + half)) % n];
    return d2.data[a * n + b];
  };
  const numbers = Array.from({ length: n }, (_, i) => i);
  const isDefined = units(n).every((unit) => numbers.some((i) => across(unit, i) > 0));
  return isDefined ? undefined : 'numbers half-way round have equal embeddings';
}

function checkSquare({ rows, cols }: Matrix): void {
  if (cols !== rows || rows < 4)
    throw new RangeError(`rsa: found distances [${rows},${cols}], expected square, n >= 4.`);
}

function testNamings(
  d2: Matrix,
  target: (i: number, j: number) => number,
  scale: 'ranks' | 'values',
  options: PermutationOptions,
): NamingTest {
  const n = d2.rows;
  checkSquare(d2);
  const transform = (pairs: Float64Array): Float64Array =>
    standardised(scale === 'ranks' ? ranks(pairs) : pairs, DISTANCES);
  const wanted = zeros(n, n);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) wanted.data[i * n + j] = target(i, j);
  // both standardised once: permuting the numbers only rearranges the pairs, so each correlation is one inner product
  const source = symmetric(transform(upperTriangle(d2)), n);
  const pattern = transform(upperTriangle(wanted));
  const namings = units(n).map((unit) => ({ unit, names: renaming(n, unit) }));
  // around a ring a naming and its negative give the same
  const isRing = wanted.data.every((steps, at) => steps === wanted.data[mirrored(at, n)]);
  const distinct = isRing ? namings.filter(({ unit }) => 2 * unit <= n) : namings;

  const correlation = (names: Int32Array, permutation: Int32Array): number => {
    let r = 0;
    let pair = 0;
    for (let i = 0; i < n; i++) {
      const row = permutation[names[i]] * n;
      for (let j = i + 1; j < n; j++) r += source[row + permutation[names[j]]] * pattern[pair++];
    }
    return r;
  };
  const out = new Float64Array(2);
  const [asNamed, best] = permutationTests(
    n,
    (permutation) => {
      out[0] = correlation(namings[0].names, permutation);
      out[1] = out[0];
      for (let u = 1; u < distinct.length; u++) {
        out[1] = Math.max(out[1], correlation(distinct[u].names, permutation));
      }
      return out;
    },
    options,
  );
  const identity = renaming(n, 1);
  const unit = namings.find(({ names }) => correlation(names, identity) >= best.observed - 1e-9)?.unit ?? 1;
  return { asNamed, best, unit, excess: best.observed - best.nullMean };
}

/** Place of (-i, -j) mod n in an [n, n] matrix. @param at - that of (i, j) */
function mirrored(at: number, n: number): number {
  const i = Math.floor(at / n);
  return ((n - i) % n) * n + ((n - (at % n)) % n);
}

/** Pairs above the diagonal back to a full symmetric matrix [n, n] with a zero diagonal. */
function symmetric(pairs: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n);
  let at = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      out[i * n + j] = pairs[at];
      out[j * n + i] = pairs[at++];
    }
  }
  return out;
}

export interface Closure {
  /**
   * d2(0, n-1) / mean d2 between numbers floor(n/2) steps apart around Z/n: a line above 1, a ring near 0.1, noise about 1.
   * Large without any line when numbers n/2 apart nearly coincide: a ring of even frequency, n even
   */
  readonly asNamed: number;
  /**
   * The largest of the same ratio over (Z/n)*. The largest, not the smallest: the naming -1 joins 0 and 1, which are near on
   * any line, so a minimum would call every line closed. Near its asNamed value for a ring named 1, n-1; at most 0.7 for any ring
   */
  readonly maximum: number;
  /** the widest of the n gaps between neighbours of the best-fitting ring, over the same mean: small only for a ring */
  readonly widestGap: number;
}

/**
 * Is the curve of the numbers closed?
 * @param d2 - [n, n] squared distances
 * @param ringUnit - the naming whose neighbours are taken for widestGap, from testCircular
 */
export function closure(d2: Matrix, ringUnit: number): Closure {
  const n = d2.rows;
  const at = (i: number, j: number): number => d2.data[(i % n) * n + (j % n)];
  const half = Math.floor(n / 2);
  const gap = (unit: number, i: number): number => at(unit * i, unit * (i + 1));
  const ratio = (unit: number, distance: number): number => {
    let across = 0;
    for (let i = 0; i < n; i++) across += at(unit * i, unit * (i + half));
    if (across === 0)
      throw new RunError('closure: opposite numbers have equal embeddings, so it is not defined.');
    return distance / (across / n);
  };
  let widest = 0;
  for (let i = 0; i < n; i++) widest = Math.max(widest, gap(ringUnit, i));
  return {
    asNamed: ratio(1, at(0, n - 1)),
    maximum: Math.max(...units(n).map((unit) => ratio(unit, at(0, unit * (n - 1))))),
    widestGap: ratio(ringUnit, widest),
  };
}
