/** Whether the rows of metrics.jsonl agree with the configuration, the end of the run and themselves. */
import { join } from 'node:path';
import { finding, type Finding } from '../../checkpoint/finding.js';
import type { RunEnd, RunStore } from '../../checkpoint/store.js';
import { isSolved } from '../../train/learned.js';
import { type EvalRow, type MetricRow, parseMetricRows } from '../../train/metrics.js';

const REMEDY = 'Restore the file, or train the run again.';

/** @param rows - as they are stored */
export function checkRows(store: RunStore, rows: readonly unknown[], end: RunEnd | undefined): Finding[] {
  const path = join(store.dir, 'metrics.jsonl');
  const wrong = (problem: unknown): Finding => finding('wrong-rows', path, { problem, remedy: REMEDY });
  let parsed: MetricRow[];
  try {
    parsed = parseMetricRows(rows, path);
  } catch (error) {
    return [wrong(error)];
  }
  const evaluations = parsed.filter((row) => row.kind === 'eval');
  const problems = [
    ...parsed
      .filter(({ step }) => step > store.config.training.steps && !isImported(store))
      .slice(0, 1)
      .map(({ step }) => `found a row of step ${step}, expected at most ${store.config.training.steps}.`),
    ...evaluations.flatMap(countsProblem).slice(0, 1),
    ...(end === undefined ? [] : endProblems(end, parsed, evaluations)),
  ];
  return problems.map(wrong);
}

/** A model from elsewhere was trained on another plan. */
const isImported = (store: RunStore): boolean =>
  store.readSessions().some((session) => (session as { engine?: unknown } | null)?.engine === 'imported');

/** Of counts that cannot be: more right than asked, more whole completions right than results. */
function countsProblem({ step, cells }: EvalRow): string[] {
  const odd = cells.find(
    ({ total, correct, exact }) => !(exact >= 0 && exact <= correct && correct <= total && total > 0),
  );
  if (odd === undefined) return [];
  const { operation, arity, exact, correct, total } = odd;
  return [
    `step ${step}, ${operation} of ${arity}: found ${exact} whole completions and ${correct} results right of ${total}, expected exact <= correct <= total.`,
  ];
}

function endProblems(
  { reason, step }: RunEnd,
  rows: readonly MetricRow[],
  evaluations: readonly EvalRow[],
): string[] {
  const last = rows.at(-1);
  if (reason === 'interrupted') return [];
  if (reason === 'diverged') {
    return last?.kind === 'diverged'
      ? []
      : [`the last row is of kind ${last?.kind ?? 'none'}, expected diverged as in end.json.`];
  }
  const evaluated = evaluations.at(-1)?.step;
  // of a large model from elsewhere there are no rows
  if (rows.length > 0 && evaluated !== step) {
    return [`the last evaluation is of step ${evaluated ?? 'none'}, expected ${step}, where the run ended.`];
  }
  return reason === 'solved' && !isSolved(evaluations)
    ? ['the last two evaluations do not have every answer right, expected so, as end.json says "solved".']
    : [];
}
