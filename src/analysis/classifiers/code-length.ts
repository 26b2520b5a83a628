/**
 * Online (prequential) code length of labels given features (Voita and Titov, "Information-theoretic probing with minimum
 * description length", EMNLP 2020): the first labels are sent as they are, and every next block by a probe fitted on all
 * before it. What is easy to read from few examples is short. Two classes; the probe is that of linear-probe.ts.
 */
import { expOfNegative } from './exp-negative.js';
import { logDeterministic } from '../../tensor/math.js';
import { assertLength } from '../../tensor/shape.js';
import {
  applyScaling,
  fitScaling,
  type FitCounts,
  LogisticSolver,
  newFitCounts,
  prepareFeatures,
} from './linear-probe.js';

/** Shares of the examples at which blocks end; the first block is sent with one bit a label. */
export const BLOCK_ENDS = [0.03125, 0.0625, 0.125, 0.25, 0.5, 1] as const;

export interface CodeTask {
  /** [rows, cols] row-major */
  readonly x: ArrayLike<number>;
  readonly cols: number;
  /** [rows] the order in which they are sent; equal operands are neighbours */
  readonly order: ArrayLike<number>;
  /** ends of the blocks, ascending; the last is rows */
  readonly ends: readonly number[];
}

/**
 * Block ends that keep groups of neighbours whole.
 * @param groups - [rows] names, in the order of sending; equal ones are neighbours
 */
export function blockEnds(groups: readonly string[]): number[] {
  const rows = groups.length;
  const ends = BLOCK_ENDS.map((share) => {
    let end = Math.max(1, Math.ceil(share * rows));
    while (end < rows && groups[end] === groups[end - 1]) end++;
    return end;
  });
  return [...new Set(ends)];
}

/**
 * @param labellings - each [rows]: 0 or 1, in the rows of x
 * @returns bits of each labelling, all rows together; sent as they are they take one bit a row
 */
export function onlineCodeBits(
  { x, cols, order, ends }: CodeTask,
  labellings: readonly ArrayLike<number>[],
  counts: FitCounts = newFitCounts(),
): Float64Array {
  const rows = x.length / cols;
  assertLength(order, rows, 'onlineCodeBits: order [rows]');
  if (ends.at(-1) !== rows)
    throw new RangeError(`onlineCodeBits: found blocks that end at ${ends.at(-1)}, expected ${rows}.`);
  const sent = Int32Array.from(order);
  const bits = Float64Array.from(labellings, () => ends[0]);
  for (let block = 1; block < ends.length; block++) {
    const train = sent.subarray(0, ends[block - 1]);
    const next = sent.subarray(ends[block - 1], ends[block]);
    const scaling = fitScaling(x, cols, train);
    // equal rows carry nothing: the probe is its intercept
    const width = scaling.scale === 0 ? 0 : cols;
    const rowsOf = (which: Int32Array): Float64Array =>
      width === 0 ? new Float64Array(0) : applyScaling(x, cols, which, scaling);
    const features = prepareFeatures(rowsOf(train), train.length, width);
    const nextX = rowsOf(next);
    const solver = new LogisticSolver(train.length, width, counts);
    labellings.forEach((labels, which) => {
      const known = Uint8Array.from(train, (row) => labels[row]);
      const ones = known.reduce((sum, label) => sum + label, 0);
      const hasBoth = ones > 0 && ones < train.length;
      if (hasBoth) solver.fit(features, known);
      next.forEach((row, i) => {
        // one class alone has no finite fit: a rule of succession
        const f = hasBoth
          ? solver.decision(nextX, i * width, width)
          : logDeterministic((ones + 1) / (train.length - ones + 1));
        bits[which] += lossBits(labels[row] === 1 ? f : -f);
      });
    });
  }
  return bits;
}

/** -log2 of 1 / (1 + exp(-f)) */
function lossBits(f: number): number {
  const loss = logDeterministic(1 + expOfNegative(-Math.abs(f))) + Math.max(0, -f);
  return loss / Math.LN2;
}
