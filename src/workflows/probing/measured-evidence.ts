/**
 * The evidence of checkpoints as far as it has been measured: the cache and the logs are read, nothing is computed anew. What
 * is here is here as in the report of the same checkpoints, except for numbers that modules make of several runs together.
 */
import { learning } from '../../../probes/learning.js';
import { type Evidence, evidenceOf } from '../../evidence/evidence.js';
import type { Observation, StatisticInfo } from '../../evidence/statistic.js';
import { measuredLearning, type TrainingLogs } from '../reports/build-report.js';
import { inOrder, ownObservations, statisticsOf } from './combine-measurements.js';
import { type MeasurementPlan, planMeasurements, type PlanRequest } from './probe-checkpoints.js';

export interface MeasuredEvidence {
  readonly evidence: Evidence;
  readonly plan: MeasurementPlan;
}

/**
 * @param request - refs as distinctRefs gives them
 * @param logs - of the runs, as trainingOf gives them
 */
export async function measuredEvidence(
  request: PlanRequest,
  logs: TrainingLogs['logs'],
): Promise<MeasuredEvidence> {
  const { refs } = request;
  const plan = await planMeasurements(request);
  const observations: Observation[] = ownObservations(learning, inOrder(measuredLearning(refs, logs)));
  const statistics = new Map<string, StatisticInfo>();
  const name = (module: string, infos: readonly StatisticInfo[]): void => {
    for (const info of infos) statistics.set(`${module}/${info.id}`, info);
  };
  name(learning.name, statisticsOf(learning));
  for (const { probe, outcomes } of plan.modules) {
    const measured = refs.flatMap(({ subject }) => {
      const outcome = outcomes.get(subject.id);
      return outcome !== undefined && 'measurement' in outcome
        ? [{ subject, measurement: outcome.measurement }]
        : [];
    });
    if (measured.length === 0) continue;
    name(probe.name, statisticsOf(probe));
    observations.push(...ownObservations(probe, inOrder(measured)));
  }
  const subjects = refs.map(({ subject }) => subject);
  return { plan, evidence: evidenceOf(subjects, observations, statistics) };
}
