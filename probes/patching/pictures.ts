/** Maps of what moves the answer: place by layer, sender by receiver, and heads. Means over seeds that have learned. */
import type { Evidence } from '../../src/evidence/evidence.js';
import { groupName, type Summary, summariesOf } from '../../src/evidence/summaries.js';
import { type HeatCell, heatMapChart } from '../../src/report/marks/heat-map.js';
import type { ChartSpec } from '../../src/report/schema.js';

const LOOK = { diverging: true, domain: [-1, 1], independent: true, cell: [46, 26], angle: -30 } as const;
const VALUE = 'Share of the way';
const NOTE =
  '0: the answer stays, 1: it becomes that of the other prompt; more, or less than 0, is possible. Mean over seeds.';

export function patchingPictures(evidence: Evidence): ChartSpec[] {
  const of = (id: string): Summary[] => summariesOf(evidence, `patching/${id}`);
  const cells = (id: string, place: (summary: Summary) => Pick<HeatCell, 'x' | 'y'>): HeatCell[] =>
    of(id).map((summary) => ({
      panel: `${groupName(summary)}: ${summary.scope.operation ?? ''}, ${summary.scope.method ?? ''}`,
      ...place(summary),
      value: summary.mean,
      ...(summary.interval === undefined ? {} : { low: summary.interval.low, high: summary.interval.high }),
      undecided: summary.interval !== undefined && summary.interval.low <= 0 && summary.interval.high >= 0,
    }));
  const partOf = ({ scope }: Summary): string => scope.part ?? '';
  return [
    heatMapChart(
      cells('place', (summary) => ({
        x: summary.scope.position ?? '',
        y: summary.scope.layer === undefined ? partOf(summary) : `${partOf(summary)} ${summary.scope.layer}`,
      })),
      {
        ...LOOK,
        id: 'patching-places',
        title: 'Where the answer is decided',
        note: `The residual stream of the other prompt is put in at one place. ${NOTE}`,
        x: 'Position',
        y: 'Stage and layer',
        value: VALUE,
      },
    ),
    heatMapChart(
      cells('path', (summary) => {
        const [from, to] = partOf(summary).split(' to ');
        return { x: to, y: from };
      }),
      {
        ...LOOK,
        id: 'patching-paths',
        title: 'Direct paths',
        note: `What one part writes is changed for one later part alone. ${NOTE}`,
        x: 'To',
        y: 'From',
        value: VALUE,
      },
    ),
    heatMapChart(
      cells('head', (summary) => ({ x: partOf(summary), y: 'all positions' })),
      {
        ...LOOK,
        id: 'patching-heads',
        title: 'Heads',
        note: `One head of the other prompt is put in at every position. ${NOTE}`,
        x: 'Head',
        y: 'Where',
        value: VALUE,
      },
    ),
  ];
}
