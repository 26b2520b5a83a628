/** What the memorization probe measures on one checkpoint: plain JSON, non-finite numbers as strings. Types only. */
import type { HoldoutLevel } from '../../src/listops/regimes.js';
import type {
  BeyondRow,
  CellRow,
  FrequencyRow,
  IndexRow,
} from '../../src/report/charts/memorization-data.js';
import type { JsonArray } from '../../src/report/schema.js';

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
  /** the run's own first examples, read again: examples that show a held-out set */
  readonly leak: { readonly examples: number; readonly leaks: number };
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

export type { BeyondRow, CellRow, FrequencyRow, IndexRow };
