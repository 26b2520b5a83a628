/** Maps of what moves the answer: place by layer, sender by receiver, and heads. Means over seeds that have learned. */
import type { Evidence } from '../../src/evidence/evidence.js';
import { groupName, type Summary, summariesOf } from '../../src/evidence/summaries.js';
import { type HeatCell, heatMapChart } from '../../src/report/marks/heat-map.js';
import type { ChartSpec } from '../../src/report/schema.js';

const LOOK = { diverging: true, domain: [-1, 1], independent: true, cell: [46, 26], angle: -30 } as const;
const VALUE = 'Share of the way';
const NOTE =
  '0: the answer stays, 1: it becomes that of the other prompt; more, or less than 0, is possible. Mean over seeds.';

/** From left to right, as they stand in the prompt. */
const POSITIONS = ['operation', 'changed operand', 'other operands', 'operands', 'closing bracket', 'result'];

/** A later layer begins with what the one before it left: one row of the map would stand there twice. */
const isRepeated = ({ scope: { part = '', layer = 0 } }: Summary): boolean =>
  part.startsWith('resid_pre') && (layer > 0 || /pass [1-9]/.test(part));

export function patchingPictures(evidence: Evidence): ChartSpec[] {
  const of = (id: string): Summary[] => summariesOf(evidence, `patching/${id}`);
  // what differs first: a narrow window cuts the end of a title off
  const asked = ({ scope }: Summary): string => `${scope.operation ?? ''}, ${scope.method ?? ''}`;
  const cells = (
    summaries: readonly Summary[],
    place: (summary: Summary) => Pick<HeatCell, 'x' | 'y'> & { readonly panel?: string },
  ): HeatCell[] =>
    summaries.map((summary) => ({
      panel: `${asked(summary)}: ${groupName(summary)}`,
      ...place(summary),
      value: summary.mean,
      ...(summary.interval === undefined ? {} : { low: summary.interval.low, high: summary.interval.high }),
      undecided: summary.interval !== undefined && summary.interval.low <= 0 && summary.interval.high >= 0,
    }));
  const partOf = ({ scope }: Summary): string => scope.part ?? '';
  return [
    heatMapChart(
      cells(
        of('place').filter((summary) => !isRepeated(summary)),
        (summary) => ({
          x: summary.scope.position ?? '',
          y:
            summary.scope.layer === undefined ? partOf(summary) : `${partOf(summary)} ${summary.scope.layer}`,
        }),
      ),
      {
        ...LOOK,
        id: 'patching-places',
        title: 'Where the answer is decided',
        note: `The residual stream of the other prompt is put in at one place. ${NOTE}`,
        x: 'Position',
        y: 'Stage and layer',
        value: VALUE,
        order: { x: POSITIONS },
      },
    ),
    heatMapChart(
      cells(of('path'), (summary) => {
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
      cells(of('head'), (summary) => ({
        panel: groupName(summary),
        x: partOf(summary),
        y: asked(summary),
      })),
      {
        ...LOOK,
        id: 'patching-heads',
        title: 'Heads',
        note: `One head of the other prompt is put in at every position. ${NOTE}`,
        x: 'Head',
        y: 'Asked',
        value: VALUE,
      },
    ),
  ];
}
