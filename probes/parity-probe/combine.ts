/**
 * Seeds and conditions compared (pure): groups with the means of what is readable, the comparison of SUM-only with mixed runs
 * that claim C3 needs, what was left out of it and why, and series over steps.
 */
import { SAMPLED_RELABELLINGS } from '../../src/analysis/relabellings.js';
import type { ParityGroup, ParitySeriesPoint } from '../../src/report/charts/parity-data.js';
import { mean } from '../../src/tensor/sum.js';
import {
  compareArms,
  compareText,
  groupRuns,
  hasLearned,
  lastOfEachRun,
  sumAccuracy,
  unusableArms,
  usableRuns,
  inSeries,
} from '../conditions.js';
import type { Measured } from '../contract.js';
import { aheadAccuracy, meanContext, meanLookAhead } from './contexts.js';
import { type ParityMeasurement, round } from './measurement.js';

export type MeasuredParity = Measured<ParityMeasurement>;

/** The statistics of one usable run. */
export interface UsableRun {
  readonly subject: string;
  readonly seed: number;
  /** b: leave-pair-out parity score minus the mean of its own relabellings */
  readonly parityExcess: number;
  readonly halfExcess: number;
}

export interface Arm {
  readonly label: string;
  /** runs of the condition, usable or not */
  readonly runs: number;
  readonly usable: readonly UsableRun[];
}

/** SUM-only against mixed, equal in everything but the tasks and seeds; null: no such condition. */
export interface Comparison {
  readonly regime: string;
  readonly n: number;
  readonly sumOnly: Arm | null;
  readonly mixed: Arm | null;
  readonly orderOnly: Arm | null;
  /** why C3 b gets no verdict here, with options cheaper than its own; null: it gets one */
  readonly exploratoryOnly: string | null;
}

/** The other program's predictions, over the last checkpoints of all runs. */
export interface CrossCheckSummary {
  readonly program: string;
  readonly runs: number;
  /** share of numbers put in the same class when fitted on all of them */
  readonly agreement: number;
  readonly ownHeldOut: number;
  readonly otherHeldOut: number;
  readonly perRun: readonly { readonly subject: string; readonly agreement: number }[];
}

export interface ParityResult {
  readonly groups: readonly ParityGroup[];
  readonly comparisons: readonly Comparison[];
  readonly leftOut: readonly { readonly subject: string; readonly reason: string }[];
  readonly series: readonly ParitySeriesPoint[];
  readonly crossCheck: CrossCheckSummary;
  readonly fits: { readonly count: number; readonly notConverged: number; readonly mostIterations: number };
}

export function combineParity(measured: readonly MeasuredParity[]): ParityResult {
  const runs = lastOfEachRun(measured);
  const fits = measured.map(({ measurement }) => measurement.fits);
  return {
    groups: groupRuns(runs).map(summariseGroup),
    comparisons: compareArms(runs).map(({ regime, modulus, sumOnly, mixed, orderOnly }) => ({
      regime,
      n: modulus,
      sumOnly: armOf(sumOnly),
      mixed: armOf(mixed),
      orderOnly: armOf(orderOnly),
      exploratoryOnly: cheaperThanDefined([...(sumOnly ?? []), ...(mixed ?? [])]),
    })),
    leftOut: unusableArms(runs),
    series: seriesOf(measured),
    crossCheck: crossCheckOf(runs),
    fits: {
      count: fits.reduce((sum, { count }) => sum + count, 0),
      notConverged: fits.reduce((sum, { notConverged }) => sum + notConverged, 0),
      mostIterations: Math.max(0, ...fits.map(({ mostIterations }) => mostIterations)),
    },
  };
}

/** Where relabellings are enumerated no option changes the statistic of the claim. */
function cheaperThanDefined(runs: readonly MeasuredParity[]): string | null {
  const drawn = runs.flatMap(({ measurement: { embedding } }) =>
    embedding.parity.exact ? [] : [embedding.parity.relabellings],
  );
  const fewest = Math.min(SAMPLED_RELABELLINGS, ...drawn);
  return fewest < SAMPLED_RELABELLINGS
    ? `no verdict: ${fewest} relabellings drawn, and C3 b asks for ${SAMPLED_RELABELLINGS}`
    : null;
}

function armOf(runs: readonly MeasuredParity[] | undefined): Arm | null {
  if (runs === undefined) return null;
  return {
    label: runs[0].subject.label,
    runs: runs.length,
    usable: usableRuns(runs).map(({ subject, measurement: { embedding } }) => ({
      subject: subject.id,
      seed: subject.seed,
      parityExcess: round(embedding.parity.share - embedding.parity.nullMean),
      halfExcess: round(embedding.half.share - embedding.half.nullMean),
    })),
  };
}

function summariseGroup(runs: readonly MeasuredParity[]): ParityGroup {
  const [{ subject, measurement }] = runs;
  const learnedSum = hasLearned(runs[0]);
  return {
    id: learnedSum === false ? `${subject.condition}-not-learned` : subject.condition,
    condition: subject.condition,
    label: subject.label,
    name: learnedSum === false ? `${subject.label}, not learned` : subject.label,
    learnedSum,
    n: measurement.n,
    d: measurement.d,
    seeds: runs.map((run) => ({
      subject: run.subject.id,
      seed: run.subject.seed,
      accuracy: sumAccuracy(run),
      embedding: run.measurement.embedding,
      untrained: run.measurement.untrained,
      causal: run.measurement.causal,
      ahead: aheadAccuracy(run.measurement.lookAhead),
    })),
    context: meanContext(runs.flatMap(({ measurement: { context } }) => (context === null ? [] : [context]))),
    lookAhead: meanLookAhead(runs.map(({ measurement }) => measurement.lookAhead)),
  };
}

function crossCheckOf(runs: readonly MeasuredParity[]): CrossCheckSummary {
  const of = (pick: (check: ParityMeasurement['crossCheck']) => number): number =>
    round(mean(runs.map(({ measurement }) => pick(measurement.crossCheck))));
  return {
    program: runs[0].measurement.crossCheck.program,
    runs: runs.length,
    agreement: of(({ agreement }) => agreement),
    ownHeldOut: of(({ ownHeldOut }) => ownHeldOut),
    otherHeldOut: of(({ otherHeldOut }) => otherHeldOut),
    perRun: runs.map(({ subject, measurement }) => ({
      subject: subject.id,
      agreement: measurement.crossCheck.agreement,
    })),
  };
}

function seriesOf(measured: readonly MeasuredParity[]): ParitySeriesPoint[] {
  return inSeries(measured)
    .map(({ subject, measurement: { embedding } }) => ({
      run: subject.run,
      label: subject.label,
      seed: subject.seed,
      step: subject.step,
      parity: embedding.parity.share,
      null95: embedding.parity.null95,
    }))
    .sort((a, b) => compareText(a.label, b.label) || compareText(a.run, b.run) || a.step - b.step);
}
