/**
 * Where two conditions differ: every difference of a report by size, and maps of A minus B over parts, roles, layers and
 * positions, for the statistics that name their axes. Pure.
 */
import { type Condition, hasLearned } from '../../evidence/conditions.js';
import { mainPair, type MapAxes, mapsOfDifferences } from '../../evidence/difference-maps.js';
import type { Evidence } from '../../evidence/evidence.js';
import { type Scope, type ScopeKey, scopeText } from '../../evidence/scope.js';
import type { StatisticInfo } from '../../evidence/statistic.js';
import { type Difference, differencesOf } from '../../evidence/summaries.js';
import { type HeatCell, heatMapChart } from '../marks/heat-map.js';
import { differenceName, forestChart, pairName, ranked } from '../marks/forest.js';
import { counted, readable } from '../charts/common.js';
import type { ChartSpec } from '../schema.js';

/** Every difference that means something, all statistics, all pairs of conditions or those `asked` for: largest first. */
export function allDifferences(
  evidence: Evidence,
  asked?: (a: Condition, b: Condition) => boolean,
): Difference[] {
  const shown = [...evidence.statistics].filter(([, info]) => info.detail !== true).map(([id]) => id);
  return ranked(shown.flatMap((id) => differencesOf(evidence, id, asked)));
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

/** One map for each statistic that names its axes; cells whose interval covers 0 are crossed out. */
export function differenceMaps(evidence: Evidence): {
  readonly charts: ChartSpec[];
  readonly sentence: string | undefined;
} {
  const pair = mainPair(evidence);
  if (pair === undefined) return { charts: [], sentence: undefined };
  const [a, b] = pair;
  const maps = mapsOfDifferences(evidence, pair);
  const charts = maps.map(({ statistic, info, axes, differences }) =>
    mapChart(statistic, info, axes, differences, pairName({ a, b })),
  );
  const cells = maps.flatMap(({ differences }) => differences);
  const decided = cells.filter(
    ({ interval }) => interval !== undefined && (interval.low > 0 || interval.high < 0),
  );
  const [largest] = ranked(decided);
  return {
    charts,
    sentence:
      largest === undefined
        ? `No part, layer or position differs between ${a.label} and ${b.label} by more than seeds do.`
        : `Of parts, layers and positions, ${a.label} and ${b.label} differ most beside the spread of seeds in ${differenceName(largest)}: ${readable(largest.estimate)} (${readable(largest.interval?.low)} to ${readable(largest.interval?.high)}).`,
  };
}

/** `Part, layer` */
function axisTitle(keys: readonly ScopeKey[]): string {
  const title = keys.join(', ');
  return `${title.charAt(0).toUpperCase()}${title.slice(1)}`;
}

function mapChart(
  id: string,
  info: StatisticInfo,
  { x, y }: MapAxes,
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
