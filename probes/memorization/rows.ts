/** What was answered as rows of the table. */
import { divisorsOf, luckyShareP, signedDifference } from '../../src/analysis/memorization-index.js';
import type { NullNumbers } from '../../src/evidence/statistic.js';
import { type NamedRow, Rows } from '../../src/evidence/statistic.js';
import type { BeyondRow } from './beyond.js';
import { type CellRow, indexRows } from './cells.js';
import type { MemorizationParts } from './measure.js';
import { MATCHED_NATS, type MemorizationStatistic } from './statistics.js';

type Table = Rows<MemorizationStatistic>;

const PAIR = 2;
/** Levels of the prompts beyond training that are asked of nested expressions. */
const BEYOND_LEVELS = {
  expression: 'expression',
  shown: 'shown expression',
  depth: 'one level deeper',
} as const;
export const NEW_POSITIONS = 'new positions';

/** Operand count that the hold-out is about. */
export function heldArity({ holdout }: { readonly holdout: { readonly level: string } | null }): number {
  return holdout?.level === 'triple' ? 3 : PAIR;
}

export function rowsOf(m: MemorizationParts): NamedRow<MemorizationStatistic>[] {
  const { primary, holdout, leak, learned, frequency } = m;
  const rows: Table = new Rows();
  for (const { operation, arity, level, accuracy, chance, multisets } of m.cells)
    rows.add('accuracy', { operation, arity, level }, accuracy, { control: chance, examples: multisets });
  const cells = m.cells.filter(({ operation }) => operation === primary);
  for (const { operation, accuracy, lossNats } of learned) {
    if (operation !== primary) continue;
    const trained = cells.filter(({ level }) => level === 'trained');
    const examples = trained.reduce((sum, { multisets }) => sum + multisets, 0);
    rows.add('trained', { operation }, accuracy, { examples });
    rows.add('loss', { operation }, lossNats);
    addIndex(rows, cells, lossNats <= MATCHED_NATS);
  }
  for (const cell of cells) addCell(rows, cell, m);
  // the proper divisors
  for (const divisor of divisorsOf(m.modulus).slice(0, -1)) {
    for (const cell of cells) {
      const { operation, arity, level, multisets: examples } = cell;
      const value = level === 'trained' ? undefined : wrongWithin(cell, (by) => by % divisor === 0);
      rows.add('coset', { operation, arity, level, divisor }, value, { examples });
    }
  }
  for (const { operation, arity, atLeast, accuracy, multisets } of frequency) {
    if (operation !== primary) continue;
    rows.add('by-draws', { operation, arity, draws: atLeast }, accuracy, { examples: multisets });
  }
  addBeyond(rows, m);
  rows.add('signal-ratio', {}, holdout?.signalRatio);
  rows.add('leaks', {}, leak.setsSeen, { examples: leak.examples });
  if (holdout !== null)
    rows.add('held-share', { level: holdout.level }, holdout.share, { examples: holdout.sets.length });
  return rows.all;
}

/** @param isMatched - the loss is that at which conditions are matched */
function addIndex(rows: Table, cells: readonly CellRow[], isMatched: boolean): void {
  for (const { operation, arity, level, trained, held, m, heldMultisets: examples } of indexRows(cells)) {
    const scope = { operation, arity, level };
    rows.add('index', scope, m, { examples });
    if (isMatched && arity === PAIR) rows.add('index-matched', scope, m, { examples });
    rows.add('gap', scope, trained - held, { examples });
  }
}

function addCell(rows: Table, cell: CellRow, m: MemorizationParts): void {
  const { operation, arity, level, accuracy, chance, multisets: examples, order, strata, cosets } = cell;
  const scope = { operation, arity, level };
  const isTrained = level === 'trained';
  if (order !== null) rows.add('agreement', scope, order.agreement, { control: order.byChance, examples });
  if (arity === PAIR) {
    for (const { divisor, ...right } of cosets) {
      if (divisor === m.modulus) continue;
      rows.add('modulo', { ...scope, divisor }, right.accuracy, { control: right.chance, examples });
    }
    const of = new Map(strata.map((one) => [one.stratum, one.accuracy]));
    for (const { stratum, ...own } of strata)
      rows.add('stratum', { ...scope, part: stratum }, own.accuracy, { examples: own.multisets });
    const [distinct = NaN, repeated = NaN] = [of.get('distinct'), of.get('repeated')];
    if (isTrained) rows.add('repeated', scope, distinct - repeated, { examples });
  }
  if (isTrained) return;
  if (arity === heldArity(m))
    rows.add('held', scope, accuracy, { control: chance, examples, null: luckOf(m, cell) });
  if (order !== null) rows.add('order', scope, order.agreement - order.byChance, { examples });
  if (m.modulus > 3) {
    const isNear = (by: number): boolean => Math.abs(signedDifference(by, m.modulus)) === 1;
    rows.add('near', scope, wrongWithin(cell, isNear), { examples });
  }
}

/** Share of the wrong answers at some differences minus that of wrong answers drawn evenly; undefined without errors. */
function wrongWithin(cell: CellRow, isCounted: (difference: number) => boolean): number | undefined {
  const wrong = 1 - cell.accuracy;
  if (!(wrong > 1e-9)) return undefined;
  const n = cell.differences.length;
  const counted = cell.differences.filter((_, difference) => difference !== 0 && isCounted(difference));
  return counted.reduce((sum, share) => sum + share, 0) / wrong - counted.length / (n - 1);
}

/**
 * The entries of a random table are independent and uniform, so that whoever saw the others has a held-out pair right with
 * chance 1/n: more than luck explains means that held-out pairs were shown. Only where two operands are all there is.
 */
function luckOf(
  { tasks, modulus }: MemorizationParts,
  { level, accuracy, multisets }: CellRow,
): NullNumbers | undefined {
  if (tasks.join() !== 'TABLE' || level !== 'pair-only') return undefined;
  return { mean: 1 / modulus, p: luckyShareP(accuracy, multisets, 1 / modulus) };
}

/** Prompts beyond training, and whole expressions that training never showed, of facts that it did. */
function addBeyond(rows: Table, { beyond, primary }: MemorizationParts): void {
  for (const { kind, value, positions, accuracy, noNumber, chance, prompts: examples } of beyond) {
    const scope = {
      ...(kind === 'arity' ? { operation: primary, arity: value } : { level: BEYOND_LEVELS[kind] }),
      position: positions === 'new' ? NEW_POSITIONS : 'positions of training',
    };
    rows.add('beyond', scope, accuracy, { control: chance, examples });
    rows.add('no-number', scope, noNumber, { examples });
  }
  const of = (kind: BeyondRow['kind']): BeyondRow | undefined =>
    beyond.find((row) => row.kind === kind && row.positions === 'seen');
  const [fresh, shown] = [of('expression'), of('shown')];
  if (fresh === undefined) return;
  const scope = { level: BEYOND_LEVELS.expression };
  rows.add('expression', scope, fresh.exact, { examples: fresh.prompts });
  if (shown !== undefined)
    rows.add('expression-gap', scope, shown.accuracy - fresh.accuracy, { examples: fresh.prompts });
}
