/** Which numbers the answers give. Scopes name operation, operand count and level; the primary operation alone but where said. */
import { divisorsOf, luckyShareP, signedDifference } from '../../src/analysis/memorization-index.js';
import type { Scope } from '../../src/evidence/scope.js';
import type { Statistic, StatisticRow } from '../../src/evidence/statistic.js';
import { BALANCE_LIMIT } from '../../src/listops/regimes.js';
import { numberOf } from '../../src/report/report-json.js';
import type { BeyondRow } from './beyond.js';
import { type CellRow, indexRows } from './cells.js';
import type { MemorizationMeasurement } from './measure.js';

type M = MemorizationMeasurement;

/** Result-token loss at which SUM-only and mixed runs are matched, nats. */
const MATCHED_NATS = 0.02;
const PAIR = 2;
const ONE_ANSWER = 'one fixed answer';

/** Operand count that the hold-out is about. */
export function heldArity({ holdout }: Pick<M, 'holdout'>): number {
  return holdout?.level === 'triple' ? 3 : PAIR;
}

const scopeOf = ({ operation, arity, level }: Pick<CellRow, 'operation' | 'arity' | 'level'>): Scope => ({
  operation,
  arity,
  level,
});
const cells = ({ cells: all, primary }: M): readonly CellRow[] =>
  all.filter(({ operation }) => operation === primary);
const heldCells = (m: M): readonly CellRow[] => cells(m).filter(({ level }) => level !== 'trained');
const pairCells = (m: M): readonly CellRow[] => cells(m).filter(({ arity }) => arity === PAIR);
const lossOf = ({ learned, primary }: M): number =>
  numberOf(learned.find(({ operation }) => operation === primary)?.lossNats ?? NaN);

/** A row for each cell that has the number. */
function rowsOf(
  from: readonly CellRow[],
  value: (cell: CellRow) => number | undefined,
  rest: (cell: CellRow) => Partial<StatisticRow> = () => ({}),
): StatisticRow[] {
  return from.flatMap((cell) => {
    const found = value(cell);
    return found === undefined
      ? []
      : [{ scope: scopeOf(cell), value: found, examples: cell.multisets, ...rest(cell) }];
  });
}

const indexRowsOf = (measurement: M): StatisticRow[] =>
  indexRows(cells(measurement)).flatMap(({ m, heldMultisets, ...row }) =>
    m === undefined ? [] : [{ scope: scopeOf(row), value: m, examples: heldMultisets }],
  );

/** Share of the wrong answers at some differences minus that of wrong answers drawn evenly; undefined without errors. */
function wrongWithin(cell: CellRow, isCounted: (difference: number) => boolean): number | undefined {
  const wrong = 1 - cell.accuracy;
  if (!(wrong > 1e-9)) return undefined;
  const n = cell.differences.length;
  const counted = cell.differences.filter((_, difference) => difference !== 0 && isCounted(difference));
  return counted.reduce((sum, share) => sum + share, 0) / wrong - counted.length / (n - 1);
}

const properDivisors = (n: number): number[] => divisorsOf(n).filter((divisor) => divisor < n);

/**
 * The entries of a random table are independent and uniform, so that whoever saw the others has a held-out pair right with
 * chance 1/n: more than luck explains means that held-out pairs were shown. Only where two operands are all there is.
 */
function luckOf({ tasks, modulus }: M, { level, accuracy, multisets }: CellRow): Partial<StatisticRow> {
  if (tasks.join() !== 'TABLE' || level !== 'pair-only') return {};
  return { null: { mean: 1 / modulus, p: luckyShareP(accuracy, multisets, 1 / modulus) } };
}

/** Levels of the prompts beyond training that are asked of nested expressions. */
export const BEYOND_LEVELS = {
  expression: 'expression',
  shown: 'shown expression',
  depth: 'one level deeper',
} as const;
export const NEW_POSITIONS = 'new positions';

const beyondRows = ({ beyond, primary }: M, value: (row: BeyondRow) => number): StatisticRow[] =>
  beyond.map((row) => ({
    scope: {
      ...(row.kind === 'arity'
        ? { operation: primary, arity: row.value }
        : { level: BEYOND_LEVELS[row.kind] }),
      position: row.positions === 'new' ? NEW_POSITIONS : 'positions of training',
    },
    value: value(row),
    control: row.chance,
    examples: row.prompts,
  }));

/** Whole expressions that training never showed, of facts that it did. */
function expressionRow(
  { beyond }: M,
  value: (fresh: BeyondRow, shown: BeyondRow | undefined) => number | undefined,
): StatisticRow[] {
  const of = (kind: BeyondRow['kind']): BeyondRow | undefined =>
    beyond.find((row) => row.kind === kind && row.positions === 'seen');
  const fresh = of('expression');
  const found = fresh === undefined ? undefined : value(fresh, of('shown'));
  return fresh === undefined || found === undefined
    ? []
    : [{ scope: { level: BEYOND_LEVELS.expression }, value: found, examples: fresh.prompts }];
}

const INDEX = {
  title: 'Memorization index M',
  formula: '(acc_trained - acc_held) / (acc_trained - c)',
  unit: '1',
  counts: 'learned',
} as const;

/** Nothing is 0, in every run that has learned. */
const AGAINST_0 = { tested: 'against-0', counts: 'learned', reference: 0 } as const;

export const MEMORIZATION_STATISTICS: readonly Statistic<M>[] = [
  {
    ...INDEX,
    id: 'index',
    sentence:
      'memorization index (0: held-out operands are answered like trained ones; 1: no better than one fixed answer)',
    of: indexRowsOf,
  },
  {
    ...INDEX,
    id: 'index-matched',
    title: 'Memorization index M, runs of equal loss',
    sentence: `memorization index of runs with at most ${MATCHED_NATS} nats on trained results`,
    of: (m) => (lossOf(m) <= MATCHED_NATS ? indexRowsOf(m).filter(({ scope }) => scope?.arity === PAIR) : []),
  },
  {
    id: 'held',
    title: 'Accuracy on held-out operands',
    formula: 'share of held-out multisets right, orders averaged',
    unit: 'accuracy',
    sentence: 'accuracy on held-out operands',
    controlName: ONE_ANSWER,
    of: (m) =>
      rowsOf(
        heldCells(m).filter(({ arity }) => arity === heldArity(m)),
        ({ accuracy }) => accuracy,
        (cell) => ({ control: cell.chance, ...luckOf(m, cell) }),
      ),
  },
  {
    id: 'trained',
    title: 'Accuracy on trained operands',
    formula: 'accuracy on result tokens, operand counts weighted alike',
    unit: 'accuracy',
    sentence: 'accuracy on operands that training may show',
    of: (m) =>
      m.learned
        .filter(({ operation }) => operation === m.primary)
        .map(({ operation, accuracy }) => ({
          scope: { operation },
          value: accuracy,
          examples: cells(m).reduce(
            (sum, { level, multisets }) => sum + (level === 'trained' ? multisets : 0),
            0,
          ),
        })),
  },
  {
    id: 'gap',
    title: 'Accuracy lost on held-out operands',
    formula: 'accuracy on trained - accuracy on held-out multisets',
    unit: 'accuracy',
    sentence: 'accuracy lost on held-out operands',
    ...AGAINST_0,
    of: (m) =>
      indexRows(cells(m)).map((row) => ({
        scope: scopeOf(row),
        value: row.trained - row.held,
        examples: row.heldMultisets,
      })),
  },
  {
    id: 'repeated',
    title: 'Different against equal operands',
    formula: 'accuracy on distinct - accuracy on repeated operands',
    unit: 'accuracy',
    sentence: 'trained pairs of different numbers minus pairs of equal ones (drawn half as often)',
    ...AGAINST_0,
    of: (m) =>
      rowsOf(
        pairCells(m).filter(({ level }) => level === 'trained'),
        ({ strata }) => {
          const of = (name: string): number =>
            strata.find(({ stratum }) => stratum === name)?.accuracy ?? NaN;
          return of('distinct') - of('repeated');
        },
      ),
  },
  {
    id: 'order',
    title: 'Same answer whichever way it is written',
    formula: 'agreement of orders - agreement of different multisets',
    unit: '1',
    sentence: 'the same answer whichever way held-out operands are written, beyond chance',
    ...AGAINST_0,
    of: (m) =>
      rowsOf(heldCells(m), ({ order }) =>
        order === null ? undefined : numberOf(order.agreement) - numberOf(order.byChance),
      ),
  },
  {
    id: 'coset',
    title: 'Wrong answers right up to a coset',
    formula: 'share of wrong answers right modulo a divisor of n - even share',
    unit: '1',
    sentence:
      'wrong answers on held-out operands that are right modulo a divisor of n, beyond wrong answers drawn evenly',
    ...AGAINST_0,
    of: (m) =>
      properDivisors(m.modulus).flatMap((divisor) =>
        rowsOf(
          heldCells(m),
          (cell) => wrongWithin(cell, (difference) => difference % divisor === 0),
          (cell) => ({ scope: { ...scopeOf(cell), divisor } }),
        ),
      ),
  },
  {
    id: 'near',
    title: 'Wrong answers off by one',
    formula: 'share of wrong answers at difference 1 or n-1 - even share',
    unit: '1',
    sentence: 'wrong answers on held-out operands that are off by one, beyond an even spread',
    ...AGAINST_0,
    of: (m) =>
      m.modulus <= 3
        ? []
        : rowsOf(heldCells(m), (cell) =>
            wrongWithin(cell, (difference) => Math.abs(signedDifference(difference, m.modulus)) === 1),
          ),
  },
  {
    id: 'expression',
    title: 'New expressions',
    formula: 'share of chains without an error',
    unit: 'accuracy',
    sentence: 'whole chains right in new expressions, every reduction in them trained',
    counts: 'learned',
    of: (m) => expressionRow(m, ({ exact }) => exact),
  },
  {
    id: 'expression-gap',
    title: 'Accuracy lost in new expressions',
    formula: 'result tokens right in shown - in new expressions',
    unit: 'accuracy',
    sentence:
      'accuracy lost in new expressions against expressions that training has shown, which are shorter',
    ...AGAINST_0,
    of: (m) =>
      expressionRow(m, (fresh, shown) => (shown === undefined ? undefined : shown.accuracy - fresh.accuracy)),
  },
  {
    id: 'signal-ratio',
    title: 'Balance of the hold-out',
    formula: 'max / min over k of the first-order signal of the hold-out',
    unit: '1',
    sentence: `how uneven a signal the hold-out itself gives (1: balanced; above ${BALANCE_LIMIT}: not)`,
    compared: false,
    reference: 1,
    of: ({ holdout }) => (holdout === null ? [] : [{ value: numberOf(holdout.signalRatio) }]),
  },
  {
    id: 'leaks',
    title: 'Held-out sets that training showed',
    formula: "held-out sets in the run's first examples, drawn again and read as tokens",
    unit: '1',
    sentence: 'held-out operand sets that training showed, in any order (must be 0)',
    detail: true,
    of: ({ leak }) => [{ value: leak.setsSeen, examples: leak.examples }],
  },
  {
    id: 'held-share',
    title: 'Share held out',
    formula: 'held pairs or triples over all there are',
    unit: 'accuracy',
    sentence: 'share of pairs or triples held out',
    detail: true,
    of: ({ holdout }) =>
      holdout === null
        ? []
        : [{ scope: { level: holdout.level }, value: holdout.share, examples: holdout.sets.length }],
  },
  {
    id: 'accuracy',
    title: 'Accuracy by operation and number of operands',
    formula: 'share of multisets right, orders averaged',
    unit: 'accuracy',
    sentence: 'accuracy of every operation on operands of one level',
    detail: true,
    controlName: ONE_ANSWER,
    of: ({ cells: all }) =>
      rowsOf(
        all,
        ({ accuracy }) => accuracy,
        ({ chance }) => ({ control: chance }),
      ),
  },
  {
    id: 'loss',
    title: 'Loss on trained operands',
    formula: 'mean loss on the result, nats',
    unit: 'nats',
    sentence: 'loss on the results of operands that training may show',
    detail: true,
    of: (m) => [{ scope: { operation: m.primary }, value: lossOf(m) }],
  },
  {
    id: 'modulo',
    title: 'Right up to a coset',
    formula: 'share of answers right modulo a divisor of n, 2 operands',
    unit: 'accuracy',
    sentence: 'answers that are right modulo a divisor of n',
    detail: true,
    controlName: ONE_ANSWER,
    of: (m) =>
      pairCells(m).flatMap((cell) =>
        cell.cosets
          .filter(({ divisor }) => divisor < m.modulus)
          .map(({ divisor, accuracy, chance }) => ({
            scope: { ...scopeOf(cell), divisor },
            value: accuracy,
            control: chance,
            examples: cell.multisets,
          })),
      ),
  },
  {
    id: 'stratum',
    title: 'Equal operands and 0',
    formula: 'share of multisets right, orders averaged, 2 operands',
    unit: 'accuracy',
    sentence: 'accuracy on pairs of different or equal numbers, with or without 0',
    detail: true,
    of: (m) =>
      pairCells(m).flatMap((cell) =>
        cell.strata.map(({ stratum, accuracy, multisets }) => ({
          scope: { ...scopeOf(cell), part: stratum },
          value: accuracy,
          examples: multisets,
        })),
      ),
  },
  {
    id: 'agreement',
    title: 'Agreement of orders',
    formula: 'pairs of orders of a multiset with the same answer, right or wrong',
    unit: 'accuracy',
    sentence: 'the same answer whichever way the operands are written',
    detail: true,
    controlName: 'different operands',
    of: (m) =>
      rowsOf(
        cells(m),
        ({ order }) => (order === null ? undefined : numberOf(order.agreement)),
        ({ order }) => (order === null ? {} : { control: numberOf(order.byChance) }),
      ),
  },
  {
    id: 'by-draws',
    title: 'Accuracy by draws in training',
    formula: 'share of multisets right, by powers of ten of their draws in training',
    unit: 'accuracy',
    sentence: 'accuracy on operands that training drew so often',
    detail: true,
    of: ({ frequency, primary }) =>
      frequency
        .filter(({ operation }) => operation === primary)
        .map(({ operation, arity, atLeast, accuracy, multisets }) => ({
          scope: { operation, arity, draws: atLeast },
          value: accuracy,
          examples: multisets,
        })),
  },
  {
    id: 'beyond',
    title: 'Beyond training',
    formula: 'share of result tokens right, the chain before them given',
    unit: 'accuracy',
    sentence: 'accuracy on more operands, deeper nesting and new expressions',
    detail: true,
    controlName: ONE_ANSWER,
    of: (m) => beyondRows(m, ({ accuracy }) => accuracy),
  },
  {
    id: 'no-number',
    title: 'Answers that are no number',
    formula: 'share of answers that are no number',
    unit: 'accuracy',
    sentence: 'answers beyond training that are no number',
    detail: true,
    of: (m) => beyondRows(m, ({ noNumber }) => noNumber).map(({ control: _, ...row }) => row),
  },
];
