/** Parity of values that the probe was not fitted on, layer by layer, at every position of flat expressions. Pure. */
import type { ChartSpec } from '../schema.js';
import { chart, readable } from './common.js';
import type { MeanCell, ParityGroup } from './parity-data.js';
import { atPrediction, flatReads, longest, subtitleOf } from './parity-reading.js';
import { average, stageLines, stagePoints, stageTable } from './parity-stages.js';

export function parityStrict(groups: readonly ParityGroup[]): ChartSpec {
  const read = flatReads(groups);
  const valuesOf = ({ strict }: MeanCell): readonly number[] => strict;
  const points = read.flatMap(({ group, context }) =>
    context.positions.flatMap(({ name, label }, position) =>
      stagePoints({
        panel: name === 'result' ? 'result: its own value' : `${name}: ${label}`,
        group,
        context,
        position,
        valuesOf,
        limitOf: ({ strictNull95 }) => strictNull95,
      }),
    ),
  );
  return chart({
    id: 'parity-strict',
    title: 'Is the parity of the result computed on the way, or only a by-product?',
    subtitle: `${subtitleOf(read)} A panel a position. The mean activation of each value; the probe is asked about one even and one odd value it was not fitted on, 50 % is chance. Lines: trained models, bold: means. Grey: untrained models (rings), the limit that 95 % of relabellings keep below (strokes), the sum of the number embeddings alone (diamond).`,
    summary: read
      .map(({ group, context }) => {
        const parts = atPrediction(context)
          .filter(({ strict }) => strict.length > 0)
          .map(({ stage, strict }) => `${context.stages[stage]} ${readable(average(strict), 2)}`);
        return `${group.name}, where the result is predicted: ${parts.join(', ')}.`;
      })
      .join(' '),
    spec: stageLines({
      points,
      stages: longest(read.map(({ context }) => context.stages)),
      title: 'Held-out pairs in order (%)',
      axis: { domain: [0, 1], format: '.0%', tickCount: 5 },
    }),
    table: stageTable(points, { value: 'Score', limit: '95 % of relabellings' }),
  });
}
