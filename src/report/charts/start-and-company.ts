/**
 * Share of seeds that learned SUM over model sizes, alone and beside MAX and MED, at the usual start of the embeddings and at a
 * larger one, a panel for each depth: whether company or the start decides. Pure and browser-safe.
 */
import { clopperPearsonInterval } from '../../analysis/statistics/intervals.js';
import { SMALL_START } from '../../evidence/claims-file.js';
import { type Condition, hasLearned, PRIMARY } from '../../evidence/conditions.js';
import { groupBy } from '../../evidence/group-by.js';
import { grouped } from '../../evidence/results.js';
import type { ChartSpec } from '../schema.js';
import { chart, logarithmic, type Row } from './common.js';
import { sharesBySize } from './learned-by-size.js';

export const START_AND_COMPANY = 'start-and-company';

/** Fewer sizes than this show no course. */
const FEWEST_SIZES = 2;
/** Share of a size by which arms stand apart. */
const BESIDE = 0.02;
const JOINT = ['SUM', 'MAX', 'MED'];

/** Seeds of one arm at one size. */
export interface StartCount {
  readonly depth: number;
  /** budget in updates */
  readonly steps: number;
  readonly company: boolean;
  /** standard deviation of the token embeddings at the start */
  readonly embeddingInit: number;
  readonly parameters: number;
  readonly learned: number;
  readonly runs: number;
}

/** SUM alone and in MAX+MED+SUM from scratch, nothing held out, two or three operands modulo 10: by depth, arm and size. */
export function startCounts(conditions: readonly Condition[]): StartCount[] {
  const single = conditions.flatMap(({ design, parameters, runs }): StartCount[] => {
    const isJoint =
      JOINT.length === design.tasks.length && JOINT.every((task) => design.tasks.includes(task));
    const isAlone = design.tasks.join() === PRIMARY;
    const isThere = design.regime === 'full' && design.startKind === 'scratch' && design.generated;
    if (!isThere || !(isJoint || isAlone)) return [];
    const known = runs.filter((run) => run.learned !== undefined && hasLearned(run) !== null);
    if (known.length === 0) return [];
    const { depth, steps, embeddingInit } = design;
    const learned = known.filter((run) => hasLearned(run) === true).length;
    return [{ depth, steps, company: isJoint, embeddingInit, parameters, learned, runs: known.length }];
  });
  const counts = [...groupBy(single, placeOf).values()].map((own): StartCount => ({
    ...own[0],
    learned: own.reduce((sum, { learned }) => sum + learned, 0),
    runs: runsOf(own),
  }));
  const order = (a: StartCount, b: StartCount): number =>
    a.depth - b.depth ||
    a.steps - b.steps ||
    Number(a.company) - Number(b.company) ||
    a.embeddingInit - b.embeddingInit ||
    a.parameters - b.parameters;
  // the budget of most runs counts, at each depth: the choice looks at no outcome
  return [...groupBy(counts, ({ depth }) => String(depth)).values()]
    .flatMap((own) => {
      const budgets = [...groupBy(own, ({ steps }) => String(steps)).values()];
      return budgets.sort((a, b) => runsOf(b) - runsOf(a) || b[0].steps - a[0].steps)[0];
    })
    .sort(order);
}

const placeOf = ({ learned: _l, runs: _r, ...place }: StartCount): string => JSON.stringify(place);
const runsOf = (some: readonly StartCount[]): number => some.reduce((sum, { runs }) => sum + runs, 0);

/** How a count is named in the picture. */
interface StartNames {
  /** `SUM with MAX and MED, start 0.5` */
  readonly arm: (count: StartCount) => string;
  /** `Depth 1, 8,000 steps` */
  readonly panel: (count: StartCount) => string;
}

/** Where each depth has a larger start of its own, they are one arm in the legend, and the panel says which it is. */
function startNames(counts: readonly StartCount[]): StartNames {
  const larger = counts.filter(({ embeddingInit }) => embeddingInit !== SMALL_START);
  const startsOf = (some: readonly StartCount[]): number[] => [
    ...new Set(some.map(({ embeddingInit }) => embeddingInit)),
  ];
  const byDepth = groupBy(larger, ({ depth }) => String(depth));
  const isOneArm =
    startsOf(larger).length > 1 && [...byDepth.values()].every((own) => startsOf(own).length === 1);
  return {
    arm: ({ company, embeddingInit }) => {
      const start = isOneArm && embeddingInit !== SMALL_START ? 'larger start' : `start ${embeddingInit}`;
      return `${PRIMARY} ${company ? 'with MAX and MED' : 'alone'}, ${start}`;
    },
    panel: ({ depth, steps }) => {
      const own = isOneArm ? byDepth.get(String(depth)) : undefined;
      const start = own === undefined ? '' : `, larger start ${own[0].embeddingInit}`;
      return `Depth ${depth}, ${grouped(steps)} steps${start}`;
    },
  };
}

/** Nothing where no arm was trained at several sizes, or all at one start. */
export function startAndCompany(conditions: readonly Condition[]): ChartSpec[] {
  const counts = startCounts(conditions);
  const sizes = (own: readonly StartCount[]): number => new Set(own.map(({ parameters }) => parameters)).size;
  const starts = new Set(counts.map(({ embeddingInit }) => embeddingInit));
  if (starts.size < 2 || sizes(counts) < FEWEST_SIZES) return [];
  const { arm: armText, panel: panelText } = startNames(counts);
  const arms = [...new Set(counts.map(armText))];
  const rows = counts.map((count): Row => {
    const { parameters, learned, runs } = count;
    const { low, high } = clopperPearsonInterval(learned, runs, 0.95);
    return {
      panel: panelText(count),
      arm: armText(count),
      parameters,
      // beside each other, so that no interval hides another
      at: parameters * (1 + BESIDE * (arms.indexOf(armText(count)) - (arms.length - 1) / 2)),
      share: learned / runs,
      low,
      high,
      learned,
      runs,
    };
  });
  const panels = [...new Set(rows.map(({ panel }) => String(panel)))];
  const all = counts.map(({ parameters }) => parameters);
  const x = logarithmic('at', 'Parameters', [Math.min(...all) * 0.85, Math.max(...all) * 1.15], {
    base: 2,
    format: ',d',
  });
  const kinds = arms.map((arm) => counts.find((count) => armText(count) === arm));
  const shared = {
    x,
    color: {
      field: 'arm',
      type: 'nominal',
      title: null,
      // one hue for each company; the larger start is drawn full, the usual one dashed
      scale: {
        domain: arms,
        range: kinds.map((kind) => (kind?.company === true ? '#d97706' : '#2563eb')),
      },
      legend: { orient: 'top', direction: 'horizontal', columns: 2, symbolLimit: 0, symbolType: 'stroke' },
    },
    strokeDash: {
      field: 'arm',
      type: 'nominal',
      title: null,
      scale: {
        domain: arms,
        range: kinds.map((kind) => (kind?.embeddingInit === SMALL_START ? [5, 4] : [1, 0])),
      },
      legend: { orient: 'top', direction: 'horizontal', columns: 2, symbolLimit: 0, symbolType: 'stroke' },
    },
  };
  return [
    chart({
      id: START_AND_COMPANY,
      title: `Who learns ${PRIMARY}: alone, in company, and from a larger start`,
      subtitle: `Share of seeds that learned ${PRIMARY}, by parameters, at the end of training; exact (Clopper-Pearson) 95 % intervals. Start: standard deviation of the token embeddings before training; GPT-2's is ${SMALL_START}.`,
      summary: panels
        .map((panel) => {
          const own = counts.filter((count) => panelText(count) === panel);
          return `${panel}: ${[...groupBy(own, armText)].map(describe).join('; ')}.`;
        })
        .join(' '),
      headline: true,
      spec: sharesBySize(rows, {
        panels,
        height: 260,
        interval: { x: shared.x, color: shared.color },
        line: shared,
      }),
      table: {
        columns: ['Place', 'Arm', 'Parameters', 'Learned', 'Of', 'Low', 'High'],
        rows: rows.map(({ panel, arm, parameters, learned, runs, low, high }) =>
          [panel, arm, parameters, learned, runs, low, high].map((cell) => cell as string | number),
        ),
      },
    }),
  ];
}

function describe([arm, own]: readonly [string, readonly StartCount[]]): string {
  const parts = own.map(({ parameters, learned, runs }) => `${learned} of ${runs} at ${grouped(parameters)}`);
  return `${arm}: ${parts.join(', ')} parameters`;
}
