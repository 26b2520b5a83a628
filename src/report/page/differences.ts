/**
 * Where two conditions differ: every difference of a report by size, and maps of A minus B over parts, roles, layers and
 * positions, for the statistics that name their axes. Pure.
 */
import { type Condition, areComparable, hasLearned } from '../../evidence/conditions.js';
import { type Evidence, rowsByScope } from '../../evidence/evidence.js';
import { type Scope, type ScopeKey, scopeText } from '../../evidence/scope.js';
import type { StatisticInfo } from '../../evidence/statistic.js';
import { type Difference, differenceOf, differencesOf } from '../../evidence/summaries.js';
import { type HeatCell, heatMapChart } from '../marks/heat-map.js';
import { differenceName, forestChart, pairName, ranked } from '../marks/forest.js';
import { counted, readable } from '../charts/common.js';
import type { ChartSpec } from '../schema.js';

/** Every difference that means something, all statistics, all pairs of conditions: largest first. */
export function allDifferences(evidence: Evidence): Difference[] {
  const shown = [...evidence.statistics].filter(([, info]) => info.detail !== true).map(([id]) => id);
  return ranked(shown.flatMap((id) => differencesOf(evidence, id)));
}

export function differenceForest(evidence: Evidence): ChartSpec {
  return forestChart(allDifferences(evidence), {
    id: 'differences',
    title: 'All differences by size',
    note: 'Every statistic, every two conditions of which differences mean something.',
  });
}

/**
 * Those between conditions that each have a run that learned: where one never did, that is the difference, and every other
 * number follows it. All of them where no two such conditions are compared.
 */
export function amongLearned(differences: readonly Difference[]): readonly Difference[] {
  const learned = ({ runs }: Condition): boolean => runs.some((run) => hasLearned(run) === true);
  const found = differences.filter(({ a, b }) => learned(a) && learned(b));
  return found.length > 0 ? found : differences;
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

/** One map for each statistic that names its axes; cells whose interval covers 0 are crossed out. */
export function differenceMaps(evidence: Evidence): {
  readonly charts: ChartSpec[];
  readonly sentence: string | undefined;
} {
  const pair = mainPair(evidence);
  if (pair === undefined) return { charts: [], sentence: undefined };
  const [a, b] = pair.map((condition) => ({ condition, runs: condition.runs }));
  const cells: Difference[] = [];
  const charts = [...evidence.statistics].flatMap(([id, info]): ChartSpec[] => {
    const { map } = info;
    if (map === undefined) return [];
    const all = rowsByScope(evidence.observations, id);
    // rows that name a method beside rows that name none are controls, such as random labels
    const hasControls = all.some(({ scope }) => scope.method === undefined);
    const found = all
      .filter(({ scope }) => !hasControls || scope.method === undefined)
      .flatMap(({ scope, rows }) => differenceOf(id, info, scope, rows, a, b) ?? []);
    const differences = withoutEqualRows(found, map.y);
    if (differences.length === 0) return [];
    cells.push(...differences);
    return [mapChart(id, info, map, differences, pairName({ a: a.condition, b: b.condition }))];
  });
  const decided = cells.filter(
    ({ interval }) => interval !== undefined && (interval.low > 0 || interval.high < 0),
  );
  const [largest] = ranked(decided);
  return {
    charts,
    sentence:
      largest === undefined
        ? `No part, layer or position differs between ${a.condition.label} and ${b.condition.label} by more than seeds do.`
        : `${a.condition.label} and ${b.condition.label} differ most in ${differenceName(largest)}: ${readable(largest.estimate)} (${readable(largest.interval?.low)} to ${readable(largest.interval?.high)}).`,
  };
}

/** `Part, layer` */
function axisTitle(keys: readonly ScopeKey[]): string {
  const title = keys.join(', ');
  return `${title.charAt(0).toUpperCase()}${title.slice(1)}`;
}

/** Without the rows of the map in which nothing differs: what does not depend on the model. */
function withoutEqualRows(differences: readonly Difference[], keys: readonly ScopeKey[]): Difference[] {
  const rowOf = ({ scope }: Difference): string => JSON.stringify(keys.map((key) => scope[key] ?? null));
  const differing = new Set(differences.filter(({ estimate }) => estimate !== 0).map(rowOf));
  return differences.filter((difference) => differing.has(rowOf(difference)));
}

type Axes = NonNullable<StatisticInfo['map']>;

function mapChart(
  id: string,
  info: StatisticInfo,
  { x, y }: Axes,
  differences: readonly Difference[],
  pair: string,
): ChartSpec {
  const text = (scope: Scope, keys: readonly ScopeKey[]): string =>
    scopeText(
      Object.fromEntries(keys.flatMap((key) => (scope[key] === undefined ? [] : [[key, scope[key]]]))),
    );
  const axes = [...x, ...y];
  const rest = (scope: Scope): Scope =>
    Object.fromEntries(Object.entries(scope).filter(([key]) => !axes.includes(key as ScopeKey)));
  const cells = differences.map(({ scope, estimate, interval }): HeatCell => ({
    panel: scopeText(rest(scope)),
    x: text(scope, x),
    y: text(scope, y),
    value: estimate,
    undecided: interval === undefined || (interval.low <= 0 && interval.high >= 0),
    ...(interval === undefined ? {} : { low: interval.low, high: interval.high }),
  }));
  const xNames = [...new Set(cells.map((cell) => cell.x))];
  return heatMapChart(cells, {
    id: `difference-${id.replace('/', '-')}`,
    title: info.title,
    note: `${pair}; ${counted(runsOf(differences), 'run')}. Each map has its own cells; colours are the same in all.`,
    x: axisTitle(x),
    y: axisTitle(y),
    value: `Difference (${info.unit === '1' ? 'dimensionless' : info.unit})`,
    diverging: true,
    columns: 3,
    angle: xNames.some((name) => name.length > 5) ? -40 : 0,
  });
}

function runsOf(differences: readonly Difference[]): number {
  return new Set(
    differences.flatMap(({ valuesA, valuesB }) => [...valuesA, ...valuesB].map(({ run }) => run)),
  ).size;
}
