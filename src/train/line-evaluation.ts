/**
 * Scores a model on lines of a data file, held out and trained, by their outermost operation. Only reads the model.
 * Counts come with a Wilson interval, because the lines of a file are a sample.
 */
import { wilsonInterval } from '../analysis/statistics/intervals.js';
import type { Model } from '../engine/engine.js';
import { RESULT } from '../listops/language/expression.js';
import type { LineSource } from '../listops/files/line-data.js';
import { OPERATION_NAMES } from '../listops/language/operations.js';
import type { AnnotatedSequence } from '../listops/language/sequence.js';
import { FIRST_NUMBER, vocabularyOf } from '../listops/language/tokenizer.js';
import { argmax, logDeterministic } from '../tensor/math.js';
import { Rng } from '../tensor/rng.js';
import { type LineScore, metricNumber } from './metrics.js';

/** Most lines of either side in one evaluation; more are a fixed seeded sample. */
export const MOST_LINES_SCORED = 2000;
/** All evaluations of a run ask the same lines. */
const EVALUATION_SEED = 0;
const LEVEL = 0.95;

export const ALL_OPERATIONS = 'all';

/** The lines of one score. */
interface Group {
  readonly operation: string;
  readonly held: boolean;
  readonly indices: readonly number[];
  /** share of each label among the trained lines of the operation, one added to every count */
  readonly frequencies: readonly number[];
}

export interface LineEvaluation {
  readonly source: LineSource;
  readonly groups: readonly Group[];
  /** most tokens of one batch */
  readonly chunkTokens: number;
}

export function createLineEvaluation(source: LineSource, chunkTokens: number): LineEvaluation {
  const { split, data } = source;
  const names = [ALL_OPERATIONS, ...OPERATION_NAMES.filter((name) => data.tasks.includes(name))];
  const sides = [
    { held: true, indices: sample(split.held) },
    { held: false, indices: sample(split.trained) },
  ];
  const groups = names.flatMap((operation) => {
    const isOf = (i: number): boolean =>
      operation === ALL_OPERATIONS || outermostOperation(source, i) === operation;
    const frequencies = labelFrequencies(source, Array.from(split.trained).filter(isOf));
    return sides.map(({ held, indices }) => ({
      operation,
      held,
      indices: indices.filter(isOf),
      frequencies,
    }));
  });
  return { source, groups: groups.filter(({ indices }) => indices.length > 0), chunkTokens };
}

function sample(indices: Int32Array): number[] {
  if (indices.length <= MOST_LINES_SCORED) return Array.from(indices);
  const rng = new Rng(EVALUATION_SEED, 'evaluation:lines', indices.length);
  return Array.from(rng.permutation(indices.length).subarray(0, MOST_LINES_SCORED).sort(), (i) => indices[i]);
}

export function outermostOperation({ lines, data }: Pick<LineSource, 'lines' | 'data'>, i: number): string {
  return OPERATION_NAMES[lines.tokens[lines.starts[i] + 1] - FIRST_NUMBER - data.modulus];
}

function labelFrequencies({ lines, data }: LineSource, indices: readonly number[]): number[] {
  const counts = new Array<number>(data.modulus).fill(1);
  for (const i of indices) counts[lines.labels[i]]++;
  return counts.map((count) => count / (indices.length + data.modulus));
}

/** What is counted of one line. */
interface LineResult {
  readonly correct: boolean;
  readonly exact: boolean;
  readonly sumNats: number;
  readonly results: number;
}

/** @param pause - called between chunks of some milliseconds, so that signals are seen */
export async function scoreLines(
  model: Model,
  { source, groups, chunkTokens }: LineEvaluation,
  pause: () => Promise<void>,
): Promise<LineScore[]> {
  const wanted = [...new Set(groups.flatMap(({ indices }) => indices))];
  const results = new Map<number, LineResult>();
  for (const chunk of chunks(source, wanted, chunkTokens)) {
    const scored = scoreChunk(model, source, chunk);
    chunk.forEach((i, k) => results.set(i, scored[k]));
    await pause();
  }
  return groups.map((group) => scoreOf(group, source, results));
}

function* chunks(source: LineSource, indices: readonly number[], most: number): Generator<number[]> {
  let chunk: number[] = [];
  let tokens = 0;
  for (const i of indices) {
    const length = source.sequence(i).tokens.length;
    if (chunk.length > 0 && tokens + length > most) {
      yield chunk;
      chunk = [];
      tokens = 0;
    }
    chunk.push(i);
    tokens += length;
  }
  if (chunk.length > 0) yield chunk;
}

/**
 * One forward pass with the true completion given: every token right means that greedy generation writes the same. The
 * answer itself is the first generated token in the format `direct`; in `steps` the chain is generated to its end.
 */
function scoreChunk(model: Model, source: LineSource, indices: readonly number[]): LineResult[] {
  const batch = source.batchOf(indices, 'completion');
  const { logits, losses } = model.forward(batch);
  const width = model.config.dVocab;
  const answers = source.data.format === 'steps' ? generatedAnswers(model, source, indices) : undefined;
  let row = 0;
  return indices.map((_, s) => {
    let exact = true;
    let answer = false;
    let sumNats = 0;
    let results = 0;
    for (let t = batch.offsets[s]; t < batch.offsets[s + 1]; t++) {
      const target = batch.targets[t];
      if (target < 0) continue;
      const isRight = argmax(logits, row * width, width) === target;
      exact &&= isRight;
      if (batch.roles[t] === RESULT) {
        answer = isRight;
        sumNats += losses[row];
        results++;
      }
      row++;
    }
    return { correct: answers === undefined ? answer : answers[s], exact, sumNats, results };
  });
}

/** Whether the number before the end token of the greedy chain is the label. */
function generatedAnswers(model: Model, source: LineSource, indices: readonly number[]): boolean[] {
  const { end } = vocabularyOf(source.data);
  const sequences = indices.map((i): AnnotatedSequence => source.sequence(i));
  const longest = sequences.reduce((most, s) => Math.max(most, s.tokens.length - s.promptLength), 1);
  const answers = model.generate(
    sequences.map(({ tokens, promptLength }) => tokens.subarray(0, promptLength)),
    { maxNewTokens: longest, stopToken: end },
  );
  return answers.map((answer, s) => answer.at(-1) === end && answer.at(-2) === sequences[s].tokens.at(-2));
}

function scoreOf(
  { operation, held, indices, frequencies }: Group,
  { lines }: LineSource,
  results: ReadonlyMap<number, LineResult>,
): LineScore {
  const commonest = frequencies.indexOf(Math.max(...frequencies));
  let [correct, exact, sumNats, nResults, chance, chanceNats] = [0, 0, 0, 0, 0, 0];
  for (const i of indices) {
    const result = results.get(i);
    if (result === undefined) continue;
    correct += result.correct ? 1 : 0;
    exact += result.exact ? 1 : 0;
    sumNats += result.sumNats;
    nResults += result.results;
    chance += lines.labels[i] === commonest ? 1 : 0;
    chanceNats -= logDeterministic(frequencies[lines.labels[i]]);
  }
  const total = indices.length;
  const { low, high } = wilsonInterval(correct, total, LEVEL);
  return {
    operation,
    held,
    total,
    correct,
    low: metricNumber(low),
    high: metricNumber(high),
    exact,
    lossNats: metricNumber(sumNats / nResults),
    chance,
    chanceNats: metricNumber(chanceNats / total),
  };
}
