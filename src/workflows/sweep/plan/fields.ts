/**
 * Fields of a run configuration as plans write them: nested as in config.json or by path (`model.dModel`). Which fields there
 * are and what they may be is known to config/parse.ts alone.
 */
import { printable, UserError } from '../../../errors.js';

/** Nested fields, not yet checked. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Paths made into nested fields: `{ 'model.dModel': 8 }` and `{ model: { dModel: 8 } }` are the same.
 * @param where - what they belong to, for messages
 * @throws UserError when a field is given twice
 */
export function nestedFields(value: unknown, where: string): Fields {
  if (!isFields(value)) {
    throw new UserError(
      `${where}: found ${shown(value)}, expected fields of a run configuration, such as model.dModel: 16.`,
    );
  }
  let result: Fields = {};
  for (const [key, field] of Object.entries(value)) {
    if (key === '__proto__')
      throw new UserError(`${where}: found the key "__proto__", which is never accepted.`);
    const one = fieldAt(key, isFields(field) ? nestedFields(field, where) : field);
    const path = firstShared(result, one);
    if (path !== undefined) throw new UserError(`${where}: ${printable(path)} is given twice.`);
    result = mergedFields(result, one);
  }
  return result;
}

/** `{ model: { dModel: 8 } }` of `model.dModel` and 8. */
export function fieldAt(path: string, value: unknown): Fields {
  return path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Fields;
}

/** Fields of `over` win, level by level; lists are whole. */
export function mergedFields(under: Fields, over: Fields): Fields {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isFields(below) && isFields(value) ? mergedFields(below, value) : value;
  }
  return merged;
}

/** The first path that both give. */
export function firstShared(a: Fields, b: Fields): string | undefined {
  for (const [key, value] of Object.entries(a)) {
    if (!Object.hasOwn(b, key)) continue;
    const other = b[key];
    if (!isFields(value) || !isFields(other)) return key;
    const inner = firstShared(value, other);
    if (inner !== undefined) return `${key}.${inner}`;
  }
  return undefined;
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value in a message, cut. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return printable(text ?? typeof value);
}
