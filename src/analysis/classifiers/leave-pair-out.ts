/**
 * Leave-pair-out test of a labelling of n points: one point of either class is held out, the ridge logistic probe is fitted
 * on the rest, and the pair counts when the probe puts the point of class 1 higher. Unlike leave-one-out it has mean 1/2
 * under the null (Airola et al., 2011). Ties are broken by the mean signed held-out margin. Null: relabellings.ts.
 */
import { logDeterministic } from '../../tensor/math.js';
import type { Rng } from '../../tensor/rng.js';
import { solveInPlace } from './cholesky.js';
import { gram, type Matrix } from '../matrix.js';
import {
  type Features,
  type FitCounts,
  LogisticSolver,
  newFitCounts,
  prepareFeatures,
} from './linear-probe.js';
import { quantileSorted } from '../statistics/quantile.js';
import { classSizes, type Relabellings, relabellingsOf } from './relabellings.js';

/** Held-out pairs of one labelling at most; a fixed set of them, by rank within the classes, when there are more. */
export const MOST_PAIRS = 144;
const REDUCED_PAIRS = 64;
/**
 * Up to here labellings of equal halves are enumerated, and meet the same fits again. Above, they are samples, and the probe
 * is the first Newton step of the fit from its intercept, ridge regression of the labels: linear in them, so that a labelling
 * costs a product instead of a fit. The observed labelling is asked in the same way.
 */
export const MOST_FITTED_NUMBERS = 16;

export interface PairScore {
  /** share of held-out pairs in the right order, ties 1/2 */
  readonly share: number;
  /** mean over pairs of f(class 1) - f(class 0) */
  readonly margin: number;
}

export interface LabellingTest extends PairScore {
  /** how often a relabelling scores as high or higher, margins breaking ties */
  readonly p: number;
  /** with equals counted half, for Stouffer */
  readonly midP: number;
  /** of the share */
  readonly nullMean: number;
  readonly null95: number;
  readonly relabellings: number;
  readonly exact: boolean;
  /** relabellings above, and equal to, the observed one (itself among them when exact) */
  readonly above: number;
  readonly equal: number;
}

export interface TestOptions {
  readonly rng: () => Rng;
  /** most relabellings enumerated, and drawn when there are more */
  readonly most?: number;
  readonly sampled?: number;
  /** called now and then in long work */
  readonly tick?: () => void;
}

/** The n points in the coordinates of one fold. */
interface Fold {
  /** [n - 2, rank] centred and scaled training points, in order of number */
  readonly train: Features;
  /** [2, rank] the held-out points, the smaller number first */
  readonly held: Float64Array;
  readonly rank: number;
  /** what the probe says of the two, by the labels of the others where they are few: complements differ by sign */
  readonly said: Map<number, readonly [low: number, high: number]>;
  /** [2, n - 2] what a one at each of the others adds to f of the two at the first Newton step, then the f of none; by ones */
  readonly linear: Map<number, Float64Array>;
}

/** Scores any labelling of the same points; folds and scores are kept, as relabellings meet them again and again. */
export class PairProbe {
  readonly n: number;
  private readonly kernel: Matrix;
  private readonly folds = new Map<number, Fold>();
  private readonly known = new Map<number | string, PairScore>();
  private readonly solver: LogisticSolver;
  private readonly targets: Uint8Array;

  /** @param x - [n, d] one row a number @param counts - of the fits; added to */
  constructor(
    x: Matrix,
    readonly counts: FitCounts = newFitCounts(),
  ) {
    this.n = x.rows;
    if (this.n < 4) throw new RangeError(`PairProbe: found ${this.n} points, expected at least 4.`);
    this.kernel = gram(x);
    this.solver = new LogisticSolver(this.n - 2, this.n - 2, this.counts);
    this.targets = new Uint8Array(this.n - 2);
  }

  /** @param isOne - [n] truthy: class 1. Each class needs two members. */
  score(isOne: ArrayLike<number>): PairScore {
    const key = this.keyOf(isOne);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const found = this.compute(isOne);
    this.known.set(key, found);
    return found;
  }

  /** Complements have the same score, so whether a number is in number 0's class names the key. */
  private keyOf(isOne: ArrayLike<number>): number | string {
    const first = isOne[0] !== 0;
    if (this.n <= 30) {
      let bits = 0;
      for (let i = 1; i < this.n; i++) if ((isOne[i] !== 0) !== first) bits |= 1 << i;
      return bits;
    }
    return Array.from(isOne, (value) => ((value !== 0) === first ? '0' : '1')).join('');
  }

  /** Share of held-out points on their own side of the boundary; unlike the score it needs the intercept. */
  heldOutAccuracy(isOne: ArrayLike<number>): number {
    let right = 0;
    let asked = 0;
    this.eachPair(isOne, (fZero, fOne) => {
      right += Number(fZero <= 0) + Number(fOne > 0);
      asked += 2;
    });
    return right / asked;
  }

  private compute(isOne: ArrayLike<number>): PairScore {
    let halves = 0;
    let margin = 0;
    let pairs = 0;
    this.eachPair(isOne, (fZero, fOne) => {
      const difference = fOne - fZero;
      margin += difference;
      pairs++;
      // equal to rounding is a tie
      if (Math.abs(difference) <= 1e-12) halves += 1;
      else if (difference > 0) halves += 2;
    });
    return { share: halves / (2 * pairs), margin: margin / pairs };
  }

  /** Fits the probe without each pair and gives what it says of the two: f of the class-0 and of the class-1 point. */
  private eachPair(isOne: ArrayLike<number>, take: (fZero: number, fOne: number) => void): void {
    const zeros: number[] = [];
    const ones: number[] = [];
    for (let i = 0; i < this.n; i++) (isOne[i] === 0 ? zeros : ones).push(i);
    if (zeros.length < 2 || ones.length < 2) {
      throw new RangeError(
        `PairProbe: found classes of ${zeros.length} and ${ones.length}, expected at least 2 in each.`,
      );
    }
    const askPair = (zero: number, one: number): void => {
      if (zero < one) {
        const [fZero, fOne] = this.ask(zero, one, isOne);
        take(fZero, fOne);
      } else {
        const [fOne, fZero] = this.ask(one, zero, isOne);
        take(fZero, fOne);
      }
    };
    if (zeros.length * ones.length > MOST_PAIRS) {
      for (const [zero, one] of someHeldOutPairs(zeros, ones)) askPair(zero, one);
      return;
    }
    for (const zero of zeros) for (const one of ones) askPair(zero, one);
  }

  /** f of the two held-out points. Half of the fits are of complements, whose probe is the same with the other sign. */
  private ask(low: number, high: number, isOne: ArrayLike<number>): readonly [number, number] {
    const fold = this.foldOf(low, high);
    const { targets, solver } = this;
    if (this.n > MOST_FITTED_NUMBERS) return this.askLinear(fold, low, high, isOne);
    const isFlipped = isOne[low === 0 ? (high === 1 ? 2 : 1) : 0] !== 0;
    let at = 0;
    let bits = 0;
    for (let i = 0; i < this.n; i++) {
      if (i === low || i === high) continue;
      const target = (isOne[i] !== 0) === isFlipped ? 0 : 1;
      bits |= target << at;
      targets[at++] = target;
    }
    let said = fold.said.get(bits);
    if (said === undefined) {
      solver.fit(fold.train, targets);
      said = [solver.decision(fold.held, 0, fold.rank), solver.decision(fold.held, fold.rank, fold.rank)];
      fold.said.set(bits, said);
    }
    return isFlipped ? [-said[0], -said[1]] : said;
  }

  private askLinear(
    fold: Fold,
    low: number,
    high: number,
    isOne: ArrayLike<number>,
  ): readonly [number, number] {
    const { targets, n } = this;
    const m = n - 2;
    let at = 0;
    let ones = 0;
    for (let i = 0; i < n; i++) {
      if (i === low || i === high) continue;
      const target = isOne[i] === 0 ? 0 : 1;
      ones += target;
      targets[at++] = target;
    }
    let map = fold.linear.get(ones);
    if (map === undefined) fold.linear.set(ones, (map = firstStepMap(fold, ones)));
    let fLow = map[2 * m];
    let fHigh = fLow;
    for (let a = 0; a < m; a++) {
      if (targets[a] === 0) continue;
      fLow += map[a];
      fHigh += map[m + a];
    }
    return [fLow, fHigh];
  }

  private foldOf(low: number, high: number): Fold {
    const at = low * this.n + high;
    const known = this.folds.get(at);
    if (known !== undefined) return known;
    const made = foldCoordinates(this.kernel, low, high);
    this.folds.set(at, made);
    return made;
  }
}

/**
 * Newton's first step from weights 0 is w = H⁻¹ Xᵀ (y - share of ones), H the Hessian there; the features are centred, so
 * that only the rows of ones count. @returns [2, n - 2] what a one at each training point adds to f of the two, then the intercept
 */
function firstStepMap({ train, held, rank }: Fold, ones: number): Float64Array {
  const { rows: m, x } = train;
  const out = new Float64Array(2 * m + 1);
  out[2 * m] = logDeterministic(ones / (m - ones));
  if (rank === 0) return out;
  const factor = train.firstFactor(ones);
  const solved = new Float64Array(rank + 1);
  for (let h = 0; h < 2; h++) {
    solved.fill(0);
    solved.set(held.subarray(h * rank, (h + 1) * rank));
    solveInPlace(factor, rank + 1, solved);
    for (let a = 0; a < m; a++) {
      for (let k = 0; k < rank; k++) out[h * m + a] += x[a * rank + k] * solved[k];
    }
  }
  return out;
}

/** One of either class: every class member in turn against members at fixed offsets of the other class. */
function someHeldOutPairs(zeros: readonly number[], ones: readonly number[]): (readonly [number, number])[] {
  const longer = Math.max(zeros.length, ones.length);
  const turns = Math.max(1, Math.floor(REDUCED_PAIRS / longer));
  return Array.from({ length: longer * turns }, (_, i) => {
    const turn = Math.floor(i / longer);
    // offsets spread over the shorter class
    const offset = Math.floor((turn * Math.min(zeros.length, ones.length)) / turns);
    return [zeros[i % zeros.length], ones[(i + offset) % ones.length]] as const;
  });
}

/**
 * Coordinates of the points in the span of the training rows, by pivoted Cholesky of the centred and scaled Gram matrix:
 * the ridge depends on inner products alone, so any factor of it gives the same probe as the d original features.
 */
function foldCoordinates(kernel: Matrix, low: number, high: number): Fold {
  const { rows: n, data } = kernel;
  const train = Int32Array.from(
    Array.from({ length: n }, (_, i) => i).filter((i) => i !== low && i !== high),
  );
  const m = train.length;
  const order = [...train, low, high];
  // row means over the training columns, of training and held-out rows
  const rowMean = order.map((i) => {
    let total = 0;
    for (const j of train) total += data[i * n + j];
    return total / m;
  });
  let grand = 0;
  let size = 0;
  for (let a = 0; a < m; a++) {
    grand += rowMean[a];
    size += data[train[a] * n + train[a]];
  }
  grand /= m;
  const centredAt = (a: number, b: number): number =>
    data[order[a] * n + order[b]] - rowMean[a] - rowMean[b] + grand;
  let trace = 0;
  for (let a = 0; a < m; a++) trace += centredAt(a, a);
  if (trace <= 1e-12 * size) {
    return {
      train: prepareFeatures(new Float64Array(0), m, 0),
      held: new Float64Array(0),
      rank: 0,
      said: new Map(),
      linear: new Map(),
    };
  }
  const scale = trace / m;

  const rest = Float64Array.from({ length: m }, (_, a) => centredAt(a, a) / scale);
  const factor = new Float64Array((m + 2) * m);
  let rank = 0;
  while (rank < m) {
    let pivot = 0;
    for (let a = 1; a < m; a++) if (rest[a] > rest[pivot]) pivot = a;
    if (rest[pivot] <= 1e-11) break;
    const root = Math.sqrt(rest[pivot]);
    for (let a = 0; a < m + 2; a++) {
      let value = centredAt(a, pivot) / scale;
      for (let k = 0; k < rank; k++) value -= factor[a * m + k] * factor[pivot * m + k];
      factor[a * m + rank] = value / root;
    }
    for (let a = 0; a < m; a++) rest[a] -= factor[a * m + rank] ** 2;
    rest[pivot] = 0;
    rank++;
  }
  const compact = new Float64Array((m + 2) * rank);
  for (let a = 0; a < m + 2; a++) {
    for (let k = 0; k < rank; k++) compact[a * rank + k] = factor[a * m + k];
  }
  return {
    train: prepareFeatures(compact.slice(0, m * rank), m, rank),
    held: compact.slice(m * rank),
    rank,
    said: new Map(),
    linear: new Map(),
  };
}

/**
 * Tests a labelling against its relabellings. More than two classes: mean over classes of one class against the rest.
 * @param labels - [n] class ids; every class needs two members
 */
export function testLabelling(
  probe: PairProbe,
  labels: ArrayLike<number>,
  options: TestOptions,
): LabellingTest {
  const classes = classSizes(labels).length;
  const isOne = new Uint8Array(probe.n);
  const scoreOf = (own: ArrayLike<number>): PairScore => {
    if (classes === 2) return probe.score(own);
    let share = 0;
    let margin = 0;
    for (let c = 0; c < classes; c++) {
      for (let i = 0; i < probe.n; i++) isOne[i] = own[i] === c ? 1 : 0;
      const one = probe.score(isOne);
      share += one.share / classes;
      margin += one.margin / classes;
    }
    return { share, margin };
  };
  const observed = scoreOf(labels);
  return { ...observed, ...nullOf(observed, scoreOf, relabellingsOf(labels, options), options.tick) };
}

function nullOf(
  observed: PairScore,
  scoreOf: (labels: ArrayLike<number>) => PairScore,
  { exact, count, labels }: Relabellings,
  tick: (() => void) | undefined,
): Omit<LabellingTest, keyof PairScore> {
  const shares = new Float64Array(count);
  const slack = 1e-9 * Math.max(1, Math.abs(observed.margin));
  let above = 0;
  let equal = 0;
  let at = 0;
  for (const own of labels()) {
    const { share, margin } = scoreOf(own);
    shares[at++] = share;
    const ahead = Math.abs(share - observed.share) > 1e-9 ? share - observed.share : margin - observed.margin;
    if (ahead > (Math.abs(share - observed.share) > 1e-9 ? 0 : slack)) above++;
    else if (Math.abs(share - observed.share) <= 1e-9 && Math.abs(margin - observed.margin) <= slack) equal++;
    if (at % 100 === 0) tick?.();
  }
  const total = shares.reduce((sum, share) => sum + share, 0);
  // a sample does not hold the observed labelling: it is counted in (Phipson and Smyth, 2010)
  const own = exact ? 0 : 1;
  return {
    p: (above + equal + own) / (count + own),
    midP: (above + (equal + own) / 2) / (count + own),
    nullMean: total / count,
    null95: quantileSorted(shares.sort(), 0.95),
    relabellings: count,
    exact,
    above,
    equal,
  };
}
