/** Probes of the n token embeddings of the numbers: parity and other labellings, the value, rank, and the cross-check. */
import {
  type LabellingTest,
  PairProbe,
  testLabelling,
} from '../../src/analysis/classifiers/leave-pair-out.js';
import type { FitCounts } from '../../src/analysis/classifiers/linear-probe.js';
import {
  crossCheckHeldOut,
  crossCheckLogistic,
} from '../../src/analysis/classifiers/logistic-cross-check.js';
import type { Matrix } from '../../src/analysis/matrix.js';
import { fitPca } from '../../src/analysis/geometry/pca.js';
import { testValue } from '../../src/analysis/classifiers/value-probe.js';
import type { Rng } from '../../src/tensor/rng.js';
import type { LabellingName, MeasureOptions } from './measurement.js';

/** Class of every number; every class has two members or more from n = 6 on. */
export const CLASS_OF: Readonly<Record<LabellingName, (number: number, n: number) => number>> = {
  parity: (i) => i % 2,
  half: (i, n) => (2 * i < n ? 1 : 0),
  residue3: (i) => i % 3,
  prime: (i) => (isPrime(i) ? 1 : 0),
};

/** @returns [n] class ids */
export function labelsOf(name: LabellingName, n: number): Uint8Array {
  return Uint8Array.from({ length: n }, (_, i) => CLASS_OF[name](i, n));
}

export interface TokenOptions extends Pick<
  MeasureOptions,
  'relabellings' | 'contextRelabellings' | 'valuePermutations'
> {
  /** a fresh stream of its own for every test */
  readonly rng: (test: number) => Rng;
  readonly tick: () => void;
}

/** @param x - [n, d] one row a number @param counts - of the fits; added to */
export function tokenNumbers(x: Matrix, options: TokenOptions, counts: FitCounts) {
  const probe = new PairProbe(x, counts);
  const test = (name: LabellingName, stream: number, sampled: number): LabellingTest =>
    testLabelling(probe, labelsOf(name, x.rows), {
      rng: () => options.rng(stream),
      sampled,
      tick: options.tick,
    });
  const { observed: r2, ...value } = testValue(x, {
    rng: options.rng(4),
    count: options.valuePermutations,
    onDraw: options.tick,
  });
  return {
    parity: test('parity', 0, options.relabellings),
    half: test('half', 1, options.contextRelabellings),
    residue3: test('residue3', 2, options.contextRelabellings),
    prime: test('prime', 3, options.contextRelabellings),
    /** held-out R² of the value, and its null by permuting the numbers */
    value: { r2, ...value },
    /** rank of the centred embeddings; at n - 1 every labelling of the numbers is separable without held-out points */
    affineRank: fitPca(x).rank,
  };
}

/** Parity of the embeddings by ml-logistic-regression beside ours. */
export function crossCheckNumbers(x: Matrix, counts: FitCounts, tick: () => void) {
  const labels = labelsOf('parity', x.rows);
  const { points, agreement } = crossCheckLogistic(x, labels);
  return {
    program: 'ml-logistic-regression',
    /** share of the numbers that both put in the same class, fitted on all of them */
    agreement: agreement / points,
    /** share of held-out numbers in their own class, all pairs: ours, theirs */
    ownHeldOut: new PairProbe(x, counts).heldOutAccuracy(labels),
    otherHeldOut: crossCheckHeldOut(x, labels, undefined, tick),
  };
}

function isPrime(i: number): boolean {
  for (let divisor = 2; divisor * divisor <= i; divisor++) if (i % divisor === 0) return false;
  return i > 1;
}
