/**
 * The engine contract: what native, wasm and tfjs must do, and nothing of how. Opening an engine is asynchronous,
 * everything after it synchronous. Browser-safe.
 */
import type { ActivationName } from '../model/activations.js';
import type { GptConfig } from '../model/gpt-config.js';

/** Our kernels, then the reference on TensorFlow.js by its back ends. */
export const ENGINE_NAMES = ['native', 'wasm', 'tfjs:tensorflow', 'tfjs:wasm', 'tfjs:cpu'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** What may be asked for: an engine by name, the fastest that is here, or the best of TensorFlow.js that is here. */
export const ENGINE_CHOICES = [
  'auto',
  'native',
  'wasm',
  'tfjs',
  'tfjs:tensorflow',
  'tfjs:wasm',
  'tfjs:cpu',
] as const;
export type EngineChoice = (typeof ENGINE_CHOICES)[number];

/**
 * S ragged sequences laid end to end; no padding exists.
 * Position t of a sequence predicts `targets[t]`, which the caller sets (usually the next token).
 */
export interface Batch {
  /** [N] token ids */
  readonly tokens: Int32Array;
  /** [N] target ids; -1: no loss at this position */
  readonly targets: Int32Array;
  /** [N] role of the target (listops/language/expression.ts ROLES index); -1 where there is none. Used by lossByRole only. */
  readonly roles: Int32Array;
  /** [S + 1] start of each sequence; offsets[S] = N */
  readonly offsets: Int32Array;
}

/** Overwrites one activation during forward, before anything reads it. */
export interface Intervention {
  readonly at: ActivationName;
  /** rows (token indices into the batch, 0..N-1) to change; absent: all. For pattern layouts: query rows. */
  readonly positions?: Int32Array;
  /** only these heads' columns (attn.q/k/v/z) or matrices (scores, pattern); absent: all */
  readonly heads?: readonly number[];
  /** set: x = value; add: x = x + value; scale: x = x * value */
  readonly op: 'set' | 'add' | 'scale';
  /** a number for all, one row [width] for every position, or a full array in the activation's own layout (all N rows) */
  readonly value: number | Float32Array;
}

export interface ForwardOptions {
  readonly capture?: readonly ActivationName[];
  /**
   * which rows of the batch are captured: all (the default), or those with a target alone, in their order, for which a pass
   * takes half the time and less. Scores and patterns are captured whole or not at all
   */
  readonly captureRows?: 'all' | 'targets';
  readonly interventions?: readonly Intervention[];
}

export interface WriteOnOptions {
  /** of activations with one row a position; rows count over a sequence of nCtx tokens, which the arrays are as long as */
  readonly interventions: readonly Intervention[];
  /** @param logits - [dVocab] after the last token; the caller's. @returns the token that comes next; undefined: the end */
  readonly next: (logits: Float32Array) => number | undefined;
}

export interface ForwardResult {
  /** [nTargets, dVocab] float32, rows in the order of positions with a target >= 0; owned by the caller */
  readonly logits: Float32Array;
  /** [nTargets] float32, cross-entropy in nats */
  readonly losses: Float32Array;
  /** mean over targets, nats */
  readonly lossNats: number;
  /** by role index: sum of nats and number of targets */
  readonly lossByRole: readonly { readonly sumNats: number; readonly count: number }[];
  /** copies, in each activation's layout; with `captureRows: 'targets'` [nTargets, width] */
  readonly activations: ReadonlyMap<ActivationName, Float32Array>;
}

export interface AdamWOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  readonly weightDecay: number;
  /** global gradient norm is scaled down to this; Infinity: no clipping */
  readonly clip: number;
}

export type TrainStepResult =
  | {
      readonly kind: 'updated';
      readonly lossNats: number;
      readonly gradNorm: number;
      readonly lossByRole: ForwardResult['lossByRole'];
    }
  /** parameters, moments and step count are untouched */
  | { readonly kind: 'diverged'; readonly quantity: string; readonly value: number };

/** Everything the next step depends on. Arrays are in parameterTable layout, [arenaSize] float32. */
export interface TrainingState {
  readonly parameters: Float32Array;
  /** AdamW first and second moments */
  readonly m: Float32Array;
  readonly v: Float32Array;
  /** updates done so far (bias correction uses step + 1 at the next) */
  readonly step: number;
}

export interface Model {
  readonly config: GptConfig;
  readonly mode: 'train' | 'inference';
  forward(batch: Batch, options?: ForwardOptions): ForwardResult;
  /**
   * Logits of rows of the residual stream as if the model ended there: the final LayerNorm and the unembedding, in float64,
   * sums in the order of their index.
   * @param stream - [rows, dModel]
   * @returns [rows, dVocab]
   */
  readout(stream: Float32Array): Float64Array;
  /** mean loss over targets and its gradient, in parameterTable layout (a copy); mode 'train' only */
  computeGradients(batch: Batch): { readonly lossNats: number; readonly gradients: Float32Array };
  /** forward, backward, finiteness check, clipping, AdamW; mode 'train' only */
  trainStep(batch: Batch, options: AdamWOptions): TrainStepResult;
  /**
   * Greedy decoding of many prompts; ties go to the smallest id. Stops a sequence after `stopToken`, which is
   * included in its result, or at nCtx.
   * @returns the generated tokens of each prompt, prompt excluded
   */
  generate(
    prompts: readonly Int32Array[],
    options: { readonly maxNewTokens: number; readonly stopToken?: number },
  ): Int32Array[];
  /**
   * Writes one sequence on under interventions, until `next` ends it or the context is full. The logits are those of
   * `forward` over all tokens so far, bit by bit; each row is computed once. Absent: the engine has no such way, and every
   * token takes a pass over all.
   */
  writeOn?(prompt: Int32Array, options: WriteOnOptions): void;
  /** parameters: a copy, [arenaSize] */
  getParameters(): Float32Array;
  setParameters(parameters: Float32Array): void;
  /** mode 'train' only; copies */
  getState(): TrainingState;
  setState(state: TrainingState): void;
  /** bytes held now: state arena and work arena */
  memory(): { readonly stateBytes: number; readonly workBytes: number };
  dispose(): void;
}

export interface Engine {
  readonly name: EngineName;
  /** instruction set in words: `x86-64 AVX-512`, `wasm simd128` */
  readonly isa: string;
  /** SHA-256 of the kernel sources it was built from, hex */
  readonly kernelHash: string;
  readonly threads: number;
  createModel(
    config: GptConfig,
    from: { readonly seed: number } | { readonly parameters: Float32Array },
    mode: 'train' | 'inference',
  ): Model;
  dispose(): void;
}

export interface OpenEngineOptions {
  /** at least 1; the numbers computed do not depend on it */
  readonly threads: number;
}
