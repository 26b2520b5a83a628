/**
 * Seeds and conditions compared (pure): groups, the comparison of SUM-only with mixed runs that claim C3 needs, what was left
 * out of it and why, and series over steps.
 */
import { testDebiasedCka } from '../../src/analysis/cka.js';
import { DEFAULT_PERMUTATIONS } from '../../src/analysis/permutation.js';
import type { EmbeddingGroup, SeriesPoint, TestNumbers } from '../../src/report/charts/embedding-data.js';
import { Rng } from '../../src/tensor/rng.js';
import { finiteNumber } from '../ablation/json-numbers.js';
import {
  compareArms,
  compareText,
  groupRuns,
  lastOfEachRun,
  unusableArms,
  usableRuns,
  inSeries,
} from '../conditions.js';
import { type MeasuredEmbedding, summariseGroup, toMatrix } from './groups.js';

/** Part c is an excess over the mean of this many permutations. */
const C3_PERMUTATIONS = DEFAULT_PERMUTATIONS;

/** The statistics of C3 that one usable run gives. */
export interface UsableRun {
  readonly subject: string;
  readonly seed: number;
  /** a: Spearman(d2, |i - j|) as named */
  readonly order: number;
  /** c: best circular correlation minus its null mean */
  readonly circularExcess: number;
  readonly closure: number;
}

export interface Arm {
  readonly label: string;
  /** runs of the condition, usable or not */
  readonly runs: number;
  readonly usable: readonly UsableRun[];
}

/** Similarity of a SUM-only and a mixed run of equal seed, at the best naming. */
export interface SameGeometry {
  readonly seed: number;
  readonly asNamed: TestNumbers;
  readonly best: TestNumbers;
  readonly unit: number;
}

/** SUM-only against mixed, equal in everything but the tasks and seeds. */
export interface Comparison {
  readonly regime: string;
  readonly n: number;
  /** null: no such condition among the subjects */
  readonly sumOnly: Arm | null;
  readonly mixed: Arm | null;
  /** MAX and MED without SUM: order by need, the control */
  readonly orderOnly: Arm | null;
  readonly sameGeometry: readonly SameGeometry[];
}

export interface EmbeddingResult {
  /** why C3 gets no verdict here, with options cheaper than its own; null: it gets one */
  readonly exploratoryOnly: string | null;
  readonly groups: readonly EmbeddingGroup[];
  readonly comparisons: readonly Comparison[];
  readonly leftOut: readonly { readonly subject: string; readonly reason: string }[];
  /** runs of which several checkpoints were measured */
  readonly series: readonly SeriesPoint[];
}

export interface CombineOptions {
  /** those of the measurements */
  readonly permutations: number;
  readonly alignmentDraws: number;
  readonly ckaPermutations: number;
}

export function combineEmbeddings(
  measured: readonly MeasuredEmbedding[],
  options: CombineOptions,
): EmbeddingResult {
  const runs = lastOfEachRun(measured);
  const { permutations } = options;
  return {
    exploratoryOnly:
      permutations < C3_PERMUTATIONS
        ? `no verdict: ${permutations} permutations, and C3 asks for ${C3_PERMUTATIONS}`
        : null,
    groups: groupRuns(runs).map((group) => summariseGroup(group, options.alignmentDraws)),
    comparisons: comparisonsOf(runs, options.ckaPermutations),
    leftOut: unusableArms(runs),
    series: seriesOf(measured),
  };
}

function comparisonsOf(runs: readonly MeasuredEmbedding[], permutations: number): Comparison[] {
  return compareArms(runs).map(({ regime, modulus, sumOnly, mixed, orderOnly }) => ({
    regime,
    n: modulus,
    sumOnly: armOf(sumOnly),
    mixed: armOf(mixed),
    orderOnly: armOf(orderOnly),
    sameGeometry: sameGeometries(sumOnly ?? [], mixed ?? [], permutations),
  }));
}

function armOf(runs: readonly MeasuredEmbedding[] | undefined): Arm | null {
  if (runs === undefined) return null;
  return {
    label: runs[0].subject.label,
    runs: runs.length,
    usable: usableRuns(runs).map(({ subject, measurement: { embedding } }) => ({
      subject: subject.id,
      seed: subject.seed,
      order: embedding.order.asNamed.value,
      circularExcess: embedding.circular.excess,
      closure: embedding.closure.asNamed,
    })),
  };
}

function sameGeometries(
  alone: readonly MeasuredEmbedding[],
  mixed: readonly MeasuredEmbedding[],
  permutations: number,
): SameGeometry[] {
  const partners = usableRuns(mixed);
  return usableRuns(alone).flatMap((run) => {
    const partner = partners.find((other) => other.subject.seed === run.subject.seed);
    if (partner === undefined) return [];
    const test = testDebiasedCka(toMatrix(run.measurement.scores), toMatrix(partner.measurement.scores), {
      rng: new Rng(0, 'probe:embedding-pca/cka', run.subject.seed),
      count: permutations,
    });
    const numbers = (one: typeof test.best): TestNumbers => ({
      value: finiteNumber(one.observed, 'debiased CKA'),
      p: finiteNumber(one.p, 'p'),
      midP: finiteNumber(one.midP, 'mid-p'),
      nullMean: finiteNumber(one.nullMean, 'null mean'),
      null95: finiteNumber(one.null95, 'null 95 %'),
    });
    return [
      { seed: run.subject.seed, asNamed: numbers(test.asNamed), best: numbers(test.best), unit: test.unit },
    ];
  });
}

function seriesOf(measured: readonly MeasuredEmbedding[]): SeriesPoint[] {
  return inSeries(measured)
    .map(({ subject, measurement: { embedding } }) => ({
      run: subject.run,
      label: subject.label,
      seed: subject.seed,
      step: subject.step,
      order: embedding.order.asNamed.value,
      circularExcess: embedding.circular.excess,
      closure: embedding.closure.asNamed,
    }))
    .sort((a, b) => compareText(a.label, b.label) || compareText(a.run, b.run) || a.step - b.step);
}
