/**
 * One checkpoint's number embeddings: the n digit rows of the token embedding, centred, and those of the same run before
 * training, as control.
 */
import { cosineSimilarities, squaredDistances } from '../../src/analysis/geometry/distances.js';
import { fourierSpectrum } from '../../src/analysis/geometry/fourier.js';
import { centred, type Matrix, matrix, squaredNorm, withColumns } from '../../src/analysis/matrix.js';
import { explainedVarianceNull } from '../../src/analysis/geometry/pca-null.js';
import { fitPca } from '../../src/analysis/geometry/pca.js';
import type { PermutationOptions, PermutationTest } from '../../src/analysis/statistics/permutation.js';
import {
  closure,
  testCircular,
  testOrder,
  testOrderOverUnits,
  whyNoArrangement,
  whyNoClosure,
} from '../../src/analysis/geometry/rsa.js';
import { gptConfigOf } from '../../src/config/gpt-config-of.js';
import { type NullNumbers, Rows } from '../../src/evidence/statistic.js';
import { vocabularyOf } from '../../src/listops/language/tokenizer.js';
import { parameterTable, parameterView, TOKEN_EMBEDDING } from '../../src/model/parameters.js';
import type { Rng } from '../../src/tensor/rng.js';
import { jsonArray, nineDigits } from '../../src/report/report-json.js';
import type { MeasureContext, ProbeSubject } from '../contract.js';
import type { EmbeddingStatistic } from './statistics.js';

export type MeasureOptions = Readonly<Record<'permutations' | 'nullDraws', number>>;

/** The digit rows of the token embedding as float64 [n, C]. @param parameters - [arenaSize] float32 of the run's model */
export function digitRows({ config: run }: Pick<ProbeSubject, 'config'>, parameters: Float32Array): Matrix {
  const config = gptConfigOf(run);
  const n = run.data.modulus;
  const all = parameterView(parameterTable(config), parameters, TOKEN_EMBEDDING);
  const first = vocabularyOf(run.data).firstNumber * config.dModel;
  return matrix(n, config.dModel, all.subarray(first, first + n * config.dModel));
}

export function measureSubject(
  subject: ProbeSubject,
  { permutations, nullDraws }: MeasureOptions,
  context: Pick<MeasureContext, 'rng' | 'progress'>,
) {
  const x = digitRows(subject, subject.parameters);
  const n = x.rows;
  const after = (done: number) => (share: number) => context.progress(done + share, 3);
  const limits = explainedVarianceNull(n, x.cols, context.rng(0), nullDraws, after(0));
  const embedding = geometry(x, permutations, context.rng(1), after(1));
  const before = digitRows(subject, subject.untrainedParameters);
  const untrained = geometry(before, permutations, context.rng(4), after(2));
  context.progress(3, 3);
  return nineDigits({
    n,
    rows: rowsOf(embedding, untrained, n),
    /** [n, n - 1] principal coordinates of the centred rows: the whole geometry, zero beyond the rank */
    scores: jsonArray([n, n - 1], withColumns(fitPca(x).scores, n - 1).data),
    /** [n, n] cosines of the centred rows */
    cosine: jsonArray([n, n], cosineSimilarities(centred(x)).data),
    /** the smallest u of the naming i -> u i that is most ring-like */
    ringUnit: embedding.circular?.unit ?? 1,
    /** why order and ring, or closure, have no rows */
    notDefined: embedding.notDefined,
    /** share of variance by principal component, and below what 97.5 % of isotropic noise stays */
    explained: embedding.explained,
    explainedHigh: Array.from(limits.high),
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
  const notDefined = { arrangement: whyNoArrangement(d2), closure: whyNoClosure(d2) };
  const isArranged = notDefined.arrangement === undefined;
  const order = isArranged ? testOrder(d2, next()).asNamed : undefined;
  const circular = isArranged ? testCircular(d2, next()) : undefined;
  const { share, isotropic, tests: byFrequency, peak } = fourierSpectrum(x, next());
  return nineDigits({
    /** Frobenius norm of the centred rows: how far the numbers lie from each other */
    norm: Math.sqrt(squaredNorm(centred(x))),
    explained: Array.from(fitPca(x).explainedVarianceRatio),
    order,
    circular,
    closure: notDefined.closure === undefined ? closure(d2, circular?.unit ?? 1) : undefined,
    notDefined: Object.values(notDefined).filter((reason) => reason !== undefined),
    /** by frequency 1..floor(n/2) */
    fourier: { share: Array.from(share), isotropic: Array.from(isotropic), tests: byFrequency, peak },
    /** mean of the order over all namings that SUM cannot tell apart; drawn last */
    orderOverNamings: isArranged ? testOrderOverUnits(d2, next()) : undefined,
  });
}
type Geometry = ReturnType<typeof geometry>;

function rowsOf(embedding: Geometry, untrained: Geometry, n: number) {
  const rows = new Rows<EmbeddingStatistic>();
  const add = (id: EmbeddingStatistic, of: (one: Geometry) => number | undefined, own?: NullNumbers): void =>
    rows.add(id, {}, of(embedding), { control: of(untrained), examples: n, null: own });
  const { order, orderOverNamings, circular, fourier } = embedding;
  add('order', (one) => one.order?.observed, nullOf(order));
  add('order-over-namings', (one) => one.orderOverNamings?.observed, nullOf(orderOverNamings));
  const best = nullOf(circular?.best);
  // the null of an excess has its mean at 0
  const excess = best && { ...best, mean: 0, high: best.high - best.mean };
  add('ring', (one) => one.circular?.excess, excess);
  add('closure', (one) => one.closure?.asNamed);
  add('norm', (one) => one.norm);
  add('widest-gap', (one) => one.closure?.widestGap);
  const { p: peakP, midP: peakMidP } = fourier.peak.test;
  add('fourier-peak', (one) => one.fourier.peak.test.observed, { mean: 1, p: peakP, midP: peakMidP });
  fourier.share.forEach((value, k) => {
    const [mean, test] = [fourier.isotropic[k], fourier.tests[k]];
    const own = { mean, high: test.null95, p: test.p };
    rows.add('fourier-share', { frequency: k + 1 }, value, { control: mean, null: own, examples: n });
  });
  return rows.all;
}

function nullOf(test: PermutationTest | undefined) {
  return test && { mean: test.nullMean, high: test.null95, p: test.p, midP: test.midP };
}
