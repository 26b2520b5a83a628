/** Numbers that need several runs: how far the seeds of a condition agree, and how like a SUM-only run is to its mixed partner. */
import { testDebiasedCka } from '../../src/analysis/geometry/cka.js';
import { claimById, LEARNED_ACCURACY } from '../../src/evidence/claims-file.js';
import { type Condition, PRIMARY, whyUnusable } from '../../src/evidence/conditions.js';
import type { Evidence } from '../../src/evidence/evidence.js';
import type { Finding } from '../../src/evidence/finding.js';
import { notDefinedFindings } from '../../src/evidence/not-defined.js';
import { nine, type Observation, type StatisticInfo } from '../../src/evidence/statistic.js';
import { Rng } from '../../src/tensor/rng.js';
import { type EmbeddingGroup, type MeasuredEmbedding, toMatrix } from './groups.js';

/** The likeness of a SUM-only run to the mixed run of equal seed. */
export const SAME_GEOMETRY: StatisticInfo = {
  id: 'same-geometry',
  title: 'Same geometry as the mixed run, best naming',
  formula: 'max over (Z/n)* of debiased CKA with the mixed run of equal seed - null mean of the same maximum',
  unit: '1',
  range: { low: -2, high: 2 },
  sentence: 'same geometry as the mixed run of equal seed, up to renaming of the numbers',
  tested: 'own-null',
  testMethod: 'numbers permuted, one-sided',
  compared: false,
  reference: 0,
};

/** @param permutations - of the numbers, for the null of each pair */
export function sameGeometry(
  last: readonly MeasuredEmbedding[],
  { comparisons }: Evidence,
  permutations: number,
): Observation[] {
  const { learnedAccuracy = LEARNED_ACCURACY } = claimById('C3');
  const usable = (condition: Condition | undefined): MeasuredEmbedding[] =>
    last.filter(
      ({ subject }) =>
        subject.condition === condition?.id &&
        whyUnusable(subject, { operation: PRIMARY, learnedAccuracy }) === undefined,
    );
  return comparisons.flatMap(({ sumOnly, mixed }) => {
    const partners = usable(mixed);
    return usable(sumOnly).flatMap((run): Observation[] => {
      const partner = partners.find((other) => other.subject.seed === run.subject.seed);
      if (partner === undefined) return [];
      const { best } = testDebiasedCka(
        toMatrix(run.measurement.scores),
        toMatrix(partner.measurement.scores),
        {
          rng: new Rng(0, 'probe:embedding-pca/cka', run.subject.seed),
          count: permutations,
        },
      );
      return [
        {
          subject: run.subject.id,
          statistic: `embedding-pca/${SAME_GEOMETRY.id}`,
          scope: {},
          value: nine(best.observed - best.nullMean),
          null: { mean: 0, high: nine(best.null95 - best.nullMean), p: nine(best.p), midP: nine(best.midP) },
          examples: run.measurement.n,
        },
      ];
    });
  });
}

export function agreementFindings(groups: readonly EmbeddingGroup[]): Finding[] {
  return groups.flatMap(({ condition, learned, name, n, runs, agreement }) =>
    agreement === null
      ? []
      : [
          {
            id: `agreement/${condition}${learned === false ? '/not-learned' : ''}`,
            statement: `${name}: seeds agree on the arrangement of the numbers after rotation; share of variance they do not share (by chance ${agreement.nullMean.toFixed(2)}).`,
            statistic: 'generalised Procrustes, unexplained share',
            unit: '1',
            estimate: agreement.unexplained,
            n: { seeds: runs.length, examples: n },
            p: agreement.p,
            pMethod: 'numbers permuted in every seed',
          },
        ],
  );
}

/** Why some runs have neither order nor ring, or no closure. */
export function arrangementFindings(last: readonly MeasuredEmbedding[], evidence: Evidence): Finding[] {
  const reasons = last.map(({ subject, measurement }) => [subject.id, measurement.notDefined] as const);
  return notDefinedFindings(evidence, new Map(reasons), {
    id: 'arrangement',
    name: 'the arrangement of the numbers',
    statistic: 'order, ring and closure of squared distances',
    unit: '1',
    examples: Math.max(0, ...last.map(({ measurement }) => measurement.n)),
  });
}
