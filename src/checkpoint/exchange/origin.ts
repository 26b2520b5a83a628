/**
 * sumlens.json, which export adds to the other program's files: which checkpoint it was, and its whole configuration,
 * so that import needs to be told nothing.
 */
import { parseRunConfig } from '../../config/parse.js';
import type { RunConfig } from '../../config/run-config.js';
import { unacceptable } from '../../errors.js';
import { END_REASONS, type EndReason } from '../run-files.js';
import { Fields } from './fields.js';
import { EXCHANGE_FORMATS, type ExchangeFormat } from './formats.js';

export const ORIGIN_FILE = 'sumlens.json';
const VERSION = 1;

export interface Origin {
  /** what it was exported to */
  readonly to: ExchangeFormat;
  readonly run: string;
  readonly step: number;
  /** how the run ended, if this was its last checkpoint */
  readonly end: EndReason | null;
  /** of our model.safetensors */
  readonly weightsSha256: string;
  readonly config: RunConfig;
}

export const originJson = (origin: Origin): Readonly<Record<string, unknown>> => ({
  version: VERSION,
  ...origin,
});

/** @throws UserError naming the field */
export function parseOrigin(source: Uint8Array, where: string): Origin {
  const fields = Fields.parse(source, where);
  if (fields.get('version') !== VERSION) {
    throw unacceptable(fields.place('version'), fields.get('version'), String(VERSION), 'Update sumlens.');
  }
  const to = fields.choice('to', EXCHANGE_FORMATS)?.value;
  if (to === undefined) throw unacceptable(fields.place('to'), null, EXCHANGE_FORMATS.join(', '));
  const end = fields.choice('end', END_REASONS)?.value ?? null;
  const step = fields.get('step');
  if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) {
    throw unacceptable(fields.place('step'), step, 'a whole number from 0');
  }
  const text = (name: string): string => {
    const value = fields.get(name);
    if (typeof value !== 'string' || value === '' || value.length > 200) {
      throw unacceptable(fields.place(name), value, 'a short text');
    }
    return value;
  };
  return {
    to,
    run: text('run'),
    step,
    end,
    weightsSha256: text('weightsSha256'),
    config: parseRunConfig(fields.get('config'), `${where}, config`),
  };
}
