/** Random models and batches of the engine's fuzzer: a case is a function of its seed. */
import type { AdamWOptions, Batch } from '../../src/engine/engine.js';
import { ACTIVATION_FUNCTION_NAMES } from '../../src/model/activation-functions.js';
import { MAX_LAYERS, type GptConfig } from '../../src/model/gpt-config.js';
import { Rng } from '../../src/tensor/rng.js';
import { randomParameters } from '../engine/cases.js';

export interface EngineCase {
  readonly seed: number;
  readonly config: GptConfig;
  readonly parameters: Float32Array;
  /** the second one has another size, so that arenas grow and shrink */
  readonly batches: readonly [Batch, Batch];
  readonly prompts: readonly Int32Array[];
  readonly maxNewTokens: number;
  readonly stopToken: number | undefined;
  readonly optimizer: AdamWOptions;
}

/** Multiplications of one pass over a batch at most: a case takes some milliseconds. */
const MOST_WORK = 2e6;

export function engineCase(seed: number): EngineCase {
  const rng = new Rng(seed, 'fuzz:engine');
  const config = randomConfig(rng);
  const optimizer = {
    learningRate: rng.below(8) === 0 ? 0 : 10 ** (-1 - 3 * rng.uniform()),
    beta1: rng.below(4) === 0 ? 0 : 0.9,
    beta2: rng.below(4) === 0 ? 0 : 0.99,
    eps: 1e-8,
    weightDecay: rng.below(2) === 0 ? 0 : 0.1,
    clip: rng.below(3) === 0 ? Infinity : 0.5,
  };
  return {
    seed,
    config,
    parameters: randomParameters(config, seed),
    batches: [randomBatch(rng, config), randomBatch(rng, config)],
    prompts: Array.from({ length: 1 + rng.below(7) }, () =>
      tokensOf(rng, config, 1 + rng.below(config.nCtx)),
    ),
    maxNewTokens: rng.below(7),
    stopToken: rng.below(2) === 0 ? undefined : rng.below(config.dVocab),
    optimizer,
  };
}

/** One of the numbers, or one below `most` (from 1): ends of vectors and panels more often than the rest. */
function around(rng: Rng, edges: readonly number[], most: number): number {
  if (rng.below(3) === 0) return edges[rng.below(edges.length)];
  return 1 + rng.below(most);
}

function randomConfig(rng: Rng): GptConfig {
  const bias = rng.below(2) === 0;
  const tied = rng.below(2) === 0;
  for (;;) {
    const nHeads = rng.below(2) === 0 ? 1 : 1 + rng.below(6);
    const config: GptConfig = {
      dVocab: 1 + around(rng, [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 44], 70),
      nCtx: rng.below(8) === 0 ? 100 + rng.below(300) : around(rng, [1, 8, 9, 16, 17, 64], 40),
      dModel: nHeads * around(rng, [1, 4, 8, 9, 16, 17, 32, 33], 24),
      nLayers: rng.below(16) === 0 ? MAX_LAYERS : 1 + rng.below(4),
      nHeads,
      dMlp: around(rng, [1, 8, 16, 17, 32, 64, 65, 128, 129], 150),
      activation: ACTIVATION_FUNCTION_NAMES[rng.below(ACTIVATION_FUNCTION_NAMES.length)],
      bias,
      qkvBias: bias && rng.below(2) === 0,
      tied,
      unembeddingBias: !tied && rng.below(2) === 0,
      shareBlocks: rng.below(3) === 0,
      residualInit: 'scaled',
    };
    if (config.nCtx * workOfRow(config) < MOST_WORK) return config;
  }
}

/** Multiplications of one row in linear maps, and in attention of a sequence of the greatest length. */
function workOfRow({ dModel, dMlp, nLayers, nCtx, dVocab }: GptConfig): number {
  return nLayers * (4 * dModel ** 2 + 2 * dModel * dMlp + 2 * nCtx * dModel) + dModel * dVocab;
}

function tokensOf(rng: Rng, { dVocab }: GptConfig, count: number): Int32Array {
  return Int32Array.from({ length: count }, () => rng.below(dVocab));
}

/** Sequences of random lengths, some without any target; at least one target in all. */
function randomBatch(rng: Rng, config: GptConfig): Batch {
  const most = Math.max(1, Math.floor(MOST_WORK / workOfRow(config)));
  const wanted = 1 + rng.below(rng.below(3) === 0 ? 60 : 8);
  const offsets = [0];
  while (offsets.length <= wanted) {
    const kind = rng.below(4);
    const length = kind === 0 ? config.nCtx : kind === 1 ? 1 : 1 + rng.below(config.nCtx);
    if (offsets.length > 1 && offsets[offsets.length - 1] + length > most) break;
    offsets.push(offsets[offsets.length - 1] + length);
  }
  const N = offsets[offsets.length - 1];
  const tokens = tokensOf(rng, config, N);
  const density = [0.02, 0.2, 0.6, 1][rng.below(4)];
  const targets = Int32Array.from({ length: N }, () =>
    rng.uniform() < density ? rng.below(config.dVocab) : -1,
  );
  if (targets.every((target) => target < 0)) targets[rng.below(N)] = 0;
  return {
    tokens,
    targets,
    roles: targets.map((target) => (target < 0 ? -1 : target % 3)),
    offsets: Int32Array.from(offsets),
  };
}
