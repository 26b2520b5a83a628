/**
 * Reads a checkpoint of another program: a folder or one safetensors file, in any of the formats of formats.ts. What
 * comes from outside is data only (safetensors and JSON); everything that does not fit is refused with one line.
 */
import { basename, join } from 'node:path';
import { gptConfigOf } from '../../config/hash.js';
import { RunError, UserError, printable } from '../../errors.js';
import { exists, isDirectory, listDirectory, readBytes } from '../../io/files.js';
import type { GptConfig } from '../../model/gpt-config.js';
import { checkGptConfig } from '../../model/gpt-config.js';
import { TOKEN_EMBEDDING, UNEMBEDDING } from '../../model/parameters.js';
import { type DecodedSafetensors, type Tensor, decodeSafetensors } from '../format.js';
import { Fields, MOST_JSON_BYTES } from './fields.js';
import { type ExchangeFormat, FORMATS, type FoundShape } from './formats.js';
import { fromForeign } from './mapping.js';
import { type Origin, ORIGIN_FILE, parseOrigin } from './origin.js';
import { MODEL_CONFIG_FILE, VOCABULARY_FILE, WEIGHTS_FILE } from './write.js';

/** Where the parts of a checkpoint lie. */
export interface ExchangeSource {
  readonly weights: string;
  readonly modelConfig: string | undefined;
  readonly vocabulary: string | undefined;
  readonly origin: string | undefined;
}

const PICKLE = /\.(pt|pth|bin|ckpt|pkl|pickle)$/i;
const VOCABULARIES = [VOCABULARY_FILE, 'vocab.json', 'tokenizer.json'];
const CONVERT =
  'Convert it where it was made: python3 -c "import torch, safetensors.torch as s; s.save_model(model, \'model.safetensors\')", or s.save_file with its state dictionary.';

/**
 * Finds the files of a checkpoint.
 * @param path - a folder with model.safetensors, or a safetensors file by itself (nothing beside it is read)
 * @throws UserError when there is none, or only a pickle
 */
export function findExchange(
  path: string,
  given: { readonly modelConfig?: string | undefined; readonly vocabulary?: string | undefined } = {},
): ExchangeSource {
  const shown = printable(path, 300);
  if (!exists(path))
    throw new UserError(`${shown}: found nothing there, expected a folder or a safetensors file.`);
  for (const file of [given.modelConfig, given.vocabulary]) {
    if (file !== undefined && !exists(file))
      throw new UserError(`${printable(file, 300)}: found no such file.`);
  }
  const refusePickle = (name: string): never => {
    throw new UserError(
      `${printable(name, 300)}: found a pickle, which can run code when it is read, expected safetensors. ${CONVERT}`,
    );
  };
  if (!isDirectory(path)) {
    if (PICKLE.test(path)) refusePickle(path);
    return { weights: path, modelConfig: given.modelConfig, vocabulary: given.vocabulary, origin: undefined };
  }
  const names = listDirectory(path);
  if (!names.includes(WEIGHTS_FILE)) {
    const other = names.find((name) => name.endsWith('.safetensors'));
    const pickle = names.find((name) => PICKLE.test(name));
    if (other === undefined && pickle !== undefined) refusePickle(join(path, pickle));
    throw new UserError(
      `${shown}: found no ${WEIGHTS_FILE}, expected one.` +
        (other === undefined ? '' : ` Name the file itself: ${printable(join(path, other), 300)}.`),
    );
  }
  const inFolder = (...candidates: string[]): string | undefined => {
    const name = candidates.find((candidate) => names.includes(candidate));
    return name === undefined ? undefined : join(path, name);
  };
  return {
    weights: join(path, WEIGHTS_FILE),
    modelConfig: given.modelConfig ?? inFolder(MODEL_CONFIG_FILE),
    vocabulary: given.vocabulary ?? inFolder(...VOCABULARIES),
    origin: inFolder(ORIGIN_FILE),
  };
}

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
 * @param format - which program wrote it; undefined: told by the names and shapes of the tensors
 * @param wanted - in the order of their rank, the first wins; must agree with what the files say
 * @throws UserError naming file, tensor or field
 */
export function readExchange(
  source: ExchangeSource,
  options: { readonly format?: ExchangeFormat | undefined; readonly wanted?: readonly WantedModel[] } = {},
): ReadExchange {
  const name = basename(source.weights);
  const decoded = decode(source.weights);
  const origin =
    source.origin === undefined ? undefined : parseOrigin(readJson(source.origin), basename(source.origin));
  const format = options.format ?? formatOf(decoded.tensors, name);
  const { isBuffer, declared, measured, tensors } = FORMATS[format];
  const stored = withUsualNames(decoded.tensors, format, isBuffer);
  const fields =
    source.modelConfig === undefined
      ? undefined
      : Fields.parse(readJson(source.modelConfig), basename(source.modelConfig));
  const wanted = [...(options.wanted ?? []), ...(origin === undefined ? [] : [wantedBy(origin)])];
  const config = shapeOf(
    [measured(stored), ...(fields === undefined ? [] : [declared(fields)])],
    wanted,
    stored,
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

function decode(path: string): DecodedSafetensors {
  const bytes = readBytes(path);
  // PyTorch writes zip files and, before 2020, bare pickles; a safetensors header may begin with the same two bytes
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3;
  if (isZip || (bytes[0] === 0x80 && bytes[1] > 0 && bytes[1] <= 5 && bytes[8] !== 0x7b)) {
    throw new UserError(
      `${printable(path, 300)}: found a pickle, which can run code when it is read, expected safetensors. ${CONVERT}`,
    );
  }
  try {
    return decodeSafetensors(bytes, basename(path));
  } catch (error) {
    // a file from outside is the user's to mend
    throw error instanceof RunError ? new UserError(error.message, { cause: error }) : error;
  }
}

const readJson = (path: string): Uint8Array => readBytes(path, MOST_JSON_BYTES);

function formatOf(tensors: ReadonlyMap<string, Tensor>, where: string): ExchangeFormat {
  const names = [...tensors.keys()];
  if (names.some((name) => name === 'embed.W_E' || name.endsWith('.attn.W_Q'))) return 'transformer-lens';
  const projection = names.find((name) => name.endsWith('h.0.attn.c_attn.weight'));
  const shape = projection === undefined ? [] : (tensors.get(projection)?.shape ?? []);
  if (shape.length === 2 && shape[0] === 3 * shape[1]) return 'nanogpt';
  if (shape.length === 2 && shape[1] === 3 * shape[0]) return 'hf-gpt2';
  throw new UserError(
    `${printable(where, 300)}: found ${
      names
        .slice(0, 3)
        .map((name) => printable(name))
        .join(', ') || 'no tensors'
    }, expected the tensors of nanoGPT, GPT2LMHeadModel or HookedTransformer (such as transformer.h.0.attn.c_attn.weight, or blocks.0.attn.W_Q).`,
  );
}

/** Masks left out; torch.compile's and bare GPT2Model's names, and a tied head kept in place of the embedding, made usual. */
function withUsualNames(
  tensors: ReadonlyMap<string, Tensor>,
  format: ExchangeFormat,
  isBuffer: (name: string) => boolean,
): Map<string, Tensor> {
  const stored = new Map<string, Tensor>();
  for (const tensor of tensors.values()) {
    let name = tensor.name.replace(/^_orig_mod\./, '');
    if (format !== 'transformer-lens' && /^(wte|wpe|h|ln_f)\./.test(name)) name = `transformer.${name}`;
    if (!isBuffer(name)) stored.set(name, { ...tensor, name });
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
    activation: value('activation') ?? 'gelu',
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
