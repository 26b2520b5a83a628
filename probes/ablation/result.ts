/** What the ablation probe reports of all checkpoints together: plain JSON. Made by combine.ts, read by findings and charts. */
import type { DoseSummary } from '../../src/analysis/ablation-dose.js';
import type { Side } from '../conditions.js';
import type { Kind, Method } from './components.js';
import type { EffectKey } from './measurement.js';

/** One method's dose curves of one seed, read on the primary operation's result tokens. */
export interface SeedDose extends DoseSummary {
  readonly method: Method;
  /** unclipped mean loss at each dose, nats */
  readonly nats: {
    readonly attention: readonly number[];
    readonly feedForward: readonly number[];
    readonly both: readonly number[];
  };
  /** D at the doses below one eighth; empty where not measured */
  readonly low: Readonly<Record<DoseKind, readonly number[]>>;
  /** dose at which half is lost; null: never, or not measured */
  readonly halfDose: Readonly<Record<DoseKind, number | null>>;
}

export interface SeedResult {
  /** subject id */
  readonly id: string;
  readonly run: string;
  readonly seed: number;
  /** index into conditions */
  readonly condition: number;
  /** accuracy on trained single-operation prompts of the primary operation */
  readonly accuracy: number;
  /** L_0 on the primary operation's result tokens, nats */
  readonly cleanNats: number | null;
  readonly constantNats: number | null;
  /** its operation is learned at the accuracy and loss that C4 asks for, and there is something to lose: drawn */
  readonly usable: boolean;
  /** why not usable */
  readonly reason: string | null;
  /** why it does not count in C4, the last checkpoint of its run being asked for as well; null: it counts */
  readonly leftOut: string | null;
  readonly doses: readonly SeedDose[];
  /** resample ablation on the pure templates of every operation of the run */
  readonly byOperation: readonly {
    readonly operation: string;
    readonly share: number;
    readonly areaAttention: number;
    readonly areaFeedForward: number;
  }[];
  /** pattern freeze of all attention: share lost D, and nats */
  readonly freeze: { readonly lost: number; readonly nats: number } | null;
  /** donor with the same numbers and another operation: nats on result tokens; null in runs of one operation */
  readonly otherOperation: { readonly attention: number; readonly feedForward: number } | null;
  /** of the primary operation, one a layer or, with shared blocks, one a pass; null: not finite */
  readonly norms: readonly {
    /** `layer 0`, `pass 0` */
    readonly place: string;
    readonly logRatio: number | null;
    readonly rawLogRatio: number | null;
    readonly variationCosine: number | null;
    readonly untrainedLogRatio: number | null;
  }[];
}

export interface ConditionResult {
  readonly label: string;
  readonly side: Side;
  readonly tasks: readonly string[];
  readonly regime: string;
  readonly primary: string;
  /** equal in conditions that differ in nothing but their tasks */
  readonly match: string;
  readonly seeds: number;
  readonly usable: number;
  /** usable runs at their last checkpoint: those that count in C4 */
  readonly counted: number;
  /** runs behind the tables: the usable ones, or all where none is */
  readonly tableRuns: number;
  readonly templates: readonly {
    readonly id: string;
    readonly prompts: number;
    readonly hasMean: boolean;
    readonly sameResult: number;
  }[];
  readonly cells: readonly string[];
  readonly effects: readonly EffectKey[];
  /** [effects][cells] means over runs of ablated minus clean; null: not measured */
  readonly deltaNats: readonly (readonly (number | null)[])[];
  readonly deltaAccuracy: readonly (readonly (number | null)[])[];
  readonly freeRunning: readonly {
    readonly component: string;
    readonly method: string;
    readonly exact: number;
    readonly result: number;
    readonly copy: number;
    readonly format: number;
  }[];
}

export interface AblationResult {
  /** why C4 gets no verdict here, with options cheaper than its own; null: it gets one */
  readonly exploratoryOnly: string | null;
  readonly doses: readonly number[];
  readonly lowDoses: readonly number[];
  readonly conditions: readonly ConditionResult[];
  readonly seeds: readonly SeedResult[];
}

export const DOSE_KINDS = ['attention', 'feedForward', 'both'] as const;
export type DoseKind = (typeof DOSE_KINDS)[number];

/** Names of the kinds in prose. */
export const KIND_NAMES: Readonly<Record<DoseKind, Kind>> = {
  attention: 'attention',
  feedForward: 'feed-forward',
  both: 'both',
};
