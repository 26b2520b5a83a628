/** Text of a setting, from a flag or a form, as its value. Form only: what is allowed is checked by resolveRunConfig. */
import { unacceptable } from '../errors.js';
import { parseTasks } from '../listops/data-config.js';
import type { Setting } from './setting.js';

/**
 * @param value - text; of a switch also true
 * @param field - as the user knows it, for messages
 * @throws UserError
 */
export function settingValue(row: Setting, value: string | boolean, field: string): unknown {
  switch (row.rule.kind) {
    case 'whole':
    case 'number':
      return parseNumber(value, field);
    case 'choice':
      return value;
    case 'other':
      return row.text === undefined ? value : row.text.read(String(value));
    case 'names':
      return parseTasks(String(value));
    case 'range':
      return parseRange(String(value), field);
    case 'boolean':
      return parseSwitch(value, field);
  }
}

export function parseSwitch(value: string | boolean, field: string): boolean {
  if (value === true || value === '1' || value === 'true') return true;
  if (value === false || value === '0' || value === 'false') return false;
  throw unacceptable(field, value, '1, true, 0 or false');
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Text of a number; range and wholeness are checked where the field is known. */
export function parseNumber(value: string | boolean, field: string): number {
  const parsed = typeof value === 'string' && NUMBER.test(value) ? Number(value) : NaN;
  if (!Number.isFinite(parsed)) throw unacceptable(field, value, 'a number, e.g. 3, 0.5 or 2e-3');
  return parsed;
}

/** `2..3`, or `3` for `3..3`. */
function parseRange(value: string, field: string): [number, number] {
  const match = /^(\d+)(?:\.\.(\d+))?$/.exec(value);
  if (match === null) throw unacceptable(field, value, 'fewest..most, e.g. 2..3');
  return [Number(match[1]), Number(match[2] ?? match[1])];
}
