/** A small model with strong random weights, its lens, and the same forward pass in float64 by the readable reference. */
import { openEngine } from '../../src/engine/registry.js';
import type { Batch } from '../../src/engine/engine.js';
import { type Lens, openLens } from '../../src/lens/lens.js';
import type { Prompt } from '../../src/lens/prompt.js';
import { DEFAULT_DATA } from '../../src/listops/data-config.js';
import { OPERATION_NAMES } from '../../src/listops/language/operations.js';
import { vocabulary } from '../../src/listops/language/tokenizer.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { parameterTable } from '../../src/model/parameters.js';
import { type Watch, referenceForward } from '../../src/model/reference.js';
import { Rng } from '../../src/tensor/rng.js';

export const DATA = { ...DEFAULT_DATA, depth: 2 } as const;
export const VOCABULARY = vocabulary(10);

export const SMALL: GptConfig = {
  dVocab: VOCABULARY.size,
  nCtx: 40,
  dModel: 8,
  nLayers: 2,
  nHeads: 2,
  dMlp: 12,
  activation: 'gelu',
  bias: true,
  qkvBias: true,
  tied: false,
  unembeddingBias: true,
  shareBlocks: false,
  residualInit: 'plain',
};

/** All weights, biases too, of standard deviation 0.5: nothing is zero by accident. */
export function strongWeights(gpt: GptConfig, seed = 1): Float32Array {
  const table = parameterTable(gpt);
  const rng = new Rng(seed, 'lens test');
  const out = new Float32Array(table.arenaSize);
  for (const { offset, size } of table.specs) {
    for (let i = 0; i < size; i++) out[offset + i] = 0.5 * rng.normal();
  }
  return out;
}

export interface LensUnderTest {
  readonly lens: Lens;
  readonly gpt: GptConfig;
  readonly parameters: Float32Array;
  readonly dispose: () => void;
}

export async function openSmall(
  gpt: GptConfig = SMALL,
  engineName: 'auto' | 'wasm' = 'auto',
): Promise<LensUnderTest> {
  const { engine } = await openEngine(engineName, { threads: 1 });
  const parameters = strongWeights(gpt);
  const model = engine.createModel(gpt, { parameters }, 'inference');
  const lens = openLens(model, { data: DATA, vocabulary: OPERATION_NAMES });
  return { lens, gpt, parameters, dispose: () => engine.dispose() };
}

/** [N, dVocab] of every position, in float64. */
export function reference(
  { gpt, parameters }: Pick<LensUnderTest, 'gpt' | 'parameters'>,
  prompts: readonly Prompt[],
  watch?: Watch,
): Float64Array {
  const offsets = new Int32Array(prompts.length + 1);
  prompts.forEach(({ tokens }, p) => (offsets[p + 1] = offsets[p] + tokens.length));
  const tokens = Int32Array.from(prompts.flatMap((prompt) => [...prompt.tokens]));
  const batch: Pick<Batch, 'tokens' | 'targets' | 'offsets'> = {
    tokens,
    targets: new Int32Array(tokens.length),
    offsets,
  };
  return referenceForward(gpt, parameters, batch, watch).logits;
}

/** Copies of the reference's activations. */
export function referenceActivations(
  under: Pick<LensUnderTest, 'gpt' | 'parameters'>,
  prompts: readonly Prompt[],
): Map<string, Float64Array> {
  const out = new Map<string, Float64Array>();
  reference(under, prompts, (name, x) => void out.set(name, x.slice()));
  return out;
}

/** Largest distance between two arrays, over the larger of 1 and the values' own size. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let most = 0;
  for (let i = 0; i < a.length; i++)
    most = Math.max(most, Math.abs(a[i] - b[i]) / Math.max(1, Math.abs(b[i])));
  return most;
}
