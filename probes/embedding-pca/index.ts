/**
 * Module `embedding-pca`: the geometry of the number embeddings. PCA with fixed signs beside its null, seeds aligned, Fourier
 * power over Z/n, order and ring statistics as named and up to renaming.
 */
import { ofRows } from '../../src/evidence/statistic.js';
import type { Probe } from '../contract.js';
import { groupsOf } from './groups.js';
import { type EmbeddingMeasurement, type MeasureOptions, measureSubject } from './measure.js';
import { embeddingPictures } from './pictures.js';
import { EMBEDDING_STATISTICS } from './statistics.js';
import { agreementFindings, arrangementFindings, SAME_GEOMETRY, sameGeometry } from './together.js';

type EmbeddingOptions = MeasureOptions & Readonly<Record<'alignmentDraws' | 'ckaPermutations', number>>;

const DRAWS = [1, 1_000_000] as const;

export const embeddingPca: Probe<EmbeddingMeasurement, EmbeddingOptions> = {
  name: 'embedding-pca',
  title: 'Number embeddings',
  question:
    'How does a model arrange the numbers 0 to n-1 in its token embedding: in order, in a ring, by parity, or not at all?',
  version: 4,
  options: {
    permutations: {
      default: 10_000,
      series: 999,
      range: DRAWS,
      reason: 'the number methods of C3 name; the smallest p is then 1e-4',
    },
    nullDraws: {
      default: 300,
      series: 100,
      range: DRAWS,
      reason: 'limits of explained variance to about one per cent of variance',
    },
    alignmentDraws: {
      default: 99,
      range: DRAWS,
      reason: 'a p down to 0.01 for the agreement of seeds, in about a second',
    },
    ckaPermutations: {
      default: 2000,
      range: DRAWS,
      reason: 'p of a pair of runs to 0.0005; pairs are joined over seeds',
    },
  },
  text: {
    shows:
      'Where the numbers lie after the seeds of a condition are rotated onto their mean, each at the renaming that makes it most ring-like, with an ellipse for each number: 95 % of the normal distribution fitted to its places, which three to eight seeds fix only roughly; how much variance each principal component has beside isotropic noise; which Fourier frequencies over Z/n carry the power; whether distances follow the order |i-j| or the steps around a ring, under the names the numbers have and at the best renaming i -> ui that SUM mod n cannot tell apart.',
    doesNotShow:
      'Whether the model uses this geometry: only an intervention can. Ten points in sixteen dimensions always have a plane in which something seems to be ordered, so a picture or a correlating component is no evidence by itself. A large Fourier share at k = 1 does not tell a line from a ring; closure does, except on the plateau where numbers n/2 apart nearly coincide (a ring of even frequency): it is then large without any line. Closure of pure noise is about 1. Runs that have not learned SUM are described separately and do not count in C3.',
    method:
      'Digit rows of the token embedding, centred. PCA by singular values (ml-pca), rank cut at max(n, d) eps, largest loading positive. Order: Spearman of squared distances with |i-j|, and its mean over (Z/n)*. Ring: Pearson with ring distance, maximum over (Z/n)*, minus the mean of the same maximum over permutations of the numbers. Closure: d2(0, n-1) over the mean at lag floor(n/2). Fourier shares with p by permuting numbers. Seeds: generalised Procrustes on norm-1 configurations. Controls: the same runs before training, permuted numbers, and runs on MAX and MED without SUM where given.',
  },
  isCompatible({ data, model }) {
    if (data.modulus < 4) return `needs at least 4 numbers, and modulus ${data.modulus} has ${data.modulus}`;
    if (model.dModel < 4) return `needs embeddings of width 4 or more, and d_model is ${model.dModel}`;
    return true;
  },
  measure: measureSubject,
  statistics: ofRows(EMBEDDING_STATISTICS),
  further: [SAME_GEOMETRY],
  combine({ last, options, evidence }) {
    const groups = groupsOf(last, options.alignmentDraws);
    return {
      observations: sameGeometry(last, evidence, options.ckaPermutations),
      findings: [...agreementFindings(groups), ...arrangementFindings(last, evidence)],
      pictures: embeddingPictures(groups, evidence),
    };
  },
};
