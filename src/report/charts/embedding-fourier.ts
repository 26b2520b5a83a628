/** Fourier power of the number embeddings by frequency, beside isotropic noise and the permutation limit. Pure. */
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

export function embeddingFourier(groups: readonly EmbeddingGroup[]): ChartSpec {
  const rows = groups.flatMap(rowsOf);
  const labels = [...new Set(groups.map(({ label }) => label))];
  return chart({
    id: 'embedding-fourier',
    title: 'Fourier power over Z/n',
    subtitle:
      'Share of the variance at each frequency k; faint dots: seeds; bars: means; grey ticks: isotropic noise and its 95 % limit under permuted numbers. A line gives k = 1 about 0.64 (n = 10), parity k = n/2.',
    summary: groups.map(describe).join(' '),
    spec: smallMultiples(rows, 'group', view(labels), {
      columns: 3,
      order: groups.map(({ name }) => name),
    }),
    table: {
      columns: ['Group', 'Seed', 'Frequency k', 'Share', 'Isotropic', '95 % limit', 'p'],
      rows: groups.flatMap((group) =>
        group.seeds.flatMap(({ seed, embedding: { fourier } }) =>
          fourier.share.map((share, k) => [
            group.name,
            seed,
            k + 1,
            readable(share),
            readable(fourier.isotropic[k]),
            readable(fourier.null95[k]),
            readable(fourier.p[k]),
          ]),
        ),
      ),
    },
  });
}

function rowsOf(group: EmbeddingGroup): Row[] {
  const shared = { group: group.name, condition: group.label };
  const spectra = group.seeds.map(({ embedding }) => embedding.fourier);
  return spectra[0].share.flatMap((_, k) => {
    const at = { ...shared, frequency: k + 1 };
    const average = (pick: (s: (typeof spectra)[number]) => number): number =>
      spectra.reduce((sum, spectrum) => sum + pick(spectrum), 0) / spectra.length;
    return [
      { ...at, kind: 'mean', share: average(({ share }) => share[k]) },
      { ...at, kind: 'null', share: spectra[0].isotropic[k] },
      { ...at, kind: 'null', share: average(({ null95 }) => null95[k]) },
      ...spectra.map(({ share }) => ({ ...at, kind: 'seed', share: share[k] })),
    ];
  });
}

function view(labels: readonly string[]) {
  const x = { ...nominal('frequency', 'Frequency k'), axis: { labelAngle: 0 } };
  const y = quantitative('share', 'Share of variance (%)', { domain: [0, 1], format: '.0%', tickCount: 5 });
  const color = conditionColor(labels, { legend: false });
  const only = (kind: string) => [{ filter: `datum.kind === '${kind}'` }];
  return {
    height: 150,
    layer: [
      { transform: only('mean'), mark: { type: 'bar', opacity: 0.55 }, encoding: { x, y, color } },
      {
        transform: only('null'),
        mark: { type: 'tick', style: 'reference', thickness: 2 },
        encoding: { x, y },
      },
      {
        transform: only('seed'),
        mark: { type: 'point', style: 'seed' },
        encoding: {
          x,
          y,
          color,
          tooltip: [
            { field: 'frequency', type: 'nominal' },
            { field: 'share', type: 'quantitative', format: '.1%' },
          ],
        },
      },
    ],
  };
}

function describe({ name, seeds }: EmbeddingGroup): string {
  const peaks = seeds.map(({ embedding: { fourier } }) => {
    const { frequency, p } = fourier.peak;
    return `k = ${frequency} with ${percent(fourier.share[frequency - 1], 0)} (p ${readable(p, 2)})`;
  });
  return `${name}: peaks over noise at ${peaks.join(', ')}.`;
}
