/** The pictures that statistics give by themselves: points of every condition. The page adds series over steps. */
import type { Evidence } from '../../evidence/evidence.js';
import { groupBy } from '../../evidence/group-by.js';
import { scopeText } from '../../evidence/scope.js';
import { groupName, summariesOf, type Summary } from '../../evidence/summaries.js';
import { unitTitle } from '../units.js';
import type { ChartSpec } from '../schema.js';
import { pointRows, pointsChart } from './points.js';

export function statisticPictures(evidence: Evidence, statistics: readonly string[]): ChartSpec[] {
  const shown = statistics.filter((id) => evidence.statistics.get(id)?.detail !== true);
  const summaries = shown.flatMap((id) => summariesOf(evidence, id));
  return [...groupBy(summaries, ({ info }) => info.unit)].map(([unit, own], i) =>
    pointsChart(pointRows(own, { category: categoryOf }), {
      id: i === 0 ? 'statistics' : `statistics-${i + 1}`,
      title: own[0].info.title,
      note: '',
      axis: unitTitle(unit),
      category: 'Condition',
      share: unit === 'accuracy',
    }),
  );
}

function categoryOf(summary: Summary): string {
  const within = scopeText(summary.scope);
  return within === '' ? groupName(summary) : `${groupName(summary)}: ${within}`;
}
