/** The pictures of the neurons: what sets a clock from a table, the frequencies of a + b, and the whole map of frequencies. */
import type { Evidence } from '../../src/evidence/evidence.js';
import { groupBy } from '../../src/evidence/group-by.js';
import { groupName, groupsOf, type Summary, summariesOf } from '../../src/evidence/summaries.js';
import { type HeatCell, heatMapChart } from '../../src/report/marks/heat-map.js';
import { pointRows, pointsChart } from '../../src/report/marks/points.js';
import { numberOf } from '../../src/report/report-json.js';
import type { ChartSpec } from '../../src/report/schema.js';
import { mean } from '../../src/tensor/sum.js';
import type { Measured } from '../contract.js';
import type { NeuronMeasurement } from './measure.js';

export function neuronPictures(
  last: readonly Measured<NeuronMeasurement>[],
  evidence: Evidence,
): ChartSpec[] {
  const of = (...ids: string[]): Summary[] => ids.flatMap((id) => summariesOf(evidence, `neurons/${id}`));
  const operation = ({ scope }: Summary): string => scope.operation ?? '';
  return [
    pointsChart(
      pointRows(of('one-frequency', 'sum-share'), {
        category: (summary) => `${groupName(summary)}: ${operation(summary)}`,
      }),
      {
        id: 'neuron-shares',
        title: 'Clock or table',
        note: 'Shares of the variance of the last feed-forward neurons over all pairs of numbers. A clock has neurons of one frequency each; the neurons of a table have all of them, and permuted labels leave them as they are.',
        axis: 'Share of variance (%)',
        category: 'Condition and operation',
        share: true,
      },
    ),
    pointsChart(
      pointRows(
        of('frequency-share').filter(({ scope }) => scope.part === 'neurons'),
        {
          panel: (summary) => `${groupName(summary)}: ${operation(summary)}`,
          category: ({ scope }) => `k = ${scope.frequency ?? 0}`,
        },
      ),
      {
        id: 'neuron-frequencies',
        title: 'Waves of a + b in the neurons',
        note: 'Share of the variance of the neurons at (k, k), which a + b alone decides; for NADD a - b.',
        axis: 'Share of variance (%)',
        category: 'Frequency',
        share: true,
        columns: 3,
      },
    ),
    heatMapChart(mapCells(last, evidence), {
      id: 'neuron-map',
      title: 'Neurons by frequency of either number',
      note: 'Share of the variance of the neurons in per cent, mean over seeds; what depends on a + b lies where both frequencies are equal, on a - b where they are opposite, on one number where the other is 0.',
      x: 'Frequency of the second number',
      y: 'Frequency of the first number',
      value: 'Share of variance (%)',
      diverging: false,
      cell: Math.max(0, ...last.map(({ measurement: { n } }) => n)) > 16 ? 9 : 19,
      independent: true,
    }),
  ];
}

/** Runs of a group may be of one modulus only: it is part of the condition. */
function mapCells(last: readonly Measured<NeuronMeasurement>[], evidence: Evidence): HeatCell[] {
  return groupsOf(evidence.conditions).flatMap((group) => {
    const ids = new Set(group.runs.map(({ id }) => id));
    const own = last.filter(({ subject }) => ids.has(subject.id));
    const byOperation = groupBy(
      own.flatMap(({ measurement }) => measurement.operations),
      ({ operation }) => operation,
    );
    return [...byOperation].flatMap(([operation, found]) => {
      const maps = found.flatMap(({ neurons }) => (neurons === null ? [] : [neurons.map]));
      if (maps.length === 0) return [];
      const [rows, n] = maps[0].shape;
      return Array.from({ length: rows * n }, (_, i): HeatCell => {
        const column = i % n;
        const signed = 2 * column > n ? column - n : column;
        return {
          panel: `${groupName(group)}: ${operation}`,
          x: String(signed),
          y: String(Math.floor(i / n)),
          value: 100 * mean(maps.map(({ data }) => numberOf(data[i]))),
        };
      });
    });
  });
}
