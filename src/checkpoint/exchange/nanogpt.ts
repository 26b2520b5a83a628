/**
 * nanoGPT (karpathy/nanoGPT, model.py): our own names and shapes, linear weights [out, in]. What nanoGPT itself cannot
 * express (untied head, its bias, ReLU, another feed-forward width) stands in extra fields and tensors.
 */
import { ACTIVATION_FUNCTION_NAMES } from '../../model/activation-functions.js';
import type { GptConfig } from '../../model/gpt-config.js';
import { TOKEN_EMBEDDING, UNEMBEDDING, UNEMBEDDING_BIAS, parameterTable } from '../../model/parameters.js';
import type { Tensor } from '../format.js';
import type { Fields } from './fields.js';
import type { FormatDescription, FoundShape } from './format-description.js';
import { type ForeignTensor, blockSource, ifPresent } from './mapping.js';

/** Linear layers of a block, with their widths. */
export function blockLinears({ dModel, dMlp }: GptConfig): { name: string; out: number; input: number }[] {
  return [
    { name: 'attn.c_attn', out: 3 * dModel, input: dModel },
    { name: 'attn.c_proj', out: dModel, input: dModel },
    { name: 'mlp.c_fc', out: dMlp, input: dModel },
    { name: 'mlp.c_proj', out: dModel, input: dMlp },
  ];
}

function tensors(config: GptConfig): ForeignTensor[] {
  const { dVocab, nCtx, dModel, bias } = config;
  const table = parameterTable(config);
  const rows: ForeignTensor[] = [
    { name: TOKEN_EMBEDDING, shape: [dVocab, dModel], source: TOKEN_EMBEDDING },
    { name: 'transformer.wpe.weight', shape: [nCtx, dModel], source: 'transformer.wpe.weight' },
  ];
  const layerNorm = (name: string, source: string): void => {
    rows.push({ name: `${name}.weight`, shape: [dModel], source: `${source}.weight` });
    if (bias) rows.push({ name: `${name}.bias`, shape: [dModel], source: `${source}.bias` });
  };
  for (let layer = 0; layer < config.nLayers; layer++) {
    const block = `transformer.h.${layer}`;
    const from = blockSource(config, layer);
    layerNorm(`${block}.ln_1`, `${from}.ln_1`);
    layerNorm(`${block}.ln_2`, `${from}.ln_2`);
    for (const { name, out, input } of blockLinears(config)) {
      rows.push({ name: `${block}.${name}.weight`, shape: [out, input], source: `${from}.${name}.weight` });
      if (bias) {
        const source = ifPresent(table, `${from}.${name}.bias`);
        rows.push({ name: `${block}.${name}.bias`, shape: [out], source });
      }
    }
  }
  layerNorm('transformer.ln_f', 'transformer.ln_f');
  const head = { name: UNEMBEDDING, shape: [dVocab, dModel] };
  rows.push(
    config.tied ? { ...head, source: TOKEN_EMBEDDING, twin: 'stored' } : { ...head, source: UNEMBEDDING },
  );
  if (config.unembeddingBias) {
    rows.push({ name: UNEMBEDDING_BIAS, shape: [dVocab], source: UNEMBEDDING_BIAS });
  }
  return rows;
}

/** Sizes that nanoGPT's and Hugging Face's names have in common. @param out - axis of the outputs in linear weights */
export function measureGpt2(stored: ReadonlyMap<string, Tensor>, out: 0 | 1): FoundShape {
  const size = (name: string, axis: number): { value: number; from: string } | undefined => {
    const tensor = stored.get(name);
    if (tensor?.shape.length !== 2) return undefined;
    return { value: tensor.shape[axis], from: `the shape of ${name}` };
  };
  const layers = [...stored.keys()].map((name) => /^transformer\.h\.(\d{1,6})\./.exec(name)?.[1] ?? '-1');
  const nLayers = Math.max(...layers.map(Number)) + 1;
  const dVocab = size(TOKEN_EMBEDDING, 0);
  const dModel = size(TOKEN_EMBEDDING, 1);
  const nCtx = size('transformer.wpe.weight', 0);
  const dMlp = size('transformer.h.0.mlp.c_fc.weight', out);
  return {
    ...(dVocab !== undefined && { dVocab }),
    ...(dModel !== undefined && { dModel }),
    ...(nCtx !== undefined && { nCtx }),
    ...(dMlp !== undefined && { dMlp }),
    ...(nLayers > 0 && { nLayers: { value: nLayers, from: 'the blocks among the tensors' } }),
  };
}

function measured(stored: ReadonlyMap<string, Tensor>): FoundShape {
  const bias = stored.has('transformer.ln_f.bias');
  const headBias = stored.has(UNEMBEDDING_BIAS);
  return {
    ...measureGpt2(stored, 0),
    bias: { value: bias, from: `${bias ? 'a' : 'no'} transformer.ln_f.bias among the tensors` },
    unembeddingBias: { value: headBias, from: `${headBias ? 'a' : 'no'} lm_head.bias among the tensors` },
  };
}

const MODEL_ARGS = ['n_layer', 'n_head', 'n_embd', 'block_size', 'vocab_size', 'bias', 'dropout'];

/** `model_args` as nanoGPT keeps them, or the same fields by themselves. */
function declared(fields: Fields): FoundShape {
  const args = fields.object('model_args') ?? fields;
  // variants of nanoGPT have switches for another norm or activation function; by themselves, fields may be anything
  const others = args === fields ? [] : args.names().filter((name) => !MODEL_ARGS.includes(name));
  for (const name of others) args.only(name, [false]);
  const found = {
    nLayers: args.whole('n_layer'),
    nHeads: args.whole('n_head'),
    dModel: args.whole('n_embd'),
    nCtx: args.whole('block_size'),
    dVocab: args.whole('vocab_size'),
    bias: args.boolean('bias'),
    dMlp: fields.whole('n_inner'),
    activation: fields.choice('activation', ACTIVATION_FUNCTION_NAMES),
    tied: fields.boolean('tied'),
  };
  const given = Object.entries(found).filter(([, field]) => field !== undefined);
  return Object.fromEntries(given);
}

export const NANOGPT: FormatDescription = {
  tensors,
  config: (config) => ({
    model_args: {
      n_layer: config.nLayers,
      n_head: config.nHeads,
      n_embd: config.dModel,
      block_size: config.nCtx,
      bias: config.bias,
      vocab_size: config.dVocab,
      dropout: 0,
    },
    activation: config.activation,
    n_inner: config.dMlp,
    tied: config.tied,
  }),
  refusal: () => undefined,
  notes: (config) => [
    ...(config.tied
      ? []
      : ['nanoGPT ties its head to the embedding: untie it before loading (docs/files.md).']),
    ...(config.unembeddingBias ? ['nanoGPT has no lm_head.bias: add one before loading.'] : []),
    ...(config.activation === 'relu' ? ['nanoGPT computes gelu: replace it by ReLU.'] : []),
    ...(config.dMlp === 4 * config.dModel ? [] : ['nanoGPT has feed-forward width 4 n_embd: use n_inner.']),
  ],
  declared,
  unsaidActivation: { is: 'gelu', reason: '' },
  measured,
};
