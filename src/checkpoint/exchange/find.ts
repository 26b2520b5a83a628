/**
 * The files of a checkpoint from outside, and its weights as they are stored there. Only safetensors are opened: a pickle
 * can run code when it is read.
 */
import { basename, join } from 'node:path';
import { RunError, UserError, printable } from '../../errors.js';
import { exists, isDirectory, listDirectory, readBytes } from '../../io/files.js';
import { type DecodedSafetensors, decodeSafetensors } from '../format.js';
import { ORIGIN_FILE } from './origin.js';
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

const JOIN =
  "Join them where they are: python3 -c \"import glob; from safetensors.torch import load_file, save_file; save_file({k: v for f in glob.glob('model-*.safetensors') for k, v in load_file(f).items()}, 'model.safetensors')\".";

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
  if (!names.includes(WEIGHTS_FILE) && names.includes(`${WEIGHTS_FILE}.index.json`)) {
    const shards = names.filter((name) => /-of-\d+\.safetensors$/.test(name)).length;
    throw new UserError(`${shown}: found weights in ${shards} parts, expected one ${WEIGHTS_FILE}. ${JOIN}`);
  }
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

/** Weights under their names there. @throws UserError for a pickle, or a file that is damaged */
export function decodeForeign(path: string): DecodedSafetensors {
  const bytes = readBytes(path);
  // PyTorch writes zip files and, before 2020, bare pickles; a safetensors header may begin with the same two bytes
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3;
  if (isZip || (bytes[0] === 0x80 && bytes[1] > 0 && bytes[1] <= 5 && bytes[8] !== 0x7b)) {
    throw new UserError(
      `${printable(path, 300)}: found a pickle, which can run code when it is read, expected safetensors. ${CONVERT}`,
    );
  }
  try {
    return decodeSafetensors(bytes, basename(path), { passOver: isMask });
  } catch (error) {
    // a file from outside is the user's to mend
    throw error instanceof RunError ? new UserError(error.message, { cause: error }) : error;
  }
}

/** Causal masks, which nanoGPT, older transformers and TransformerLens keep among the weights. */
const isMask = (name: string): boolean => /\.attn\.(bias|masked_bias|mask|IGNORE)$/.test(name);
