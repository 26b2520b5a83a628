/**
 * Where two conditions differ: for the statistics that name the axes of a map, their differences part by part, layer by
 * layer, position by position. Pure.
 */
import { areComparable, type Condition, hasLearned } from './conditions.js';
import { type Evidence, rowsByScope } from './evidence.js';
import type { ScopeKey } from './scope.js';
import type { StatisticInfo } from './statistic.js';
import { type Difference, differenceOf } from './summaries.js';

export type MapAxes = NonNullable<StatisticInfo['map']>;

/** The differences of one statistic between two conditions, a cell each. */
export interface DifferenceMap {
  readonly statistic: string;
  readonly info: StatisticInfo;
  readonly axes: MapAxes;
  readonly differences: readonly Difference[];
}

/** The two conditions that the maps compare: of those with most runs that learned, SUM-only and mixed first. */
export function mainPair({ conditions, comparisons }: Evidence): readonly [Condition, Condition] | undefined {
  const learned = ({ runs }: Condition): number => runs.filter((run) => hasLearned(run) === true).length;
  const pairs = comparisons.flatMap(({ mixed, sumOnly }): (readonly [Condition, Condition])[] =>
    mixed === undefined || sumOnly === undefined ? [] : [[mixed, sumOnly]],
  );
  const all = conditions.flatMap((a, i) =>
    conditions
      .slice(i + 1)
      .filter((b) => areComparable(a, b))
      .map((b): readonly [Condition, Condition] => [a, b]),
  );
  const weight = ([a, b]: readonly [Condition, Condition]): number => Math.min(learned(a), learned(b));
  return (pairs.length > 0 ? pairs : all).sort((x, y) => weight(y) - weight(x)).at(0);
}

/** One for each statistic that names its axes and of which anything differs. @param pair - the maps are of the first minus the second */
export function mapsOfDifferences(
  { statistics, observations }: Evidence,
  pair: readonly [Condition, Condition],
): DifferenceMap[] {
  const [a, b] = pair.map((condition) => ({ condition, runs: condition.runs }));
  return [...statistics].flatMap(([statistic, info]): DifferenceMap[] => {
    const { map: axes } = info;
    if (axes === undefined) return [];
    const all = rowsByScope(observations, statistic);
    // rows that name a method beside rows that name none are controls, such as random labels
    const hasControls = all.some(({ scope }) => scope.method === undefined);
    const found = all
      .filter(({ scope }) => !hasControls || scope.method === undefined)
      .flatMap(({ scope, rows }) => differenceOf(statistic, info, scope, rows, a, b) ?? []);
    const differences = withoutEqualRows(found, axes.y);
    return differences.length === 0 ? [] : [{ statistic, info, axes, differences }];
  });
}

/** Without the rows of the map in which nothing differs: what does not depend on the model. */
function withoutEqualRows(differences: readonly Difference[], keys: readonly ScopeKey[]): Difference[] {
  const rowOf = ({ scope }: Difference): string => JSON.stringify(keys.map((key) => scope[key] ?? null));
  const differing = new Set(differences.filter(({ estimate }) => estimate !== 0).map(rowOf));
  return differences.filter((difference) => differing.has(rowOf(difference)));
}
