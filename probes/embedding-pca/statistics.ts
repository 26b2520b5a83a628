/** Which numbers the embeddings give. */
import { matrix } from '../../src/analysis/matrix.js';
import { squaredDistances } from '../../src/analysis/geometry/distances.js';
import { closure } from '../../src/analysis/geometry/rsa.js';
import { RANGES, type StatisticInfo } from '../../src/evidence/statistic.js';

const BEFORE = { controlName: 'before training' } as const;
const TESTED = { ...BEFORE, tested: 'own-null', testMethod: 'numbers permuted, one-sided' } as const;

export const EMBEDDING_STATISTICS = [
  {
    id: 'order',
    title: 'Order as named',
    formula: 'Spearman(d2, |i - j|)',
    unit: '1',
    range: RANGES.signed,
    sentence: 'order of the numbers as named',
    reference: 0,
    ...TESTED,
  },
  {
    id: 'order-over-namings',
    title: 'Order, mean over namings',
    formula: 'mean over u in (Z/n)* of Spearman(d2 of u i and u j, |i - j|)',
    unit: '1',
    range: RANGES.signed,
    sentence: 'order of the numbers, averaged over the namings that SUM cannot tell apart',
    reference: 0,
    ...TESTED,
  },
  {
    id: 'ring',
    title: 'Ring beyond chance, best naming',
    formula: 'max over (Z/n)* of Pearson(d2, ring distance) - null mean',
    unit: '1',
    range: { low: -2, high: 2 },
    sentence: 'circular structure beyond chance at the best naming',
    reference: 0,
    ...TESTED,
  },
  {
    id: 'closure',
    title: 'Closure as named',
    formula: 'd2(0, n-1) / mean d2 at lag n/2',
    unit: '1',
    range: RANGES.positive,
    sentence: `closure of the curve 0..n-1 as named (a line of ten numbers ${lineClosure(10).toFixed(2)}, a ring below 0.2, noise about 1)`,
    ...BEFORE,
  },
  {
    id: 'norm',
    title: 'Norm of the number embeddings',
    formula: 'Frobenius norm of the centred number rows',
    unit: '1',
    range: RANGES.positive,
    sentence: 'norm of the centred number embeddings',
    ...BEFORE,
  },
  {
    id: 'widest-gap',
    title: 'Widest gap of the best ring',
    formula: 'greatest d2 of neighbours on the best ring / mean d2 at lag n/2',
    unit: '1',
    range: RANGES.positive,
    sentence: 'widest gap of the best ring (below 0.2 for a closed ring)',
    detail: true,
    ...BEFORE,
  },
  {
    id: 'fourier-peak',
    title: 'Largest Fourier share over its isotropic share',
    formula: 'max over k of share / isotropic share',
    unit: '1',
    range: { low: 1 },
    sentence: 'largest Fourier share over its isotropic share',
    compared: false,
    reference: 1,
    ...TESTED,
  },
  {
    id: 'fourier-share',
    title: 'Fourier share',
    formula: 'share of the centred variance at frequency k of Z/n',
    unit: 'accuracy',
    range: RANGES.share,
    sentence: 'share of the variance of the numbers at a frequency',
    detail: true,
    controlName: 'isotropic noise',
  },
] as const satisfies readonly StatisticInfo[];
export type EmbeddingStatistic = (typeof EMBEDDING_STATISTICS)[number]['id'];

/** Closure of the numbers at equal steps on a line. */
function lineClosure(n: number): number {
  const line = matrix(
    n,
    1,
    Array.from({ length: n }, (_, i) => i),
  );
  return closure(squaredDistances(line), 1).asNamed;
}
