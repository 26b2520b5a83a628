/**
 * Seeds brought together: conditions divided by whether SUM was learned, each group's embeddings aligned, averaged and drawn
 * in one plane. Pure. The seed of every random draw is fixed, so that equal measurements give equal results.
 */
import { covarianceEllipse } from '../../src/analysis/ellipse.js';
import { matMul, type Matrix, matrix, takeRows, transpose } from '../../src/analysis/matrix.js';
import { units } from '../../src/analysis/naming.js';
import { fitPca } from '../../src/analysis/pca.js';
import { alignAll, type GeneralisedAlignment } from '../../src/analysis/procrustes.js';
import type { Agreement, EllipseNumbers, EmbeddingGroup } from '../../src/report/charts/embedding-data.js';
import type { JsonArray } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import { mean } from '../../src/tensor/sum.js';
import { finiteNumber, numberOf } from '../ablation/json-numbers.js';
import { hasLearned, sumAccuracy } from '../conditions.js';
import type { Measured } from '../contract.js';
import type { EmbeddingMeasurement } from './measure.js';

export type MeasuredEmbedding = Measured<EmbeddingMeasurement>;

/** Rounds of alignment at most, the same for the seeds and for their null, so that p is fair. */
const ROUNDS = 10;

export function summariseGroup(runs: readonly MeasuredEmbedding[], alignmentDraws: number): EmbeddingGroup {
  const [{ subject, config, measurement }] = runs;
  const { n, d } = measurement;
  const learnedSum = hasLearned(runs[0]);
  const shapes = runs.map((run) => toMatrix(run.measurement.scores));
  const alignment = alignAll(shapes, { maxIterations: ROUNDS });
  const plane = fitPca(alignment.consensus, { maxComponents: 2 });
  const inPlane = alignment.aligned.map((x) => pairs(matMul(x, transpose(plane.components))));
  const [first = 0, second = 0] = plane.explainedVarianceRatio;
  return {
    id: learnedSum === false ? `${subject.condition}-not-learned` : subject.condition,
    condition: subject.condition,
    label: subject.label,
    name: learnedSum === false ? `${subject.label}, not learned` : subject.label,
    tasks: [...config.data.tasks],
    regime: config.data.regime,
    learnedSum,
    n,
    d,
    seeds: runs.map((run, s) => ({
      subject: run.subject.id,
      seed: run.subject.seed,
      accuracy: sumAccuracy(run),
      embedding: run.measurement.embedding,
      normalised: run.measurement.normalised,
      unembedding: run.measurement.unembedding,
      untrained: run.measurement.untrained,
      plane: inPlane[s],
    })),
    explained: {
      mean: meanComponents(runs.map((run) => run.measurement.embedding.explained)),
      nullLow: measurement.explainedNull.low,
      nullHigh: measurement.explainedNull.high,
    },
    consensus: pairs(plane.scores),
    planeShares: [round(first), round(second)],
    ellipses: runs.length < 3 ? [] : inPlane[0].map((_, i) => ellipseOf(i, inPlane)),
    agreement: runs.length < 2 ? null : agreementOf(shapes, alignment, alignmentDraws),
    cosine: meanSquare(runs.map((run) => run.measurement.cosine)),
    distances: meanSquare(runs.map((run) => run.measurement.distances)),
  };
}

/** How far seeds agree, against the same seeds with their numbers permuted independently. */
function agreementOf(shapes: readonly Matrix[], alignment: GeneralisedAlignment, draws: number): Agreement {
  const rng = new Rng(0, 'probe:embedding-pca/alignment');
  const n = shapes[0].rows;
  const nulls = Float64Array.from({ length: draws }, () => {
    const permuted = shapes.map((x, s) => (s === 0 ? x : takeRows(x, rng.permutation(n))));
    return alignAll(permuted, { maxIterations: ROUNDS }).unexplainedShare;
  });
  const reached = nulls.filter((value) => value <= alignment.unexplainedShare + 1e-12).length;
  const namings = units(n);
  return {
    unexplained: round(alignment.unexplainedShare),
    nullMean: round(mean(nulls)),
    p: round((reached + 1) / (draws + 1)),
    unexplainedRenamed:
      namings.length <= 12
        ? round(alignAll(shapes, { units: namings, maxIterations: ROUNDS }).unexplainedShare)
        : null,
  };
}

function ellipseOf(
  number: number,
  inPlane: readonly (readonly (readonly [number, number])[])[],
): EllipseNumbers {
  const points = Float64Array.from(inPlane.flatMap((seed) => [...seed[number]]));
  const { centre, semiAxes, angle } = covarianceEllipse(points);
  return {
    number,
    centre: [round(centre[0]), round(centre[1])],
    semiAxes: [round(semiAxes[0]), round(semiAxes[1])],
    angle: round(angle),
  };
}

export function toMatrix({ shape, data }: JsonArray): Matrix {
  return matrix(shape[0], shape[1], data.map(numberOf));
}

/** [n, 1 or 2] as pairs; a missing second coordinate is 0. */
function pairs(x: Matrix): [number, number][] {
  return Array.from({ length: x.rows }, (_, i) => [
    round(x.data[i * x.cols]),
    x.cols > 1 ? round(x.data[i * x.cols + 1]) : 0,
  ]);
}

/** Mean by component; components that a seed lacks count 0. */
function meanComponents(all: readonly (readonly number[])[]): number[] {
  const most = Math.max(...all.map((one) => one.length));
  return Array.from({ length: most }, (_, c) => round(mean(all.map((one) => one[c] ?? 0))));
}

function meanSquare(all: readonly JsonArray[]): number[][] {
  const [rows, cols] = all[0].shape;
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: cols }, (_, j) => round(mean(all.map((one) => numberOf(one.data[i * cols + j]))))),
  );
}

function round(value: number): number {
  return finiteNumber(value, 'embedding-pca');
}
