/**
 * Multiplications that a training step executes, from the shapes alone: 2 m n k of every matrix product. bench/README.md
 * has the formula in words; test/bench/flops.test.ts counts the same in the kernels.
 */

/** Rows of a batch as the engine sees them: nothing after the last target of a sequence is computed. */
export function countRows({ targets, offsets }) {
  let rows = 0;
  let wanted = 0;
  /** sum over rows of the positions each attends to; the same over rows with a target */
  let pairs = 0;
  let wantedPairs = 0;
  for (let s = 0; s + 1 < offsets.length; s++) {
    let length = offsets[s + 1] - offsets[s];
    while (length > 0 && targets[offsets[s] + length - 1] < 0) length--;
    rows += length;
    pairs += (length * (length + 1)) / 2;
    for (let t = 0; t < length; t++) {
      if (targets[offsets[s] + t] < 0) continue;
      wanted++;
      wantedPairs += t + 1;
    }
  }
  return { rows, wanted, pairs, wantedPairs };
}

/** Floating-point operations of one training step; AdamW, look-ups, norms, GELU and softmax count 0. */
export function trainingFlops(gpt, batch) {
  const { dModel: C, dMlp: M, nLayers: L, dVocab: V } = gpt;
  const { rows, wanted, pairs, wantedPairs } = countRows(batch);
  // forward, gradient of the input, gradient of the weight: three products of equal size
  const inner = 3 * (L - 1) * rows * (4 * C * C + 2 * C * M);
  const last = 3 * (rows * 2 * C * C + wanted * (2 * C * C + 2 * C * M));
  // forward: scores, values; backward: gradients of pattern, q, k, v. Heads share C, so their number does not matter
  const attention = 6 * C * ((L - 1) * pairs + wantedPairs);
  const unembedding = 3 * wanted * C * V;
  return 2 * (inner + last + attention + unembedding);
}
