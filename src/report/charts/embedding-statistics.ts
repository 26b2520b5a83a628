/** Order, ring and closure of the number embeddings, every seed and its group's mean, beside the untrained runs. Pure. */
import type { ChartSpec } from '../schema.js';
import {
  chart,
  conditionColor,
  counted,
  inlineData,
  nominal,
  quantitative,
  readable,
  type Row,
  smallMultiples,
} from './common.js';
import type { EmbeddingGroup, GeometryNumbers } from './embedding-data.js';

const STATISTICS = [
  { name: 'Order as named', value: (g: GeometryNumbers) => g.order.asNamed.value },
  { name: 'Order, best naming', value: (g: GeometryNumbers) => g.order.excess },
  { name: 'Ring as named', value: (g: GeometryNumbers) => g.circular.asNamed.value },
  { name: 'Ring, best naming', value: (g: GeometryNumbers) => g.circular.excess },
  { name: 'Closure as named', value: (g: GeometryNumbers) => g.closure.asNamed },
  { name: 'Widest gap of the best ring', value: (g: GeometryNumbers) => g.closure.widestGap },
] as const;

export function embeddingStatistics(groups: readonly EmbeddingGroup[]): ChartSpec {
  const rows = STATISTICS.flatMap(({ name, value }) =>
    groups.flatMap((group) => {
      const shared = { statistic: name, group: group.name, condition: group.label };
      const trained = group.seeds.map(({ embedding }) => value(embedding));
      const untrained = group.seeds.map((seed) => value(seed.untrained));
      const seeds: Row[] = trained.map((estimate, s) => ({
        ...shared,
        kind: 'seed',
        estimate,
        seed: group.seeds[s].seed,
      }));
      return [
        ...seeds,
        { ...shared, kind: 'mean', estimate: average(trained), seed: null },
        { ...shared, kind: 'untrained', estimate: average(untrained), seed: null },
      ];
    }),
  );
  const labels = [...new Set(groups.map(({ label }) => label))];
  const names = groups.map(({ name }) => name);
  const seeds = groups.reduce((total, group) => total + group.seeds.length, 0);
  return chart({
    id: 'embedding-statistics',
    title: 'Order, ring and closure',
    subtitle: `Faint dots: ${counted(seeds, 'run')}; large dots: means; grey ticks: mean of the same runs before training. Best naming: the largest over (Z/n)* minus what chance gives. Closure and gap: below 0.2 for a ring, about 1 for noise, above 1 for an open line.`,
    summary: STATISTICS.map(({ name, value }) => {
      const parts = groups.map(
        (group) =>
          `${group.name} ${readable(average(group.seeds.map(({ embedding }) => value(embedding))), 2)}`,
      );
      return `${name}: ${parts.join('; ')}.`;
    }).join(' '),
    spec: {
      ...smallMultiples(rows, 'statistic', view(labels, names), {
        columns: 2,
        order: STATISTICS.map(({ name }) => name),
        independent: ['x'],
      }),
      data: inlineData(rows),
    },
    table: {
      columns: ['Group', 'Seed', ...STATISTICS.map(({ name }) => name)],
      rows: groups.flatMap((group) =>
        group.seeds.map(({ seed, embedding }) => [
          group.name,
          seed,
          ...STATISTICS.map(({ value }) => readable(value(embedding))),
        ]),
      ),
    },
  });
}

function view(labels: readonly string[], names: readonly string[]) {
  const x = quantitative('estimate', 'Statistic (dimensionless)', { format: '.2~f', tickCount: 5 });
  const y = nominal('group', null, names);
  const color = conditionColor(labels, { legend: false });
  const only = (kind: string) => [{ filter: `datum.kind === '${kind}'` }];
  const tooltip = [
    { field: 'group', type: 'nominal' },
    { field: 'seed', type: 'nominal' },
    { field: 'estimate', type: 'quantitative', format: '.3~f' },
  ];
  return {
    height: { step: 20 },
    layer: [
      {
        transform: only('untrained'),
        mark: { type: 'tick', style: 'reference', thickness: 2 },
        encoding: { x, y },
      },
      { transform: only('seed'), mark: { type: 'point', style: 'seed' }, encoding: { x, y, color, tooltip } },
      { transform: only('mean'), mark: { type: 'point', style: 'estimate' }, encoding: { x, y, color } },
    ],
  };
}

function average(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
