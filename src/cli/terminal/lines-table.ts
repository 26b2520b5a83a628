/** Accuracy on lines of a data file as a table for the terminal. */
import { ALL_OPERATIONS } from '../../train/line-evaluation.js';
import type { LineScore } from '../../train/metrics.js';
import { formatTable, percent } from './table.js';

/**
 * One row an operation and side; intervals are Wilson's, 95 %.
 * @param trained - what lines are called that were not held out
 */
export function linesTable(scores: readonly LineScore[], trained = 'trained'): string {
  const nats = (value: LineScore['lossNats']): string =>
    typeof value === 'number' ? value.toFixed(3) : value;
  return formatTable(
    [
      'lines',
      'outermost',
      'right',
      'accuracy',
      '95 % interval',
      'most frequent label',
      'loss',
      'loss of label frequencies',
    ],
    scores.map(({ operation, held, total, correct, low, high, chance, lossNats, chanceNats }) => [
      held ? 'held out' : trained,
      operation === ALL_OPERATIONS ? 'all' : operation,
      `${correct}/${total}`,
      percent(correct / total),
      `${percent(Number(low))} .. ${percent(Number(high))}`,
      percent(chance / total),
      nats(lossNats),
      nats(chanceNats),
    ]),
  );
}
