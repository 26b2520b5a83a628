/** Measurements of one module brought together: its observations, and what it makes of several checkpoints. Pure. */
import type { Measured, Options, Probe } from '../../probes/contract.js';
import { compareText } from '../evidence/conditions.js';
import { evidenceOf } from '../evidence/evidence.js';
import type { Finding } from '../evidence/finding.js';
import { infoOf, type Observation, observe, type StatisticInfo } from '../evidence/statistic.js';
import { statisticPictures } from '../report/marks/statistics.js';
import type { ChartSpec } from '../report/schema.js';

export interface CombinedModule {
  readonly statistics: readonly StatisticInfo[];
  readonly observations: readonly Observation[];
  /** beyond those that the statistics give by themselves */
  readonly further: readonly Finding[];
  readonly charts: readonly ChartSpec[];
}

export function combineMeasurements<M>(
  probe: Pick<Probe<M>, 'name' | 'statistics' | 'further' | 'combine'>,
  options: Options,
  measured: readonly Measured<M>[],
): CombinedModule {
  const statistics = [...probe.statistics.map(infoOf), ...(probe.further ?? [])];
  const named = new Map(statistics.map((info) => [`${probe.name}/${info.id}`, info]));
  const sorted = [...measured].sort(
    ({ subject: a }, { subject: b }) =>
      compareText(a.label, b.label) || a.seed - b.seed || compareText(a.run, b.run) || a.step - b.step,
  );
  const subjects = sorted.map(({ subject }) => subject);
  const own = sorted.flatMap(({ subject, measurement }) =>
    observe(probe.name, probe.statistics, subject.id, measurement),
  );
  const evidence = evidenceOf(subjects, own, named);
  const last = sorted.filter(({ subject }, i) => sorted.at(i + 1)?.subject.run !== subject.run);
  const combined = probe.combine?.({ measured: sorted, last, options, evidence }) ?? {};
  const observations = [...own, ...(combined.observations ?? [])];
  const pictures =
    combined.pictures ?? statisticPictures(evidenceOf(subjects, observations, named), [...named.keys()]);
  return { statistics, observations, further: combined.findings ?? [], charts: pictures };
}
