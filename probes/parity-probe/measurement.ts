/** What one checkpoint gives: plain JSON. */
import type { LabellingTest } from '../../src/analysis/leave-pair-out.js';
import { finiteNumber } from '../../src/report/report-json.js';

/** A labelling of the numbers, leave-pair-out, with its null; rounded. */
export type LabellingNumbers = Omit<LabellingTest, 'above' | 'equal'>;

/** The labellings of the numbers that are asked of one embedding. */
export const LABELLINGS = ['parity', 'half', 'residue3', 'prime'] as const;
export type LabellingName = (typeof LABELLINGS)[number];

export interface TokenNumbers extends Readonly<Record<LabellingName, LabellingNumbers>> {
  /** held-out R² of the value, and its null by permuting the numbers */
  readonly value: {
    readonly r2: number;
    readonly p: number;
    readonly midP: number;
    readonly nullMean: number;
    readonly null95: number;
  };
  /** rank of the centred embeddings; at n - 1 every labelling of the numbers is separable without held-out points */
  readonly affineRank: number;
  readonly everyLabellingSeparable: boolean;
}

/** Power at k = n/2 in octaves above isotropic, with the null of every labelling into equal halves; or why there is none. */
export type PowerNumbers =
  | {
      readonly power: number;
      readonly share: number;
      readonly p: number;
      readonly midP: number;
      /** octaves */
      readonly null95: number;
      readonly labellings: number;
      readonly exact: boolean;
    }
  | { readonly reason: string };

export interface EmbeddingNumbers extends TokenNumbers {
  readonly power: PowerNumbers;
}

/**
 * What is asked at a position: the running value at a number; the result where it is determined; the final answer of a nested
 * expression before its inner step is written (`ahead`); the final result where the model predicts it; a result token's own
 * value, which is there by need.
 */
export type PositionKind = 'running' | 'result' | 'ahead' | 'predicted' | 'own';

export interface PositionNumbers {
  readonly name: string;
  readonly label: string;
  readonly kind: PositionKind;
  /** distinct sets of numbers among the prompts: what an interval may count */
  readonly multisets: number;
}

/** What can be read at one layer and position of the residual stream. */
export interface CellNumbers {
  /** index into stages and positions */
  readonly stage: number;
  readonly position: number;
  /** held-out accuracy by modulus of ContextNumbers.moduli */
  readonly accuracy: readonly number[];
  /** the same for labels dealt to the values at random, classes as large as even and odd */
  readonly control: number;
  /** held-out R² of cosine and sine of 2 pi k s / n, by k from 1 */
  readonly circleR2: readonly number[];
  /** parity of the mean activation of each value, one even and one odd value held out; null: a value is missing, or all are alike */
  readonly strict: LabellingNumbers | null;
}

export interface ContextNumbers {
  /** `(SUM # # #)` */
  readonly template: string;
  readonly prompts: number;
  readonly moduli: readonly number[];
  readonly positions: readonly PositionNumbers[];
  /** the embedding, then attention and feed-forward of every layer in turn */
  readonly stages: readonly string[];
  /** by position and modulus: accuracy of always answering the most frequent class */
  readonly majority: readonly (readonly number[])[];
  readonly cells: readonly CellNumbers[];
  /** the same of the untrained model, cell for cell */
  readonly untrained: readonly CellNumbers[];
  /** the sum of the operands' token embeddings in place of the residual stream; stage 0 */
  readonly bag: readonly CellNumbers[];
}

export interface AnswerNumbers {
  readonly accuracy: number;
  /** of the result token */
  readonly lossNats: number;
}

export interface CausalNumbers {
  readonly operation: string;
  readonly prompts: number;
  readonly intact: AnswerNumbers;
  /** the parity direction projected out of the number tokens' embeddings */
  readonly parity: AnswerNumbers;
  /** every number moved as far, in a random direction of its own; mean over draws */
  readonly random: AnswerNumbers;
  /** the directions of random labellings of the same class sizes projected out; mean over draws */
  readonly otherLabelling: AnswerNumbers;
  readonly draws: number;
  /** share of the centred embeddings' squared norm that lies along the direction */
  readonly removedShare: number;
  /** leave-pair-out parity score of what is left */
  readonly shareAfter: number;
}

/** The same labelling by another program. */
export interface CrossCheckNumbers {
  readonly program: string;
  readonly points: number;
  readonly steps: number;
  readonly foldSteps: number;
  readonly learningRate: number;
  /** share of the numbers that both put in the same class, fitted on all of them */
  readonly agreement: number;
  readonly ownAccuracy: number;
  readonly otherAccuracy: number;
  /** share of held-out numbers in their own class, all pairs: ours, theirs */
  readonly ownHeldOut: number;
  readonly otherHeldOut: number;
}

export interface ParityMeasurement {
  readonly n: number;
  readonly d: number;
  /** one block is applied again and again: stages are passes */
  readonly sharedBlocks: boolean;
  readonly embedding: EmbeddingNumbers;
  readonly untrained: EmbeddingNumbers;
  readonly crossCheck: CrossCheckNumbers;
  /** null: no prompt of the run's operation fits its context or its hold-out */
  readonly context: ContextNumbers | null;
  /** nested expressions, the true chain given; empty at depth 1 and where none fits */
  readonly lookAhead: readonly ContextNumbers[];
  readonly causal: CausalNumbers | null;
  /** of all logistic fits of this measurement */
  readonly fits: { readonly count: number; readonly notConverged: number; readonly mostIterations: number };
}

export interface MeasureOptions {
  /** sampled where relabellings are too many to enumerate: of the embedding */
  readonly relabellings: number;
  /** the same for everything else */
  readonly contextRelabellings: number;
  readonly valuePermutations: number;
  readonly prompts: number;
  readonly controlDraws: number;
}

export function round(value: number): number {
  return finiteNumber(value, 'parity-probe');
}

export function labellingNumbers(test: LabellingTest): LabellingNumbers {
  return {
    share: round(test.share),
    margin: round(test.margin),
    p: round(test.p),
    midP: round(test.midP),
    nullMean: round(test.nullMean),
    null95: round(test.null95),
    relabellings: test.relabellings,
    exact: test.exact,
  };
}

/** Last position of a kind. */
export function lastOfKind({ positions }: Pick<ContextNumbers, 'positions'>, kind: PositionKind): number {
  return positions.findLastIndex((position) => position.kind === kind);
}

/** Where look-ahead is summed up: the closing bracket of the whole expression, where all of it has been read; -1: none. */
export function outerBracket({ positions }: Pick<ContextNumbers, 'positions'>): number {
  return positions.findIndex(({ kind, name }) => kind === 'ahead' && name === 'outer )');
}
