/** Directions added to activations: one at chosen positions, or one for every token. Browser-safe. */
import type { Batch, Intervention } from '../engine/engine.js';
import { type ActivationName, activationName } from '../model/activations.js';

export interface SteerOptions {
  readonly at: ActivationName;
  /** [width of the activation] */
  readonly direction: ArrayLike<number>;
  /** how many times the direction is added */
  readonly strength: number;
  /** positions of every prompt, from its end where negative; absent: all */
  readonly positions?: readonly number[];
  readonly capture?: readonly ActivationName[];
}

/** The same at these positions of every prompt. @param offsets - [P + 1] where each prompt begins, and their end */
export function steering(
  offsets: Int32Array,
  { at, direction, strength, positions }: SteerOptions,
): Intervention {
  const value = Float32Array.from(Array.from(direction), (x) => strength * x);
  if (positions === undefined) return { at, op: 'add', value };
  const rows = Array.from(offsets.subarray(1), (end, p) =>
    positions.map((position) => (position < 0 ? end : offsets[p]) + position),
  );
  return { at, op: 'add', value, positions: Int32Array.from(rows.flat()) };
}

/**
 * Moves tokens where they enter; the unembedding stays, also where it is tied.
 * @param moveOf - [dModel] what is added to the embedding of a token; undefined: nothing
 */
export function moveTokens(
  { tokens }: Pick<Batch, 'tokens'>,
  width: number,
  moveOf: (token: number) => ArrayLike<number> | undefined,
): Intervention {
  const value = new Float32Array(tokens.length * width);
  tokens.forEach((token, row) => {
    const move = moveOf(token);
    if (move !== undefined) value.set(move, row * width);
  });
  return { at: activationName('embed'), op: 'add', value };
}
