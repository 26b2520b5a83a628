/** The pictures of the number embeddings: the plane of each condition, and composites over its statistics. */
import type { Evidence } from '../../src/evidence/evidence.js';
import { summariesOf } from '../../src/evidence/summaries.js';
import { readable } from '../../src/report/charts/common.js';
import { heatMapChart } from '../../src/report/marks/heat-map.js';
import { type PointRow, pointRows, pointsChart } from '../../src/report/marks/points.js';
import type { ChartSpec } from '../../src/report/schema.js';
import { mean } from '../../src/tensor/sum.js';
import type { EmbeddingGroup } from './groups.js';
import { planePicture } from './plane.js';

/** Drawn beside each other, in this order. */
const SHOWN = ['order', 'order-over-namings', 'ring', 'closure', 'widest-gap'] as const;
/** Principal components beyond this are not drawn. */
const COMPONENTS = 10;

const named = (ids: readonly string[]): string[] => ids.map((id) => `embedding-pca/${id}`);

export function embeddingPictures(groups: readonly EmbeddingGroup[], evidence: Evidence): ChartSpec[] {
  const of = (ids: readonly string[]) => named(ids).flatMap((id) => summariesOf(evidence, id));
  return [
    planePicture(groups),
    pointsChart(pointRows(of(SHOWN)), {
      id: 'embedding-statistics',
      title: 'Order, ring and closure',
      note: 'Best naming: the largest over (Z/n)* minus what chance gives. Closure and gap: below 0.2 for a ring, about 1 for noise, above 1 for an open line.',
      axis: 'Statistic (dimensionless)',
      category: 'Condition',
    }),
    pointsChart(
      pointRows(of(['fourier-share']), {
        panel: (summary) => summary.condition.label,
        category: ({ scope }) => `k = ${scope.frequency ?? 0}`,
      }),
      {
        id: 'embedding-fourier',
        title: 'Fourier power over Z/n',
        note: 'Share of the variance at each frequency k; grey: isotropic noise, light: its 95 % limit under permuted numbers. A line gives k = 1 about 0.64 (n = 10), parity is k = n/2.',
        axis: 'Share of variance (%)',
        category: 'Frequency',
        share: true,
        columns: 3,
      },
    ),
    pointsChart(groups.flatMap(varianceRows), {
      id: 'embedding-variance',
      title: 'Explained variance',
      note: 'Share of variance by principal component; noise is isotropic, of the same n and d.',
      chance: '97.5 % of noise lies below',
      axis: 'Share of variance (%)',
      category: 'Component',
      share: true,
      columns: 3,
    }),
    heatMapChart(
      groups.flatMap(({ name, cosine }) =>
        cosine.flatMap((line, i) =>
          line.map((value, j) => ({ panel: name, x: String(j), y: String(i), value })),
        ),
      ),
      {
        id: 'embedding-cosine',
        title: 'Cosine similarity of the numbers',
        note: 'Centred embeddings, mean over seeds, numbers as named.',
        x: 'Number',
        y: 'Other number',
        value: 'Cosine',
        diverging: true,
        domain: [-1, 1],
        cell: Math.max(0, ...groups.map(({ n }) => n)) > 16 ? 7 : 19,
        summary: groups.map(cosineSentence).join(' '),
      },
    ),
  ];
}

/** Every component of every seed beside the limit of isotropic noise. */
function varianceRows({ name, label, runs }: EmbeddingGroup): PointRow[] {
  const { explainedHigh: high } = runs[0].measurement;
  const components = Math.min(COMPONENTS, Math.max(...runs.map((run) => run.measurement.explained.length)));
  return Array.from({ length: components }, (_, c) => {
    const values = runs.map(({ subject: { run, seed }, measurement: { explained } }) => ({
      run,
      seed,
      value: explained[c] ?? 0,
    }));
    return {
      panel: name,
      category: String(c + 1),
      condition: label,
      name,
      values,
      mean: mean(values.map(({ value }) => value)),
      ...(high[c] === undefined ? {} : { chance: high[c] }),
    };
  });
}

function cosineSentence({ name, n, cosine }: EmbeddingGroup): string {
  const apart = (steps: number): string => {
    const found = cosine.slice(0, n - steps).map((line, i) => line[i + steps]);
    return readable(mean(found), 2);
  };
  const far = Math.floor(n / 2);
  return `${name}: mean cosine ${apart(1)} one step apart, ${apart(far)} ${far} apart, ${apart(n - 1)} between 0 and ${n - 1}.`;
}
