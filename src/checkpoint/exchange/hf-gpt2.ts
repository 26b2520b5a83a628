/**
 * Hugging Face transformers, GPT2LMHeadModel: nanoGPT's names, linear weights [in, out] (its Conv1D), biases always
 * there, a tied head not stored. It has no head bias.
 */
import { ACTIVATION_FUNCTION_NAMES } from '../../model/activation-functions.js';
import { LAYER_NORM_EPS, type GptConfig } from '../../model/gpt-config.js';
import { TOKEN_EMBEDDING, UNEMBEDDING, parameterTable } from '../../model/parameters.js';
import type { Vocabulary } from '../../listops/language/tokenizer.js';
import type { Fields } from './fields.js';
import type { FormatDescription, FoundShape } from './format-description.js';
import { type ForeignTensor, blockSource, ifPresent, transposed } from './mapping.js';
import { blockLinears, measureGpt2 } from './nanogpt.js';

function tensors(config: GptConfig): ForeignTensor[] {
  const { dVocab, nCtx, dModel } = config;
  const table = parameterTable(config);
  const rows: ForeignTensor[] = [
    { name: TOKEN_EMBEDDING, shape: [dVocab, dModel], source: TOKEN_EMBEDDING },
    { name: 'transformer.wpe.weight', shape: [nCtx, dModel], source: 'transformer.wpe.weight' },
  ];
  const vector = (name: string, size: number, source: string): void => {
    rows.push({ name, shape: [size], source: ifPresent(table, source) });
  };
  const layerNorm = (name: string, source: string): void => {
    vector(`${name}.weight`, dModel, `${source}.weight`);
    vector(`${name}.bias`, dModel, `${source}.bias`);
  };
  for (let layer = 0; layer < config.nLayers; layer++) {
    const block = `transformer.h.${layer}`;
    const from = blockSource(config, layer);
    layerNorm(`${block}.ln_1`, `${from}.ln_1`);
    layerNorm(`${block}.ln_2`, `${from}.ln_2`);
    for (const { name, out, input } of blockLinears(config)) {
      rows.push({
        name: `${block}.${name}.weight`,
        shape: [input, out],
        source: `${from}.${name}.weight`,
        at: transposed(input, out),
      });
      vector(`${block}.${name}.bias`, out, `${from}.${name}.bias`);
    }
  }
  layerNorm('transformer.ln_f', 'transformer.ln_f');
  const head = { name: UNEMBEDDING, shape: [dVocab, dModel] };
  rows.push(
    config.tied ? { ...head, source: TOKEN_EMBEDDING, twin: 'implied' } : { ...head, source: UNEMBEDDING },
  );
  return rows;
}

function declared(fields: Fields): FoundShape {
  fields.only('model_type', ['gpt2']);
  fields.only('layer_norm_epsilon', [LAYER_NORM_EPS]);
  fields.only('scale_attn_weights', [true]);
  fields.only('scale_attn_by_inverse_layer_idx', [false]);
  fields.only('add_cross_attention', [false]);
  const found = {
    nLayers: fields.whole('n_layer'),
    nHeads: fields.whole('n_head'),
    dModel: fields.whole('n_embd'),
    nCtx: fields.whole('n_positions') ?? fields.whole('n_ctx'),
    dVocab: fields.whole('vocab_size'),
    dMlp: fields.whole('n_inner'),
    activation: fields.choice(
      'activation_function',
      ACTIVATION_FUNCTION_NAMES,
      '"gelu_new" is an approximation that sumlens does not compute.',
    ),
    tied: fields.boolean('tie_word_embeddings'),
  };
  const given = Object.entries(found).filter(([, field]) => field !== undefined);
  return Object.fromEntries(given);
}

/** tokenizer.json of the tokenizers library: words apart at blanks and brackets, one id a word, no unknown word. */
function tokenizerFiles({ tokens, start, end }: Vocabulary): { name: string; content: unknown }[] {
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const split = { type: 'Split', pattern: { Regex: '[()]' }, behavior: 'Isolated', invert: false };
  return [
    { name: 'vocab.json', content: vocab },
    {
      name: 'tokenizer.json',
      content: {
        version: '1.0',
        truncation: null,
        padding: null,
        added_tokens: [],
        normalizer: null,
        pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, split] },
        post_processor: null,
        decoder: null,
        // WordLevel wants a name for unknown words; it is not in the vocabulary, so an unknown word is an error
        model: { type: 'WordLevel', vocab, unk_token: '<unknown>' },
      },
    },
    {
      name: 'tokenizer_config.json',
      content: {
        tokenizer_class: 'PreTrainedTokenizerFast',
        bos_token: tokens[start],
        eos_token: tokens[end],
        // without it the tokenizer also gives token_type_ids, which GPT-2 adds to the embedding as tokens
        model_input_names: ['input_ids', 'attention_mask'],
      },
    },
  ];
}

export const HF_GPT2: FormatDescription = {
  tensors,
  config: (config, { start, end }) => ({
    architectures: ['GPT2LMHeadModel'],
    model_type: 'gpt2',
    vocab_size: config.dVocab,
    n_positions: config.nCtx,
    n_ctx: config.nCtx,
    n_embd: config.dModel,
    n_layer: config.nLayers,
    n_head: config.nHeads,
    n_inner: config.dMlp,
    // transformers' "gelu" is the exact form
    activation_function: config.activation,
    layer_norm_epsilon: LAYER_NORM_EPS,
    tie_word_embeddings: config.tied,
    resid_pdrop: 0,
    embd_pdrop: 0,
    attn_pdrop: 0,
    initializer_range: 0.02,
    bos_token_id: start,
    eos_token_id: end,
  }),
  moreFiles: tokenizerFiles,
  refusal: (config) =>
    config.unembeddingBias
      ? 'GPT2LMHeadModel has no bias at its head, and this model has one. Export it to nanogpt or transformer-lens.'
      : undefined,
  notes: () => [],
  declared,
  unsaidActivation: {
    reason: ', and GPT-2 takes the approximation "gelu_new" then, which sumlens does not compute',
  },
  measured: (stored) => ({
    ...measureGpt2(stored, 1),
    unembeddingBias: { value: false, from: 'GPT2LMHeadModel' },
  }),
};
