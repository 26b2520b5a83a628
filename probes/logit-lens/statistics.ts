/** Which numbers a logit lens gives. */
import { binomialCdf } from '../../src/analysis/statistics/distributions.js';
import type { Scope } from '../../src/evidence/scope.js';
import { RANGES, type Statistic, type StatisticRow } from '../../src/evidence/statistic.js';
import { stageScope } from '../parity-probe/statistics.js';
import type { LogitLensMeasurement } from './measure.js';

/** Accuracy from which something counts as read. */
export const READ = 0.95;

/**
 * Layers passed until something is read: 0 in the embeddings, 1/2 after the first attention, 1 after the first feed-forward
 * layer. The first stage from which the accuracy stays at READ up to the end.
 * @param accuracy - [stages]
 * @returns undefined where it is never read, or where the best fixed answer would count as reading it
 */
export function readFrom(accuracy: readonly number[], chance: number): number | undefined {
  if (chance >= READ) return undefined;
  const from = accuracy.findLastIndex((value) => value < READ) + 1;
  return from === accuracy.length ? undefined : from / 2;
}

/** The share of right answers that 95 % of guessers stay at or below who are right with probability `chance`. */
export function chanceHigh(chance: number, examples: number): number {
  let k = 0;
  while (k < examples && binomialCdf(k, examples, chance) < 0.95) k++;
  return k / examples;
}

/** Rows of every operation and of the result or a residue of it. */
function ofEach(
  m: LogitLensMeasurement,
  rows: (
    operation: LogitLensMeasurement['operations'][number],
    index: number,
    scope: Scope,
  ) => StatisticRow[],
): StatisticRow[] {
  return m.operations.flatMap((one) =>
    m.moduli.flatMap((divisor, index) =>
      rows(one, index, { operation: one.operation, ...(index === 0 ? {} : { divisor }) }).map((row) => ({
        ...row,
        examples: one.prompts,
      })),
    ),
  );
}

const BEFORE = 'before training';

export const LOGIT_LENS_STATISTICS: readonly Statistic<LogitLensMeasurement>[] = [
  {
    id: 'read-from',
    title: 'Layers until it is read',
    formula: `layers passed at the first stage from which accuracy stays at ${READ} or more, in halves`,
    unit: '1',
    range: RANGES.positive,
    sentence:
      'layers after which the unembedding reads the result, or its residue, off the residual stream (1/2: after the first attention)',
    counts: 'learned',
    controlName: BEFORE,
    of: (m) =>
      ofEach(m, ({ trained, untrained, chance }, i, scope) => {
        const value = readFrom(trained.accuracy[i], chance[i]);
        const control = readFrom(untrained.accuracy[i], chance[i]);
        return value === undefined ? [] : [{ scope, value, ...(control === undefined ? {} : { control }) }];
      }),
  },
  {
    id: 'accuracy',
    title: 'Accuracy read at a stage',
    formula: 'share of prompts whose most probable number, or residue class, is the right one',
    unit: 'accuracy',
    range: RANGES.share,
    sentence: 'result, or its residue, read off the residual stream by the unembedding',
    detail: true,
    controlName: BEFORE,
    of: (m) =>
      ofEach(m, ({ trained, untrained, chance, multisets }, i, scope) =>
        trained.accuracy[i].map((value, stage) => ({
          scope: { ...scope, ...stageScope(stage, m.sharedBlocks) },
          value,
          control: untrained.accuracy[i][stage],
          null: { mean: chance[i], high: chanceHigh(chance[i], multisets) },
        })),
      ),
  },
  {
    id: 'probability',
    title: 'Probability of the right result at a stage',
    formula: 'mean over prompts of the softmax of the logits there, all tokens',
    unit: '1',
    range: RANGES.share,
    sentence: 'probability of the right result, read off the residual stream by the unembedding',
    detail: true,
    controlName: BEFORE,
    of: (m) =>
      m.operations.flatMap(({ operation, prompts, trained, untrained }) =>
        trained.probability.map((value, stage) => ({
          scope: { operation, ...stageScope(stage, m.sharedBlocks) },
          value,
          control: untrained.probability[stage],
          examples: prompts,
        })),
      ),
  },
];
