/** What the charts of the memorization module draw: rows of one run, runs of one condition. Types and small look-ups. */
import type { Stratum } from '../../analysis/memorization-index.js';
import type { HoldoutLevel } from '../../listops/regimes.js';

/** One operation, operand count and level; every multiset weighted once. */
export interface CellRow {
  readonly operation: string;
  readonly arity: number;
  readonly level: HoldoutLevel;
  readonly multisets: number;
  readonly prompts: number;
  /** every multiset in every order; otherwise a seeded sample */
  readonly complete: boolean;
  readonly accuracy: number;
  /** majority rate of the results */
  readonly chance: number;
  readonly strata: readonly {
    readonly stratum: Stratum;
    readonly multisets: number;
    readonly accuracy: number;
  }[];
  /** [n] share of answers by (answer - result) mod n */
  readonly differences: readonly number[];
  /** share of answers that are no number */
  readonly outside: number;
  readonly cosets: readonly {
    readonly divisor: number;
    readonly accuracy: number;
    readonly chance: number;
  }[];
  /** null: the operation is not commutative for so many operands */
  readonly order: {
    readonly multisets: number;
    readonly agreement: number | string;
    readonly byChance: number | string;
  } | null;
}

/** M of an operation and operand count that has held-out multisets. */
export interface IndexRow {
  readonly operation: string;
  readonly arity: number;
  readonly level: HoldoutLevel;
  readonly trained: number;
  readonly held: number;
  readonly chance: number;
  readonly heldMultisets: number;
  /** null: trained accuracy does not lead the majority guess */
  readonly m: number | null;
}

/** Multisets of one operation and operand count that training drew about equally often. */
export interface FrequencyRow {
  readonly operation: string;
  readonly arity: number;
  /** draws from `atLeast` to below ten times that; 0: never, or expected less than once */
  readonly atLeast: number;
  readonly meanDraws: number;
  readonly multisets: number;
  readonly accuracy: number;
}

/** Prompts outside of what training showed; every fact in them is trained. */
export interface BeyondRow {
  /** expression: new to training, every fact of it trained; shown: expressions that training has shown, beside them */
  readonly kind: 'expression' | 'shown' | 'arity' | 'depth';
  /** operands, or nesting */
  readonly value: number;
  /** whether training showed tokens at every position of the prompt and chain */
  readonly positions: 'seen' | 'new';
  readonly prompts: number;
  /** right result tokens, the chain before them given */
  readonly accuracy: number;
  /** whole chains without an error */
  readonly exact: number;
  /** share of the answers asked for that are no number */
  readonly noNumber: number;
  /** accuracy of the best fixed answer to each operation and operand count */
  readonly chance: number | null;
}

/** [n][n], rows the first operand; null where the model's numbers are not finite. */
export type PairTable = readonly (readonly (number | null)[])[];

/** The last checkpoint of one run. */
export interface MemorizationRun {
  readonly subject: string;
  readonly seed: number;
  /** the last checkpoint of its run */
  readonly final: boolean;
  /** of the primary operation, on operands that training may show */
  readonly trainedAccuracy: number;
  readonly lossNats: number | string;
  /** trained accuracy is at least that of C5 */
  readonly learned: boolean;
  /** why it does not count in C5, which asks for the last checkpoint and for two evaluations; null: it counts */
  readonly leftOut: string | null;
  readonly heldSets: readonly (readonly number[])[];
  readonly signalRatio: number | string;
  readonly leaks: number;
  readonly cells: readonly CellRow[];
  readonly indices: readonly IndexRow[];
  readonly frequency: readonly FrequencyRow[];
  readonly beyond: readonly BeyondRow[];
  /** [n][n] probability of the right answer, primary operation; null: not of two operands, or no hold-out (see pairMean) */
  readonly pairs: PairTable | null;
}

export interface MemorizationCondition {
  readonly condition: string;
  readonly label: string;
  readonly tasks: readonly string[];
  readonly regime: string;
  readonly n: number;
  readonly primary: string;
  /** null: nothing is held out */
  readonly level: HoldoutLevel | null;
  /** held pairs or triples over all there are */
  readonly heldShare: number | null;
  /** every run holds out the same */
  readonly equalHoldout: boolean;
  /** [n][n] mean of the runs' tables */
  readonly pairMean: PairTable | null;
  readonly runs: readonly MemorizationRun[];
}

/** One checkpoint of a run of which several were measured; primary operation, two operands. */
export interface MemorizationStep {
  readonly run: string;
  readonly label: string;
  readonly seed: number;
  readonly step: number;
  readonly trained: number;
  readonly held: number | null;
}

export function cellOf(
  run: MemorizationRun,
  operation: string,
  arity: number,
  isHeld: boolean,
): CellRow | undefined {
  return run.cells.find(
    (cell) => cell.operation === operation && cell.arity === arity && (cell.level !== 'trained') === isHeld,
  );
}

export function indexOf(run: MemorizationRun, operation: string, arity: number): IndexRow | undefined {
  return run.indices.find((row) => row.operation === operation && row.arity === arity);
}

/** Operand counts of the condition's cells, ascending. */
export function aritiesIn({ runs, primary }: MemorizationCondition): number[] {
  const cells = runs.flatMap((run) => run.cells.filter(({ operation }) => operation === primary));
  return [...new Set(cells.map(({ arity }) => arity))].sort((a, b) => a - b);
}
