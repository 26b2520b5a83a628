/**
 * Seeds and conditions compared (pure): groups, the comparison of SUM-only with mixed runs that claim C3 needs, what was left
 * out of it and why, and series over steps.
 */
import { testDebiasedCka } from '../../src/analysis/cka.js';
import { claimById } from '../../src/analysis/claims.js';
import { differingFields } from '../../src/config/hash.js';
import type { RunConfig } from '../../src/config/run-config.js';
import type { EmbeddingGroup, SeriesPoint, TestNumbers } from '../../src/report/charts/embedding-data.js';
import { Rng } from '../../src/tensor/rng.js';
import { finiteNumber } from '../ablation/json-numbers.js';
import {
  compareText,
  groupRuns,
  lastOfEachRun,
  type MeasuredEmbedding,
  sumAccuracy,
  summariseGroup,
  toMatrix,
} from './groups.js';

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
  readonly groups: readonly EmbeddingGroup[];
  readonly comparisons: readonly Comparison[];
  readonly leftOut: readonly { readonly subject: string; readonly reason: string }[];
  /** runs of which several checkpoints were measured */
  readonly series: readonly SeriesPoint[];
}

export interface CombineOptions {
  readonly alignmentDraws: number;
  readonly ckaPermutations: number;
}

/** Accuracy on SUM that a run needs to count in C3. */
export const C3_ACCURACY = claimById('C3').learnedAccuracy;

export function combineEmbeddings(
  measured: readonly MeasuredEmbedding[],
  options: CombineOptions,
): EmbeddingResult {
  const runs = lastOfEachRun(measured);
  return {
    groups: groupRuns(runs).map((group) => summariseGroup(group, options.alignmentDraws)),
    comparisons: comparisonsOf(runs, options.ckaPermutations),
    leftOut: runs.flatMap((run) => {
      const reason = whyUnusable(run);
      return reason === undefined || !isArm(run) ? [] : [{ subject: run.subject.id, reason }];
    }),
    series: seriesOf(measured),
  };
}

const isSumOnly = ({ config }: MeasuredEmbedding): boolean => config.data.tasks.join() === 'SUM';
const hasOrder = ({ config }: MeasuredEmbedding): boolean =>
  (['MAX', 'MED'] as const).every((task) => config.data.tasks.includes(task));
const isMixed = (run: MeasuredEmbedding): boolean => hasOrder(run) && run.config.data.tasks.includes('SUM');
const isOrderOnly = (run: MeasuredEmbedding): boolean => hasOrder(run) && !isMixed(run);
const isArm = (run: MeasuredEmbedding): boolean => isSumOnly(run) || isMixed(run);

/** Why a run cannot count in C3, or undefined when it can. */
function whyUnusable(run: MeasuredEmbedding): string | undefined {
  if (!run.subject.final) return `step ${run.subject.step} is not the last checkpoint of its run`;
  const accuracy = sumAccuracy(run);
  if (accuracy === null) return 'SUM was not evaluated';
  if (accuracy >= C3_ACCURACY) return undefined;
  return `has not learned SUM (accuracy ${accuracy.toFixed(2)})`;
}

/** One comparison for each pair of conditions that differ in tasks alone; at least one, if only an empty one. */
function comparisonsOf(runs: readonly MeasuredEmbedding[], permutations: number): Comparison[] {
  const conditions = (wanted: (run: MeasuredEmbedding) => boolean): MeasuredEmbedding[][] => {
    const ids = new Map<string, MeasuredEmbedding[]>();
    for (const run of runs.filter(wanted)) {
      ids.set(run.subject.condition, [...(ids.get(run.subject.condition) ?? []), run]);
    }
    return [...ids.values()].sort((a, b) => compareText(a[0].subject.label, b[0].subject.label));
  };
  const [alone, mixed, orderOnly] = [conditions(isSumOnly), conditions(isMixed), conditions(isOrderOnly)];
  const matching = (arms: MeasuredEmbedding[][], config: RunConfig): MeasuredEmbedding[] | undefined =>
    arms.find(([run]) => differInTasksOnly(run.config, config));
  const all = [
    ...alone.map((arm) => ({ arm, partner: matching(mixed, arm[0].config), own: true })),
    ...mixed
      .filter((arm) => matching(alone, arm[0].config) === undefined)
      .map((arm) => ({ arm, partner: undefined, own: false })),
  ].map(({ arm, partner, own }) => {
    const [sum, both] = own ? [arm, partner] : [undefined, arm];
    return {
      regime: arm[0].config.data.regime,
      n: arm[0].measurement.n,
      sumOnly: armOf(sum),
      mixed: armOf(both),
      orderOnly: armOf(matching(orderOnly, arm[0].config)),
      sameGeometry: sameGeometries(sum ?? [], both ?? [], permutations),
    };
  });
  return all.length > 0
    ? all
    : [{ regime: 'pairs', n: 0, sumOnly: null, mixed: null, orderOnly: null, sameGeometry: [] }];
}

function differInTasksOnly(a: RunConfig, b: RunConfig): boolean {
  const allowed = ['data.tasks', 'data.holdoutSeed', 'seed'];
  return differingFields([a, b]).every((path) => allowed.includes(path));
}

function armOf(runs: readonly MeasuredEmbedding[] | undefined): Arm | null {
  if (runs === undefined) return null;
  // the control has no SUM to learn
  const usable = runs.filter((run) => (isArm(run) ? whyUnusable(run) === undefined : run.subject.final));
  return {
    label: runs[0].subject.label,
    runs: runs.length,
    usable: usable.map(({ subject, measurement: { embedding } }) => ({
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
  const usable = (run: MeasuredEmbedding): boolean => whyUnusable(run) === undefined;
  return alone.filter(usable).flatMap((run) => {
    const partner = mixed.filter(usable).find((other) => other.subject.seed === run.subject.seed);
    if (partner === undefined) return [];
    const test = testDebiasedCka(toMatrix(run.measurement.scores), toMatrix(partner.measurement.scores), {
      rng: new Rng(0, 'probe:embedding-pca/cka', run.subject.seed),
      count: permutations,
    });
    const numbers = (one: typeof test.best): TestNumbers => ({
      value: finiteNumber(one.observed, 'debiased CKA'),
      p: finiteNumber(one.p, 'p'),
      nullMean: finiteNumber(one.nullMean, 'null mean'),
      null95: finiteNumber(one.null95, 'null 95 %'),
    });
    return [
      { seed: run.subject.seed, asNamed: numbers(test.asNamed), best: numbers(test.best), unit: test.unit },
    ];
  });
}

function seriesOf(measured: readonly MeasuredEmbedding[]): SeriesPoint[] {
  const counts = new Map<string, number>();
  for (const { subject } of measured) counts.set(subject.run, (counts.get(subject.run) ?? 0) + 1);
  return measured
    .filter(({ subject }) => (counts.get(subject.run) ?? 0) > 1)
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
