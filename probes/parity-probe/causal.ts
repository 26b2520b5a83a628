/**
 * Causal check: the parity direction is projected out of the number tokens' embeddings, for the input alone, and the model
 * answers again. Controls: as large a move in a random direction, and the directions of random labellings.
 */
import { fitLogisticProbe, type FitCounts } from '../../src/analysis/classifiers/linear-probe.js';
import { PairProbe } from '../../src/analysis/classifiers/leave-pair-out.js';
import {
  centred,
  type Matrix,
  matMul,
  matrix,
  rowOf,
  squaredNorm,
  zeros,
} from '../../src/analysis/matrix.js';
import { fitPca } from '../../src/analysis/geometry/pca.js';
import type { Model } from '../../src/engine/engine.js';
import { answersAt } from '../../src/lens/answers.js';
import { moveTokens } from '../../src/lens/steer.js';
import { RESULT } from '../../src/listops/language/expression.js';
import type { TemplateBatch } from '../../src/listops/prompts/templates.js';
import type { Vocabulary } from '../../src/listops/language/tokenizer.js';
import type { Rng } from '../../src/tensor/rng.js';
import { dot } from '../../src/tensor/sum.js';
import { labelsOf } from './token-probes.js';

export interface CausalInput {
  readonly model: Model;
  readonly operation: string;
  readonly batches: readonly TemplateBatch[];
  /** of their tokens */
  readonly vocabulary: Vocabulary;
  /** [n, d] token embeddings of the numbers */
  readonly embedding: Matrix;
  readonly draws: number;
  readonly rng: Rng;
  readonly counts: FitCounts;
}

export function causalNumbers(input: CausalInput) {
  const { model, operation, batches, vocabulary, embedding, draws, rng, counts } = input;
  const labels = labelsOf('parity', embedding.rows);
  const direction = probeDirection(embedding, labels);
  if (direction === undefined) {
    return { reason: 'the probe has no direction: on the mean, even and odd numbers lie in the same place' };
  }
  const removed = projection(embedding, direction);
  const answer = (moves: Matrix | undefined): Answer => answerAll(model, batches, { moves, vocabulary });
  const controls = <T>(make: () => T): T[] => Array.from({ length: draws }, make);
  const intact = answer(undefined);
  const left = matrix(
    embedding.rows,
    embedding.cols,
    embedding.data.map((value, i) => value - removed.data[i]),
  );
  return {
    operation,
    prompts: intact.prompts,
    intact: answerNumbers([intact]),
    /** the parity direction projected out of the number tokens' embeddings */
    parity: answerNumbers([answer(negative(removed))]),
    /** every number moved as far, in a random direction of its own; mean over draws */
    random: answerNumbers(controls(() => answer(randomMoves(removed, rng)))),
    /** the directions of random labellings of the same class sizes projected out; mean over draws */
    otherLabelling: answerNumbers(
      controls(() => {
        const other = probeDirection(embedding, rng.shuffle(labels.slice()));
        // without a direction there is nothing to take away
        return answer(other && negative(projection(embedding, other)));
      }),
    ),
    draws,
    /** share of the centred embeddings' squared norm that lies along the direction */
    removedShare: squaredNorm(removed) / squaredNorm(centred(embedding)),
    /** leave-pair-out parity score of what is left */
    shareAfter: new PairProbe(left, counts).score(labels).share,
  };
}
export type CausalNumbers = Exclude<Readonly<ReturnType<typeof causalNumbers>>, { reason: string }>;

/** Unit weight vector of the ridge logistic probe of all numbers. @returns [d]; undefined: all weights are 0 */
function probeDirection(x: Matrix, labels: Uint8Array): Float64Array | undefined {
  // in principal coordinates: the same ridge, and never more than n - 1 features
  const { scores, components } = fitPca(x);
  const { weights } = fitLogisticProbe(scores.data, labels, scores.cols);
  const direction = matMul(matrix(1, weights.length, weights), components).data;
  const norm = Math.sqrt(dot(direction, direction));
  return norm === 0 ? undefined : direction.map((value) => value / norm);
}

/** @returns [n, d] the part of each centred row along a unit direction */
function projection(x: Matrix, direction: Float64Array): Matrix {
  const centre = centred(x);
  const out = zeros(x.rows, x.cols);
  for (let i = 0; i < x.rows; i++) {
    const along = dot(rowOf(centre, i), direction);
    out.data.set(
      direction.map((value) => along * value),
      i * x.cols,
    );
  }
  return out;
}

function negative({ rows, cols, data }: Matrix): Matrix {
  return { rows, cols, data: data.map((value) => -value) };
}

/** Every row as long as that of `moves`, in a random direction of its own. */
function randomMoves(moves: Matrix, rng: Rng): Matrix {
  const out = zeros(moves.rows, moves.cols);
  for (let i = 0; i < moves.rows; i++) {
    const length = Math.sqrt(dot(rowOf(moves, i), rowOf(moves, i)));
    const direction = Float64Array.from({ length: moves.cols }, () => rng.normal());
    const norm = Math.sqrt(dot(direction, direction));
    out.data.set(
      direction.map((value) => (length * value) / norm),
      i * moves.cols,
    );
  }
  return out;
}

interface Answer {
  readonly prompts: number;
  readonly correct: number;
  readonly nats: number;
}

interface Change {
  /** [n, d] added to the embedding of each number token of the input; undefined: nothing changes */
  readonly moves: Matrix | undefined;
  readonly vocabulary: Vocabulary;
}

/** Of every result token. */
function answerAll(model: Model, batches: readonly TemplateBatch[], { moves, vocabulary }: Change): Answer {
  let [prompts, correct, nats] = [0, 0, 0];
  const moveOf = (token: number): Float64Array | undefined => {
    const number = vocabulary.numberOf(token);
    return moves === undefined || number === undefined ? undefined : rowOf(moves, number);
  };
  for (const { batch } of batches) {
    const interventions = moves === undefined ? [] : [moveTokens(batch, moves.cols, moveOf)];
    const { rows, tokens, lossNats } = answersAt(model, batch, interventions);
    rows.forEach((row, k) => {
      if (batch.roles[row] !== RESULT) return;
      prompts++;
      nats += lossNats[k];
      if (tokens[k] === batch.targets[row]) correct++;
    });
  }
  return { prompts, correct, nats };
}

function answerNumbers(answers: readonly Answer[]) {
  const prompts = answers.reduce((sum, one) => sum + one.prompts, 0);
  return {
    accuracy: answers.reduce((sum, one) => sum + one.correct, 0) / prompts,
    /** of the result token */
    lossNats: answers.reduce((sum, one) => sum + one.nats, 0) / prompts,
  };
}
