/** Share of seeds that learned SUM over model sizes: a line for each arm, with its exact interval. Pure and browser-safe. */
import { clopperPearsonInterval } from '../../analysis/statistics/intervals.js';
import { SMALL_START } from '../../evidence/claims-file.js';
import { type Condition, hasLearned, PRIMARY } from '../../evidence/conditions.js';
import { groupBy } from '../../evidence/group-by.js';
import type { ChartSpec } from '../schema.js';
import { accuracyAxis, chart, inlineData, logarithmic, percent, type Row, type Spec } from './common.js';

/** Fewer sizes than this make no line. */
const FEWEST_SIZES = 3;

interface Size {
  readonly panel: string;
  readonly arm: string;
  readonly parameters: number;
  readonly learned: number;
  readonly runs: number;
}

/** Nothing where no arm was trained at three sizes or more. */
export function learnedBySize(conditions: readonly Condition[]): ChartSpec[] {
  const sizes = [...groupBy(conditions.flatMap(sizesOf), ({ panel, arm }) => `${panel} ${arm}`).values()]
    .filter((own) => new Set(own.map(({ parameters }) => parameters)).size >= FEWEST_SIZES)
    .flat();
  if (sizes.length === 0) return [];
  const rows = sizes.map(({ panel, arm, parameters, learned, runs }): Row => {
    const { low, high } = clopperPearsonInterval(learned, runs, 0.95);
    return { panel, arm, parameters, share: learned / runs, low, high, learned, runs };
  });
  const arms = [...new Set(sizes.map(({ arm }) => arm))].sort();
  const panels = [...new Set(sizes.map(({ panel }) => panel))].sort();
  const all = sizes.map(({ parameters }) => parameters);
  const x = logarithmic('parameters', 'Parameters', [Math.min(...all) * 0.9, Math.max(...all) * 1.1], {
    base: 2,
    format: ',d',
  });
  const shared = {
    x,
    color: {
      field: 'arm',
      type: 'nominal',
      title: null,
      scale: { domain: arms },
      legend: { orient: 'top', direction: 'horizontal', columns: 2, symbolLimit: 0 },
    },
  };
  return [
    chart({
      id: 'learned-by-size',
      title: `Share of seeds that learned ${PRIMARY}, by size`,
      subtitle:
        'Each point is all seeds of one arm and size at the end of training, with an exact 95 % interval; larger start: the token embeddings begin with a larger spread.',
      summary: arms
        .map((arm) =>
          describe(
            arm,
            sizes.filter((size) => size.arm === arm),
          ),
        )
        .join(' '),
      headline: true,
      spec: sharesBySize(rows, { panels, height: 240, interval: shared, line: shared }),
      table: {
        columns: ['Place', 'Arm', 'Parameters', 'Learned', 'Of'],
        rows: sizes.map(({ panel, arm, parameters, learned, runs }) => [
          panel,
          arm,
          parameters,
          learned,
          runs,
        ]),
      },
    }),
  ];
}

function sizesOf({ design, parameters, runs }: Condition): Size[] {
  if (!design.tasks.includes(PRIMARY)) return [];
  const known = runs.filter((run) => run.learned !== undefined && hasLearned(run) !== null);
  if (known.length === 0) return [];
  const start = design.embeddingInit === SMALL_START ? '' : `, start ${design.embeddingInit}`;
  const before = design.startKind === 'scratch' ? '' : `, ${design.startKind} ${design.startTasks}`;
  return [
    {
      panel: `${design.regime}, depth ${design.depth}, ${design.steps} steps`,
      arm: `${design.tasks.join('+')}${start}${before}`,
      parameters,
      learned: known.filter((run) => hasLearned(run) === true).length,
      runs: known.length,
    },
  ];
}

function describe(arm: string, sizes: readonly Size[]): string {
  const ascending = [...sizes].sort((a, b) => a.parameters - b.parameters);
  const parts = ascending.map(
    ({ parameters, learned, runs }) => `${parameters} parameters ${percent(learned / runs, 0)} of ${runs}`,
  );
  return `${arm}: ${parts.join(', ')}.`;
}

/**
 * A panel a place: the share of seeds that learned as a line, and its interval behind it.
 * @param rows - `panel`, `arm`, `parameters`, `share`, `low`, `high`, `learned`, `runs`
 * @param options.interval - encoding of the intervals, and `line` of the lines, but for y
 */
export function sharesBySize(
  rows: readonly Row[],
  {
    panels,
    height,
    interval,
    line,
  }: {
    readonly panels: readonly string[];
    readonly height: number;
    readonly interval: Spec;
    readonly line: Spec;
  },
): Spec {
  return {
    data: inlineData(rows),
    facet: { field: 'panel', type: 'nominal', title: null, sort: [...panels] },
    columns: 1,
    spec: {
      height,
      layer: [
        {
          mark: { type: 'rule', style: 'interval', opacity: 0.35 },
          encoding: {
            ...interval,
            y: accuracyAxis('low', 'Seeds that learned (%)'),
            y2: { field: 'high' },
          },
        },
        {
          mark: { type: 'line', point: true },
          encoding: {
            ...line,
            y: accuracyAxis('share', 'Seeds that learned (%)'),
            tooltip: [
              { field: 'arm', type: 'nominal' },
              { field: 'parameters', type: 'quantitative', format: ',d' },
              { field: 'learned', type: 'quantitative' },
              { field: 'runs', type: 'quantitative', title: 'of' },
            ],
          },
        },
      ],
    },
  };
}
