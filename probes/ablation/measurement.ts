/** What the ablation probe stores of one checkpoint: plain JSON. Made by measure.ts, read by statistics.ts. */
import type { JsonArray } from '../../src/report/schema.js';
import type { Kind, Method } from '../../src/lens/components.js';

/** Methods of an entry of `effects`: the four of a component, and two that stand alone. */
export type EffectMethod =
  | Method
  /** attention patterns set to their template mean, values kept */
  | 'pattern mean'
  /** donor: the same numbers under another operation of the run */
  | 'other operation';

export interface EffectKey {
  /** component id; see components.ts */
  readonly component: string;
  readonly method: EffectMethod;
  readonly site: string;
  readonly effect: 'total' | 'direct';
}

export interface DoseCurve {
  readonly kind: Kind;
  readonly method: Method;
  /** ascending; those of dose.ts and, for attention and feed-forward of the primary operation, half octaves */
  readonly doses: readonly number[];
  /** mean loss on result tokens at each dose: a loss, not a rise, and not clipped */
  readonly nats: readonly number[];
  readonly accuracy: readonly number[];
}

/** Dose curves on the pure templates of one operation, result tokens. */
export interface OperationDose {
  readonly operation: string;
  /** result tokens */
  readonly examples: number;
  readonly cleanNats: number;
  readonly cleanAccuracy: number;
  /** the same on the templates that have a mean (equal unless a template has too few prompts) */
  readonly cleanNatsMean: number | string;
  /** L_c: the best constant given operation and arity */
  readonly constantNats: number;
  /** the same on the templates that have a mean */
  readonly constantNatsMean: number | string;
  /** loss with all attention patterns at their template mean, on the templates that have a mean */
  readonly patternFreezeNats: number | string;
  readonly curves: readonly DoseCurve[];
}

export interface NormRow {
  readonly operation: string;
  readonly layer: number;
  readonly logRatio: number | string;
  readonly rawLogRatio: number | string;
  readonly cosine: number | string;
  readonly variationCosine: number | string;
  readonly untrainedLogRatio: number | string;
  readonly untrainedRawLogRatio: number | string;
}

export interface FreeRunning {
  readonly component: string;
  readonly method: EffectMethod;
  /** share of chains that come out right as a whole */
  readonly exact: number;
  /** shares of chains whose first wrong token has this role; with `exact` they sum to 1 */
  readonly result: number;
  readonly copy: number;
  readonly format: number;
}

export interface AblationMeasurement {
  /** what was asked for; small templates have fewer prompts */
  readonly asked: { readonly promptsPerTemplate: number; readonly dosesPerOctave: number };
  readonly primary: string;
  readonly tasks: readonly string[];
  readonly regime: string;
  readonly modulus: number;
  readonly sharedBlocks: boolean;
  /** result tokens of single-operation prompts without held-out operands: accuracy and number of prompts */
  readonly learned: readonly {
    readonly operation: string;
    readonly accuracy: number;
    readonly prompts: number;
    readonly enumerated: boolean;
  }[];
  readonly templates: readonly {
    readonly id: string;
    readonly prompts: number;
    /** at least 64 prompts: mean ablation and pattern mean are reported */
    readonly hasMean: boolean;
    /** prompts whose donor has the same result at some reduction */
    readonly sameResult: number;
  }[];
  /** columns of clean and effects: `SUM result` */
  readonly cells: readonly string[];
  readonly clean: { readonly nats: JsonArray; readonly accuracy: JsonArray; readonly count: JsonArray };
  /** rows of deltaNats and deltaAccuracy */
  readonly effects: readonly EffectKey[];
  /** [effects, cells] ablated minus clean; "NaN": not measured */
  readonly deltaNats: JsonArray;
  readonly deltaAccuracy: JsonArray;
  readonly dose: readonly OperationDose[];
  readonly norms: readonly NormRow[];
  /** on pure templates of the primary operation; the first entry is the intact model (component `none`) */
  readonly freeRunning: readonly FreeRunning[];
}
