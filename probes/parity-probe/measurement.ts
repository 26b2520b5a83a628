/** What one checkpoint gives: plain JSON. The parts are typed beside the charts that draw them. */
import type { LabellingTest } from '../../src/analysis/leave-pair-out.js';
import type {
  CausalNumbers,
  ContextNumbers,
  LabellingNumbers,
  TokenNumbers,
} from '../../src/report/charts/parity-data.js';
import { finiteNumber } from '../ablation/json-numbers.js';

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
  readonly embedding: TokenNumbers;
  readonly untrained: TokenNumbers;
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
