/**
 * The files of a checkpoint from outside, and its weights as they are stored there. Only safetensors are opened: a pickle
 * can run code when it is read.
 */
import { basename, dirname, join } from 'node:path';
import { RunError, UserError, printable, unacceptable } from '../../errors.js';
import { exists, isDirectory, listDirectory, readBytes } from '../../io/files.js';
import { type DecodedSafetensors, type Tensor, decodeSafetensors } from '../format.js';
import { Fields, MOST_JSON_BYTES } from './fields.js';
import { ORIGIN_FILE } from './origin.js';
import { MODEL_CONFIG_FILE, VOCABULARY_FILE, WEIGHTS_FILE } from './write.js';

/** Where the parts of a checkpoint lie. */
export interface ExchangeSource {
  readonly weights: string;
  /** the files that hold the tensors, in their order; one unless `weights` is an index of parts */
  readonly parts: readonly string[];
  readonly modelConfig: string | undefined;
  readonly vocabulary: string | undefined;
  readonly origin: string | undefined;
}

const PICKLE = /\.(pt|pth|bin|ckpt|pkl|pickle)$/i;
/** Of weights in several files, as transformers writes it. */
const INDEX_FILE = `${WEIGHTS_FILE}.index.json`;
const PART = /-(\d{1,9})-of-(\d{1,9})\.safetensors$/;
const MOST_PARTS = 1000;
/** True for names that PyTorch gives to pickles. */
export const isPickleName = (name: string): boolean => PICKLE.test(name);

const VOCABULARIES = [VOCABULARY_FILE, 'vocab.json', 'tokenizer.json'];
const CONVERT =
  'Convert it where it was made: python3 -c "import torch, safetensors.torch as s; s.save_model(model, \'model.safetensors\')", or s.save_file with its state dictionary.';

/**
 * Finds the files of a checkpoint.
 * @param path - a folder with model.safetensors, or with its index and parts, or a safetensors file by itself (nothing beside
 *   it is read)
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
    if (basename(path) === INDEX_FILE) return findExchange(dirname(path), given);
    const part = PART.exec(basename(path));
    if (part !== null) {
      throw new UserError(
        `${shown}: found part ${Number(part[1])} of ${Number(part[2])}, expected all of them. Name the folder that holds ${INDEX_FILE} and the parts.`,
      );
    }
    const { modelConfig, vocabulary } = given;
    return { weights: path, parts: [path], modelConfig, vocabulary, origin: undefined };
  }
  const names = listDirectory(path);
  const isParted = !names.includes(WEIGHTS_FILE) && names.includes(INDEX_FILE);
  if (!isParted && !names.includes(WEIGHTS_FILE)) {
    const other = names.find((name) => name.endsWith('.safetensors'));
    const pickle = names.find((name) => PICKLE.test(name));
    if (other !== undefined && PART.test(other)) {
      throw new UserError(
        `${shown}: found parts such as ${printable(other)} without ${INDEX_FILE}, expected the index beside them, which says what each part holds. Fetch it too.`,
      );
    }
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
  const weights = join(path, isParted ? INDEX_FILE : WEIGHTS_FILE);
  return {
    weights,
    parts: isParted ? partsOf(weights) : [weights],
    modelConfig: given.modelConfig ?? inFolder(MODEL_CONFIG_FILE),
    vocabulary: given.vocabulary ?? inFolder(...VOCABULARIES),
    origin: inFolder(ORIGIN_FILE),
  };
}

/** Tensor to part, as an index says it: `{"weight_map": {"transformer.wte.weight": "model-00001-of-00002.safetensors"}}`. */
function readIndex(path: string): ReadonlyMap<string, string> {
  const fields = Fields.parse(readBytes(path, MOST_JSON_BYTES), basename(path));
  const map = fields.object('weight_map');
  if (map === undefined)
    throw unacceptable(fields.place('weight_map'), null, 'an object of tensors and files');
  return new Map(
    map.names().map((name) => {
      const file = map.get(name);
      if (typeof file === 'string' && /^[^/\\\0]+\.safetensors$/.test(file)) return [name, file];
      throw unacceptable(map.place(name), file, 'the name of a .safetensors file beside the index');
    }),
  );
}

/** @throws UserError when the index names no part, too many, or one that is not there */
function partsOf(index: string): string[] {
  const names = [...new Set(readIndex(index).values())].sort();
  if (names.length === 0 || names.length > MOST_PARTS) {
    throw new UserError(
      `${printable(index, 300)}: found ${names.length} parts, expected 1 to ${MOST_PARTS}.`,
    );
  }
  const absent = names.filter((name) => !exists(join(dirname(index), name)));
  if (absent.length > 0) {
    throw new UserError(
      `${printable(index, 300)}: found ${names.length - absent.length} of ${names.length} parts, and no ${printable(absent[0])}, expected all beside it. Fetch the others too.`,
    );
  }
  return names.map((name) => join(dirname(index), name));
}

/** Weights under their names there, of all parts together. @throws UserError for a pickle, or a file that is damaged */
export function decodeForeign({
  weights,
  parts,
}: Pick<ExchangeSource, 'weights' | 'parts'>): DecodedSafetensors {
  if (parts.length === 1 && parts[0] === weights) return decodeFile(weights);
  const tensors = new Map<string, Tensor>();
  const notes: string[] = [];
  const expected = readIndex(weights);
  for (const part of parts) {
    const decoded = decodeFile(part);
    notes.push(...decoded.notes);
    for (const [name, tensor] of decoded.tensors) {
      const file = expected.get(name);
      if (file !== basename(part)) {
        throw new UserError(
          `${printable(part, 300)}: found the tensor "${printable(name)}", which ${INDEX_FILE} ${file === undefined ? 'does not name' : `puts in ${printable(file)}`}. Fetch index and parts from one place.`,
        );
      }
      tensors.set(name, tensor);
    }
  }
  const absent = [...expected].find(([name]) => !tensors.has(name) && !isBuffer(name));
  if (absent !== undefined) {
    throw new UserError(
      `${printable(weights, 300)}: found no tensor "${printable(absent[0])}" in ${printable(absent[1])}, expected it there. Fetch index and parts from one place.`,
    );
  }
  return { tensors, notes, metadata: new Map() };
}

function decodeFile(path: string): DecodedSafetensors {
  const bytes = readBytes(path);
  // PyTorch writes zip files and, before 2020, bare pickles; a safetensors header may begin with the same two bytes
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3;
  if (isZip || (bytes[0] === 0x80 && bytes[1] > 0 && bytes[1] <= 5 && bytes[8] !== 0x7b)) {
    throw new UserError(
      `${printable(path, 300)}: found a pickle, which can run code when it is read, expected safetensors. ${CONVERT}`,
    );
  }
  try {
    return decodeSafetensors(bytes, basename(path), { passOver: isBuffer });
  } catch (error) {
    // a file from outside is the user's to mend
    throw error instanceof RunError ? new UserError(error.message, { cause: error }) : error;
  }
}

/**
 * What is stored among the weights and is none: causal masks, which nanoGPT, older transformers and TransformerLens keep,
 * and numbers of positions.
 */
const isBuffer = (name: string): boolean =>
  /\.attn\.(bias|masked_bias|mask|IGNORE)$/.test(name) || /(^|\.)position_ids$/.test(name);
