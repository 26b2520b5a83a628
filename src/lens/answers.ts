/** What a model says wherever a batch has a target, in one forward pass. Browser-safe. */
import type { Batch, Intervention, Model } from '../engine/engine.js';
import { argmax } from '../tensor/math.js';

/** K targets, in the order of their rows. */
export interface TargetAnswers {
  /** [K] rows of the batch */
  readonly rows: Int32Array;
  /** [K] the token of the greatest logit; ties go to the smallest id, as in generation */
  readonly tokens: Int32Array;
  /** [K] cross-entropy of the target, nats */
  readonly lossNats: Float32Array;
}

export function answersAt(
  model: Model,
  batch: Batch,
  interventions: readonly Intervention[] = [],
): TargetAnswers {
  const { logits, losses } = model.forward(batch, { interventions });
  const { dVocab } = model.config;
  const rows = Int32Array.from(batch.targets.keys()).filter((row) => batch.targets[row] >= 0);
  return { rows, tokens: rows.map((_, k) => argmax(logits, k * dVocab, dVocab)), lossNats: losses };
}
