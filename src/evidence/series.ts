/**
 * Numbers over training: one series a run, the step from which it stays above its null, and the median of those onsets over
 * the seeds of a condition with an interval that counts runs without an onset as later than all that was measured. Pure.
 */
import { type IntervalEstimate, medianInterval } from '../analysis/statistics/intervals.js';
import type { Condition } from './conditions.js';
import { type Evidence, rowsByScope } from './evidence.js';
import { groupBy } from './group-by.js';
import { type Scope, scopeKey } from './scope.js';
import type { StatisticInfo } from './statistic.js';
import { EXPLORATORY_LEVEL } from './summaries.js';

/** One run over its steps. */
export interface Series {
  readonly statistic: string;
  readonly info: StatisticInfo;
  readonly scope: Scope;
  readonly condition: Condition;
  readonly run: string;
  readonly seed: number;
  /** by step */
  readonly points: readonly { readonly step: number; readonly value: number; readonly nullHigh?: number }[];
  /** undefined: it has no null */
  readonly onset: Onset | undefined;
}

/** The number begins to stay above its null later than step `after` and at step `by` at the latest; never seen: Infinity. */
export interface Onset {
  readonly after: number;
  readonly by: number;
}

/** The onsets of one number in the runs of a condition. */
export interface OnsetSummary extends Pick<Series, 'statistic' | 'info' | 'scope' | 'condition'> {
  readonly runs: readonly { readonly run: string; readonly seed: number; readonly onset: Onset }[];
  /** first step measured by which half of the runs have it; Infinity: fewer had it at the end */
  readonly median: number;
  /** of the median over seeds; its level is that of so few seeds where they are fewer than six; undefined: one run */
  readonly interval: IntervalEstimate | undefined;
}

/** Series of one statistic, of runs of which several checkpoints were measured. */
export function seriesOf(evidence: Evidence, statistic: string): Series[] {
  const info = evidence.statistics.get(statistic);
  if (info === undefined) return [];
  return rowsByScope(evidence.observations, statistic).flatMap(({ scope, rows }) =>
    evidence.conditions.flatMap((condition) =>
      [...groupBy(condition.subjects, ({ run }) => run)].flatMap(([run, subjects]): Series[] => {
        const points = subjects.flatMap(({ id, step }) => {
          const row = rows.get(id);
          if (row === undefined) return [];
          const high = row.null?.high;
          return [{ step, value: row.value, ...(high === undefined ? {} : { nullHigh: high }) }];
        });
        if (points.length < 2) return [];
        return [
          { statistic, info, scope, condition, run, seed: subjects[0].seed, points, onset: onsetOf(points) },
        ];
      }),
    ),
  );
}

function onsetOf(points: Series['points']): Onset | undefined {
  if (points.every(({ nullHigh }) => nullHigh === undefined)) return undefined;
  const last = points.findLastIndex(({ value, nullHigh }) => nullHigh === undefined || value <= nullHigh);
  return { after: last < 0 ? 0 : points[last].step, by: points.at(last + 1)?.step ?? Infinity };
}

/** One summary for each number and condition of which a run has a null. */
export function onsetsOf(series: readonly Series[]): OnsetSummary[] {
  const key = ({ statistic, scope, condition }: Series): string =>
    JSON.stringify([statistic, scopeKey(scope), condition.id]);
  return [...groupBy(series, key).values()].flatMap((own): OnsetSummary[] => {
    const [{ statistic, info, scope, condition }] = own;
    const runs = own.flatMap(({ run, seed, onset }) => (onset === undefined ? [] : [{ run, seed, onset }]));
    if (runs.length === 0) return [];
    const interval = medianInterval(
      runs.map(({ onset }) => onset.after),
      runs.map(({ onset }) => onset.by),
      EXPLORATORY_LEVEL,
    );
    return [
      {
        statistic,
        info,
        scope,
        condition,
        runs,
        median: interval.estimate,
        interval: runs.length < 2 ? undefined : interval,
      },
    ];
  });
}
