/** The pictures of the memorization probe: composites over its statistics, and two maps of what the answers are. Pure. */
import { signedDifference } from '../../src/analysis/memorization-index.js';
import type { Evidence } from '../../src/evidence/evidence.js';
import { groupBy } from '../../src/evidence/group-by.js';
import type { Scope } from '../../src/evidence/scope.js';
import { groupName, groupsOf, summariesOf, type Summary } from '../../src/evidence/summaries.js';
import { percent } from '../../src/report/charts/common.js';
import { type HeatCell, heatMapChart } from '../../src/report/marks/heat-map.js';
import { pointRows, pointsChart, type PointsText } from '../../src/report/marks/points.js';
import { numberOf } from '../../src/report/report-json.js';
import type { ChartSpec } from '../../src/report/schema.js';
import { mean } from '../../src/tensor/sum.js';
import type { MeasuredMemorization } from './controls.js';
import { heldArity, NEW_POSITIONS } from './rows.js';

/** Last checkpoints of a condition that have, or have not, learned SUM. */
interface Group {
  readonly name: string;
  readonly n: number;
  readonly runs: readonly MeasuredMemorization[];
}

/** @param last - the last checkpoint of every run, by condition and seed */
export function memorizationPictures(last: readonly MeasuredMemorization[], evidence: Evidence): ChartSpec[] {
  const groups = measuredGroups(last, evidence);
  const byCondition = new Map(last.map(({ subject, measurement }) => [subject.condition, measurement]));
  const of = (id: string) => summariesOf(evidence, `memorization/${id}`);
  const gap = of('accuracy').filter(({ condition, scope: { operation, arity } }) => {
    const m = byCondition.get(condition.id);
    return m !== undefined && m.holdout !== null && operation === m.primary && arity === heldArity(m);
  });
  const points = (summaries: readonly Summary[], place: Parameters<typeof pointRows>[1], text: PointsText) =>
    summaries.length === 0 ? [] : [pointsChart(pointRows(summaries, place), text)];
  return [
    ...points(
      gap,
      { panel: ({ scope }) => levelText(scope) },
      {
        id: 'memorization-gap',
        title: 'Does it know the rule, or only the operands it has seen?',
        note: `Accuracy on ${arityText(gap)} that training showed, and on those it never showed in any order. As good on both: a rule was found. Down at the grey tick, one fixed answer: memorized.`,
        axis: 'Accuracy (% of operand sets)',
        category: 'Condition',
        share: true,
        headline: true,
      },
    ),
    ...points(
      of('index'),
      { panel: ({ scope: { arity, level } }) => `${arity ?? ''} operands, level ${level ?? ''}` },
      {
        id: 'memorization-index',
        title: 'Memorization index',
        note: `The accuracy that is lost on held-out operands, over the accuracy above one fixed answer, with ${heldText(last)} held out. 0: nothing is lost, the model has a rule. 1: it knows only what it saw. Below 0: held-out operands are answered better.`,
        axis: 'Memorization index (0 rule, 1 memory)',
        category: 'Condition',
        reference: 1,
      },
    ),
    ...pairMaps(groups),
    errorMap(groups),
    ...points(
      of('modulo'),
      {
        panel: ({ scope, learned }) => `${levelText(scope)}${unlearned(learned)}`,
        category: ({ scope }) => `modulo ${scope.divisor ?? ''}`,
      },
      {
        id: 'memorization-cosets',
        title: 'Right up to a coset',
        note: 'Two operands: share of answers that are right modulo each proper divisor of n; grey ticks: the best fixed answer. Right modulo a divisor and not altogether: part of the structure of addition is known.',
        axis: 'Right modulo the divisor (%)',
        category: 'Answer taken',
        share: true,
      },
    ),
    ...points(
      of('beyond'),
      { panel: ({ learned }) => `Right result tokens${unlearned(learned)}`, category: beyondText },
      {
        id: 'memorization-beyond',
        title: 'Beyond training: more operands, deeper nesting',
        note: `No held-out operands among them. New positions: the prompt is longer than any in training, so a failure may be the position and not the arithmetic. Nested: the steps before are given. New expressions: every reduction in them was trained, the whole was not; shown ones, which are shorter, stand beside them. Answers that are no number: ${noNumberText(of('no-number'))}.`,
        axis: 'Accuracy (% of result tokens)',
        category: 'Prompts',
        share: true,
        columns: 1,
      },
    ),
  ];
}

const unlearned = (learned: boolean | null): string => (learned === false ? ', not learned' : '');

const levelText = ({ level }: Scope): string =>
  level === 'trained' ? 'Trained operands' : `Held-out operands (level ${level ?? ''})`;

function arityText(summaries: readonly Summary[]): string {
  const arities = [...new Set(summaries.map(({ scope }) => scope.arity ?? 0))].sort((a, b) => a - b);
  return `${arities.join(' or ')} operands`;
}

/** `9.1 % of pairs`, which hold-out being named where it is triples. */
function heldText(last: readonly MeasuredMemorization[]): string {
  const all = last.flatMap(({ measurement: { holdout } }) =>
    holdout === null
      ? []
      : [`${percent(holdout.share)} of ${holdout.level === 'triple' ? 'triples' : 'pairs'}`],
  );
  return [...new Set(all)].join(' or ');
}

function beyondText({ scope: { arity, level, position } }: Summary): string {
  const what = arity === undefined ? (level ?? '') : `${arity} operands`;
  return position === NEW_POSITIONS ? `${what}, ${NEW_POSITIONS}` : what;
}

/** `4 operands: 97 %, 5 operands: 3 %`: right after the positions that training showed a model ends rather than answers. */
function noNumberText(summaries: readonly Summary[]): string {
  return [...groupBy(summaries, beyondText)]
    .map(([what, own]) => {
      const values = own.flatMap((summary) => summary.values.map(({ value }) => value));
      return `${what}: ${percent(mean(values), 0)}`;
    })
    .join(', ');
}

function measuredGroups(last: readonly MeasuredMemorization[], { conditions }: Evidence): Group[] {
  const measured = new Map(last.map((one) => [one.subject.id, one]));
  return groupsOf(conditions).flatMap((group): Group[] => {
    const runs = group.runs.flatMap(({ id }) => measured.get(id) ?? []);
    return runs.length === 0 ? [] : [{ name: groupName(group), n: runs[0].measurement.modulus, runs }];
  });
}

/** Every pair of operands as a cell: mean over the runs that were trained on it, and over those that it was held out of. */
function pairMaps(groups: readonly Group[]): ChartSpec[] {
  const maps = groups.flatMap(({ name, n, runs }) => {
    const tables = runs.flatMap(({ measurement: { pairs, holdout } }) =>
      pairs === null ? [] : [{ pairs, held: new Set((holdout?.sets ?? []).map((set) => set.join())) }],
    );
    const cells = (isHeld: boolean): HeatCell[] =>
      Array.from({ length: n * n }, (_, at) => [Math.floor(at / n), at % n] as const).flatMap(([a, b]) => {
        const key = [a, b].sort((x, y) => x - y).join();
        const values = tables
          .filter(({ held }) => held.has(key) === isHeld)
          .map(({ pairs }) => numberOf(pairs.data[a * n + b]))
          .filter(Number.isFinite);
        const panel = `${name}: ${isHeld ? 'held out' : 'trained'}`;
        return values.length === 0 ? [] : [{ panel, x: String(b), y: String(a), value: mean(values) }];
      });
    return tables.length === 0 ? [] : [{ name, n, trained: cells(false), held: cells(true) }];
  });
  if (maps.length === 0) return [];
  // two panels a line, side by side: where nothing is held out there is one, and it comes last
  maps.sort((a, b) => Number(b.held.length > 0) - Number(a.held.length > 0));
  return [
    heatMapChart(
      maps.flatMap(({ trained, held }) => [...trained, ...held]),
      {
        id: 'memorization-pairs',
        title: 'Which pairs are known',
        note: 'Probability of the right answer for every ordered pair of operands: mean over the runs that were trained on it, and over those that never saw it in either order. Both alike: a rule. A picture symmetric about the diagonal: the order of the operands does not matter.',
        x: 'Second operand',
        y: 'First operand',
        value: 'Probability',
        diverging: false,
        domain: [0, 1],
        cell: Math.max(...maps.map(({ n }) => n)) > 16 ? 8 : 19,
        columns: 2,
        summary: maps
          .map(({ name, trained, held }) => {
            const of = (cells: readonly HeatCell[], what: string): string[] =>
              cells.length === 0 ? [] : [`${percent(mean(cells.map(({ value }) => value)), 0)} on ${what}`];
            const both = [...of(trained, 'trained pairs'), ...of(held, 'pairs held out')].join(', ');
            return `${name}: right answer with probability ${both === '' ? 'not finite' : both}.`;
          })
          .join(' '),
      },
    ),
  ];
}

interface Errors {
  readonly group: Group;
  /** the group's name, and how many answers are wrong */
  readonly name: string;
  readonly n: number;
  /** wrong answers that are no number, over all wrong answers */
  readonly outside: number;
  /** [n] share of the wrong answers by difference; 0 at 0 */
  readonly shares: readonly number[];
}

/** Wrong answers by how far they are off, modulo n: held-out operands where there are any, otherwise the trained ones. */
function errorMap(groups: readonly Group[]): ChartSpec {
  const all = groups.flatMap(errorsOf);
  const none = groups.filter((group) => !all.some((one) => one.group === group));
  const last = none.length === 0 ? '' : ` No wrong answer: ${none.map(({ name }) => name).join('; ')}.`;
  const cells = all
    .flatMap(({ name, n, shares }) =>
      shares.map((value, difference) => ({ y: name, x: signedDifference(difference, n), n, value })),
    )
    .filter(({ x }) => x !== 0)
    .sort((a, b) => a.x - b.x)
    .map(({ x, n, ...cell }) => ({ ...cell, panel: `n = ${n}`, x: String(x) }));
  return heatMapChart(cells, {
    id: 'memorization-errors',
    title: 'How wrong answers are wrong',
    note: `Answers on held-out operands, or on trained ones where nothing is held out: wrong ones by their distance from the right one, around the circle of n numbers, all runs of a condition together. Plus or minus 1: close misses. Multiples of a divisor of n: the answer is known up to a coset.${last}`,
    x: 'Answer minus right answer, modulo n',
    y: 'Condition',
    value: 'Share of wrong answers',
    diverging: false,
    cell: Math.max(6, Math.min(22, Math.floor(360 / Math.max(1, ...all.map(({ n }) => n))))),
    columns: 1,
    summary: `${all.length === 0 ? 'No wrong answer was measured.' : all.map(describeErrors).join(' ')}${last}`,
  });
}

function errorsOf(group: Group): Errors[] {
  const { name, n, runs } = group;
  const cells = runs.flatMap(({ measurement }) => measurement.wrong);
  const wrong = cells.reduce((sum, { accuracy }) => sum + 1 - accuracy, 0);
  if (n < 2 || wrong < 1e-9) return [];
  const what = cells[0].level === 'trained' ? 'trained' : 'held-out';
  return [
    {
      group,
      name: `${name}: ${what}, ${percent(wrong / cells.length, 0)} wrong`,
      n,
      outside: cells.reduce((sum, { outside }) => sum + outside, 0) / wrong,
      shares: Array.from({ length: n }, (_, difference) =>
        difference === 0
          ? 0
          : cells.reduce((sum, { differences }) => sum + differences[difference], 0) / wrong,
      ),
    },
  ];
}

/** The most frequent error, and how many answers are no number. */
function describeErrors({ name, shares, outside, n }: Errors): string {
  const most = shares.reduce((best, share, difference) => (share > shares[best] ? difference : best), 0);
  const noNumber = outside > 0.005 ? ` ${percent(outside, 0)} are no number.` : '';
  return `${name}: most often off by ${signedDifference(most, n)} (${percent(shares[most], 0)} of wrong answers, ${percent(1 / (n - 1), 0)} if even).${noNumber}`;
}
