/** A model's shape and parameter offsets as the int32 record that the kernels read (model.h). Browser-safe. */
import { ACTIVATION_FUNCTIONS } from '../../model/activation-functions.js';
import { type GptConfig, MAX_LAYERS, nBlockParameters } from '../../model/gpt-config.js';
import {
  type ParameterTable,
  POSITION_EMBEDDING,
  TOKEN_EMBEDDING,
  UNEMBEDDING,
  UNEMBEDDING_BIAS,
} from '../../model/parameters.js';

/** Tensors of one block in the order of block_offsets in model.h. */
const BLOCK_TENSORS = [
  'ln_1.weight',
  'ln_1.bias',
  'attn.c_attn.weight',
  'attn.c_attn.bias',
  'attn.c_proj.weight',
  'attn.c_proj.bias',
  'ln_2.weight',
  'ln_2.bias',
  'mlp.c_fc.weight',
  'mlp.c_fc.bias',
  'mlp.c_proj.weight',
  'mlp.c_proj.bias',
] as const;

/** @returns `description` of model.h; offsets in numbers, -1 for a tensor that does not exist */
export function describeModel(config: GptConfig, table: ParameterTable): Int32Array {
  const offset = (name: string): number => table.byName.get(name)?.offset ?? -1;
  const nBlocks = nBlockParameters(config);
  const blocks: number[] = [];
  // always MAX_LAYERS records (MOST_LAYERS in model.h); those of blocks that do not exist are never read
  for (let layer = 0; layer < MAX_LAYERS; layer++) {
    for (const tensor of BLOCK_TENSORS) blocks.push(offset(`transformer.h.${layer}.${tensor}`));
  }
  return Int32Array.from([
    config.dVocab,
    config.dModel,
    config.nLayers,
    config.nHeads,
    config.dMlp,
    ACTIVATION_FUNCTIONS[config.activation].kernel,
    nBlocks,
    table.arenaSize,
    offset(TOKEN_EMBEDDING),
    offset(POSITION_EMBEDDING),
    offset('transformer.ln_f.weight'),
    offset('transformer.ln_f.bias'),
    config.tied ? offset(TOKEN_EMBEDDING) : offset(UNEMBEDDING),
    offset(UNEMBEDDING_BIAS),
    table.specs.length,
    ...blocks,
    ...table.specs.flatMap((spec) => [spec.offset, spec.size, spec.decays ? 1 : 0]),
  ]);
}
