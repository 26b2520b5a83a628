/** How an effect is named in what the ablation probe stores; the measurement itself is made, and typed, by measure.ts. */
import type { Method } from '../../src/lens/components.js';

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
