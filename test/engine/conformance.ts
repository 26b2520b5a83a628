/** The models, batches and training task of the conformance suite, shared by its tests and the script that measures. */
import type { AdamWOptions, Batch, TrainStepResult } from '../../src/engine/engine.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { ADAMW, countingBatch } from './cases.js';

/** What the others are compared with: the back end that needs least and is not ours. */
export const REFERENCE_ENGINE = 'tfjs:wasm';

/** Five ragged sequences of 1 to 9 tokens. */
export const CONFORMANCE_LENGTHS = [1, 9, 4, 7, 2] as const;

const WIDE: GptConfig = {
  dVocab: 13,
  nCtx: 9,
  dModel: 12,
  nLayers: 2,
  nHeads: 2,
  dMlp: 48,
  activation: 'gelu',
  bias: true,
  qkvBias: true,
  tied: true,
  unembeddingBias: false,
  residualInit: 'scaled',
  shareBlocks: false,
};
const NARROW: GptConfig = { ...WIDE, dModel: 8, dMlp: 32 };

/** Widths 8 and 12, two layers, two heads; every choice of the model is taken both ways. */
export const CONFORMANCE_CONFIGS: readonly GptConfig[] = [
  WIDE,
  NARROW,
  { ...NARROW, activation: 'relu', bias: false, qkvBias: false, tied: false },
  { ...WIDE, activation: 'relu', shareBlocks: true, tied: false, unembeddingBias: true },
  { ...NARROW, qkvBias: false, shareBlocks: true },
];

/** The curve's model and length. */
export const CURVE = { config: NARROW, steps: 100, seeds: 5, sequences: 5 } as const;

/** Losses of the curve's steps; the model is disposed of. */
export function curveOf(
  model: {
    trainStep(batch: Batch, options: AdamWOptions): TrainStepResult;
    dispose(): void;
  },
  seed: number,
): number[] {
  const losses = Array.from({ length: CURVE.steps }, (_, step) => {
    const batch = countingBatch(CURVE.config, seed, step, CURVE.sequences);
    const result = model.trainStep(batch, { ...ADAMW, learningRate: 1e-2 });
    return result.kind === 'updated' ? result.lossNats : NaN;
  });
  model.dispose();
  return losses;
}

/** Greatest difference of two curves, nats; NaN where one diverged. */
export function distance(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((loss, step) => Math.abs(loss - b[step])));
}
