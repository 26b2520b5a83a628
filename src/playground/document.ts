/**
 * One checkpoint as the playground gets it: a JSON document of its configuration and its weights, the same from the viewer's
 * server and inside a report. Weights are the float32 numbers of the parameter arena, little-endian, in base64. Browser-safe.
 */
import { gptConfigOf } from '../config/gpt-config-of.js';
import { parseRunConfig } from '../config/parse.js';
import type { RunConfig } from '../config/run-config.js';
import { RunError, UserError, unacceptable } from '../errors.js';
import type { GptConfig } from '../model/gpt-config.js';
import { parameterTable } from '../model/parameters.js';

const KIND = 'sumlens-playground-1';
/** A page that holds more is slow to open, and none of our models needs it. */
export const MAX_WEIGHT_BYTES = 32 * 2 ** 20;

export interface PlaygroundDocument {
  readonly kind: typeof KIND;
  /** the checkpoint: `run@4096` */
  readonly name: string;
  /** its condition in words */
  readonly label: string;
  readonly step: number;
  readonly config: RunConfig;
  /** of model.safetensors, hex */
  readonly weightsSha256: string;
  /** base64 of [arenaSize] float32 in parameterTable layout */
  readonly weights: string;
}

export interface PlaygroundModel extends Omit<PlaygroundDocument, 'weights' | 'kind'> {
  readonly gpt: GptConfig;
  /** [arenaSize] */
  readonly parameters: Float32Array;
}

/** @throws UserError for a model that is too large to be sent */
export function playgroundDocument(model: Omit<PlaygroundModel, 'gpt'>): PlaygroundDocument {
  const { name, label, step, config, weightsSha256, parameters } = model;
  if (parameters.byteLength > MAX_WEIGHT_BYTES) {
    throw unacceptable(
      `checkpoint "${name}"`,
      `${mebibytes(parameters.byteLength)} of weights`,
      `at most ${mebibytes(MAX_WEIGHT_BYTES)} in the playground`,
      'Ask it with "sumlens inspect".',
    );
  }
  const bytes = new Uint8Array(4 * parameters.length);
  const view = new DataView(bytes.buffer);
  parameters.forEach((value, i) => view.setFloat32(4 * i, value, true));
  return { kind: KIND, name, label, step, config, weightsSha256, weights: toBase64(bytes) };
}

/**
 * Checks a document and unpacks its weights.
 * @param value - parsed JSON, of whatever origin
 * @throws UserError in one line
 */
export function readPlaygroundDocument(value: unknown): PlaygroundModel {
  const found = typeof value === 'object' && value !== null ? (value as Partial<PlaygroundDocument>) : {};
  const { kind, name, label, step, weightsSha256, weights } = found;
  if (kind !== KIND) throw unacceptable('kind of the model document', kind ?? 'nothing', KIND);
  if (typeof name !== 'string' || typeof label !== 'string' || typeof weightsSha256 !== 'string')
    throw new UserError('model document: expected the texts name, label and weightsSha256.');
  if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0)
    throw unacceptable(`step of "${name}"`, step, 'a whole number from 0');
  const config = parseRunConfig(found.config, name);
  const gpt = gptConfigOf(config);
  const expected = parameterTable(gpt).arenaSize;
  const bytes = typeof weights === 'string' ? fromBase64(weights) : undefined;
  if (bytes?.length !== 4 * expected) {
    throw unacceptable(
      `weights of "${name}"`,
      bytes === undefined ? 'no base64' : `${bytes.length} bytes`,
      `${4 * expected} bytes for this configuration`,
    );
  }
  const view = new DataView(bytes.buffer);
  const parameters = Float32Array.from({ length: expected }, (_, i) => view.getFloat32(4 * i, true));
  const bad = parameters.findIndex((number) => !Number.isFinite(number));
  if (bad !== -1)
    throw new RunError(`weights of "${name}": found ${parameters[bad]}, expected finite numbers.`);
  return { name, label, step, config, weightsSha256, gpt, parameters };
}

// in pieces: a call has room for some tens of thousands of arguments
const PIECE = 0x6000;

export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += PIECE) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + PIECE))));
  }
  // every piece but the last is a multiple of three bytes, so that none ends in padding
  return parts.join('');
}

/** @returns undefined where the text is no base64 */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

const mebibytes = (bytes: number): string => `${Math.round((10 * bytes) / 2 ** 20) / 10} MiB`;
