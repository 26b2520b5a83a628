/** What the memorization probe measures on one checkpoint: plain JSON, non-finite numbers as strings. */
import type { HoldoutLevel } from '../../src/listops/regimes.js';
import type { JsonArray } from '../../src/report/schema.js';
import type { Stratum } from '../../src/analysis/memorization-index.js';

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

export interface MemorizationMeasurement {
  readonly modulus: number;
  readonly tasks: readonly string[];
  readonly regime: string;
  /** SUM where the run has it, otherwise its first operation */
  readonly primary: string;
  readonly holdout: HoldoutFacts | null;
  readonly learned: readonly LearnedRow[];
  readonly cells: readonly CellRow[];
  readonly indices: readonly IndexRow[];
  /** [n, n] probability of the right answer of the primary operation, rows the first operand; null: not of two operands */
  readonly pairs: JsonArray | null;
  readonly frequency: readonly FrequencyRow[];
  /** how `draws` of the frequency rows is known */
  readonly frequencyMethod: 'expected' | 'counted' | 'sampled';
  readonly beyond: readonly BeyondRow[];
  /** the run's own first examples, read again: examples that show a held-out set, and how many sets they show */
  readonly leak: { readonly examples: number; readonly leaks: number; readonly setsSeen: number };
}

export interface HoldoutFacts {
  readonly level: HoldoutLevel;
  /** ascending numbers of each held pair or triple */
  readonly sets: readonly (readonly number[])[];
  /** held sets over all there are */
  readonly share: number;
  /** max over min of the first-order signal that the hold-out makes; 1 is balanced */
  readonly signalRatio: number | string;
}

/** Accuracy on operands that training may show, operand counts weighted as training draws them. */
export interface LearnedRow {
  readonly operation: string;
  readonly accuracy: number;
  /** mean loss on the result, nats */
  readonly lossNats: number | string;
}
