/**
 * What C5 rests on beside its numbers: models that can only memorize. A LATIN- or TABLE-only run beside the SUM-only ones
 * has to come out as a memorizer, otherwise a low index of SUM says nothing; and a hold-out counts once.
 */
import { DEFAULT_SEED } from '../../src/config/defaults.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { trainCommand } from '../../src/config/setting-text.js';
import { clopperPearsonInterval } from '../../src/analysis/statistics/intervals.js';
import { claimById, claimPart, LEARNED_ACCURACY } from '../../src/evidence/claims-file.js';
import { type Condition, PRIMARY, whyUnusable } from '../../src/evidence/conditions.js';
import type { Evidence } from '../../src/evidence/evidence.js';
import { type Finding, jsonInterval } from '../../src/evidence/finding.js';
import { scopeKey, scopeText } from '../../src/evidence/scope.js';
import { nine, type Observation, RANGES, type StatisticInfo } from '../../src/evidence/statistic.js';
import { EXPLORATORY_LEVEL, groupName, summariesOf } from '../../src/evidence/summaries.js';
import { vocabularyOf } from '../../src/listops/language/tokenizer.js';
import type { Measured } from '../contract.js';
import type { MemorizationMeasurement } from './measure.js';

export type MeasuredMemorization = Measured<MemorizationMeasurement>;

export const CONTROL_TASKS = ['LATIN', 'TABLE'] as const;

/** Without a memorizer at the place of SUM-only runs their low index says little: what to run. */
export function missingControls(last: readonly MeasuredMemorization[], { conditions }: Evidence): Finding[] {
  return conditions
    .filter(({ side, design }) => side === 'SUM-only' && design.regime === 'pairs')
    .filter((sumOnly) => !conditions.some((other) => isControlOf(sumOnly, other)))
    .flatMap((sumOnly) => {
      const run = last.find(({ subject }) => subject.condition === sumOnly.id);
      return run === undefined ? [] : [missingControl(sumOnly, controlCommands(run.config))];
    });
}

/** At the place where the assay of C5 looks for it. */
function isControlOf({ design }: Condition, { design: other }: Condition): boolean {
  const same = ['regime', 'modulus', 'depth', 'dModel', 'steps', 'generated'] as const;
  return (
    CONTROL_TASKS.some((task) => other.tasks.join() === task) &&
    other.startKind === 'scratch' &&
    other.operands.join() === design.operands.join() &&
    same.every((key) => other[key] === design[key])
  );
}

function missingControl({ id, label }: Condition, commands: readonly string[]): Finding {
  return {
    id: `control-not-run/${id}`,
    statement: `Control not run: nothing in this report can only memorize, beside ${label}.`,
    statistic: 'memorization index of LATIN-only or TABLE-only runs',
    unit: '1',
    n: { seeds: 0, examples: 0 },
    reason:
      commands.length === 0
        ? "the authors' vocabulary has no operation that can only be memorized: train SUM alone in the standard notation"
        : `train it with "${commands.join('" or "')}", with at least six seeds, then probe these runs again together with it`,
  };
}

/**
 * The command that trains the first run of each control like the SUM-only runs; none where the notation of the runs has no
 * control operation.
 */
export function controlCommands(sumOnly: RunConfig): string[] {
  return controlConfigs(sumOnly).map((config) => trainCommand(config, ['data.tasks', 'data.regime', 'seed']));
}

/** The first run of each control: the SUM-only runs with another operation and the first seed. */
export function controlConfigs(sumOnly: RunConfig): RunConfig[] {
  const { operations } = vocabularyOf(sumOnly.data);
  const { vocabulary: _, ...rest } = sumOnly;
  return CONTROL_TASKS.filter((task) => operations.includes(task)).map((task) =>
    resolveRunConfig({
      ...rest,
      data: { ...sumOnly.data, tasks: [task], regime: 'pairs', holdoutSeed: DEFAULT_SEED },
      seed: DEFAULT_SEED,
    }),
  );
}

/** The share of runs that memorize more than not, beside the mean of C5: few held-out pairs make an index nearly two-valued. */
export function sharesAbove(evidence: Evidence): Finding[] {
  const { rule } = claimPart('C5');
  if (rule.kind !== 'index') return [];
  const { above } = rule;
  return summariesOf(evidence, 'memorization/index').map((summary): Finding => {
    const { scope, condition, values, examples } = summary;
    const interval = clopperPearsonInterval(
      values.filter(({ value }) => value > above).length,
      values.length,
      EXPLORATORY_LEVEL,
    );
    return {
      id: `above/${scopeKey(scope)}/${condition.id}`,
      statement: `${groupName(summary)}: share of runs whose memorization index is above ${above} (${scopeText(scope)}).`,
      statistic: `runs with M > ${above} / runs`,
      unit: '1',
      estimate: nine(interval.estimate),
      interval: jsonInterval(interval),
      n: { seeds: values.length, examples },
    };
  });
}

/** How many earlier runs of the condition that would count in C5 hold out the same: a hold-out is one observation of it. */
export const SAME_HOLDOUT: StatisticInfo = {
  id: 'same-holdout',
  title: 'Earlier runs with the same hold-out',
  formula: 'runs of smaller seeds in the condition that count and hold out the same sets',
  unit: '1',
  range: RANGES.positive,
  sentence: 'earlier runs of the condition that hold out the same',
  compared: false,
  detail: true,
};

/** @param last - the last checkpoint of every run, by condition and seed */
export function sameHoldout(last: readonly MeasuredMemorization[]): Observation[] {
  const { learnedAccuracy = LEARNED_ACCURACY } = claimById('C5');
  const seen = new Map<string, number>();
  return last.flatMap(({ subject, measurement: { holdout } }): Observation[] => {
    if (holdout === null) return [];
    const key = JSON.stringify([subject.condition, holdout.sets]);
    const before = seen.get(key) ?? 0;
    if (whyUnusable(subject, { operation: PRIMARY, learnedAccuracy }) === undefined)
      seen.set(key, before + 1);
    return [{ subject: subject.id, statistic: `memorization/${SAME_HOLDOUT.id}`, scope: {}, value: before }];
  });
}
