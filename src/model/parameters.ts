/**
 * THE table of parameters: names and shapes are nanoGPT's (model.py), in the order in which they lie in the state arena.
 * Linear weights are [out, in] row-major. Browser-safe.
 */
import { type GptConfig, nBlockParameters } from './gpt-config.js';

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** number of elements */
  readonly size: number;
  /** offset in elements from the start of the parameter arena; a multiple of PARAMETER_ALIGNMENT */
  readonly offset: number;
  /** AdamW weight decay applies: matrices and embeddings, not biases and LayerNorm weights */
  readonly decays: boolean;
  /** initial values: normal with `std`, or a constant */
  readonly init:
    { readonly kind: 'normal'; readonly std: number } | { readonly kind: 'constant'; readonly value: number };
}

/** Every tensor begins on a 64-byte boundary: 16 float32. The gap is zero and stays zero. */
export const PARAMETER_ALIGNMENT = 16;

/** Standard deviation of initial weights: nanoGPT's 0.02. */
export const INIT_STD = 0.02;

export interface ParameterTable {
  readonly specs: readonly ParameterSpec[];
  readonly byName: ReadonlyMap<string, ParameterSpec>;
  /** elements of one arena section (parameters, gradients, m or v), gaps included */
  readonly arenaSize: number;
  /** trainable numbers, gaps excluded, tied weights once */
  readonly nParameters: number;
  /** the same without position embeddings */
  readonly nParametersNonPosition: number;
}

/** Name of the unembedding in checkpoints; with tied weights it is written as a copy of TOKEN_EMBEDDING. */
export const UNEMBEDDING = 'lm_head.weight';
export const UNEMBEDDING_BIAS = 'lm_head.bias';
export const TOKEN_EMBEDDING = 'transformer.wte.weight';
export const POSITION_EMBEDDING = 'transformer.wpe.weight';

/**
 * Builds the table for one configuration. With residualInit `scaled`, projections to the residual stream are initialised
 * with std 0.02 / sqrt(2 L) (GPT-2).
 */
export function parameterTable(config: GptConfig): ParameterTable {
  const { dModel: C, dMlp, dVocab: V, nCtx, bias } = config;
  const specs: ParameterSpec[] = [];
  let offset = 0;
  const add = (name: string, shape: number[], decays: boolean, init: ParameterSpec['init']): void => {
    const size = shape.reduce((product, n) => product * n, 1);
    specs.push({ name, shape, size, offset, decays, init });
    offset += Math.ceil(size / PARAMETER_ALIGNMENT) * PARAMETER_ALIGNMENT;
  };
  const weight = (name: string, shape: number[], std = INIT_STD): void =>
    add(name, shape, true, { kind: 'normal', std });
  const vector = (name: string, size: number, value: number): void =>
    add(name, [size], false, { kind: 'constant', value });
  const linear = (name: string, out: number, input: number, std?: number, hasBias = bias): void => {
    weight(`${name}.weight`, [out, input], std);
    if (hasBias) vector(`${name}.bias`, out, 0);
  };
  const layerNorm = (name: string): void => {
    vector(`${name}.weight`, C, 1);
    if (bias) vector(`${name}.bias`, C, 0);
  };

  const residualStd = config.residualInit === 'scaled' ? INIT_STD / Math.sqrt(2 * config.nLayers) : INIT_STD;
  weight(TOKEN_EMBEDDING, [V, C], config.embeddingInit);
  weight(POSITION_EMBEDDING, [nCtx, C], config.positionInit);
  for (let layer = 0; layer < nBlockParameters(config); layer++) {
    const block = `transformer.h.${layer}`;
    layerNorm(`${block}.ln_1`);
    linear(`${block}.attn.c_attn`, 3 * C, C, INIT_STD, config.qkvBias);
    linear(`${block}.attn.c_proj`, C, C, residualStd);
    layerNorm(`${block}.ln_2`);
    linear(`${block}.mlp.c_fc`, dMlp, C);
    linear(`${block}.mlp.c_proj`, C, dMlp, residualStd);
  }
  layerNorm('transformer.ln_f');
  if (!config.tied) weight(UNEMBEDDING, [V, C]);
  if (config.unembeddingBias) vector(UNEMBEDDING_BIAS, V, 0);

  const nParameters = specs.reduce((sum, spec) => sum + spec.size, 0);
  return {
    specs,
    byName: new Map(specs.map((spec) => [spec.name, spec])),
    arenaSize: offset,
    nParameters,
    nParametersNonPosition: nParameters - nCtx * C,
  };
}

/** View of one tensor inside an arena section. @param arena - [arenaSize] float32; the result shares its memory */
export function parameterView(table: ParameterTable, arena: Float32Array, name: string): Float32Array {
  const spec = table.byName.get(name);
  if (spec === undefined) {
    throw new RangeError(
      `No parameter named "${name}". Known: ${table.specs.map((s) => s.name).join(', ')}.`,
    );
  }
  return arena.subarray(spec.offset, spec.offset + spec.size);
}

/** What logits are read with; biases are undefined where the model has none. */
export interface ReadoutTensors {
  /** [dModel] of the final LayerNorm */
  readonly weight: Float32Array;
  readonly bias: Float32Array | undefined;
  /** [dVocab, dModel]: that of the tokens where they are tied */
  readonly unembedding: Float32Array;
  /** [dVocab] */
  readonly unembeddingBias: Float32Array | undefined;
}

/** Views of an arena. */
export function readoutTensors(config: GptConfig, arena: Float32Array): ReadoutTensors {
  const table = parameterTable(config);
  const optional = (name: string): Float32Array | undefined =>
    table.byName.has(name) ? parameterView(table, arena, name) : undefined;
  return {
    weight: parameterView(table, arena, 'transformer.ln_f.weight'),
    bias: optional('transformer.ln_f.bias'),
    unembedding: parameterView(table, arena, config.tied ? TOKEN_EMBEDDING : UNEMBEDDING),
    unembeddingBias: optional(UNEMBEDDING_BIAS),
  };
}
