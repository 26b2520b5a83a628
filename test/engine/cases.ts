/** Configurations, parameters and ragged batches of the engines' tests, all from the project's seeded random numbers. */
import type { AdamWOptions, Batch } from '../../src/engine/engine.js';
import { ACTIVATION_FUNCTION_NAMES } from '../../src/model/activation-functions.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { parameterTable } from '../../src/model/parameters.js';
import { Rng } from '../../src/tensor/rng.js';

const SHAPES = [
  { dModel: 8, nHeads: 1, dMlp: 32, nLayers: 2, dVocab: 13, nCtx: 9 },
  { dModel: 12, nHeads: 2, dMlp: 20, nLayers: 1, dVocab: 8, nCtx: 12 },
  { dModel: 5, nHeads: 1, dMlp: 7, nLayers: 2, dVocab: 3, nCtx: 17 },
  { dModel: 16, nHeads: 4, dMlp: 64, nLayers: 2, dVocab: 45, nCtx: 20 },
  { dModel: 6, nHeads: 6, dMlp: 9, nLayers: 3, dVocab: 17, nCtx: 5 },
  { dModel: 24, nHeads: 3, dMlp: 33, nLayers: 2, dVocab: 16, nCtx: 34 },
  { dModel: 1, nHeads: 1, dMlp: 1, nLayers: 1, dVocab: 2, nCtx: 3 },
] as const;

/** Every combination of activation, bias, tied and shareBlocks, going through the shapes, odd and even, in turn. */
const COMMON: readonly GptConfig[] = ACTIVATION_FUNCTION_NAMES.flatMap((activation, a) =>
  [true, false].flatMap((bias, b) =>
    [true, false].flatMap((tied, t) =>
      [true, false].map((shareBlocks, s) => ({
        ...SHAPES[(8 * a + 4 * b + 2 * t + s) % SHAPES.length],
        activation,
        bias,
        tied,
        shareBlocks,
        qkvBias: bias,
        unembeddingBias: false,
        residualInit: 'scaled' as const,
      })),
    ),
  ),
);

/** Those, then each mixture of biases that they leave out, over the first shapes. */
export const VARIANTS: readonly GptConfig[] = [
  ...COMMON,
  { ...COMMON[2], ...SHAPES[1], bias: true, qkvBias: false, tied: false, unembeddingBias: true },
  { ...COMMON[8], ...SHAPES[2], bias: true, qkvBias: false, tied: true, residualInit: 'plain' },
  { ...COMMON[6], ...SHAPES[3], bias: false, qkvBias: false, tied: false, unembeddingBias: true },
  { ...COMMON[11], ...SHAPES[5], bias: true, qkvBias: true, tied: false, unembeddingBias: true },
];

export function describeConfig(config: GptConfig): string {
  const { dModel, nHeads, dMlp, nLayers, activation, bias, tied, shareBlocks, qkvBias } = config;
  const words = [
    activation,
    bias ? 'bias' : 'no bias',
    ...(bias && !qkvBias ? ['not for q, k, v'] : []),
    tied ? 'tied' : config.unembeddingBias ? 'untied with bias' : 'untied',
    ...(shareBlocks ? ['shared'] : []),
  ];
  return `C=${dModel} NH=${nHeads} M=${dMlp} L=${nLayers}, ${words.join(', ')}`;
}

/** [arenaSize]: matrices of spread 0.3 (large enough for sharp attention), biases and norms away from 0 and 1. */
export function randomParameters(config: GptConfig, seed: number): Float32Array {
  const table = parameterTable(config);
  const arena = new Float32Array(table.arenaSize);
  table.specs.forEach((spec, index) => {
    const rng = new Rng(seed, 'test:parameters', index);
    const centre = spec.init.kind === 'constant' ? spec.init.value : 0;
    const spread = spec.decays ? 0.3 : 0.1;
    for (let i = 0; i < spec.size; i++) arena[spec.offset + i] = centre + spread * rng.normal();
  });
  return arena;
}

/** Sequences of random tokens. @param density - share of positions with a target; at least one has */
export function randomBatch(config: GptConfig, seed: number, lengths: readonly number[], density = 1): Batch {
  const rng = new Rng(seed, 'test:batch');
  const N = lengths.reduce((sum, length) => sum + length, 0);
  const offsets = Int32Array.from([0, ...lengths]);
  for (let s = 1; s < offsets.length; s++) offsets[s] += offsets[s - 1];
  const tokens = Int32Array.from({ length: N }, () => rng.below(config.dVocab));
  const targets = Int32Array.from({ length: N }, () =>
    rng.uniform() < density ? rng.below(config.dVocab) : -1,
  );
  if (targets.every((target) => target < 0)) targets[N - 1] = 0;
  return { tokens, targets, roles: targets.map((target) => (target < 0 ? -1 : target % 3)), offsets };
}

/** `count` lengths from 1 to nCtx, both ends included when there are at least two. */
export function randomLengths(config: GptConfig, seed: number, count: number): number[] {
  const rng = new Rng(seed, 'test:lengths');
  return Array.from({ length: count }, (_, s) =>
    s === 0 ? 1 : s === 1 ? config.nCtx : 1 + rng.below(config.nCtx),
  );
}

/** `count` sequences that count upwards from a random start by a random step: something to learn. */
export function countingBatch(config: GptConfig, seed: number, step: number, count: number): Batch {
  const lengths = randomLengths(config, 1000 * seed + step, count);
  const batch = randomBatch(config, 1000 * seed + step, lengths);
  for (let s = 0; s + 1 < batch.offsets.length; s++) {
    const from = batch.offsets[s];
    const stride = 1 + (batch.tokens[from] % 3);
    for (let i = from; i < batch.offsets[s + 1]; i++) {
      batch.tokens[i] = (batch.tokens[from] + (i - from) * stride) % config.dVocab;
      batch.targets[i] = (batch.tokens[i] + stride) % config.dVocab;
    }
  }
  return batch;
}

export const ADAMW: AdamWOptions = {
  learningRate: 3e-3,
  beta1: 0.9,
  beta2: 0.99,
  eps: 1e-8,
  weightDecay: 0.1,
  clip: 1,
};
