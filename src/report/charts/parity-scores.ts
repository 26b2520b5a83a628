/** Leave-pair-out scores of the number embeddings: parity by condition, and parity beside other labellings. Pure. */
import { meanInterval } from '../../analysis/intervals.js';
import type { ChartSpec } from '../schema.js';
import { chart, counted, finite, readable } from './common.js';
import type { LabellingName, LabellingNumbers, ParityGroup, ParitySeed } from './parity-data.js';
import { type PanelPoint, parityPanels } from './parity-panels.js';

const LEVEL = 0.95;

export function parityScores(groups: readonly ParityGroup[]): ChartSpec {
  const points = groups.flatMap((group): PanelPoint[] => {
    const shared = { panel: 'parity', category: group.name, condition: group.label };
    return [
      ...group.seeds.flatMap(({ seed, embedding, untrained }): PanelPoint[] => [
        { ...shared, kind: 'seed', estimate: embedding.parity.share, seed },
        { ...shared, kind: 'untrained', estimate: untrained.parity.share, seed },
        { ...shared, kind: 'null95', estimate: embedding.parity.null95, seed },
      ]),
      { ...shared, kind: 'mean', ...interval(group.seeds.map(({ embedding }) => embedding.parity.share)) },
    ];
  });
  const runs = groups.reduce((total, { seeds }) => total + seeds.length, 0);
  const numbers = [...new Set(groups.map(({ n }) => n))].join(' and ');
  return chart({
    id: 'parity-scores',
    title: 'Can a probe tell even from odd numbers it has not seen?',
    subtitle: `${counted(runs, 'run')}, ${numbers} numbers. Dots: each run, large: mean with a 95 % interval. Grey rings: the same runs before training. Grey strokes: 95 % of random labellings of the same embedding stay below. The line is chance; below it neighbours are alike, as on a line or ring.`,
    summary: groups
      .map(
        (group) =>
          `${group.name}: mean parity score ${readable(
            average(group, (seed) => seed.embedding.parity.share),
            2,
          )}, before training ${readable(
            average(group, (seed) => seed.untrained.parity.share),
            2,
          )}, 95 % of random labellings below ${readable(
            average(group, (seed) => seed.embedding.parity.null95),
            2,
          )}.`,
      )
      .join(' '),
    headline: true,
    spec: parityPanels({
      points,
      title: 'Held-out pairs in the right order (%)',
      axis: { domain: [0, 1], format: '.0%', tickCount: 5 },
      line: 0.5,
    }),
    table: {
      columns: ['Group', 'Seed', 'Score', 'p', 'Null mean', 'Null 95 %', 'Before training', 'Affine rank'],
      rows: groups.flatMap((group) =>
        group.seeds.map(({ seed, embedding, untrained }) => [
          group.name,
          seed,
          readable(embedding.parity.share),
          readable(embedding.parity.p),
          readable(embedding.parity.nullMean),
          readable(embedding.parity.null95),
          readable(untrained.parity.share),
          embedding.affineRank,
        ]),
      ),
    },
  });
}

const LABELLING_TITLES: Readonly<Record<LabellingName, string>> = {
  parity: 'Even or odd',
  half: 'Low or high half',
  residue3: 'Residue modulo 3 (control)',
  prime: 'Prime or not (control)',
};

/** Selectivity: the score of a labelling less that of random labels of the same class sizes. */
export function paritySelectivity(groups: readonly ParityGroup[]): ChartSpec {
  const names = Object.keys(LABELLING_TITLES) as LabellingName[];
  const excess = ({ share, nullMean }: LabellingNumbers): number => share - nullMean;
  const points = names.flatMap((name) =>
    groups.flatMap((group): PanelPoint[] => {
      const shared = { panel: LABELLING_TITLES[name], category: group.name, condition: group.label };
      return [
        ...group.seeds.flatMap(({ seed, embedding, untrained }): PanelPoint[] => [
          { ...shared, kind: 'seed', estimate: excess(embedding[name]), seed },
          { ...shared, kind: 'untrained', estimate: excess(untrained[name]), seed },
        ]),
        { ...shared, kind: 'mean', ...interval(group.seeds.map(({ embedding }) => excess(embedding[name]))) },
      ];
    }),
  );
  const runs = groups.reduce((total, { seeds }) => total + seeds.length, 0);
  return chart({
    id: 'parity-selectivity',
    title: 'Is parity special? Other labellings of the same numbers',
    subtitle: `${counted(runs, 'run')}. Selectivity: score less the mean score of random labels (control); 0 is chance, 0.5 the most. Dots: runs, large: mean with a 95 % interval; grey rings: before training.`,
    summary: names
      .map((name) => {
        const parts = groups.map(
          (group) =>
            `${group.name} ${readable(
              average(group, (seed) => excess(seed.embedding[name])),
              2,
            )}`,
        );
        return `${LABELLING_TITLES[name]}: ${parts.join('; ')}.`;
      })
      .join(' '),
    spec: parityPanels({
      points,
      title: 'Score - random labels',
      axis: { domain: [-0.5, 0.5], format: '.2~f', tickCount: 5 },
      line: 0,
    }),
    table: {
      columns: ['Group', 'Seed', ...names.map((name) => LABELLING_TITLES[name]), 'Value (R²)'],
      rows: groups.flatMap((group) =>
        group.seeds.map(({ seed, embedding }) => [
          group.name,
          seed,
          ...names.map((name) => readable(excess(embedding[name]))),
          readable(embedding.value.r2),
        ]),
      ),
    },
  });
}

export function interval(values: readonly number[]): {
  readonly estimate: number;
  readonly low: number | null;
  readonly high: number | null;
} {
  const { estimate, low, high } = meanInterval(values, LEVEL);
  return { estimate, low: finite(low), high: finite(high) };
}

function average({ seeds }: ParityGroup, pick: (seed: ParitySeed) => number): number {
  return seeds.reduce((total, seed) => total + pick(seed), 0) / seeds.length;
}
