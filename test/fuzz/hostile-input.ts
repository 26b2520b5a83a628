/** What the fuzzer of the parsers feeds them: good input, a little changed. */
import fc from 'fast-check';
import { RunError, UserError } from '../../src/errors.js';
import { canonicalJson } from '../../src/io/json.js';

const NUMBERS = [-1, -0, 0.5, 1e-320, 1e308, 2 ** 31, 2 ** 53, 4294967296, 1e21];
const TEXTS = [
  '',
  ' ',
  'NaN',
  'Infinity',
  '__proto__',
  'constructor',
  'toString',
  '../../x',
  '<img onerror=1>',
];
/** Values that a document rarely holds where they are put. */
const VALUES: readonly unknown[] = [
  null,
  true,
  [],
  {},
  [[]],
  [0],
  { a: 1 },
  ...NUMBERS,
  ...TEXTS,
  'é\u2028',
  '\0',
];
const PIECES = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  '\n',
  '\r',
  '\t',
  '\0',
  ' ',
  '-',
  '.',
  '0',
  '9',
  'e',
  '&',
  '*',
];
const MORE_PIECES = [
  '\ufeff',
  '\ud800',
  '\u2028',
  '__proto__',
  '1e400',
  '9007199254740993',
  'NaN',
  'null',
  '!!',
  '"a":',
];

/** A text with a few places cut out, doubled or filled with something else. */
export function mutatedText(texts: readonly string[]): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    remove: fc.oneof(fc.nat(3), fc.nat(400)),
    insert: fc.oneof(
      fc.array(fc.constantFrom(...PIECES, ...MORE_PIECES), { maxLength: 3 }).map((all) => all.join('')),
      fc.string({ maxLength: 5 }),
      fc.constant(undefined),
    ),
  });
  return fc.tuple(fc.constantFrom(...texts), fc.array(edit, { maxLength: 4 })).map(([text, edits]) =>
    edits.reduce((now, { at, remove, insert }) => {
      const from = Math.floor(at * now.length);
      const cut = now.slice(from, from + remove);
      // nothing to insert: what was there, twice
      return `${now.slice(0, from)}${insert ?? `${cut}${cut}`}${now.slice(from + remove)}`;
    }, text),
  );
}

/** The same for bytes. */
export function mutatedBytes(files: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    // the first bytes, and the beginning, are where formats say what they are
    from: fc.constantFrom(0, 0, 8, undefined),
    remove: fc.oneof(fc.nat(2), fc.nat(64)),
    insert: fc.uint8Array({ maxLength: 8 }),
  });
  return fc.tuple(fc.constantFrom(...files), fc.array(edit, { maxLength: 4 })).map(([file, edits]) =>
    edits.reduce((now, { at, from, remove, insert }) => {
      const start = Math.min(
        now.length,
        (from ?? 0) + Math.floor(at * (from === undefined ? now.length : 200)),
      );
      return Uint8Array.from([...now.subarray(0, start), ...insert, ...now.subarray(start + remove)]);
    }, file),
  );
}

interface Change {
  readonly path: readonly number[];
  readonly what: 'value' | 'drop' | 'rename' | 'twice';
  readonly value: unknown;
}

/** A document of plain JSON with some of its values replaced, dropped, doubled or put under another key. */
export function mutatedJson(documents: readonly unknown[]): fc.Arbitrary<unknown> {
  const change: fc.Arbitrary<Change> = fc.record({
    path: fc.array(fc.nat(1000), { minLength: 1, maxLength: 7 }),
    what: fc.constantFrom('value', 'value', 'drop', 'rename', 'twice'),
    value: fc.oneof(
      fc.constantFrom(...VALUES),
      fc.jsonValue({ maxDepth: 2 }),
      fc.integer({ min: -2, max: 70 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    ),
  });
  return fc
    .tuple(fc.constantFrom(...documents), fc.array(change, { maxLength: 3 }))
    .map(([document, changes]) => changes.reduce(changed, structuredClone(document)));
}

function changed(document: unknown, { path, what, value }: Change): unknown {
  let at = document;
  for (const [depth, choice] of path.entries()) {
    if (typeof at !== 'object' || at === null) return document;
    const keys = Object.keys(at);
    if (keys.length === 0) return document;
    const key = keys[choice % keys.length];
    const holder = at as Record<string, unknown>;
    const inner = holder[key];
    const isInner = typeof inner === 'object' && inner !== null;
    if (depth < path.length - 1 && isInner) {
      at = inner;
      continue;
    }
    if (what === 'drop') {
      if (Array.isArray(at)) at.splice(Number(key), 1);
      else Reflect.deleteProperty(at, key);
    } else if (what === 'twice' && Array.isArray(at)) at.push(structuredClone(inner));
    else if (what === 'rename') holder[`${key}x`] = inner;
    else holder[key] = value;
    return document;
  }
  return document;
}

/** Longest message: a line that a terminal still shows as one. */
const LONGEST = 1500;

/** What a function gives, or undefined where it refuses its input as it should: a UserError or RunError in one line. */
export function graceful<T>(read: () => T): { readonly value: T } | undefined {
  try {
    return { value: read() };
  } catch (error) {
    if (!(error instanceof UserError || error instanceof RunError)) throw error;
    const { message } = error;
    // eslint-disable-next-line no-control-regex -- control characters are what must not be there
    if (message === '' || /[\u0000-\u001f\u2028\u2029]/.test(message) || message.length > LONGEST) {
      throw new Error(`the message is not one line: ${JSON.stringify(message.slice(0, 2 * LONGEST))}`, {
        cause: error,
      });
    }
    return undefined;
  }
}

/** Compares as canonical text, which tells every plain value. */
export function expectEqual(found: unknown, expected: unknown, what: string): void {
  const [a, b] = [canonicalJson(found), canonicalJson(expected)];
  if (a !== b) throw new Error(`${what}: found ${a.slice(0, 500)}, expected ${b.slice(0, 500)}`);
}
