/**
 * TransformerLens, state dictionary of HookedTransformer: weights apart by head, [in, out], biases always there, the
 * head never tied. LayerNorm is not folded. Nanda & Bloom, TransformerLens, components/*.py.
 */
import { ACTIVATION_FUNCTION_NAMES } from '../../model/activation-functions.js';
import { LAYER_NORM_EPS, type GptConfig } from '../../model/gpt-config.js';
import { TOKEN_EMBEDDING, UNEMBEDDING, UNEMBEDDING_BIAS, parameterTable } from '../../model/parameters.js';
import type { Tensor } from '../format.js';
import { unacceptable } from '../../errors.js';
import type { Fields } from './fields.js';
import type { FormatDescription, FoundShape } from './format-description.js';
import { type ForeignTensor, blockSource, ifPresent, transposed } from './mapping.js';

function tensors(config: GptConfig): ForeignTensor[] {
  const { dVocab: V, nCtx, dModel: C, dMlp: M, nHeads: H, nLayers } = config;
  const D = C / H;
  const table = parameterTable(config);
  const rows: ForeignTensor[] = [
    { name: 'embed.W_E', shape: [V, C], source: TOKEN_EMBEDDING },
    { name: 'pos_embed.W_pos', shape: [nCtx, C], source: 'transformer.wpe.weight' },
  ];
  const vector = (name: string, size: number, source: string): void => {
    rows.push({ name, shape: [size], source: ifPresent(table, source) });
  };
  const layerNorm = (name: string, source: string): void => {
    vector(`${name}.w`, C, `${source}.weight`);
    vector(`${name}.b`, C, `${source}.bias`);
  };
  for (let layer = 0; layer < nLayers; layer++) {
    const block = `blocks.${layer}`;
    const from = blockSource(config, layer);
    layerNorm(`${block}.ln1`, `${from}.ln_1`);
    layerNorm(`${block}.ln2`, `${from}.ln_2`);
    ['Q', 'K', 'V'].forEach((letter, part) => {
      // [H, C, D] at (h, c, d): row part C + h D + d, column c of c_attn [3C, C]
      const weightAt = (i: number): number => {
        const [h, c, d] = [Math.floor(i / (C * D)), Math.floor(i / D) % C, i % D];
        return (part * C + h * D + d) * C + c;
      };
      const weight = `${from}.attn.c_attn.weight`;
      rows.push({ name: `${block}.attn.W_${letter}`, shape: [H, C, D], source: weight, at: weightAt });
      rows.push({
        name: `${block}.attn.b_${letter}`,
        shape: [H, D],
        source: ifPresent(table, `${from}.attn.c_attn.bias`),
        at: (i) => part * C + i,
      });
    });
    // [H, D, C] at (h, d, c): row c, column h D + d of c_proj [C, C]
    rows.push({
      name: `${block}.attn.W_O`,
      shape: [H, D, C],
      source: `${from}.attn.c_proj.weight`,
      at: transposed(C, C),
    });
    vector(`${block}.attn.b_O`, C, `${from}.attn.c_proj.bias`);
    const inner = { name: `${block}.mlp.W_in`, shape: [C, M], at: transposed(C, M) };
    rows.push({ ...inner, source: `${from}.mlp.c_fc.weight` });
    vector(`${block}.mlp.b_in`, M, `${from}.mlp.c_fc.bias`);
    const outer = { name: `${block}.mlp.W_out`, shape: [M, C], at: transposed(M, C) };
    rows.push({ ...outer, source: `${from}.mlp.c_proj.weight` });
    vector(`${block}.mlp.b_out`, C, `${from}.mlp.c_proj.bias`);
  }
  layerNorm('ln_final', 'transformer.ln_f');
  const head = config.tied ? TOKEN_EMBEDDING : UNEMBEDDING;
  rows.push({ name: 'unembed.W_U', shape: [C, V], source: head, at: transposed(C, V) });
  vector('unembed.b_U', V, UNEMBEDDING_BIAS);
  return rows;
}

function declared(fields: Fields): FoundShape {
  const unfolded = 'Save it without folding: fold_ln=False.';
  fields.only('normalization_type', ['LN'], unfolded);
  fields.only('eps', [LAYER_NORM_EPS]);
  fields.only('positional_embedding_type', ['standard']);
  fields.only('attention_dir', ['causal']);
  fields.only('use_attn_scale', [true]);
  for (const name of ['attn_scores_soft_cap', 'output_logits_soft_cap']) fields.only(name, [-1]);
  const switches = ['attn_only', 'gated_mlp', 'parallel_attn_mlp', 'use_local_attn', 'post_embedding_ln'];
  for (const name of [...switches, 'use_qk_norm', 'use_logn_attn', 'scale_attn_by_inverse_layer_idx']) {
    fields.only(name, [false]);
  }
  const dHead = fields.whole('d_head');
  const found = {
    nLayers: fields.whole('n_layers'),
    nHeads: fields.whole('n_heads'),
    dModel: fields.whole('d_model'),
    nCtx: fields.whole('n_ctx'),
    dVocab: fields.whole('d_vocab'),
    dMlp: fields.whole('d_mlp'),
    activation: fields.choice('act_fn', ACTIVATION_FUNCTION_NAMES),
  };
  if (dHead !== undefined && found.nHeads !== undefined && found.dModel !== undefined) {
    const width = found.dModel.value / found.nHeads.value;
    if (dHead.value !== width) throw unacceptable(dHead.from, dHead.value, `d_model / n_heads = ${width}`);
    // -1: TransformerLens puts the root of d_head in its place
    fields.only('attn_scale', [-1, Math.sqrt(width)]);
  }
  const given = Object.entries(found).filter(([, field]) => field !== undefined);
  return Object.fromEntries(given);
}

function measured(stored: ReadonlyMap<string, Tensor>): FoundShape {
  const size = (name: string, axis: number): { value: number; from: string } | undefined => {
    const tensor = stored.get(name);
    if (tensor === undefined || tensor.shape.length <= axis) return undefined;
    return { value: tensor.shape[axis], from: `the shape of ${name}` };
  };
  const layers = [...stored.keys()].map((name) => /^blocks\.(\d{1,6})\./.exec(name)?.[1] ?? '-1');
  const nLayers = Math.max(...layers.map(Number)) + 1;
  const headBias = stored.get('unembed.b_U')?.data.some((value) => value !== 0) ?? false;
  const found = {
    dVocab: size('embed.W_E', 0),
    dModel: size('embed.W_E', 1),
    nCtx: size('pos_embed.W_pos', 0),
    nHeads: size('blocks.0.attn.W_Q', 0),
    dMlp: size('blocks.0.mlp.W_in', 1),
    nLayers: nLayers > 0 ? { value: nLayers, from: 'the blocks among the tensors' } : undefined,
    ...(headBias && { unembeddingBias: { value: true, from: 'a unembed.b_U that is not zero' } }),
  };
  const given = Object.entries(found).filter(([, field]) => field !== undefined);
  return Object.fromEntries(given);
}

export const TRANSFORMER_LENS: FormatDescription = {
  tensors,
  config: (config) => ({
    model_name: 'sumlens',
    n_layers: config.nLayers,
    d_model: config.dModel,
    n_ctx: config.nCtx,
    d_head: config.dModel / config.nHeads,
    n_heads: config.nHeads,
    d_mlp: config.dMlp,
    d_vocab: config.dVocab,
    // TransformerLens's "gelu" is the exact form
    act_fn: config.activation,
    normalization_type: 'LN',
    eps: LAYER_NORM_EPS,
    positional_embedding_type: 'standard',
    attention_dir: 'causal',
    default_prepend_bos: false,
  }),
  refusal: () => undefined,
  notes: (config) =>
    config.tied ? ['TransformerLens has no tied head: unembed.W_U is a copy of the embedding.'] : [],
  declared,
  unsaidActivation: { reason: ', as the weights do not show it' },
  measured,
};
