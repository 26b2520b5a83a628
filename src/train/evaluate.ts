/**
 * Scores a model on an evaluation set: greedy, free-running, by operation, arity, hold-out and role. It only reads the
 * model: no training state moves (test/train/evaluate.test.ts compares the bytes).
 *
 * Depth-1 prompts are scored with one forward pass over prompt and true completion instead of token-by-token
 * generation. The answer is the same: the first generated token has the same context in both, and it is the result;
 * the token after it counts for `exact` only when the result was right, and then its context is the same too. The test
 * compares the counts with generation, and with a generation that recomputes everything.
 */
import type { Model } from '../engine/engine.js';
import { RESULT, ROLES } from '../listops/language/expression.js';
import { OPERATION_NAMES } from '../listops/language/operations.js';
import type { AnnotatedBatch, AnnotatedSequence } from '../listops/language/sequence.js';
import { OPEN, type Vocabulary } from '../listops/language/tokenizer.js';
import type { EvaluationSet, PromptCell } from './evaluation-set.js';
import { type EvalCell, type EvalRow, type NestedEval, metricNumber } from './metrics.js';
import { argmax } from '../tensor/math.js';

/** Prompts generated together between two pauses. */
const GENERATE_CHUNK = 125;

/**
 * @param pause - called between chunks of some milliseconds, so that signals are seen
 */
export async function evaluate(
  model: Model,
  set: EvaluationSet,
  step: number,
  pause: () => Promise<void>,
): Promise<EvalRow> {
  const cells: EvalCell[] = [];
  for (const cell of set.cells) cells.push(await scoreCell(model, cell, set.vocabulary, pause));
  if (set.nested === undefined) return { kind: 'eval', step, cells };
  return { kind: 'eval', step, cells, nested: await scoreNested(model, set.nested, set.vocabulary, pause) };
}

/** Numbers d with 1 < d < n that divide n. */
export function properDivisors(n: number): number[] {
  const divisors: number[] = [];
  for (let d = 2; d < n; d++) if (n % d === 0) divisors.push(d);
  return divisors;
}

async function scoreCell(
  model: Model,
  cell: PromptCell,
  vocabulary: Vocabulary,
  pause: () => Promise<void>,
): Promise<EvalCell> {
  const divisors = properDivisors(vocabulary.modulus);
  const congruent = new Float64Array(divisors.length);
  const tally = { correct: 0, exact: 0, sumNats: 0 };
  for (const batch of cell.batches) {
    scoreBatch(model, batch, { vocabulary, divisors, congruent, tally });
    await pause();
  }
  const { operation, arity, held, enumerated, total, multisets } = cell;
  return {
    operation,
    arity,
    held,
    enumerated,
    total,
    multisets,
    correct: tally.correct,
    exact: tally.exact,
    lossNats: metricNumber(tally.sumNats / total),
    divisors: Object.fromEntries(divisors.map((d, i) => [String(d), congruent[i]])),
  };
}

interface CellScore {
  readonly vocabulary: Vocabulary;
  readonly divisors: readonly number[];
  /** [divisors] answers right modulo each; written */
  readonly congruent: Float64Array;
  /** written */
  readonly tally: { correct: number; exact: number; sumNats: number };
}

function scoreBatch(model: Model, batch: AnnotatedBatch, score: CellScore): void {
  const { logits, losses } = model.forward(batch);
  const width = model.config.dVocab;
  let row = 0;
  for (let s = 0; s + 1 < batch.offsets.length; s++) {
    let exact = true;
    for (let t = batch.offsets[s]; t < batch.offsets[s + 1]; t++) {
      const target = batch.targets[t];
      if (target < 0) continue;
      const answer = argmax(logits, row * width, width);
      exact &&= answer === target;
      if (batch.roles[t] === RESULT) {
        score.tally.sumNats += losses[row];
        if (answer === target) score.tally.correct++;
        countCongruent(answer, target, score);
      }
      row++;
    }
    if (exact) score.tally.exact++;
  }
}

/** @param answer - token; one that is no number is congruent to nothing */
function countCongruent(
  answer: number,
  target: number,
  { vocabulary, divisors, congruent }: CellScore,
): void {
  const [number, result] = [vocabulary.numberOf(answer), vocabulary.numberOf(target)];
  if (number === undefined || result === undefined) return;
  divisors.forEach((d, i) => {
    if (number % d === result % d) congruent[i]++;
  });
}

async function scoreNested(
  model: Model,
  sequences: readonly AnnotatedSequence[],
  vocabulary: Vocabulary,
  pause: () => Promise<void>,
): Promise<NestedEval> {
  const tally = new NestedTally();
  for (let from = 0; from < sequences.length; from += GENERATE_CHUNK) {
    const chunk = sequences.slice(from, from + GENERATE_CHUNK);
    const prompts = chunk.map(({ tokens, promptLength }) => tokens.subarray(0, promptLength));
    const longest = chunk.reduce((most, s) => Math.max(most, s.tokens.length - s.promptLength), 1);
    const answers = model.generate(prompts, { maxNewTokens: longest, stopToken: vocabulary.end });
    chunk.forEach((sequence, i) => tally.add(sequence, answers[i]));
    await pause();
  }
  return tally.result(sequences.length);
}

/** Counts of generated chains against true ones, token by token at their own places. */
class NestedTally {
  private exact = 0;
  private readonly roles = ROLES.map(() => ({ total: 0, correct: 0 }));
  private readonly results = new Map<string, { total: number; correct: number }>();
  private readonly inside = new Map<string, { total: number; correct: number }>();

  add(sequence: AnnotatedSequence, answer: Int32Array): void {
    const { tokens, promptLength, roles, operations, arities } = sequence;
    const isNested = tokens.indexOf(OPEN) !== tokens.lastIndexOf(OPEN, promptLength - 1);
    let right = 0;
    for (let t = promptLength; t < tokens.length; t++) {
      const isRight = answer[t - promptLength] === tokens[t] ? 1 : 0;
      right += isRight;
      count(this.roles[roles[t]], isRight);
      if (roles[t] === RESULT) {
        const operation = OPERATION_NAMES[operations[t]];
        countUnder(this.results, `${operation} ${String(arities[t]).padStart(2, '0')}`, isRight);
        if (isNested) countUnder(this.inside, operation, isRight);
      }
    }
    if (right === tokens.length - promptLength && answer.length === right) this.exact++;
  }

  result(total: number): NestedEval {
    const results = [...this.results.keys()].sort().map((key) => {
      const [operation, arity] = key.split(' ');
      return { operation, arity: Number(arity), ...(this.results.get(key) ?? { total: 0, correct: 0 }) };
    });
    const roles = Object.fromEntries(ROLES.map((role, i) => [role, this.roles[i]]));
    const inside = [...this.inside]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([operation, counts]) => ({ operation, ...counts }));
    return { total, exact: this.exact, roles, results, inside };
  }
}

function countUnder(
  entries: Map<string, { total: number; correct: number }>,
  key: string,
  isRight: number,
): void {
  let entry = entries.get(key);
  if (entry === undefined) entries.set(key, (entry = { total: 0, correct: 0 }));
  count(entry, isRight);
}

function count(entry: { total: number; correct: number }, isRight: number): void {
  entry.total++;
  entry.correct += isRight;
}
