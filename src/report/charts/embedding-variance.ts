/** Explained variance by principal component, beside isotropic noise of the same number and width. Pure. */
import type { ChartSpec } from '../schema.js';
import {
  chart,
  conditionColor,
  nominal,
  percent,
  quantitative,
  readable,
  type Row,
  smallMultiples,
} from './common.js';
import type { EmbeddingGroup } from './embedding-data.js';

/** Components beyond this are not drawn; the table has them all. */
const SHOWN = 10;

export function embeddingVariance(groups: readonly EmbeddingGroup[]): ChartSpec {
  const rows = groups.flatMap(rowsOf);
  const labels = [...new Set(groups.map(({ label }) => label))];
  const most = rows.reduce(
    (top, { high, share }) => Math.max(top, Number(high ?? 0), Number(share ?? 0)),
    0.1,
  );
  return chart({
    id: 'embedding-variance',
    title: 'Explained variance',
    subtitle:
      'Share of variance by principal component; dots: seeds; grey bars: where 95 % of isotropic noise of the same n and d lies.',
    summary: groups.map(describe).join(' '),
    spec: smallMultiples(rows, 'group', view(labels, most), {
      columns: 3,
      order: groups.map(({ name }) => name),
    }),
    table: {
      columns: ['Group', 'Component', 'Mean share', 'Noise 2.5 %', 'Noise 97.5 %'],
      rows: groups.flatMap(({ name, explained }) =>
        explained.mean.map((share, c) => [
          name,
          c + 1,
          readable(share),
          readable(explained.nullLow[c]),
          readable(explained.nullHigh[c]),
        ]),
      ),
    },
  });
}

function rowsOf({ name, label, seeds, explained }: EmbeddingGroup): Row[] {
  const shared = { group: name, condition: label };
  return explained.mean.slice(0, SHOWN).flatMap((_, c) => [
    {
      ...shared,
      kind: 'null',
      component: c + 1,
      low: explained.nullLow[c] ?? null,
      high: explained.nullHigh[c] ?? null,
      share: null,
    },
    ...seeds.map(({ embedding }) => ({
      ...shared,
      kind: 'seed',
      component: c + 1,
      low: null,
      high: null,
      share: embedding.explained[c] ?? 0,
    })),
  ]);
}

function view(labels: readonly string[], most: number) {
  const x = { ...nominal('component', 'Principal component'), axis: { labelAngle: 0 } };
  const y = (field: string) =>
    quantitative(field, 'Share of variance (%)', { domain: [0, most], format: '.0%', tickCount: 5 });
  const only = (kind: string) => [{ filter: `datum.kind === '${kind}'` }];
  return {
    height: 150,
    layer: [
      {
        transform: only('null'),
        mark: { type: 'bar', style: 'reference', strokeWidth: 0, opacity: 0.3, size: 12 },
        encoding: { x, y: y('low'), y2: { field: 'high' } },
      },
      {
        transform: only('seed'),
        mark: { type: 'point', filled: true, size: 30, opacity: 0.6 },
        encoding: { x, y: y('share'), color: conditionColor(labels, { legend: false }) },
      },
    ],
  };
}

function describe({ name, explained: { mean, nullLow, nullHigh } }: EmbeddingGroup): string {
  const first = `${percent(mean[0], 0)} (noise ${percent(nullLow[0], 0)} to ${percent(nullHigh[0], 0)})`;
  return `${name}: the first component holds ${first}.`;
}
