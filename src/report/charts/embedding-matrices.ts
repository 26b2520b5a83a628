/** Heat maps of the numbers against each other: cosine of the centred embeddings, and squared distance. Pure. */
import type { ChartSpec } from '../schema.js';
import { chart, counted, heatmap, readable, type Row, smallMultiples } from './common.js';
import type { EmbeddingGroup } from './embedding-data.js';

export function embeddingCosine(groups: readonly EmbeddingGroup[]): ChartSpec {
  return matrices(groups, {
    id: 'embedding-cosine',
    title: 'Cosine similarity of the numbers',
    value: 'Cosine',
    scale: 'diverging',
    domain: [-1, 1],
    pick: ({ cosine }) => cosine,
  });
}

export function embeddingDistances(groups: readonly EmbeddingGroup[]): ChartSpec {
  return matrices(groups, {
    id: 'embedding-distances',
    title: 'Squared distance of the numbers',
    value: 'Squared distance over its mean',
    scale: 'sequential',
    pick: ({ distances }) => distances,
  });
}

interface MatrixChart {
  readonly id: string;
  readonly title: string;
  readonly value: string;
  readonly scale: 'sequential' | 'diverging';
  readonly domain?: readonly [number, number];
  readonly pick: (group: EmbeddingGroup) => readonly (readonly number[])[];
}

function matrices(groups: readonly EmbeddingGroup[], options: MatrixChart): ChartSpec {
  const { id, title, value, scale, domain, pick } = options;
  const rows = groups.flatMap((group) =>
    pick(group).flatMap((line, i) =>
      line.map((entry, j): Row => ({ group: group.name, i, j, value: Number(entry.toPrecision(4)) })),
    ),
  );
  const widest = Math.max(0, ...groups.map(({ n }) => n));
  const seeds = groups.reduce((total, group) => total + group.seeds.length, 0);
  return chart({
    id,
    title,
    subtitle: `Centred embeddings, mean over seeds (${counted(seeds, 'run')} in ${counted(groups.length, 'group')}).`,
    summary: groups.map((group) => describe(group, pick(group), value)).join(' '),
    spec: smallMultiples(
      rows,
      'group',
      heatmap({
        rows,
        x: { field: 'j', title: 'Number' },
        y: { field: 'i', title: 'Number' },
        value: { field: 'value', title: value, format: '.1f' },
        scale,
        ...(domain === undefined ? {} : { domain }),
        cell: widest > 16 ? 7 : 19,
      }),
      { columns: 3, order: groups.map(({ name }) => name) },
    ),
    table: {
      columns: ['Group', 'Number', ...Array.from({ length: widest }, (_, j) => String(j))],
      rows: groups.flatMap((group) =>
        pick(group).map((line, i) => [
          group.name,
          i,
          ...Array.from({ length: widest }, (_, j) => (j < line.length ? readable(line[j]) : '')),
        ]),
      ),
    },
  });
}

/** The two numbers nearest to and farthest from each other, and neighbours against all. */
function describe(
  { name, n }: EmbeddingGroup,
  entries: readonly (readonly number[])[],
  value: string,
): string {
  const ofSteps = (steps: number): number => {
    const found = entries.slice(0, n - steps).map((line, i) => line[i + steps]);
    return found.reduce((sum, entry) => sum + entry, 0) / found.length;
  };
  const far = Math.floor(n / 2);
  return `${name}: ${value.toLowerCase()} ${readable(ofSteps(1), 2)} one step apart, ${readable(ofSteps(far), 2)} ${far} apart, ${readable(ofSteps(n - 1), 2)} between 0 and ${n - 1}.`;
}
