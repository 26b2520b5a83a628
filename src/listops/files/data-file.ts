/**
 * A data file on disk: its bytes, their hash and its lines. The one file of this folder that needs Node; what the bytes
 * mean is line-parser.ts, what is trained on is line-data.ts.
 */
import { basename } from 'node:path';
import { UserError, errorMessage, printable, unacceptable } from '../../errors.js';
import { readBytes } from '../../io/files.js';
import { canonicalJson } from '../../io/json.js';
import { sha256Hex } from '../../io/sha256.js';
import type { DataConfig } from '../data-config.js';
import { describeLines } from './line-data.js';
import type { FileIdentity } from './line-data.js';
import { parseLines } from './line-parser.js';
import type { LineSet } from './line-parser.js';
import type { MedianOfEven } from '../language/operations.js';

/** Largest file that is read: its tokens and the table of its lines take about as much memory again. */
export const MOST_FILE_BYTES = 512 * 1024 * 1024;

export interface DataFile extends FileIdentity {
  readonly lines: LineSet;
}

/**
 * The bytes of a data file, before anything is known about them.
 * @throws UserError naming the file
 */
export function readDataBytes(path: string): Uint8Array {
  if (path === '') throw unacceptable('--data', path, 'the path of a file');
  try {
    return readBytes(path, MOST_FILE_BYTES);
  } catch (error) {
    // a file that the user named is the user's to mend
    throw new UserError(`--data: ${errorMessage(error)}`, { cause: error });
  }
}

/**
 * Reads a file and computes every label again.
 * @param bytes - those of the file, where they were read already
 * @throws UserError naming the file and, where there is one, the line
 */
export function readDataFile(
  path: string,
  options: { readonly modulus: number; readonly medianOfEven: MedianOfEven },
  bytes: Uint8Array = readDataBytes(path),
): DataFile {
  const name = printable(basename(path), 200);
  return {
    name,
    sha256: sha256Hex(bytes),
    lines: parseLines(bytes, { ...options, where: `--data: ${name}` }),
  };
}

/**
 * The lines of a run whose configuration names a file.
 * @throws UserError listing the fields in which the file is not the one of the configuration
 */
export function readLinesOf(data: DataConfig, path: string | undefined): LineSet {
  const { file } = data;
  if (file === undefined) throw new RangeError('readLinesOf: this data has no file.');
  if (path === undefined) {
    throw new UserError(
      `--data: found no file, expected ${file.name} with SHA-256 ${file.sha256.slice(0, 12)}..., on which this run is trained.`,
    );
  }
  const found = readDataFile(path, data);
  const fields = describeLines(found.lines, found, { ...data, ...file });
  const differing = differingFileFields(data, fields);
  if (differing.length === 0) return found.lines;
  throw new UserError(
    `--data: ${found.name} is not the file of this run: ${differing.join(', ')}. Give the file it was trained on, or train another run.`,
  );
}

/** `data.file.kept 12 instead of 15` for every field that a file decides and in which two data differ. */
export function differingFileFields(wanted: DataConfig, found: Partial<DataConfig>): string[] {
  const text = (value: unknown): string => {
    const json = value === undefined ? 'absent' : canonicalJson(value);
    return /^"[0-9a-f]{64}"$/.test(json) ? `${json.slice(1, 13)}...` : json;
  };
  const compare = (prefix: string, a: object, b: object): string[] =>
    [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) => {
      const [left, right] = [a, b].map((side) => (side as Readonly<Record<string, unknown>>)[key]);
      if (key === 'name' || text(left) === text(right)) return [];
      return [`${prefix}${key} ${text(right)} instead of ${text(left)}`];
    });
  const { tasks, depth, operands, nesting } = wanted;
  const { tasks: t, depth: d, operands: o, nesting: n } = found;
  return [
    ...compare('data.file.', wanted.file ?? {}, found.file ?? {}),
    ...compare('data.', { tasks, depth, operands, nesting }, { tasks: t, depth: d, operands: o, nesting: n }),
  ];
}
