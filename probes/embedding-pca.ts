/**
 * Probe `embedding-pca`: the geometry of the number embeddings. PCA with fixed signs beside its null, seeds aligned, cosine
 * and distance matrices, Fourier power over Z/n, order and ring statistics as named and up to renaming. Measurement, grouping
 * and findings are in embedding-pca/, charts in src/report/charts/embedding-*.ts.
 */
import { embeddingCosine, embeddingDistances } from '../src/report/charts/embedding-matrices.js';
import { embeddingFourier } from '../src/report/charts/embedding-fourier.js';
import { embeddingPlane } from '../src/report/charts/embedding-plane.js';
import { embeddingSeries } from '../src/report/charts/embedding-series.js';
import { embeddingStatistics } from '../src/report/charts/embedding-statistics.js';
import { embeddingVariance } from '../src/report/charts/embedding-variance.js';
import { unacceptable } from '../src/errors.js';
import type { Options, Probe } from './contract.js';
import { combineEmbeddings, type EmbeddingResult } from './embedding-pca/combine.js';
import { embeddingStatisticsBySubject } from './embedding-pca/compared.js';
import { embeddingFindings } from './embedding-pca/findings.js';
import { type EmbeddingMeasurement, measureSubject } from './embedding-pca/measure.js';

export const embeddingPca: Probe<EmbeddingMeasurement, EmbeddingResult> = {
  name: 'embedding-pca',
  title: 'Number embeddings',
  question:
    'How does a model arrange the numbers 0 to n-1 in its token embedding: in order, in a ring, by parity, or not at all?',
  version: 2,
  cost: 'seconds',
  options: {
    permutations: {
      default: 10_000,
      series: 999,
      reason: 'the number methods of C3 name, which gets no verdict with fewer; the smallest p is then 1e-4',
    },
    nullDraws: {
      default: 300,
      series: 100,
      reason: 'limits of explained variance to about one per cent of variance',
    },
    alignmentDraws: { default: 99, reason: 'a p down to 0.01 for the agreement of seeds, in about a second' },
    ckaPermutations: { default: 2000, reason: 'p of a pair of runs to 0.0005; pairs are joined over seeds' },
  },
  text: {
    shows:
      'Where the numbers lie after the seeds of a condition are rotated onto their mean, with an ellipse for each number: 95 % of the normal distribution fitted to its places, which three to eight seeds fix only roughly; how much variance each principal component has beside isotropic noise; which Fourier frequencies over Z/n carry the power; whether distances follow the order |i-j| or the steps around a ring, under the names the numbers have and at the best renaming i -> ui that SUM mod n cannot tell apart.',
    doesNotShow:
      'Whether the model uses this geometry: only an intervention can. Ten points in sixteen dimensions always have a plane in which something seems to be ordered, so a picture or a correlating component is no evidence by itself. A large Fourier share at k = 1 does not tell a line from a ring; closure does, except on the plateau where numbers n/2 apart nearly coincide (a ring of even frequency): it is then large without any line. Closure of pure noise is about 1. Runs that have not learned SUM are described separately and do not count in C3.',
    method:
      'Digit rows of the token embedding, centred. PCA by singular values (ml-pca), rank cut at max(n, d) eps, largest loading positive. Order: Spearman of squared distances with |i-j|. Ring: Pearson with ring distance, maximum over (Z/n)*, minus the mean of the same maximum over permutations of the numbers. Closure: d2(0, n-1) over the mean at lag floor(n/2); over (Z/n)* its maximum is taken, because the naming -1 joins the neighbours 0 and 1. Fourier shares with p by permuting numbers. Seeds: generalised Procrustes on norm-1 configurations. C3 compares conditions that differ in tasks alone, in regime pairs, in runs with SUM accuracy of at least 0.99 at the last two evaluations of their last checkpoint; intervals over seeds. Everything else is exploratory, Benjamini-Hochberg within this module. Controls: the same runs before training, permuted numbers, and runs on MAX and MED without SUM where given.',
  },
  isCompatible({ data, model }) {
    if (data.modulus < 4) return `needs at least 4 numbers, and modulus ${data.modulus} has ${data.modulus}`;
    if (model.dModel < 4) return `needs embeddings of width 4 or more, and d_model is ${model.dModel}`;
    return true;
  },
  measure: (subject, options, context) =>
    measureSubject(
      subject,
      { permutations: count(options, 'permutations'), nullDraws: count(options, 'nullDraws') },
      context,
    ),
  combine: (measurements, options) =>
    combineEmbeddings(measurements, {
      permutations: count(options, 'permutations'),
      alignmentDraws: count(options, 'alignmentDraws'),
      ckaPermutations: count(options, 'ckaPermutations'),
    }),
  findings: embeddingFindings,
  charts: ({ groups, series }) => [
    embeddingPlane(groups),
    embeddingStatistics(groups),
    embeddingFourier(groups),
    embeddingVariance(groups),
    embeddingCosine(groups),
    embeddingDistances(groups),
    ...(series.length === 0 ? [] : [embeddingSeries(series)]),
  ],
  compared: embeddingStatisticsBySubject,
};

/** A whole number of draws from 1 to a million, or the default. */
function count(options: Options, name: string): number {
  const value = options[name] ?? embeddingPca.options[name].default;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 1_000_000) {
    throw unacceptable(`embedding-pca option ${name}`, value, 'a whole number from 1 to 1000000');
  }
  return value;
}
