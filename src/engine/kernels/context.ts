/** What the drivers of one model share, and the contract's types for either number type. Browser-safe. */
import { RunError } from '../../errors.js';
import type { ActivationName } from '../../model/activations.js';
import type { GptConfig } from '../../model/gpt-config.js';
import type { ForwardResult, Intervention } from '../engine.js';
import type { Address, KernelMemory, RealArray } from './module.js';

/** The contract's types with the number type of the module (Float64Array in the double build of the tests). */
export type RealIntervention<R extends RealArray> = Omit<Intervention, 'value'> & {
  readonly value: number | R;
};
export interface RealForwardOptions<R extends RealArray> {
  readonly capture?: readonly ActivationName[];
  readonly captureRows?: 'all' | 'targets';
  readonly interventions?: readonly RealIntervention<R>[];
}
export type RealForwardResult<R extends RealArray> = Omit<
  ForwardResult,
  'logits' | 'losses' | 'activations'
> & {
  readonly logits: R;
  readonly losses: R;
  readonly activations: ReadonlyMap<ActivationName, R>;
};
export interface RealWriteOnOptions<R extends RealArray> {
  readonly interventions: NonNullable<RealForwardOptions<R>['interventions']>;
  readonly next: (logits: R) => number | undefined;
}
export interface RealTrainingState<R extends RealArray> {
  readonly parameters: R;
  readonly m: R;
  readonly v: R;
  readonly step: number;
}

/** What the drivers may use. */
export interface ModelContext<R extends RealArray> {
  readonly config: GptConfig;
  readonly memory: KernelMemory<R>;
  readonly description: Address;
  readonly parameters: Address;
  readonly realBytes: number;
  /** address of a thread pool; 0: none */
  readonly pool: Address;
  readonly threads: number;
}

/** What the analysis and the capture driver give. */
export type CaptureResult<R extends RealArray> = Omit<RealForwardResult<R>, 'lossByRole'>;

/** A copy that the caller owns. */
export function copy<R extends RealArray>(view: R): R {
  return view.slice() as R;
}

/** Logits that are not numbers cannot be decoded. */
export function nanLogits(prompt: number): RunError {
  return new RunError(
    `Generation stopped: the model gives NaN logits for prompt ${prompt}. Its weights are not finite, or overflow.`,
  );
}
