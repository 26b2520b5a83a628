/**
 * Reads a checkpoint of another program: a folder or one safetensors file, in any of the formats of formats.ts. What
 * comes from outside is data only (safetensors and JSON); everything that does not fit is refused with one line.
 */
import { basename } from 'node:path';
import { gptConfigOf } from '../../config/names.js';
import { UserError } from '../../errors.js';
import { readBytes } from '../../io/files.js';
import { ACTIVATION_FUNCTION_NAMES } from '../../model/activation-functions.js';
import type { GptConfig } from '../../model/gpt-config.js';
import { checkGptConfig } from '../../model/gpt-config.js';
import { TOKEN_EMBEDDING, UNEMBEDDING } from '../../model/parameters.js';
import type { Tensor } from '../format.js';
import { Fields, MOST_JSON_BYTES } from './fields.js';
import type { FormatDescription, FoundShape } from './format-description.js';
import { type ExchangeFormat, FORMATS } from './formats.js';
import { type ExchangeSource, decodeForeign } from './find.js';
import { fromForeign } from './mapping.js';
import { type Origin, ORIGIN_FILE, parseOrigin } from './origin.js';
import { formatOfConfig, tellFormat } from './tell-format.js';

/** A model as it was found, its vocabulary still in its own order. */
export interface ReadExchange {
  readonly format: ExchangeFormat;
  readonly config: GptConfig;
  /** [arenaSize] float32 in parameterTable layout of `config` */
  readonly parameters: Float32Array;
  readonly origin: Origin | undefined;
  /** one sentence for each conversion */
  readonly notes: readonly string[];
}

/** Fields of the model that the user or a stored configuration names, and where. */
export interface WantedModel {
  readonly fields: { readonly [K in keyof GptConfig]?: GptConfig[K] | undefined };
  readonly from: string;
}

/**
 * @param wanted - in the order of their rank, the first wins; must agree with what the files say
 * @throws UserError naming file, tensor or field
 */
export function readExchange(source: ExchangeSource, wanted: readonly WantedModel[] = []): ReadExchange {
  const name = basename(source.weights);
  const decoded = decodeForeign(source);
  const origin =
    source.origin === undefined ? undefined : parseOrigin(readJson(source.origin), basename(source.origin));
  const fields =
    source.modelConfig === undefined
      ? undefined
      : Fields.parse(readJson(source.modelConfig), basename(source.modelConfig));
  const format = tellFormat(decoded.tensors, name, [
    { format: origin?.to, from: ORIGIN_FILE },
    { format: fields === undefined ? undefined : formatOfConfig(fields), from: fields?.where ?? '' },
  ]);
  const { declared, measured, tensors, unsaidActivation } = FORMATS[format];
  const stored = withUsualNames(decoded.tensors, format);
  const everyWanted = [...wanted, ...(origin === undefined ? [] : [wantedBy(origin)])];
  const config = shapeOf(
    [measured(stored), ...(fields === undefined ? [] : [declared(fields)])],
    everyWanted,
    stored,
    unsaidActivation,
  );
  const converted = decoded.notes.length;
  const [first] = decoded.notes;
  return {
    format,
    config,
    parameters: fromForeign(tensors(config), config, stored, name),
    origin,
    notes:
      converted === 0 ? [] : [converted === 1 ? first : `${first} So were ${converted - 1} other tensors.`],
  };
}

/** The exported model, but for its vocabulary, whose rows may have been put into another order. */
function wantedBy({ config }: Origin): WantedModel {
  const { dVocab: _, ...fields } = gptConfigOf(config);
  return { fields, from: `${ORIGIN_FILE}, config` };
}

const readJson = (path: string): Uint8Array => readBytes(path, MOST_JSON_BYTES);

/** Names of torch.compile, of DataParallel and of a bare GPT2Model, and a tied head kept in place of the embedding, made usual. */
function withUsualNames(tensors: ReadonlyMap<string, Tensor>, format: ExchangeFormat): Map<string, Tensor> {
  const stored = new Map<string, Tensor>();
  for (const tensor of tensors.values()) {
    let name = tensor.name.replace(/^((_orig_mod|module|model)\.)+/, '');
    if (format !== 'transformer-lens' && /^(wte|wpe|h|ln_f)\./.test(name)) name = `transformer.${name}`;
    stored.set(name, { ...tensor, name });
  }
  const head = stored.get(UNEMBEDDING);
  if (head !== undefined && !stored.has(TOKEN_EMBEDDING)) {
    stored.set(TOKEN_EMBEDDING, { ...head, name: TOKEN_EMBEDDING });
  }
  return stored;
}

/** Names of other programs for messages about fields that cannot be read off the tensors. */
const MUST_BE_SAID = { nHeads: '--heads (n_head)' } as const;

/** One shape out of everything that speaks of it. @throws UserError where two disagree, or nothing says it */
function shapeOf(
  sources: readonly FoundShape[],
  wanted: readonly WantedModel[],
  stored: ReadonlyMap<string, Tensor>,
  unsaidActivation: FormatDescription['unsaidActivation'],
): GptConfig {
  const found = new Map<string, { value: unknown; from: string }>();
  const settle = (key: string, value: unknown, from: string): void => {
    const earlier = found.get(key);
    if (earlier === undefined) found.set(key, { value, from });
    else if (earlier.value !== value) {
      throw new UserError(
        `${from}: found ${String(value)} for ${key}, but ${earlier.from} says ${String(earlier.value)}.`,
      );
    }
  };
  for (const shape of sources) {
    for (const [key, { value, from }] of Object.entries(shape)) settle(key, value, from);
  }
  for (const { fields, from } of wanted) {
    for (const [key, value] of Object.entries(fields)) if (value !== undefined) settle(key, value, from);
  }
  const value = (key: keyof GptConfig): unknown => found.get(key)?.value;
  for (const key of ['dVocab', 'dModel', 'nCtx', 'dMlp', 'nLayers'] as const) {
    if (value(key) === undefined) {
      throw new UserError(
        `the weights: found no tensor that gives ${key}: an embedding or the first block is missing.`,
      );
    }
  }
  if (value('nHeads') === undefined) {
    throw new UserError(
      `the number of heads: found nothing that gives it, as the weights do not show it. Pass ${MUST_BE_SAID.nHeads}, or a config.json.`,
    );
  }
  const activation = value('activation') ?? unsaidActivation.is;
  if (activation === undefined) {
    throw new UserError(
      `the activation function: found nothing that gives it${unsaidActivation.reason}, expected ${ACTIVATION_FUNCTION_NAMES.join(' or ')}. Pass --activation if it was trained with one of them.`,
    );
  }
  const bias = value('bias') ?? true;
  const tied = value('tied') ?? headIsEmbedding(stored);
  // every field was read or checked as its own type by the format, or by the configuration's parser
  const config = {
    dVocab: value('dVocab'),
    nCtx: value('nCtx'),
    dModel: value('dModel'),
    nLayers: value('nLayers'),
    nHeads: value('nHeads'),
    dMlp: value('dMlp'),
    activation,
    bias,
    qkvBias: value('qkvBias') ?? bias,
    tied,
    unembeddingBias: value('unembeddingBias') ?? false,
    shareBlocks: value('shareBlocks') ?? false,
    residualInit: value('residualInit') ?? 'scaled',
  } as GptConfig;
  checkGptConfig(config);
  return config;
}

/** A head that is not stored, or has the embedding's values, is tied. */
function headIsEmbedding(stored: ReadonlyMap<string, Tensor>): boolean {
  if (stored.has('unembed.W_U')) return false;
  const head = stored.get(UNEMBEDDING)?.data;
  const embedding = stored.get(TOKEN_EMBEDDING)?.data;
  return head === undefined || (embedding !== undefined && head.every((x, i) => Object.is(x, embedding[i])));
}
