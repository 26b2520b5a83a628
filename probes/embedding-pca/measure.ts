/**
 * One checkpoint's number embeddings: the n digit rows of the token embedding, centred (primary); after LayerNorm without
 * affine; of the unembedding where it is untied; and of the same run before training, as control.
 */
import { cosineSimilarities, squaredDistances } from '../../src/analysis/distances.js';
import { fourierSpectrum } from '../../src/analysis/fourier.js';
import {
  centred,
  type Matrix,
  matrix,
  rowOf,
  squaredNorm,
  withColumns,
  zeros,
} from '../../src/analysis/matrix.js';
import { explainedVarianceNull } from '../../src/analysis/pca-null.js';
import { fitPca } from '../../src/analysis/pca.js';
import type { PermutationOptions, PermutationTest } from '../../src/analysis/permutation.js';
import {
  closure,
  type NamingTest,
  testCircular,
  testOrder,
  testOrderOverUnits,
  whyNoArrangement,
  whyNoClosure,
} from '../../src/analysis/rsa.js';
import { gptConfigOf } from '../../src/config/gpt-config-of.js';
import { vocabularyOf } from '../../src/listops/tokenizer.js';
import { LAYER_NORM_EPS } from '../../src/model/gpt-config.js';
import { parameterTable, parameterView, TOKEN_EMBEDDING, UNEMBEDDING } from '../../src/model/parameters.js';
import type { Rng } from '../../src/tensor/rng.js';
import { mean } from '../../src/tensor/sum.js';
import { jsonArray, nineDigits } from '../../src/report/report-json.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';

export interface MeasureOptions {
  readonly permutations: number;
  readonly nullDraws: number;
}

/**
 * The digit rows of one [dVocab, C] parameter as float64 [n, C].
 * @param parameters - [arenaSize] float32 of the run's model
 * @param name - of the parameter table
 */
export function digitRows(
  subject: Pick<ProbeSubject, 'config'>,
  parameters: Float32Array,
  name: string = TOKEN_EMBEDDING,
): Matrix {
  const config = gptConfigOf(subject.config);
  const n = subject.config.data.modulus;
  const all = parameterView(parameterTable(config), parameters, name);
  const first = vocabularyOf(subject.config.data).firstNumber * config.dModel;
  return matrix(n, config.dModel, all.subarray(first, first + n * config.dModel));
}

export function measureSubject(
  subject: ProbeSubject,
  options: MeasureOptions,
  context: Pick<MeasureContext, 'rng' | 'progress'>,
) {
  const { permutations, nullDraws } = options;
  const steps = 5;
  let done = 0;
  const onDraw = (share: number): void => context.progress(done + share, steps);
  const next = <T>(value: T): T => {
    context.progress(++done, steps);
    return value;
  };
  const x = digitRows(subject, subject.parameters, TOKEN_EMBEDDING);
  const n = x.rows;
  const limits = next(explainedVarianceNull(n, x.cols, context.rng(0), nullDraws, onDraw));
  const of = (rows: Matrix, substream: number): GeometryNumbers =>
    next(geometry(rows, permutations, context.rng(substream), onDraw));
  return nineDigits({
    n,
    d: x.cols,
    /** [n, n - 1] principal coordinates of the centred rows: the whole geometry, zero beyond the rank */
    scores: jsonArray([n, n - 1], withColumns(fitPca(x).scores, n - 1).data),
    /** [n, n] cosines of the centred rows */
    cosine: jsonArray([n, n], cosineSimilarities(centred(x)).data),
    embedding: of(x, 1),
    /** after LayerNorm without affine */
    normalised: of(layerNormalised(x), 2),
    /** null: tied to the embedding */
    unembedding: subject.config.model.tied
      ? next(null)
      : of(digitRows(subject, subject.parameters, UNEMBEDDING), 3),
    /** the same run before training */
    untrained: of(digitRows(subject, subject.untrainedParameters, TOKEN_EMBEDDING), 4),
    /** explained variance of isotropic noise, 2.5 and 97.5 %, by component */
    explainedNull: { low: Array.from(limits.low), high: Array.from(limits.high) },
  });
}
/** What one checkpoint gives: the geometry of its number embeddings. Plain JSON. */
export type EmbeddingMeasurement = Readonly<ReturnType<typeof measureSubject>>;

/** All statistics of one embedding of the numbers. @param x - [n, d], row i is number i @param onDraw - share that is done */
export function geometry(x: Matrix, permutations: number, rng: Rng, onDraw?: (share: number) => void) {
  const d2 = squaredDistances(x);
  let tests = 0;
  // four tests draw permutations, one after another
  const next = (): PermutationOptions => {
    const before = tests++;
    return { rng, count: permutations, onDraw: (share) => onDraw?.((before + share) / 4) };
  };
  const pca = fitPca(x);
  const notDefined = { arrangement: whyNoArrangement(d2), closure: whyNoClosure(d2) };
  const isArranged = notDefined.arrangement === undefined;
  const order = isArranged ? testOrder(d2, next()) : null;
  const circular = isArranged ? testCircular(d2, next()) : null;
  const closed = notDefined.closure === undefined ? closure(d2, circular?.unit ?? 1) : null;
  const spectrum = fourierSpectrum(x, next());
  // drawn last, so that the numbers above stay what they were
  const overNamings = isArranged ? testOrderOverUnits(d2, next()) : null;
  const { frequency, test } = spectrum.peak;
  return {
    rank: pca.rank,
    /** Frobenius norm of the centred rows: how far the numbers lie from each other */
    norm: Math.sqrt(squaredNorm(centred(x))),
    /** share of variance by principal component */
    explained: Array.from(pca.explainedVarianceRatio),
    order: order && namingNumbers(order),
    /** mean of the order over all namings that SUM cannot tell apart */
    orderOverNamings: overNamings && testNumbers(overNamings),
    circular: circular && namingNumbers(circular),
    closure: closed,
    /** why order and ring, or closure, are null */
    notDefined: Object.values(notDefined).filter((reason) => reason !== undefined),
    fourier: {
      /** by frequency 1..floor(n/2) */
      share: Array.from(spectrum.share),
      isotropic: Array.from(spectrum.isotropic),
      null95: spectrum.tests.map(({ null95 }) => null95),
      p: spectrum.tests.map(({ p }) => p),
      peak: { frequency, ratio: test.observed, p: test.p, midP: test.midP },
    },
  };
}
export type GeometryNumbers = Readonly<ReturnType<typeof geometry>>;

/** LayerNorm of every row without weight and bias: what the first block can see of it when alone. */
function layerNormalised(x: Matrix): Matrix {
  const out = zeros(x.rows, x.cols);
  for (let i = 0; i < x.rows; i++) {
    const row = rowOf(x, i);
    const centre = mean(row);
    const variance = mean(row.map((value) => (value - centre) ** 2));
    const scale = 1 / Math.sqrt(variance + LAYER_NORM_EPS);
    out.data.set(
      row.map((value) => (value - centre) * scale),
      i * x.cols,
    );
  }
  return out;
}

/** As named and at the best naming i -> u i. */
function namingNumbers({ asNamed, best, ...rest }: NamingTest) {
  return { asNamed: testNumbers(asNamed), best: testNumbers(best), ...rest };
}

/** A statistic with its permutation null. */
function testNumbers({ observed: value, p, midP, nullMean, null95 }: PermutationTest) {
  return { value, p, midP, nullMean, null95 };
}
export type TestNumbers = ReturnType<typeof testNumbers>;
