/** Which numbers the embeddings give. Controls are the same run before training. */
import { matrix } from '../../src/analysis/matrix.js';
import { squaredDistances } from '../../src/analysis/distances.js';
import { closure } from '../../src/analysis/rsa.js';
import type { NullNumbers, Statistic } from '../../src/evidence/statistic.js';
import type { EmbeddingMeasurement, GeometryNumbers, TestNumbers } from './measure.js';

const PERMUTED = 'numbers permuted, one-sided';
const BEFORE = 'before training';

const nullOf = (test: TestNumbers | undefined): NullNumbers | undefined =>
  test && { mean: test.nullMean, high: test.null95, p: test.p, midP: test.midP };

/** The null of an excess has its mean at 0. */
const excessNull = (test: TestNumbers | undefined): NullNumbers | undefined =>
  test && { mean: 0, high: test.null95 - test.nullMean, p: test.p, midP: test.midP };

/** A statistic of the embedding with the same number of the untrained embedding as control. */
function ofEmbedding(
  info: Omit<Statistic<EmbeddingMeasurement>, 'of' | 'controlName'>,
  value: (geometry: GeometryNumbers) => number | undefined,
  test?: (geometry: GeometryNumbers) => NullNumbers | undefined,
): Statistic<EmbeddingMeasurement> {
  return {
    ...info,
    controlName: BEFORE,
    ...(test === undefined ? {} : { tested: 'own-null', testMethod: PERMUTED }),
    of({ n, embedding, untrained }) {
      const own = value(embedding);
      const control = value(untrained);
      const tested = test?.(embedding);
      return own === undefined
        ? []
        : [
            {
              value: own,
              ...(control === undefined ? {} : { control }),
              examples: n,
              ...(tested === undefined ? {} : { null: tested }),
            },
          ];
    },
  };
}

export const EMBEDDING_STATISTICS: readonly Statistic<EmbeddingMeasurement>[] = [
  ofEmbedding(
    {
      id: 'order',
      title: 'Order as named',
      formula: 'Spearman(d2, |i - j|)',
      unit: '1',
      sentence: 'order of the numbers as named',
      reference: 0,
    },
    ({ order }) => order?.asNamed.value,
    ({ order }) => nullOf(order?.asNamed),
  ),
  ofEmbedding(
    {
      id: 'order-over-namings',
      title: 'Order, mean over namings',
      formula: 'mean over u in (Z/n)* of Spearman(d2 of u i and u j, |i - j|)',
      unit: '1',
      sentence: 'order of the numbers, averaged over the namings that SUM cannot tell apart',
      reference: 0,
    },
    ({ orderOverNamings }) => orderOverNamings?.value,
    ({ orderOverNamings }) => nullOf(orderOverNamings ?? undefined),
  ),
  ofEmbedding(
    {
      id: 'ring',
      title: 'Ring beyond chance, best naming',
      formula: 'max over (Z/n)* of Pearson(d2, ring distance) - null mean',
      unit: '1',
      sentence: 'circular structure beyond chance at the best naming',
      reference: 0,
    },
    ({ circular }) => circular?.excess,
    ({ circular }) => excessNull(circular?.best),
  ),
  ofEmbedding(
    {
      id: 'closure',
      title: 'Closure as named',
      formula: 'd2(0, n-1) / mean d2 at lag n/2',
      unit: '1',
      sentence: `closure of the curve 0..n-1 as named (a line of ten numbers ${lineClosure(10).toFixed(2)}, a ring below 0.2, noise about 1)`,
    },
    ({ closure: closed }) => closed?.asNamed,
  ),
  ofEmbedding(
    {
      id: 'norm',
      title: 'Norm of the number embeddings',
      formula: 'Frobenius norm of the centred number rows',
      unit: '1',
      sentence: 'norm of the centred number embeddings',
    },
    ({ norm }) => norm,
  ),
  ofEmbedding(
    {
      id: 'widest-gap',
      title: 'Widest gap of the best ring',
      formula: 'greatest d2 of neighbours on the best ring / mean d2 at lag n/2',
      unit: '1',
      sentence: 'widest gap of the best ring (below 0.2 for a closed ring)',
      detail: true,
    },
    ({ closure: closed }) => closed?.widestGap,
  ),
  ofEmbedding(
    {
      id: 'fourier-peak',
      title: 'Largest Fourier share over its isotropic share',
      formula: 'max over k of share / isotropic share',
      unit: '1',
      sentence: 'largest Fourier share over its isotropic share',
      compared: false,
      reference: 1,
    },
    ({ fourier }) => fourier.peak.ratio,
    ({ fourier: { peak } }) => ({ mean: 1, p: peak.p, midP: peak.midP }),
  ),
  {
    id: 'fourier-share',
    title: 'Fourier share',
    formula: 'share of the centred variance at frequency k of Z/n',
    unit: 'accuracy',
    sentence: 'share of the variance of the numbers at a frequency',
    detail: true,
    controlName: 'isotropic noise',
    of: ({ n, embedding: { fourier } }) =>
      fourier.share.map((value, k) => ({
        scope: { frequency: k + 1 },
        value,
        control: fourier.isotropic[k],
        null: { mean: fourier.isotropic[k], high: fourier.null95[k], p: fourier.p[k] },
        examples: n,
      })),
  },
];

/** Closure of the numbers at equal steps on a line. */
function lineClosure(n: number): number {
  const line = matrix(
    n,
    1,
    Array.from({ length: n }, (_, i) => i),
  );
  return closure(squaredDistances(line), 1).asNamed;
}
