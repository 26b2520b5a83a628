/**
 * JSON as this project writes and reads it: canonical text (equal values, equal bytes) and a strict parser for text
 * from outside. Browser-safe: no file access.
 */
import { RunError, UserError, printable } from '../errors.js';

export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** What a number is written as: never one that is not finite, for which JSON.stringify would write null. */
type NumberForm = (value: number) => number | string;

const asItIs: NumberForm = (value) => (Number.isFinite(value) ? value : String(value));

function write(value: unknown, sorted: boolean, form: NumberForm): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return JSON.stringify(form(value));
  if (Array.isArray(value)) return `[${value.map((item) => write(item, sorted, form)).join(',')}]`;
  if (!isPlainObject(value)) throw new NotJson();
  const keys = Object.keys(value);
  if (sorted) keys.sort();
  const fields: string[] = [];
  for (const key of keys) {
    const field = value[key];
    if (field !== undefined) fields.push(`${JSON.stringify(key)}:${write(field, sorted, form)}`);
  }
  return `{${fields.join(',')}}`;
}

/** Something in the value is no JSON: where is looked for only then, since a long text has a million places. */
class NotJson extends Error {}

function written(value: unknown, sorted: boolean, form: NumberForm = asItIs): string {
  try {
    return write(value, sorted, form);
  } catch (error) {
    if (error instanceof NotJson) throw notJsonIn(value, 'value') ?? error;
    throw error;
  }
}

function notJsonIn(value: unknown, path: string): TypeError | undefined {
  if (value === null || ['boolean', 'string', 'number'].includes(typeof value)) return undefined;
  const parts: readonly (readonly [string, unknown])[] | undefined = Array.isArray(value)
    ? value.map((item: unknown, i) => [`${path}[${i}]`, item])
    : isPlainObject(value)
      ? Object.entries(value).flatMap(([key, item]) => (item === undefined ? [] : [[`${path}.${key}`, item]]))
      : undefined;
  if (parts === undefined)
    return new TypeError(`${path} is not JSON: found ${Object.prototype.toString.call(value)}.`);
  for (const [at, part] of parts) {
    const found = notJsonIn(part, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Keys sorted by code unit, no blanks, undefined fields left out, non-finite numbers as "NaN", "Infinity", "-Infinity".
 * @param form - what a number is written as, where that is not the number itself; never one that is not finite
 * @throws TypeError on anything that is not plain JSON (functions, typed arrays, class instances)
 */
export function canonicalJson(value: unknown, form?: (value: number) => number | string): string {
  return written(value, true, form);
}

/** One line, fields in the order given, ended by a newline; non-finite numbers as strings. */
export function toJsonLine(value: unknown): string {
  return `${written(value, false)}\n`;
}

export interface StrictJsonOptions {
  /** file or flag for messages */
  readonly where: string;
  /** longest text accepted, in UTF-16 units or bytes; default 16 MiB */
  readonly maxLength?: number;
  /** deepest nesting; default 64 */
  readonly maxDepth?: number;
  /** most keys and elements in all; default 4 million */
  readonly maxValues?: number;
  /** who is to blame: the user's own text (exit code 2) or a stored file (exit code 1); default `user` */
  readonly blame?: 'user' | 'file';
}

/**
 * Parses JSON and refuses what JSON.parse lets through: a byte order mark, duplicate keys, `__proto__`, numbers that
 * do not fit (1e400, 9007199254740993; with the field that holds it), deep nesting, texts above the cap. Bytes must be UTF-8.
 * @throws UserError (or RunError, see `blame`) with the line and column
 */
export function parseJsonStrict(source: string | Uint8Array, options: StrictJsonOptions): unknown {
  return new StrictParser(source, options).parse();
}

/**
 * The same for an object of very many fields: each is handed over and forgotten, so that memory holds one at a time.
 * @throws as parseJsonStrict, and when the text is no object; what `visit` throws goes through
 */
export function visitFieldsStrict(
  source: string | Uint8Array,
  options: StrictJsonOptions,
  visit: (key: string, value: unknown) => void,
): void {
  new StrictParser(source, options).visitFields(visit);
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// a string without escapes or control characters, which is the common case
// eslint-disable-next-line no-control-regex -- JSON forbids raw control characters in strings
const PLAIN_STRING = /"[^"\\\u0000-\u001f]*"/y;
const ANY_STRING = /"[^"\\]*(?:\\.[^"\\]*)*"/y;

class StrictParser {
  private readonly text: string;
  private readonly maxDepth: number;
  private valuesLeft: number;
  private at = 0;
  /** where the parser is, for messages: of each level the field or the place in a list */
  private readonly path: (string | number)[] = [];

  constructor(
    source: string | Uint8Array,
    private readonly options: StrictJsonOptions,
  ) {
    const maxLength = options.maxLength ?? 16 * 1024 * 1024;
    this.maxDepth = options.maxDepth ?? 64;
    this.valuesLeft = options.maxValues ?? 4_000_000;
    this.text = '';
    if (source.length > maxLength) {
      this.refuse(`found ${source.length} characters, expected at most ${maxLength}`);
    }
    this.text = typeof source === 'string' ? source : this.decode(source);
    if (this.text.startsWith('\ufeff')) {
      this.refuse('starts with a byte order mark, expected plain UTF-8. Save it without BOM');
    }
  }

  parse(): unknown {
    const value = this.value(0);
    this.skipSpace();
    if (this.at < this.text.length) this.fail('found text after the end of the value');
    return value;
  }

  visitFields(visit: (key: string, value: unknown) => void): void {
    this.skipSpace();
    if (this.text[this.at] !== '{') this.fail('expected "{"');
    this.at++;
    const seen = new Set<string>();
    while (!this.closes('}')) {
      if (seen.size > 0) this.comma('}');
      const key = this.key((name) => seen.has(name));
      seen.add(key);
      this.path.length = 1;
      this.path[0] = key;
      visit(key, this.value(1));
    }
    this.skipSpace();
    if (this.at < this.text.length) this.fail('found text after the end of the value');
  }

  private decode(bytes: Uint8Array): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return this.refuse('is not UTF-8 text');
    }
  }

  private value(depth: number): unknown {
    this.skipSpace();
    if (--this.valuesLeft < 0) this.fail('holds more values than are accepted');
    const first = this.text[this.at];
    if (first === '{' || first === '[') {
      if (depth >= this.maxDepth) this.fail(`is nested deeper than ${this.maxDepth} levels`);
      return first === '{' ? this.object(depth + 1) : this.array(depth + 1);
    }
    if (first === '"') return this.string();
    if (first === 't') return this.word('true', true);
    if (first === 'f') return this.word('false', false);
    if (first === 'n') return this.word('null', null);
    return this.number();
  }

  private word<T>(word: string, value: T): T {
    if (!this.text.startsWith(word, this.at)) return this.fail(`expected ${word}`);
    this.at += word.length;
    return value;
  }

  private object(depth: number): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    this.at++;
    if (this.closes('}')) return result;
    for (;;) {
      const key = this.key((name) => Object.hasOwn(result, name));
      this.path.length = depth;
      this.path[depth - 1] = key;
      result[key] = this.value(depth);
      if (this.closes('}')) return result;
      this.comma('}');
    }
  }

  /** A key and its colon. @param isTaken - a name that the object has already */
  private key(isTaken: (name: string) => boolean): string {
    this.skipSpace();
    if (this.text[this.at] !== '"') this.fail('expected a key in double quotes');
    const key = this.string();
    if (key === '__proto__') this.fail('found the key "__proto__", which is never accepted');
    if (isTaken(key)) this.fail(`found the key "${printable(key)}" twice`);
    this.skipSpace();
    if (this.text[this.at] !== ':') this.fail('expected ":"');
    this.at++;
    return key;
  }

  private array(depth: number): unknown[] {
    const result: unknown[] = [];
    this.at++;
    if (this.closes(']')) return result;
    for (;;) {
      this.path.length = depth;
      this.path[depth - 1] = result.length;
      result.push(this.value(depth));
      if (this.closes(']')) return result;
      this.comma(']');
    }
  }

  private closes(bracket: string): boolean {
    this.skipSpace();
    if (this.text[this.at] !== bracket) return false;
    this.at++;
    return true;
  }

  private comma(bracket: string): void {
    if (this.text[this.at] !== ',') this.fail(`expected "," or "${bracket}"`);
    this.at++;
  }

  private string(): string {
    // test and not exec: the arrays that exec makes are most of what a large text would leave to collect
    PLAIN_STRING.lastIndex = this.at;
    if (PLAIN_STRING.test(this.text)) {
      const plain = this.text.slice(this.at + 1, PLAIN_STRING.lastIndex - 1);
      this.at = PLAIN_STRING.lastIndex;
      return plain;
    }
    ANY_STRING.lastIndex = this.at;
    const match = ANY_STRING.exec(this.text);
    if (match === null) return this.fail('found a string without end');
    try {
      const value = JSON.parse(match[0]) as string;
      this.at = ANY_STRING.lastIndex;
      return value;
    } catch {
      return this.fail('found a bad escape or control character in a string');
    }
  }

  private number(): number {
    NUMBER.lastIndex = this.at;
    if (!NUMBER.test(this.text)) {
      const found = this.text[this.at];
      return this.fail(found === undefined ? 'ends too early' : `found "${printable(found)}"`);
    }
    const written = this.text.slice(this.at, NUMBER.lastIndex);
    const value = Number(written);
    if (!Number.isFinite(value)) {
      this.fail(`found the number ${printable(written)}${this.field()}, which is too large`);
    }
    // beyond 2^53 the shortest digits of a double are what canonicalJson writes of it; others stand for no double of their own
    if (!/[.eE]/.test(written) && !Number.isSafeInteger(value) && String(value) !== written) {
      this.fail(`found the number ${printable(written)}${this.field()}, which has no exact representation`);
    }
    this.at = NUMBER.lastIndex;
    return value;
  }

  /** ` for data.holdoutSeed`; empty outside of any object or list */
  private field(): string {
    const names = this.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`)).join('');
    return names === '' ? '' : ` for ${printable(names.replace(/^\./, ''))}`;
  }

  private skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      // blank, newline, carriage return, tab
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.at++;
    }
  }

  private fail(problem: string): never {
    const before = this.text.slice(0, this.at);
    const line = before.split('\n').length;
    const column = this.at - before.lastIndexOf('\n');
    return this.refuse(`is not acceptable JSON at line ${line}, column ${column}: ${problem}`);
  }

  private refuse(problem: string): never {
    const message = `${printable(this.options.where, 300)}: ${problem}.`;
    throw this.options.blame === 'file' ? new RunError(message) : new UserError(message);
  }
}
