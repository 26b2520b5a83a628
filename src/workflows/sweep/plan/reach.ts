/**
 * Which verdicts a plan can reach: its runs as if each had learned and been measured, put to the function that decides the
 * claims. It promises no verdict: runs that do not learn may still leave too few, and an interval may be too wide.
 */
import { conditionId, conditionLabel } from '../../../config/names.js';
import { type ClaimPart, CLAIMS, type ClaimSample } from '../../../evidence/claims-file.js';
import type { ClaimResult } from '../../../evidence/claims.js';
import { decideClaims } from '../../../evidence/decide.js';
import { evidenceOf } from '../../../evidence/evidence.js';
import { EVALUATION, NESTED } from '../../../evidence/ladders.js';
import type { Observation } from '../../../evidence/statistic.js';
import type { Subject } from '../../../evidence/subject.js';
import { designOf } from '../../probing/design.js';
import type { Reach } from './cost.js';
import type { SweepRun } from './expand.js';

/** @param claims - ids of claims, for every part of them, or of parts */
export function reachOf(claims: readonly string[], runs: readonly SweepRun[]): Reach[] {
  const subjects = runs.map(asLearned);
  const decided = decideClaims(evidenceOf(subjects, subjects.flatMap(asMeasured), new Map()));
  return CLAIMS.flatMap(({ id, parts }) =>
    parts.flatMap((part) => {
      if (!claims.includes(id) && !claims.includes(part.id)) return [];
      const result = decided.find((one) => one.part === part.id);
      return result === undefined ? [] : [reach(part, result)];
    }),
  );
}

function reach(part: ClaimPart, { counts, interval, place, reason }: ClaimResult): Reach {
  const short = counts.filter(({ usable }) => usable < part.nMin);
  const has = counts.map(({ condition, usable }) => `${condition} ${usable}`).join(', ');
  if (short.length === 0 && interval !== undefined) {
    const early = counts.some(({ runs, planned }) => runs < planned);
    return {
      claim: part.id,
      reachable: true,
      why: `${place}: seeds ${has}${early ? `, interim: ${part.seeds} planned` : ''}`,
    };
  }
  return { claim: part.id, reachable: false, why: `${place}: ${reason}` };
}

/** The run as if it had learned all its operations. */
export function asLearned({ id, config, parameters }: SweepRun): Subject {
  const { steps } = config.training;
  const all = Object.fromEntries(config.data.tasks.map((task) => [task, 1]));
  return {
    id: `${id}@${steps}`,
    run: id,
    step: steps,
    seed: config.seed,
    condition: conditionId(config),
    label: conditionLabel(config),
    parameters,
    weightsSha256: '',
    final: true,
    accuracy: all,
    learned: all,
    design: designOf(config, 'budget', true),
  };
}

/** Numbers of the statistics that claims name, spread over seeds so that there is an interval. */
function asMeasured({ id, seed, step, design }: Subject): Observation[] {
  const spread = (seed % 7) / 100;
  const row = (statistic: string, value: number, scope: Observation['scope'] = {}): Observation => ({
    subject: id,
    statistic,
    scope,
    value,
  });
  const samples = CLAIMS.flatMap(({ parts }) => parts).flatMap(({ evidence }): ClaimSample[] => {
    switch (evidence.kind) {
      case 'difference':
        return [evidence.of, evidence.minus];
      case 'mean':
        return [evidence.of];
      case 'threshold':
      case 'proportion':
        return [];
    }
  });
  const controls = CLAIMS.flatMap(({ parts }) => parts).flatMap(({ evidence }) =>
    evidence.kind === 'mean' && evidence.control !== undefined ? [evidence.control] : [],
  );
  // every budget is looked at on the way, from its half on
  const steps = [1 / 8, 1 / 4, 1 / 2, 1].flatMap((share) => [(share * step) / 2, share * step]);
  return [
    ...samples.map(({ statistic, scope }) => row(statistic, 0.5 + spread, scope)),
    ...controls.flatMap(({ statistic, leaks }) => [
      row(statistic, 0.99 + spread / 100, { operation: design.tasks[0], arity: 2 }),
      row(leaks, 0),
    ]),
    ...design.tasks.flatMap((operation) =>
      [...new Set(steps)].flatMap((at) => [
        row(EVALUATION, 1, { operation, step: Math.round(at) }),
        ...(design.nested ? [row(EVALUATION, 1, { operation, level: NESTED, step: Math.round(at) })] : []),
      ]),
    ),
  ];
}
