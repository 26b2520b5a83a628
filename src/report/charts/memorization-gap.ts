/** The headline of the memorization module: accuracy on trained against held-out operands, one line a run. Pure. */
import type { ChartSpec } from '../schema.js';
import { accuracyAxis, chart, conditionColor, nominal, percent, type Row, smallMultiples } from './common.js';
import {
  type IndexRow,
  type MemorizationCondition,
  type MemorizationRun,
  indexOf,
} from './memorization-data.js';

const PARTS = ['trained', 'held out'] as const;

/** Operand count that the hold-out is about. */
export function heldArity({ level }: MemorizationCondition): number {
  return level === 'triple' ? 3 : 2;
}

interface RunIndex {
  readonly run: MemorizationRun;
  readonly index: IndexRow;
}

/** Runs of a condition that have both trained and held-out operands. */
function indexed(condition: MemorizationCondition): RunIndex[] {
  return condition.runs.flatMap((run) => {
    const index = indexOf(run, condition.primary, heldArity(condition));
    return index === undefined ? [] : [{ run, index }];
  });
}

/** @param conditions - with a hold-out */
export function gapChart(conditions: readonly MemorizationCondition[]): ChartSpec {
  const rows = conditions.flatMap(rowsOf);
  const labels = conditions.map(({ label }) => label);
  const runs = conditions.reduce((sum, condition) => sum + indexed(condition).length, 0);
  return chart({
    id: 'memorization-gap',
    title: 'Does it know the rule, or only the pairs it has seen?',
    subtitle: `Each line is one of ${runs} runs: accuracy on operands it was trained on, and on those held out. A flat line: it answers what it never saw as well, so it found a rule. A line down to the dashed one: no better than one fixed answer, so it memorized. Hollow: has not learned all that it was trained on.`,
    summary: conditions.map(describe).join(' '),
    headline: true,
    spec: smallMultiples(rows, 'panel', view(labels), {
      columns: 3,
      order: conditions.map(panelOf),
    }),
    table: {
      columns: ['Condition', 'Seed', 'Operands', 'Level', 'Trained', 'Held out', 'Chance', 'Index M'],
      rows: conditions.flatMap((condition) =>
        indexed(condition).map(({ run, index }) => [
          condition.label,
          run.seed,
          `${condition.primary} of ${index.arity}`,
          index.level,
          index.trained,
          index.held,
          index.chance,
          index.m ?? 'none',
        ]),
      ),
    },
  });
}

function panelOf(condition: MemorizationCondition): string {
  return `${condition.label}: ${condition.primary} of ${heldArity(condition)}`;
}

function rowsOf(condition: MemorizationCondition): Row[] {
  const shared = { panel: panelOf(condition), condition: condition.label };
  const found = indexed(condition);
  const meanChance = found.reduce((sum, { index }) => sum + index.chance, 0) / found.length;
  const chance: Row[] = found.length === 0 ? [] : [{ ...shared, kind: 'chance', accuracy: meanChance }];
  return [
    ...chance,
    ...found.flatMap(({ run, index }) =>
      PARTS.map((part) => ({
        ...shared,
        kind: run.learned ? 'learned' : 'not learned',
        run: run.subject,
        seed: run.seed,
        part,
        accuracy: part === 'trained' ? index.trained : index.held,
      })),
    ),
  ];
}

function view(labels: readonly string[]) {
  const x = { ...nominal('part', null, PARTS), axis: { labelAngle: 0 }, scale: { paddingOuter: 0.3 } };
  const encoding = {
    x,
    y: accuracyAxis('accuracy'),
    color: conditionColor(labels, { legend: false }),
    detail: { field: 'run', type: 'nominal' },
  };
  const y = encoding.y;
  const only = (test: string) => [{ filter: test }];
  const tooltip = [
    { field: 'seed', type: 'nominal' },
    { field: 'part', type: 'nominal', title: 'operands' },
    { field: 'accuracy', type: 'quantitative', format: '.1%' },
  ];
  return {
    height: 230,
    layer: [
      {
        transform: only("datum.kind === 'chance'"),
        mark: { type: 'rule', style: 'reference' },
        encoding: { y },
      },
      {
        transform: only("datum.kind === 'chance'"),
        mark: {
          type: 'text',
          style: 'reference-label',
          align: 'left',
          baseline: 'bottom',
          dx: 4,
          dy: -3,
          text: 'one fixed answer',
        },
        encoding: { y, x: { value: 0 } },
      },
      {
        transform: only("datum.kind !== 'chance'"),
        mark: { type: 'line', strokeWidth: 1.5, opacity: 0.55 },
        encoding,
      },
      {
        transform: only("datum.kind === 'learned'"),
        mark: { type: 'point', filled: true, size: 60, opacity: 0.85 },
        encoding: { ...encoding, tooltip },
      },
      {
        transform: only("datum.kind === 'not learned'"),
        mark: { type: 'point', filled: false, size: 50 },
        encoding: { ...encoding, tooltip },
      },
    ],
  };
}

function describe(condition: MemorizationCondition): string {
  const each = indexed(condition).map(
    ({ run, index }) => `seed ${run.seed} ${percent(index.trained, 0)} and ${percent(index.held, 0)}`,
  );
  const share = percent(condition.heldShare);
  return `${panelOf(condition)} operands, ${share} held out (${condition.level ?? 'none'}): accuracy on trained and held-out operands ${each.join(', ')}.`;
}
