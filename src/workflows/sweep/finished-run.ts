/** Reads a finished run directory into the line of results.jsonl that stands for it. */
import type { RunStore } from '../../checkpoint/store.js';
import { gptConfigOf } from '../../config/names.js';
import { RunError } from '../../errors.js';
import { vocabularyOf } from '../../listops/language/tokenizer.js';
import { parameterTable, parameterView, TOKEN_EMBEDDING } from '../../model/parameters.js';
import {
  type EvalCell,
  type EvalRow,
  type MetricNumber,
  metricNumber,
  parseMetricRows,
} from '../../train/metrics.js';
import type { Evaluation, ResultLine } from './results/result-line.js';

/** Digits of losses and norms in a line: they are looked at, not computed with. */
const DIGITS = 6;

/**
 * @param measured - what the modules found at its last checkpoint
 * @throws RunError when the run has not ended, or is damaged
 */
export function resultOfRun(
  store: RunStore,
  measured: Pick<ResultLine, 'observations' | 'leftOut'>,
  { moments = false }: { readonly moments?: boolean } = {},
): ResultLine {
  const end = store.end();
  if (end === undefined || end.reason === 'interrupted') {
    throw new RunError(`${store.name}: the run has not ended, so there is no result.`);
  }
  const rows = parseMetricRows(store.readMetrics(), `${store.name}/metrics.jsonl`);
  const { step, weightsSha256 } = store.loadStep('final');
  return {
    id: store.id,
    configuration: store.config,
    parameters: parameterTable(gptConfigOf(store.config)).nParameters,
    end: { reason: end.reason, step: end.step },
    evaluations: rows.filter((row): row is EvalRow => row.kind === 'eval').map(evaluationOf),
    observations: measured.observations,
    leftOut: measured.leftOut,
    numberRows: store.steps().map((at) => ({ step: at, norm: numberRowNorm(store, at) })),
    weightsStep: step,
    weightsSha256,
    ...(moments && { momentsSha256: momentsAt(store, step) }),
    engine: engineOf(store),
    seconds: trainingSeconds(store),
  };
}

/** @throws RunError when they were given up */
function momentsAt(store: RunStore, step: number): string {
  if (store.resumeSteps().includes(step)) return store.loadResume(step).momentsSha256;
  throw new RunError(
    `${store.name}: another run goes on with its optimizer, whose state at step ${step} was given up. Remove the folder of the run: it is trained again.`,
  );
}

function evaluationOf({ step, cells, nested, lines }: EvalRow): Evaluation {
  const trained = cells.filter(({ held }) => !held);
  const held = cells.filter((cell) => cell.held);
  return {
    step,
    trained: countsOf(trained),
    ...(held.length > 0 && { held: countsOf(held) }),
    ...(nested !== undefined && {
      nested: countsOf(nested.results),
      ...(nested.inside !== undefined && { inside: countsOf(nested.inside) }),
      chains: [nested.exact, nested.total] as [number, number],
    }),
    ...(lines !== undefined && { lines: countsOf(lines.filter((line) => !line.held)) }),
    lossNats: lossesOf(trained),
  };
}

function countsOf(
  cells: readonly { readonly operation: string; readonly correct: number; readonly total: number }[],
): Record<string, [number, number]> {
  const counts: Record<string, [number, number]> = {};
  for (const { operation, correct, total } of cells) {
    if (total === 0) continue;
    const [right, asked] = counts[operation] ?? [0, 0];
    counts[operation] = [right + correct, asked + total];
  }
  return counts;
}

function lossesOf(cells: readonly EvalCell[]): Record<string, MetricNumber> {
  const sums = new Map<string, { nats: number; total: number }>();
  for (const { operation, total, lossNats } of cells) {
    if (total === 0) continue;
    const sum = sums.get(operation) ?? { nats: 0, total: 0 };
    sum.nats += Number(lossNats) * total;
    sum.total += total;
    sums.set(operation, sum);
  }
  return Object.fromEntries(
    [...sums].map(([operation, { nats, total }]) => [operation, rounded(nats / total)]),
  );
}

/** Frobenius norm of the number rows of the token embedding after their mean is taken out. */
function numberRowNorm(store: RunStore, step: number): MetricNumber {
  const gpt = gptConfigOf(store.config);
  const { parameters } = store.loadStep(step);
  const rows = parameterView(parameterTable(gpt), parameters, TOKEN_EMBEDDING);
  const { data, vocabulary } = store.config;
  const { firstNumber, modulus } = vocabularyOf(data, vocabulary);
  const { dModel } = gpt;
  let squares = 0;
  for (let d = 0; d < dModel; d++) {
    let mean = 0;
    for (let n = 0; n < modulus; n++) mean += rows[(firstNumber + n) * dModel + d] / modulus;
    for (let n = 0; n < modulus; n++) squares += (rows[(firstNumber + n) * dModel + d] - mean) ** 2;
  }
  return rounded(Math.sqrt(squares));
}

const rounded = (value: number): MetricNumber => {
  const number = metricNumber(value);
  return typeof number === 'number' ? Number(number.toPrecision(DIGITS)) : number;
};

/** Engine and kernels of the last session. */
function engineOf(store: RunStore): string {
  const session = store.readSessions().at(-1) as { engine?: string; kernelHash?: string } | undefined;
  return `${session?.engine ?? 'unknown'} (kernels ${(session?.kernelHash ?? '').slice(0, 12)})`;
}

/** The clock of timing.jsonl starts again with each session. */
function trainingSeconds(store: RunStore): number {
  let done = 0;
  let session = 0;
  for (const row of store.readTiming()) {
    const elapsedMs = Number((row as { elapsedMs?: unknown }).elapsedMs);
    if (!Number.isFinite(elapsedMs)) continue;
    if (elapsedMs < session) done += session;
    session = elapsedMs;
  }
  return Math.round(done + session) / 1000;
}
