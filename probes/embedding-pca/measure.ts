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
import type { PermutationTest } from '../../src/analysis/permutation.js';
import {
  closure,
  type NamingTest,
  testCircular,
  testOrder,
  testOrderOverUnits,
} from '../../src/analysis/rsa.js';
import { gptConfigOf } from '../../src/config/gpt-config-of.js';
import { vocabularyOf } from '../../src/listops/tokenizer.js';
import { LAYER_NORM_EPS } from '../../src/model/gpt-config.js';
import { parameterTable, parameterView, TOKEN_EMBEDDING, UNEMBEDDING } from '../../src/model/parameters.js';
import type { Rng } from '../../src/tensor/rng.js';
import { mean } from '../../src/tensor/sum.js';
import { jsonArray } from '../../src/report/report-json.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';
import type { EmbeddingMeasurement, GeometryNumbers, NamingNumbers, TestNumbers } from './measurement.js';

export interface MeasureOptions {
  readonly permutations: number;
  readonly nullDraws: number;
}

/** The digit rows of one [dVocab, C] parameter as float64 [n, C]. */
function digitRows(subject: ProbeSubject, parameters: Float32Array, name: string): Matrix {
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
): EmbeddingMeasurement {
  const { permutations, nullDraws } = options;
  const steps = 5;
  let done = 0;
  const next = <T>(value: T): T => {
    context.progress(++done, steps);
    return value;
  };
  const x = digitRows(subject, subject.parameters, TOKEN_EMBEDDING);
  const n = x.rows;
  const limits = next(explainedVarianceNull(n, x.cols, context.rng(0), nullDraws));
  const of = (rows: Matrix, substream: number): GeometryNumbers =>
    next(geometry(rows, permutations, context.rng(substream)));
  return {
    n,
    d: x.cols,
    scores: jsonArray([n, n - 1], withColumns(fitPca(x).scores, n - 1).data),
    cosine: jsonArray([n, n], cosineSimilarities(centred(x)).data),
    embedding: of(x, 1),
    normalised: of(layerNormalised(x), 2),
    unembedding: subject.config.model.tied
      ? next(null)
      : of(digitRows(subject, subject.parameters, UNEMBEDDING), 3),
    untrained: of(digitRows(subject, subject.untrainedParameters, TOKEN_EMBEDDING), 4),
    explainedNull: { low: rounded(limits.low), high: rounded(limits.high) },
  };
}

/** All statistics of one embedding of the numbers. @param x - [n, d], row i is number i */
export function geometry(x: Matrix, permutations: number, rng: Rng): GeometryNumbers {
  const d2 = squaredDistances(x);
  const options = { rng, count: permutations };
  const pca = fitPca(x);
  const order = testOrder(d2, options);
  const circular = testCircular(d2, options);
  const closed = closure(d2, circular.unit);
  const spectrum = fourierSpectrum(x, options);
  // drawn last, so that the numbers above stay what they were
  const overNamings = testOrderOverUnits(d2, options);
  return {
    rank: pca.rank,
    norm: round(Math.sqrt(squaredNorm(centred(x)))),
    explained: rounded(pca.explainedVarianceRatio),
    order: namingNumbers(order),
    orderOverNamings: testNumbers(overNamings),
    circular: namingNumbers(circular),
    closure: {
      asNamed: round(closed.asNamed),
      maximum: round(closed.maximum),
      widestGap: round(closed.widestGap),
    },
    fourier: {
      share: rounded(spectrum.share),
      isotropic: rounded(spectrum.isotropic),
      null95: spectrum.tests.map((test) => round(test.null95)),
      p: spectrum.tests.map((test) => round(test.p)),
      peak: {
        frequency: spectrum.peak.frequency,
        ratio: round(spectrum.peak.test.observed),
        p: round(spectrum.peak.test.p),
        midP: round(spectrum.peak.test.midP),
      },
    },
  };
}

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

function namingNumbers(test: NamingTest): NamingNumbers {
  return {
    asNamed: testNumbers(test.asNamed),
    best: testNumbers(test.best),
    unit: test.unit,
    excess: round(test.excess),
  };
}

function testNumbers(test: PermutationTest): TestNumbers {
  return {
    value: round(test.observed),
    p: round(test.p),
    midP: round(test.midP),
    nullMean: round(test.nullMean),
    null95: round(test.null95),
  };
}

/** Nine digits, as everything in a report. */
function round(value: number): number {
  return Number(value.toPrecision(9));
}

function rounded(values: ArrayLike<number>): number[] {
  return Array.from(values, round);
}
