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
import { type OperationName, isCommutative } from '../../src/listops/operations.js';
import type { HoldoutLevel } from '../../src/listops/regimes.js';
import type { TrainingCounts } from '../../src/listops/training-counts.js';
import { finiteNumber, jsonNumber } from '../../src/report/report-json.js';
import type { AskedMultiset } from './ask.js';
import type { CellRow, FrequencyRow, IndexRow } from './measurement.js';

export interface CellKey {
  readonly operation: OperationName;
  readonly arity: number;
  readonly level: HoldoutLevel;
  readonly complete: boolean;
  readonly modulus: number;
}

/** @param asked - at least one multiset */
export function cellRow({ modulus, ...key }: CellKey, asked: readonly AskedMultiset[]): CellRow {
  const { shares, outside } = differenceShares(asked, modulus);
  return {
    ...key,
    multisets: asked.length,
    prompts: asked.reduce((sum, { answers }) => sum + answers.length, 0),
    accuracy: round(multisetAccuracy(asked)),
    chance: round(majorityRate(asked, modulus)),
    strata: STRATA.flatMap((stratum) => {
      const own = asked.filter(({ operands }) => isInStratum(operands, stratum));
      return own.length === 0
        ? []
        : [{ stratum, multisets: own.length, accuracy: round(multisetAccuracy(own)) }];
    }),
    differences: Array.from(shares, round),
    outside: round(outside),
    cosets: divisorsOf(modulus).map((divisor) => ({
      divisor,
      accuracy: round(cosetAccuracy(asked, divisor)),
      chance: round(majorityRate(asked, divisor)),
    })),
    order: isCommutative(key.operation, key.arity) ? orderRow(asked) : null,
  };
}

function orderRow(asked: readonly AskedMultiset[]): CellRow['order'] {
  const { multisets, agreement, byChance } = orderAgreement(asked);
  return { multisets, agreement: jsonNumber(agreement), byChance: jsonNumber(byChance) };
}

/** M wherever an operation and operand count has both a trained and a held cell. */
export function indexRows(cells: readonly CellRow[]): IndexRow[] {
  return cells.flatMap((held) => {
    if (held.level === 'trained') return [];
    const trained = cells.find(
      (cell) => cell.level === 'trained' && cell.operation === held.operation && cell.arity === held.arity,
    );
    if (trained === undefined) return [];
    const m = memorizationIndex(trained.accuracy, held.accuracy, held.chance);
    return [
      {
        operation: held.operation,
        arity: held.arity,
        level: held.level,
        trained: trained.accuracy,
        held: held.accuracy,
        chance: held.chance,
        heldMultisets: held.multisets,
        m: m === undefined ? null : round(m),
      },
    ];
  });
}

/** Accuracy by powers of ten of the number of draws. */
export function frequencyRows(
  operation: OperationName,
  arity: number,
  asked: readonly AskedMultiset[],
  counts: TrainingCounts,
): FrequencyRow[] {
  const bins = new Map<number, { asked: AskedMultiset[]; draws: number }>();
  for (const one of asked) {
    const draws = counts.draws(operation, one.multiset);
    const atLeast = decade(draws);
    const bin = bins.get(atLeast) ?? { asked: [], draws: 0 };
    bin.asked.push(one);
    bin.draws += draws;
    bins.set(atLeast, bin);
  }
  return [...bins]
    .sort(([a], [b]) => a - b)
    .map(([atLeast, bin]) => ({
      operation,
      arity,
      atLeast,
      meanDraws: round(bin.draws / bin.asked.length),
      multisets: bin.asked.length,
      accuracy: round(multisetAccuracy(bin.asked)),
    }));
}

/** The power of ten at or below, 0 below 1. */
function decade(draws: number): number {
  if (draws < 1) return 0;
  let power = 1;
  while (10 * power <= draws) power *= 10;
  return power;
}

function round(value: number): number {
  return finiteNumber(value, 'memorization');
}
