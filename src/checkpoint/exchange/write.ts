/** The files of an export. Nothing is written here; publishing them is the caller's. */
import { gptConfigOf } from '../../config/names.js';
import { UserError } from '../../errors.js';
import type { DirectoryEntry } from '../../io/files.js';
import { vocabularyOf } from '../../listops/language/tokenizer.js';
import { encodeSafetensors } from '../format.js';
import { FORMATS } from './formats.js';
import { toForeign } from './mapping.js';
import { type Origin, ORIGIN_FILE, originJson } from './origin.js';
import { vocabularyFile } from './vocabulary-file.js';

export const WEIGHTS_FILE = 'model.safetensors';
export const MODEL_CONFIG_FILE = 'config.json';
export const VOCABULARY_FILE = 'vocabulary.json';

export interface ExportFiles {
  readonly entries: readonly DirectoryEntry[];
  /** what a reader of the files should know, one sentence each */
  readonly notes: readonly string[];
}

/**
 * @param origin - the checkpoint, and the format it goes to
 * @param parameters - [arenaSize] float32 in parameterTable layout
 * @throws UserError when the format cannot express the model
 */
export function exportFiles(origin: Origin, parameters: Float32Array): ExportFiles {
  const config = gptConfigOf(origin.config);
  const vocab = vocabularyOf(origin.config.data, origin.config.vocabulary);
  const format = FORMATS[origin.to];
  const refusal = format.refusal(config);
  if (refusal !== undefined) throw new UserError(`--to: found ${origin.to}, but ${refusal}`);
  const rows = format.tensors(config);
  const weights = encodeSafetensors(toForeign(rows, config, parameters), { format: 'pt' });
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  const zeros = rows.filter((row) => row.source === undefined && row.twin === undefined);
  return {
    entries: [
      { name: WEIGHTS_FILE, bytes: weights },
      { name: MODEL_CONFIG_FILE, bytes: json(format.config(config, vocab)) },
      { name: VOCABULARY_FILE, bytes: json(vocabularyFile(vocab)) },
      ...(format.moreFiles?.(vocab) ?? []).map(({ name, content }) => ({ name, bytes: json(content) })),
      { name: ORIGIN_FILE, bytes: json(originJson(origin)) },
    ],
    notes: [
      ...(zeros.length > 0
        ? [
            `Biases that the model does not have are written as zeros (${zeros.length} of ${rows.length} tensors).`,
          ]
        : []),
      ...(config.shareBlocks && config.nLayers > 1
        ? [
            `The shared block is written ${config.nLayers} times: training elsewhere would make the copies differ.`,
          ]
        : []),
      ...format.notes(config),
    ],
  };
}
