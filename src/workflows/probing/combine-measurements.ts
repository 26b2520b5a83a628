/** Measurements of one module brought together: its observations, and what it makes of several checkpoints. Pure. */
import type { Measured, Options, Probe } from '../../../probes/contract.js';
import { compareText } from '../../evidence/conditions.js';
import { evidenceOf } from '../../evidence/evidence.js';
import type { Finding } from '../../evidence/finding.js';
import { infoOf, type Observation, observe, type StatisticInfo } from '../../evidence/statistic.js';
import type { Subject } from '../../evidence/subject.js';
import { statisticPictures } from '../../report/marks/statistics.js';
import type { ChartSpec } from '../../report/schema.js';

export interface CombinedModule {
  readonly statistics: readonly StatisticInfo[];
  readonly observations: readonly Observation[];
  /** beyond those that the statistics give by themselves */
  readonly further: readonly Finding[];
  readonly charts: readonly ChartSpec[];
}

/** What the numbers of a module are. */
export function statisticsOf<M>(probe: Pick<Probe<M>, 'statistics' | 'further'>): StatisticInfo[] {
  return [...probe.statistics.map(infoOf), ...(probe.further ?? [])];
}

/** By condition, seed, run and step. */
export function inOrder<T extends { readonly subject: Subject }>(measured: readonly T[]): T[] {
  return [...measured].sort(
    ({ subject: a }, { subject: b }) =>
      compareText(a.label, b.label) || a.seed - b.seed || compareText(a.run, b.run) || a.step - b.step,
  );
}

/** The rows of each checkpoint by itself. @param sorted - as inOrder sorts */
export function ownObservations<M>(
  probe: Pick<Probe<M>, 'name' | 'statistics'>,
  sorted: readonly { readonly subject: Subject; readonly measurement: M }[],
): Observation[] {
  return sorted.flatMap(({ subject, measurement }) =>
    observe(probe.name, probe.statistics, subject.id, measurement),
  );
}

export function combineMeasurements<M>(
  probe: Pick<Probe<M>, 'name' | 'statistics' | 'further' | 'combine'>,
  options: Options,
  measured: readonly Measured<M>[],
): CombinedModule {
  const statistics = statisticsOf(probe);
  const named = new Map(statistics.map((info) => [`${probe.name}/${info.id}`, info]));
  const sorted = inOrder(measured);
  const subjects = sorted.map(({ subject }) => subject);
  const own = ownObservations(probe, sorted);
  const evidence = evidenceOf(subjects, own, named);
  const last = sorted.filter(({ subject }, i) => sorted.at(i + 1)?.subject.run !== subject.run);
  const combined = probe.combine?.({ measured: sorted, last, options, evidence }) ?? {};
  const observations = [...own, ...(combined.observations ?? [])];
  const pictures =
    combined.pictures ?? statisticPictures(evidenceOf(subjects, observations, named), [...named.keys()]);
  return { statistics, observations, further: combined.findings ?? [], charts: pictures };
}
