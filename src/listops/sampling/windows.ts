/**
 * Batches of windows: stretches of equal length cut at random from examples that are written end to end, as the paper's
 * public pipeline trains. A window begins and ends anywhere, so positions mean nothing to an example, and the first tokens
 * of a window lack what stood before them.
 */
import { UserError } from '../../errors.js';
import type { Rng } from '../../tensor/rng.js';
import type { LossScope } from '../data-config.js';
import type { AnnotatedBatch, TokenStream } from '../language/sequence.js';

export interface WindowOptions {
  /** tokens of a window; each has the next one as its target */
  readonly window: number;
  readonly loss: LossScope;
  /** windows */
  readonly count: number;
}

/**
 * `count` windows, each at a start drawn uniformly, with replacement.
 * @throws UserError when the stream is not longer than a window
 */
export function windowBatch(
  stream: TokenStream,
  { window, loss, count }: WindowOptions,
  rng: Rng,
): AnnotatedBatch {
  const starts = stream.tokens.length - window;
  if (starts < 1) {
    throw new UserError(
      `--window: found ${window}, expected fewer than the ${stream.tokens.length} tokens of the set. ` +
        'Raise --fixed-size or lower --window.',
    );
  }
  const n = count * window;
  const column = (): Int32Array<ArrayBuffer> => new Int32Array(n);
  const batch = {
    tokens: column(),
    targets: column(),
    roles: column(),
    offsets: Int32Array.from({ length: count + 1 }, (_, s) => s * window),
    operations: column(),
    arities: column(),
    reductions: column(),
  };
  for (let s = 0; s < count; s++) {
    const from = rng.below(starts);
    batch.tokens.set(stream.tokens.subarray(from, from + window), s * window);
    for (const name of ['roles', 'operations', 'arities', 'reductions'] as const) {
      batch[name].set(stream[name].subarray(from + 1, from + 1 + window), s * window);
    }
    for (let i = 0; i < window; i++) {
      const t = s * window + i;
      batch.targets[t] = loss === 'all' || batch.roles[t] >= 0 ? stream.tokens[from + 1 + i] : -1;
    }
  }
  return batch;
}
