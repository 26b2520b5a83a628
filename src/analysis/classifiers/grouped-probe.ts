/**
 * Probes of activations over many prompts: folds keep all orders of the same operands together, so that a probe cannot look
 * an answer up. Logistic probes, one class against the rest, for classes; ridge regression for cosines and sines.
 */
import { cosDeterministic, sinDeterministic } from '../../tensor/math.js';
import type { Rng } from '../../tensor/rng.js';
import { type IntervalEstimate, meanInterval, wilsonInterval } from '../statistics/intervals.js';
import {
  applyScaling,
  type Features,
  fitScaling,
  type FitCounts,
  LogisticSolver,
  PENALTY,
  prepareFeatures,
  ridgeRegression,
} from './linear-probe.js';

/** Rows of one fold, held out, and all the others. */
export interface GroupFold {
  readonly train: Int32Array;
  readonly held: Int32Array;
}

/** Deals groups out to folds at random, each fold within one group of the same number of groups. @param groups - [rows] group names */
export function groupFolds(groups: readonly string[], folds: number, rng: Rng): GroupFold[] {
  const names = [...new Set(groups)];
  const wanted = Math.min(folds, names.length);
  const order = rng.permutation(names.length);
  const foldOf = new Map(names.map((name, i) => [name, order[i] % wanted]));
  return Array.from({ length: wanted }, (_, fold) => {
    const isHeld = (row: number): boolean => foldOf.get(groups[row]) === fold;
    const rows = groups.map((_, row) => row);
    return {
      train: Int32Array.from(rows.filter((row) => !isHeld(row))),
      held: Int32Array.from(rows.filter(isHeld)),
    };
  }).filter(({ train, held }) => train.length > 0 && held.length > 0);
}

/** What is asked of the same features, all at once. */
export interface GroupedQuestions {
  /** each [rows]: class ids from 0 */
  readonly classes: readonly ArrayLike<number>[];
  /** [rows] numbers of Z/modulus: cos and sin of 2 pi k s / n for every k from 1 to n/2 */
  readonly circle?: { readonly values: ArrayLike<number>; readonly modulus: number };
}

export interface GroupedAnswers {
  /** held-out accuracy of each labelling */
  readonly accuracy: readonly number[];
  /** held-out R² by frequency from 1, cosine and sine together; empty without `circle` */
  readonly circleR2: readonly number[];
}

/**
 * @param x - [rows, cols] row-major
 * @param counts - of the logistic fits; added to
 */
export function askGrouped(
  x: ArrayLike<number>,
  cols: number,
  folds: readonly GroupFold[],
  questions: GroupedQuestions,
  counts: FitCounts,
): GroupedAnswers {
  const { classes, circle } = questions;
  const correct = classes.map(() => 0);
  const waves = circle === undefined ? [] : wavesOf(circle.values, circle.modulus);
  const residual = waves.map(() => 0);
  const total = waves.map(() => 0);
  let asked = 0;
  const first = firstEqualRow(x, cols);
  for (const { train, held } of folds) {
    const scaling = fitScaling(x, cols, train);
    // equal rows carry nothing: the probe is its intercept
    const width = scaling.scale === 0 ? 0 : cols;
    const trainX = width === 0 ? new Float64Array(0) : applyScaling(x, cols, train, scaling);
    const heldX = width === 0 ? new Float64Array(0) : applyScaling(x, cols, held, scaling);
    const { distinct, place, multiplicity } = takenTogether(train, first);
    const features = prepareFeatures(
      width === 0 ? trainX : applyScaling(x, cols, distinct, scaling),
      distinct.length,
      width,
      PENALTY,
      multiplicity,
    );
    const solver = new LogisticSolver(distinct.length, width, counts);
    asked += held.length;
    classes.forEach((labels, question) => {
      const predicted = predictClasses(solver, { features, heldX, train, place, held, labels });
      for (let i = 0; i < held.length; i++) if (predicted[i] === labels[held[i]]) correct[question]++;
    });
    const targets = waves.map(({ values }) => taken(values, train));
    ridgeRegression(trainX, train.length, width, targets).forEach((weights, w) => {
      const { values } = waves[w];
      const mean = weights[width];
      for (let i = 0; i < held.length; i++) {
        let prediction = mean;
        for (let j = 0; j < width; j++) prediction += weights[j] * heldX[i * width + j];
        residual[w] += (values[held[i]] - prediction) ** 2;
        total[w] += (values[held[i]] - mean) ** 2;
      }
    });
  }
  return { accuracy: correct.map((count) => count / asked), circleR2: r2ByFrequency(waves, residual, total) };
}

/** @returns [rows] the first row with the same numbers: what precedes a position is the same in many prompts */
function firstEqualRow(x: ArrayLike<number>, cols: number): Int32Array {
  const rows = x.length / cols;
  // rows that agree in the sum of their numbers, of which few are not equal
  const candidates = new Map<number, number[]>();
  const isSame = (a: number, b: number): boolean => {
    for (let j = 0; j < cols; j++) if (x[a * cols + j] !== x[b * cols + j]) return false;
    return true;
  };
  return Int32Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let j = 0; j < cols; j++) sum += x[row * cols + j];
    const known = candidates.get(sum);
    if (known === undefined) {
      candidates.set(sum, [row]);
      return row;
    }
    const before = known.find((other) => isSame(other, row));
    if (before === undefined) known.push(row);
    return before ?? row;
  });
}

/** Rows that are equal as one: the loss of a probe is a sum over them. */
interface TakenTogether {
  /** one row of each kind */
  readonly distinct: Int32Array;
  /** [train.length] index in `distinct` */
  readonly place: Int32Array;
  /** [distinct.length] */
  readonly multiplicity: Float64Array;
}

function takenTogether(train: Int32Array, first: Int32Array): TakenTogether {
  const places = new Map<number, number>();
  const place = train.map((row) => {
    const known = places.get(first[row]);
    if (known !== undefined) return known;
    places.set(first[row], places.size);
    return places.size - 1;
  });
  const multiplicity = new Float64Array(places.size);
  for (const at of place) multiplicity[at]++;
  return { distinct: Int32Array.from(places.keys()), place, multiplicity };
}

interface ClassTask {
  /** of the distinct rows */
  readonly features: Features;
  readonly heldX: Float64Array;
  readonly train: Int32Array;
  /** [train.length] row of the features */
  readonly place: Int32Array;
  readonly held: Int32Array;
  readonly labels: ArrayLike<number>;
}

/** One class against the rest; the smallest class wins ties. Two classes need one fit. */
function predictClasses(solver: LogisticSolver, task: ClassTask): Int32Array {
  const { features, heldX, train, place, held, labels } = task;
  const width = features.cols;
  let most = 0;
  for (const row of train) most = Math.max(most, labels[row]);
  for (const row of held) most = Math.max(most, labels[row]);
  const predicted = new Int32Array(held.length);
  const best = new Float64Array(held.length).fill(-Infinity);
  const target = new Float64Array(features.rows);
  const isBinary = most === 1;
  for (let c = isBinary ? 1 : 0; c <= most; c++) {
    target.fill(0);
    for (let i = 0; i < train.length; i++) if (labels[train[i]] === c) target[place[i]]++;
    solver.fit(features, target);
    for (let i = 0; i < held.length; i++) {
      const f = solver.decision(heldX, i * width, width);
      if (isBinary) predicted[i] = f > 0 ? 1 : 0;
      else if (f > best[i]) {
        best[i] = f;
        predicted[i] = c;
      }
    }
  }
  return predicted;
}

interface Wave {
  readonly frequency: number;
  /** [rows] */
  readonly values: Float64Array;
}

function wavesOf(values: ArrayLike<number>, modulus: number): Wave[] {
  const out: Wave[] = [];
  for (let k = 1; k <= modulus / 2; k++) {
    const of = (wave: (angle: number) => number): Float64Array => {
      const byValue = Float64Array.from({ length: modulus }, (_, value) =>
        wave((2 * Math.PI * ((k * value) % modulus)) / modulus),
      );
      return taken(byValue, values);
    };
    out.push({ frequency: k, values: of(cosDeterministic) });
    // at n/2 the sine is 0 everywhere
    if (2 * k !== modulus) out.push({ frequency: k, values: of(sinDeterministic) });
  }
  return out;
}

/** @returns [indices.length] */
function taken(values: Float64Array, indices: ArrayLike<number>): Float64Array {
  const out = new Float64Array(indices.length);
  for (let i = 0; i < out.length; i++) out[i] = values[indices[i]];
  return out;
}

function r2ByFrequency(
  waves: readonly Wave[],
  residual: readonly number[],
  total: readonly number[],
): number[] {
  const most = waves.at(-1)?.frequency ?? 0;
  return Array.from({ length: most }, (_, i) => {
    let [left, all] = [0, 0];
    waves.forEach(({ frequency }, w) => {
      if (frequency !== i + 1) return;
      left += residual[w];
      all += total[w];
    });
    return all === 0 ? 0 : 1 - left / all;
  });
}

/**
 * Interval of a held-out accuracy. Rows with the same numbers are one observation: Wilson for `groups` distinct sets of
 * numbers in each of several models, and never narrower than Student's t over the models, which differ from each other too.
 * @param models - accuracy of each model
 */
export function accuracyInterval(models: readonly number[], groups: number, level = 0.95): IntervalEstimate {
  const n = groups * models.length;
  const over = meanInterval(models, level);
  const counted = wilsonInterval(Math.round(over.estimate * n), n, level);
  // models that are all alike bound nothing by themselves: then the sets of numbers do
  const hasSpread = Number.isFinite(over.low);
  return {
    estimate: over.estimate,
    low: Math.max(0, hasSpread ? Math.min(over.low, counted.low) : counted.low),
    high: Math.min(1, hasSpread ? Math.max(over.high, counted.high) : counted.high),
    level,
    method:
      models.length > 1
        ? 'the wider of t over seeds and Wilson over sets of numbers'
        : 'Wilson over sets of numbers',
  };
}

/** Share of the most frequent class: what always answering it would give. */
export function majorityRate(labels: ArrayLike<number>): number {
  const counts = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) counts.set(labels[i], (counts.get(labels[i]) ?? 0) + 1);
  return Math.max(...counts.values()) / labels.length;
}
