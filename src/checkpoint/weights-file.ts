/** Weights from a single safetensors file outside any run directory. What model they belong to is said by the caller. */
import { RunError, printable } from '../errors.js';
import { gptConfigOf } from '../config/names.js';
import type { RunConfig } from '../config/run-config.js';
import { exists, readBytes } from '../io/files.js';
import { sha256Hex } from '../io/sha256.js';
import { decodeSafetensors } from './format.js';
import { tensorsToParameters } from './parameters.js';

export interface WeightsFile {
  /** [arenaSize] float32 in parameterTable layout of the configuration */
  readonly parameters: Float32Array;
  /** of the whole file */
  readonly weightsSha256: string;
  /** one sentence for each conversion that was needed */
  readonly notes: readonly string[];
}

/** @throws RunError naming the file and the tensor that does not fit the configuration */
export function loadWeightsFile(path: string, config: RunConfig): WeightsFile {
  if (!exists(path)) throw new RunError(`${printable(path, 300)}: found no such file.`);
  const bytes = readBytes(path);
  const { tensors, notes } = decodeSafetensors(bytes, path);
  const parameters = tensorsToParameters(gptConfigOf(config), tensors, path);
  const bad = parameters.findIndex((value) => !Number.isFinite(value));
  if (bad !== -1)
    throw new RunError(
      `${printable(path, 300)}: holds ${parameters[bad]} among its weights, expected finite numbers.`,
    );
  return { parameters, weightsSha256: sha256Hex(bytes), notes };
}
