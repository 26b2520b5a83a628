/**
 * What the charts of the parity probe read: plain JSON made by the probe's `measure` and `combine`. A group is a condition,
 * divided by whether its runs have learned SUM; one run is one seed.
 */

/** A labelling of the numbers, leave-pair-out, with its null. */
export interface LabellingNumbers {
  /** share of held-out pairs in the right order, 0 to 1 */
  readonly share: number;
  readonly margin: number;
  readonly p: number;
  readonly midP: number;
  readonly nullMean: number;
  readonly null95: number;
  readonly relabellings: number;
  readonly exact: boolean;
}

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

export interface ParitySeed {
  readonly subject: string;
  readonly seed: number;
  /** accuracy on SUM result tokens; null: not evaluated or not trained */
  readonly accuracy: number | null;
  readonly embedding: TokenNumbers;
  readonly untrained: TokenNumbers;
  readonly causal: CausalNumbers | null;
  /** accuracy of the final answer after the last layer, before the inner step is written; null: not asked */
  readonly ahead: number | null;
}

/** Means over the seeds of a group, at one layer and position. */
export interface MeanCell {
  readonly stage: number;
  readonly position: number;
  /** by modulus: (accuracy - majority) / (1 - majority) */
  readonly aboveMajority: readonly number[];
  readonly accuracy: readonly number[];
  /** by modulus: 95 % interval of the accuracy */
  readonly low: readonly number[];
  readonly high: readonly number[];
  /** by seed and modulus */
  readonly seeds: readonly (readonly number[])[];
  readonly control: number;
  readonly circleR2: readonly number[];
  /** by seed; empty where not asked */
  readonly strict: readonly number[];
  readonly strictNull95: number | null;
}

export interface MeanContext {
  readonly template: string;
  readonly prompts: number;
  readonly moduli: readonly number[];
  readonly positions: ContextNumbers['positions'];
  readonly stages: readonly string[];
  /** by position and modulus */
  readonly majority: readonly (readonly number[])[];
  readonly cells: readonly MeanCell[];
  readonly untrained: readonly MeanCell[];
  readonly bag: readonly MeanCell[];
}

export interface ParityGroup {
  /** condition id, and `-not-learned` where its runs have not learned SUM */
  readonly id: string;
  readonly condition: string;
  /** the condition's label, as everywhere in the report */
  readonly label: string;
  /** for pictures: the label, and what sets the group apart */
  readonly name: string;
  readonly learnedSum: boolean | null;
  readonly n: number;
  readonly d: number;
  readonly seeds: readonly ParitySeed[];
  readonly context: MeanContext | null;
  /** nested expressions, a template each; empty at depth 1 */
  readonly lookAhead: readonly MeanContext[];
}

/** One checkpoint of a run that was looked at more than once. */
export interface ParitySeriesPoint {
  readonly run: string;
  readonly label: string;
  readonly seed: number;
  readonly step: number;
  readonly parity: number;
  readonly null95: number;
}
