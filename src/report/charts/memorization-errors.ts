/** Wrong answers by how far they are off, modulo n. Pure. */
import { signedDifference } from '../../analysis/memorization-index.js';
import type { ChartSpec } from '../schema.js';
import { chart, conditionColor, percent, quantitative, type Row, smallMultiples } from './common.js';
import { type MemorizationCondition, cellOf } from './memorization-data.js';
import { heldArity } from './memorization-gap.js';

interface Errors {
  readonly panel: string;
  readonly condition: string;
  readonly n: number;
  /** wrong answers over all answers */
  readonly wrong: number;
  /** wrong answers that are no number, over all wrong answers */
  readonly outside: number;
  /** [n] share of the wrong answers by difference; 0 at 0 */
  readonly shares: readonly number[];
}

/** Held-out operands where there are any, otherwise the trained ones. */
export function errorsChart(conditions: readonly MemorizationCondition[]): ChartSpec {
  const all = conditions.flatMap(errorsOf);
  const rows = all.flatMap(({ panel, condition, n, shares }) =>
    shares.flatMap((share, difference): Row[] =>
      difference === 0
        ? []
        : [{ panel, condition, difference: signedDifference(difference, n), share, even: 1 / (n - 1) }],
    ),
  );
  const labels = [...new Set(all.map(({ condition }) => condition))];
  const none = conditions.filter((condition) => !all.some((one) => one.condition === condition.label));
  const last = none.length === 0 ? '' : ` No wrong answer: ${none.map(({ label }) => label).join('; ')}.`;
  return chart({
    id: 'memorization-errors',
    title: 'How wrong answers are wrong',
    subtitle: `Answers on held-out operands, or on trained ones where nothing is held out: wrong ones by their distance from the right one, around the circle of n numbers, all runs of a condition together; dashed: spread evenly. Peaks at plus or minus 1: close misses. Peaks at multiples of a divisor of n: the answer is known up to a coset.${last}`,
    summary:
      all.length === 0 ? `No wrong answer was measured.${last}` : `${all.map(describe).join(' ')}${last}`,
    spec: smallMultiples(rows, 'panel', view(labels), { columns: 3, order: all.map(({ panel }) => panel) }),
    table: {
      columns: ['Panel', 'Difference', 'Share of wrong answers'],
      rows: rows.map(({ panel, difference, share }) => [
        String(panel),
        Number(difference),
        Number(Number(share).toPrecision(4)),
      ]),
    },
  });
}

function errorsOf(condition: MemorizationCondition): Errors[] {
  const { label, primary, n, runs, level } = condition;
  const arity = heldArity(condition);
  const cells = runs.flatMap((run) => cellOf(run, primary, arity, level !== null) ?? []);
  const sums = new Array<number>(n).fill(0);
  let wrong = 0;
  let outside = 0;
  for (const cell of cells) {
    cell.differences.forEach((share, difference) => {
      if (difference > 0) sums[difference] += share;
    });
    outside += cell.outside;
    wrong += 1 - cell.accuracy;
  }
  if (n < 2 || wrong < 1e-9) return [];
  const what = level === null ? 'trained' : 'held-out';
  return [
    {
      panel: `${label}: ${what}, ${percent(wrong / cells.length, 0)} wrong`,
      condition: label,
      n,
      wrong: wrong / cells.length,
      outside: outside / wrong,
      shares: sums.map((sum) => Number((sum / wrong).toPrecision(4))),
    },
  ];
}

function view(labels: readonly string[]) {
  const x = {
    field: 'difference',
    type: 'ordinal',
    title: 'Answer minus right answer, modulo n',
    axis: { labelAngle: 0 },
  };
  const y = (field: string) =>
    quantitative(field, 'Share of wrong answers', { zero: true, format: '.0%', tickCount: 4 });
  return {
    height: 130,
    layer: [
      {
        mark: { type: 'bar', opacity: 0.8 },
        encoding: {
          x,
          y: y('share'),
          color: conditionColor(labels, { legend: false }),
          tooltip: [
            { field: 'difference', type: 'ordinal' },
            { field: 'share', type: 'quantitative', format: '.1%' },
          ],
        },
      },
      { mark: { type: 'rule', style: 'reference' }, encoding: { y: { ...y('even'), aggregate: 'max' } } },
    ],
  };
}

/** The most frequent error, and how many answers are no number. */
function describe({ panel, shares, outside, n }: Errors): string {
  const most = shares.reduce((best, share, difference) => (share > shares[best] ? difference : best), 0);
  const noNumber = outside > 0.005 ? ` ${percent(outside, 0)} are no number.` : '';
  return `${panel}: most often off by ${signedDifference(most, n)} (${percent(shares[most], 0)} of wrong answers, ${percent(1 / (n - 1), 0)} if even).${noNumber}`;
}
