/** Probes of the n token embeddings of the numbers: parity and other labellings, the value, rank, and the cross-check. */
import { PairProbe, testLabelling } from '../../src/analysis/leave-pair-out.js';
import type { FitCounts } from '../../src/analysis/linear-probe.js';
import {
  CROSS_CHECK_FOLD_STEPS,
  crossCheckHeldOut,
  crossCheckLogistic,
} from '../../src/analysis/logistic-cross-check.js';
import type { Matrix } from '../../src/analysis/matrix.js';
import { fitPca } from '../../src/analysis/pca.js';
import { testValue } from '../../src/analysis/value-probe.js';
import type { Rng } from '../../src/tensor/rng.js';
import {
  type CrossCheckNumbers,
  type LabellingName,
  labellingNumbers,
  type MeasureOptions,
  round,
  type TokenNumbers,
} from './measurement.js';

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
export function tokenNumbers(x: Matrix, options: TokenOptions, counts: FitCounts): TokenNumbers {
  const n = x.rows;
  const probe = new PairProbe(x, counts);
  const test = (name: LabellingName, stream: number, sampled: number) =>
    labellingNumbers(
      testLabelling(probe, labelsOf(name, n), {
        rng: () => options.rng(stream),
        sampled,
        tick: options.tick,
      }),
    );
  const value = testValue(x, { rng: options.rng(4), count: options.valuePermutations });
  const affineRank = fitPca(x).rank;
  return {
    parity: test('parity', 0, options.relabellings),
    half: test('half', 1, options.contextRelabellings),
    residue3: test('residue3', 2, options.contextRelabellings),
    prime: test('prime', 3, options.contextRelabellings),
    value: {
      r2: round(value.observed),
      p: round(value.p),
      midP: round(value.midP),
      nullMean: round(value.nullMean),
      null95: round(value.null95),
    },
    affineRank,
    everyLabellingSeparable: affineRank === n - 1,
  };
}

/** Parity of the embeddings by ml-logistic-regression beside ours. */
export function crossCheckNumbers(x: Matrix, counts: FitCounts): CrossCheckNumbers {
  const labels = labelsOf('parity', x.rows);
  const all = crossCheckLogistic(x, labels);
  return {
    program: 'ml-logistic-regression',
    points: all.points,
    steps: all.steps,
    foldSteps: CROSS_CHECK_FOLD_STEPS,
    learningRate: round(all.learningRate),
    agreement: round(all.agreement / all.points),
    ownAccuracy: round(all.ownAccuracy),
    otherAccuracy: round(all.otherAccuracy),
    ownHeldOut: round(new PairProbe(x, counts).heldOutAccuracy(labels)),
    otherHeldOut: round(crossCheckHeldOut(x, labels)),
  };
}

function isPrime(i: number): boolean {
  for (let divisor = 2; divisor * divisor <= i; divisor++) if (i % divisor === 0) return false;
  return i > 1;
}
