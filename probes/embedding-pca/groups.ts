/**
 * Seeds brought together: each condition's embeddings aligned, averaged and drawn in one plane, as named and at the naming
 * that makes every seed most alike. Pure. The seed of every random draw is fixed.
 */
import { covarianceEllipse } from '../../src/analysis/geometry/ellipse.js';
import { matMul, type Matrix, matrix, takeRows, transpose } from '../../src/analysis/matrix.js';
import { renaming, units } from '../../src/analysis/geometry/naming.js';
import { fitPca } from '../../src/analysis/geometry/pca.js';
import { alignAll, type GeneralisedAlignment } from '../../src/analysis/geometry/procrustes.js';
import { groupBy } from '../../src/evidence/group-by.js';
import { hasLearned } from '../../src/evidence/conditions.js';
import { numberOf } from '../../src/report/report-json.js';
import type { JsonArray } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import { mean } from '../../src/tensor/sum.js';
import { nine } from '../../src/evidence/statistic.js';
import type { Measured } from '../contract.js';
import type { EmbeddingMeasurement } from './measure.js';

export type MeasuredEmbedding = Measured<EmbeddingMeasurement>;

/** Rounds of alignment at most, the same for the seeds and for their null, so that p is fair. */
const ROUNDS = 10;

export interface EllipseNumbers {
  readonly number: number;
  readonly centre: readonly [number, number];
  readonly semiAxes: readonly [number, number];
  readonly angle: number;
}

export interface Agreement {
  /** share of variance that seeds do not have in common after rotation: 0 when equal */
  readonly unexplained: number;
  readonly nullMean: number;
  readonly p: number;
  /** the same when each seed may choose its naming in (Z/n)*; null: too many namings to try */
  readonly unexplainedRenamed: number | null;
}

/** The last checkpoints of a condition that have, or have not, learned SUM. */
export interface EmbeddingGroup {
  readonly condition: string;
  /** the condition's label */
  readonly label: string;
  /** the label, and what sets the group apart */
  readonly name: string;
  readonly learned: boolean | null;
  readonly n: number;
  readonly runs: readonly MeasuredEmbedding[];
  /** by seed, the unit u of the naming i -> u i at which it is drawn */
  readonly namings: readonly number[];
  /** [seeds][n][2] in the plane of the consensus, after alignment */
  readonly planes: readonly (readonly (readonly [number, number])[])[];
  /** [n][2] consensus of the seeds in its own first two components, and their shares of its variance */
  readonly consensus: readonly (readonly [number, number])[];
  readonly planeShares: readonly [number, number];
  /** by number, 95 % of a normal distribution fitted to the seeds; empty below three seeds */
  readonly ellipses: readonly EllipseNumbers[];
  /** null: one seed */
  readonly agreement: Agreement | null;
  /** [n][n] mean over seeds of the cosine of centred rows */
  readonly cosine: readonly (readonly number[])[];
}

/** @param last - the last checkpoint of every run, by condition and seed */
export function groupsOf(last: readonly MeasuredEmbedding[], alignmentDraws: number): EmbeddingGroup[] {
  return [...groupBy(last, ({ subject }) => `${subject.condition} ${hasLearned(subject)}`).values()].map(
    (runs) => groupOf(runs, alignmentDraws),
  );
}

function groupOf(runs: readonly MeasuredEmbedding[], alignmentDraws: number): EmbeddingGroup {
  const [{ subject, measurement }] = runs;
  const learned = hasLearned(subject);
  const shapes = runs.map((run) => toMatrix(run.measurement.scores));
  const alignment = alignAll(shapes, { maxIterations: ROUNDS });
  // a ring under another naming is a ring: each seed is drawn at the naming that makes it most ring-like
  const namings = runs.map((run) => (learned === true ? run.measurement.ringUnit : 1));
  const drawn = namings.every((unit) => unit === 1)
    ? alignment
    : alignAll(
        shapes.map((x, s) => takeRows(x, renaming(x.rows, namings[s]))),
        { maxIterations: ROUNDS },
      );
  const plane = fitPca(drawn.consensus, { maxComponents: 2 });
  const planes = drawn.aligned.map((x) => pairs(matMul(x, transpose(plane.components))));
  const [first = 0, second = 0] = plane.explainedVarianceRatio;
  return {
    condition: subject.condition,
    label: subject.label,
    name: learned === false ? `${subject.label}, not learned` : subject.label,
    learned,
    n: measurement.n,
    runs,
    namings,
    planes,
    consensus: pairs(plane.scores),
    planeShares: [nine(first), nine(second)],
    ellipses: runs.length < 3 ? [] : planes[0].map((_, i) => ellipseOf(i, planes)),
    agreement: runs.length < 2 ? null : agreementOf(shapes, alignment, alignmentDraws),
    cosine: meanSquare(runs.map((run) => run.measurement.cosine)),
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
    unexplained: nine(alignment.unexplainedShare),
    nullMean: nine(mean(nulls)),
    p: nine((reached + 1) / (draws + 1)),
    unexplainedRenamed:
      namings.length <= 12
        ? nine(alignAll(shapes, { units: namings, maxIterations: ROUNDS }).unexplainedShare)
        : null,
  };
}

function ellipseOf(number: number, planes: EmbeddingGroup['planes']): EllipseNumbers {
  const points = Float64Array.from(planes.flatMap((seed) => [...seed[number]]));
  const { centre, semiAxes, angle } = covarianceEllipse(points);
  return {
    number,
    centre: [nine(centre[0]), nine(centre[1])],
    semiAxes: [nine(semiAxes[0]), nine(semiAxes[1])],
    angle: nine(angle),
  };
}

export function toMatrix({ shape, data }: JsonArray): Matrix {
  return matrix(shape[0], shape[1], data.map(numberOf));
}

/** [n, 1 or 2] as pairs; a missing second coordinate is 0. */
function pairs(x: Matrix): [number, number][] {
  return Array.from({ length: x.rows }, (_, i) => [
    nine(x.data[i * x.cols]),
    x.cols > 1 ? nine(x.data[i * x.cols + 1]) : 0,
  ]);
}

function meanSquare(all: readonly JsonArray[]): number[][] {
  const [rows, cols] = all[0].shape;
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: cols }, (_, j) => nine(mean(all.map((one) => numberOf(one.data[i * cols + j]))))),
  );
}
