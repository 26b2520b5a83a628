/** The tidy table with what is asked of it: subjects, conditions, comparisons, observations by statistic. */
import { type Comparison, comparisonsOf, type Condition, conditionsOf } from './conditions.js';
import { isWithin, type Scope, scopeKey } from './scope.js';
import type { Observation, StatisticInfo } from './statistic.js';
import type { Subject } from './subject.js';

export interface Evidence {
  readonly subjects: readonly Subject[];
  readonly conditions: readonly Condition[];
  readonly comparisons: readonly Comparison[];
  readonly observations: readonly Observation[];
  /** `<module>/<id>` -> what the statistic is */
  readonly statistics: ReadonlyMap<string, StatisticInfo>;
}

export function evidenceOf(
  subjects: readonly Subject[],
  observations: readonly Observation[],
  statistics: ReadonlyMap<string, StatisticInfo>,
): Evidence {
  const conditions = conditionsOf(subjects);
  return { subjects, conditions, comparisons: comparisonsOf(conditions), observations, statistics };
}

/** subject id -> observation, for one statistic and one scope. */
export type BySubject = ReadonlyMap<string, Observation>;

export interface ScopedRows {
  readonly scope: Scope;
  readonly rows: BySubject;
}

/** Rows of one statistic, by scope, in order of first appearance. */
export function rowsByScope(observations: readonly Observation[], statistic: string): ScopedRows[] {
  const scopes = new Map<string, { scope: Scope; rows: Map<string, Observation> }>();
  for (const row of observations) {
    if (row.statistic !== statistic) continue;
    const key = scopeKey(row.scope);
    const held = scopes.get(key) ?? { scope: row.scope, rows: new Map<string, Observation>() };
    held.rows.set(row.subject, row);
    scopes.set(key, held);
  }
  return [...scopes.values()];
}

/** Rows of one statistic whose scope has the keys wanted; the first of a subject counts. */
export function rowsWithin(
  observations: readonly Observation[],
  statistic: string,
  wanted: Scope = {},
): BySubject {
  const rows = new Map<string, Observation>();
  for (const row of observations) {
    if (row.statistic === statistic && isWithin(row.scope, wanted) && !rows.has(row.subject))
      rows.set(row.subject, row);
  }
  return rows;
}
