/** Operations of a training step as bench/lib counts them, against a count by hand. */
import { describe, expect, it } from 'vitest';
import { countRows, trainingFlops } from '../../bench/lib/flops.mjs';
import { gptConfigOf } from '../../src/config/gpt-config-of.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import { createGenerator } from '../../src/listops/sampling/generate.js';

/** Multiplications of one step counted one product at a time, as the engine carries them out. */
function countByHand(
  { dModel: C, dMlp: M, nLayers: L, dVocab: V }: ReturnType<typeof gptConfigOf>,
  { targets, offsets }: { targets: Int32Array; offsets: Int32Array },
): number {
  let multiplications = 0;
  const product = (m: number, n: number, k: number): void => {
    multiplications += m * n * k;
  };
  for (let s = 0; s + 1 < offsets.length; s++) {
    const own = Array.from(targets.subarray(offsets[s], offsets[s + 1]));
    const length = own.findLastIndex((target) => target >= 0) + 1;
    for (let t = 0; t < length; t++) {
      for (let layer = 0; layer < L; layer++) {
        const isQuery = layer < L - 1 || own[t] >= 0;
        // forward, gradient of the input, gradient of the weight
        for (let pass = 0; pass < 3; pass++) {
          product(1, 2 * C, C); // keys and values
          if (!isQuery) continue;
          product(1, C, C); // query
          product(1, C, C); // projection
          product(1, M, C);
          product(1, C, M);
        }
        // scores, values; then gradients of the pattern, of q, k and v: one of each for every key up to t
        if (isQuery) for (let key = 0; key <= t; key++) for (let i = 0; i < 6; i++) product(1, 1, C);
      }
      if (own[t] >= 0) for (let pass = 0; pass < 3; pass++) product(1, V, C);
    }
  }
  return multiplications;
}

describe('trainingFlops', () => {
  const config = resolveRunConfig({ data: { depth: 2 }, model: { dModel: 24, nLayers: 3 } });
  const gpt = gptConfigOf(config);

  it.each(['completion', 'all'] as const)(
    'counts every multiplication of a ragged batch, loss on %s',
    (loss) => {
      const batch = createGenerator({ ...config.data, loss }, 1).batch(0, 32);
      expect(trainingFlops(gpt, batch)).toBe(2 * countByHand(gpt, batch));
    },
  );

  it('leaves out rows after the last target and sequences without one', () => {
    const batch = {
      targets: Int32Array.of(-1, 3, -1, -1, /* second sequence */ -1, -1),
      offsets: Int32Array.of(0, 4, 6),
    };
    expect(countRows(batch)).toEqual({ rows: 2, wanted: 1, pairs: 3, wantedPairs: 2 });
    expect(trainingFlops(gpt, batch)).toBe(2 * countByHand(gpt, batch));
  });
});
