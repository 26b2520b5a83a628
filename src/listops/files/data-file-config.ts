/**
 * What a run's configuration says of the file its lines come from: enough to know the content again, nothing of where
 * the file lies. Reading the file is data-file.ts.
 */
import { UserError, printable, unacceptable } from '../../errors.js';
import { isOperationName } from '../language/operations.js';
import type { OperationName } from '../language/operations.js';
import { COLUMN_ORDERS } from './line-parser.js';
import type { ColumnOrder } from './line-parser.js';

export interface DataFileConfig {
  /** without its folder; no part of the run's id */
  readonly name: string;
  /** of the bytes, 64 hexadecimal digits */
  readonly sha256: string;
  readonly columns: ColumnOrder;
  /** the first line names the columns */
  readonly header: boolean;
  /** lines of data in the file: kept + dropped + bareNumbers */
  readonly lines: number;
  /** lines that are trained or evaluated on */
  readonly kept: number;
  /** lines longer than maxTokens */
  readonly dropped: number;
  /** lines that are one number, with nothing to compute; left out */
  readonly bareNumbers: number;
  /** longest sequence that is kept, in tokens from `s` to `e`; absent: no line is dropped */
  readonly maxTokens?: number;
  /** tokens of the longest kept sequence in the format of the run */
  readonly longest: number;
  /** share of the distinct expressions that is held out of training, drawn by holdoutSeed */
  readonly heldFraction: number;
  /** operators as the file writes them, and the operation of the vocabulary that each is */
  readonly operators: Readonly<Record<string, OperationName>>;
}

export const DEFAULT_HELD_FRACTION = 0.1;

const KEYS = [
  'name',
  'sha256',
  'columns',
  'header',
  'lines',
  'kept',
  'dropped',
  'bareNumbers',
  'maxTokens',
  'longest',
  'heldFraction',
  'operators',
] as const;
const COUNTS = ['lines', 'kept', 'dropped', 'bareNumbers', 'longest'] as const;

/** Most characters of a file name. */
const MOST_NAME = 255;

/** @throws UserError naming the field */
export function checkDataFileConfig(value: unknown): asserts value is DataFileConfig {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw unacceptable('data.file', value, 'an object of named fields, as --data writes it');
  }
  const file = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(file)) {
    if (!(KEYS as readonly string[]).includes(key)) {
      throw new UserError(`data.file.${printable(key)}: unknown field, expected one of ${KEYS.join(', ')}.`);
    }
  }
  const { name, sha256, columns, header, operators } = file;
  if (!isFileName(name)) throw unacceptable('data.file.name', name, 'a file name without folder');
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
    throw unacceptable('data.file.sha256', sha256, '64 hexadecimal digits');
  }
  if (!(COLUMN_ORDERS as readonly unknown[]).includes(columns)) {
    throw unacceptable('data.file.columns', columns, `one of ${COLUMN_ORDERS.join(', ')}`);
  }
  if (typeof header !== 'boolean') throw unacceptable('data.file.header', header, 'true or false');
  for (const key of COUNTS) {
    if (!isWhole(file[key], 0)) throw unacceptable(`data.file.${key}`, file[key], 'a whole number from 0');
  }
  if (file['maxTokens'] !== undefined) checkMaxTokens('data.file.maxTokens', file['maxTokens']);
  checkHeldFraction('data.file.heldFraction', file['heldFraction']);
  if (
    typeof operators !== 'object' ||
    operators === null ||
    !Object.values(operators).every((name) => typeof name === 'string' && isOperationName(name))
  ) {
    throw unacceptable('data.file.operators', operators, 'operation names by operator');
  }
}

/** Fewest tokens of a sequence: `s ( MAX 3 ) = 3 e`. */
const SHORTEST = 8;

export function checkMaxTokens(field: string, value: unknown): asserts value is number {
  if (!isWhole(value, SHORTEST)) throw unacceptable(field, value, `a whole number from ${SHORTEST}`);
}

export function checkHeldFraction(field: string, value: unknown): asserts value is number {
  if (typeof value === 'number' && value >= 0 && value <= 0.9) return;
  throw unacceptable(field, value, 'a share from 0 to 0.9');
}

function isFileName(name: unknown): boolean {
  return typeof name === 'string' && name.length <= MOST_NAME && /^[^/\\\p{Cc}]+$/u.test(name);
}

function isWhole(value: unknown, low: number): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= low;
}
