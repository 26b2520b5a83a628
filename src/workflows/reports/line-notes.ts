/** What a run answers on held-out lines of its data file, as a sentence for the report's notes. */
import type { LineScore, MetricRow } from '../../train/metrics.js';

/** Of the last evaluation; empty when the examples of the run are generated. */
export function lineNotes(run: string, rows: readonly MetricRow[]): string[] {
  const last = rows.findLast((row) => row.kind === 'eval');
  const held = (last?.lines ?? []).filter((score) => score.held);
  if (last === undefined || held.length === 0) return [];
  return [
    `${run} at step ${last.step}, held-out lines right by outermost operation (95 % Wilson interval, the most frequent ` +
      `label): ${held.map(scoreText).join('; ')}.`,
  ];
}

function scoreText({ operation, correct, total, low, high, chance }: LineScore): string {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return (
    `${operation} ${correct} of ${total} = ${percent(correct / total)} ` +
    `(${percent(Number(low))} to ${percent(Number(high))}; ${percent(chance / total)})`
  );
}
