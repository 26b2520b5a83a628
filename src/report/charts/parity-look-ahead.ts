/** Whether the final answer of a nested expression is there before the inner step is written, layer by layer. Pure. */
import type { ChartSpec } from '../schema.js';
import { chart, percent } from './common.js';
import type { ParityGroup } from './parity-data.js';
import { longest, nestedReads, subtitleOf } from './parity-reading.js';
import { stageLines, stagePoints, stageTable } from './parity-stages.js';

export function parityLookAhead(groups: readonly ParityGroup[]): ChartSpec {
  const read = nestedReads(groups);
  const points = read.flatMap(({ group, context }) => {
    const result = context.moduli.length - 1;
    return context.positions.flatMap(({ name, kind }, position) =>
      kind !== 'ahead' && kind !== 'predicted'
        ? []
        : stagePoints({
            panel: `${context.template}, ${kind === 'predicted' ? 'predicted' : `at ${name}`}`,
            group,
            context,
            position,
            valuesOf: ({ seeds }) => seeds.map((own) => own[result]),
            limitOf: () => context.majority[position][result],
          }),
    );
  });
  return chart({
    id: 'parity-look-ahead',
    title: 'Does a model know the final answer before it writes the inner step?',
    subtitle: `${subtitleOf(read)} Held-out accuracy on the final answer at the outer number, the closing bracket and ">", all before the inner result is written, and for comparison where the model predicts it. A line that leaves the grey marks is an answer ahead of its time. Lines: trained models, bold: means. Grey: untrained models (rings), always guessing the most frequent (strokes), the sum of the number embeddings alone (diamond).`,
    summary: read
      .map(({ group, context }) => {
        const result = context.moduli.length - 1;
        const parts = context.positions.flatMap(({ name, kind }, position) => {
          const last = context.cells.filter((cell) => cell.position === position).at(-1);
          if (last === undefined || (kind !== 'ahead' && kind !== 'predicted')) return [];
          return [
            `${kind === 'ahead' ? `at ${name}` : 'where it is predicted'}: ${percent(last.accuracy[result], 0)}`,
          ];
        });
        return `${group.name}, ${context.template}, accuracy on the final answer after the last layer: ${parts.join(', ')}.`;
      })
      .join(' '),
    spec: stageLines({
      points,
      stages: longest(read.map(({ context }) => context.stages)),
      title: 'Accuracy (%)',
      axis: { domain: [0, 1], format: '.0%', tickCount: 5 },
      // a row a template
      columns: 4,
    }),
    table: stageTable(points, { value: 'Accuracy', limit: 'guessing' }),
  });
}
