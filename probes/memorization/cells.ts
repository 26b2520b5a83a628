/** Answers gathered into rows: a cell for each operation, operand count and level; the index; draws in training. */
import {
  STRATA,
  cosetAccuracy,
  differenceShares,
  divisorsOf,
  isInStratum,
  majorityRate,
  memorizationIndex,
  multisetAccuracy,
  orderAgreement,
} from '../../src/analysis/memorization-index.js';
import { groupBy } from '../../src/evidence/group-by.js';
import { isCommutative, type OperationName } from '../../src/listops/language/operations.js';
import type { HoldoutLevel } from '../../src/listops/sampling/regimes.js';
import type { TrainingCounts } from '../../src/listops/sampling/training-counts.js';
import { mean } from '../../src/tensor/sum.js';
import type { AskedMultiset } from './ask.js';

export interface CellKey {
  readonly operation: OperationName;
  readonly arity: number;
  readonly level: HoldoutLevel;
  /** every multiset in every order; otherwise a seeded sample */
  readonly complete: boolean;
  readonly modulus: number;
}

/** @param asked - at least one multiset */
export function cellRow({ modulus, ...key }: CellKey, asked: readonly AskedMultiset[]) {
  const { shares, outside } = differenceShares(asked, modulus);
  return {
    ...key,
    multisets: asked.length,
    prompts: asked.reduce((sum, { answers }) => sum + answers.length, 0),
    accuracy: multisetAccuracy(asked),
    /** majority rate of the results */
    chance: majorityRate(asked, modulus),
    strata: STRATA.flatMap((stratum) => {
      const own = asked.filter(({ operands }) => isInStratum(operands, stratum));
      return own.length === 0 ? [] : [{ stratum, multisets: own.length, accuracy: multisetAccuracy(own) }];
    }),
    /** [n] share of answers by (answer - result) mod n */
    differences: Array.from(shares),
    /** share of answers that are no number */
    outside,
    cosets: divisorsOf(modulus).map((divisor) => ({
      divisor,
      accuracy: cosetAccuracy(asked, divisor),
      chance: majorityRate(asked, divisor),
    })),
    /** null: the operation is not commutative for so many operands */
    order: isCommutative(key.operation, key.arity) ? orderAgreement(asked) : null,
  };
}
/** One operation, operand count and level; every multiset weighted once. */
export type CellRow = Readonly<ReturnType<typeof cellRow>>;

/** M wherever an operation and operand count has both a trained and a held cell. */
export function indexRows(cells: readonly CellRow[]) {
  return cells.flatMap(({ operation, arity, level, accuracy, chance, multisets }) => {
    const trained = cells.find(
      (cell) => cell.level === 'trained' && cell.operation === operation && cell.arity === arity,
    );
    if (level === 'trained' || trained === undefined) return [];
    return [
      {
        operation,
        arity,
        level,
        trained: trained.accuracy,
        held: accuracy,
        chance,
        heldMultisets: multisets,
        /** undefined: trained accuracy does not lead the majority guess */
        m: memorizationIndex(trained.accuracy, accuracy, chance),
      },
    ];
  });
}

/** Accuracy by powers of ten of the number of draws: multisets that training drew about equally often. */
export function frequencyRows(
  operation: OperationName,
  arity: number,
  asked: readonly AskedMultiset[],
  counts: TrainingCounts,
) {
  const drawn = asked.map((one) => ({ one, draws: counts.draws(operation, one.multiset) }));
  return [...groupBy(drawn, ({ draws }) => decade(draws))]
    .sort(([a], [b]) => a - b)
    .map(([atLeast, bin]) => ({
      operation,
      arity,
      /** draws from this to below ten times that; 0: never, or expected less than once */
      atLeast,
      meanDraws: mean(bin.map(({ draws }) => draws)),
      multisets: bin.length,
      accuracy: multisetAccuracy(bin.map(({ one }) => one)),
    }));
}

/** The power of ten at or below, 0 below 1. */
function decade(draws: number): number {
  if (draws < 1) return 0;
  let power = 1;
  while (10 * power <= draws) power *= 10;
  return power;
}
