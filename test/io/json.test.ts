import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunError, UserError } from '../../src/errors.js';
import { canonicalJson, parseJsonStrict, toJsonLine } from '../../src/io/json.js';

describe('canonicalJson', () => {
  it('sorts keys at every level, leaves undefined fields out and writes no blanks', () => {
    expect(canonicalJson({ b: [{ z: 1, a: 'x' }], a: undefined, A: null })).toBe(
      '{"A":null,"b":[{"a":"x","z":1}]}',
    );
  });

  it('writes non-finite numbers as strings, never as null', () => {
    expect(canonicalJson([NaN, Infinity, -Infinity, -0])).toBe('["NaN","Infinity","-Infinity",0]');
  });

  it('refuses what is not plain JSON', () => {
    for (const value of [new Float32Array(2), () => 1, Symbol('x'), 1n, new Date(0), [undefined]]) {
      expect(() => canonicalJson({ value })).toThrow(/value\.value.* is not JSON/);
    }
  });

  it('does not depend on the order in which fields were set', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const turned = Object.fromEntries(Object.entries(object).reverse());
        expect(canonicalJson(turned)).toBe(canonicalJson(object));
      }),
    );
  });
});

describe('toJsonLine', () => {
  it('keeps the order of fields and ends with a newline', () => {
    expect(toJsonLine({ kind: 'train', step: 1, lossNats: NaN, text: 'a\nb' })).toBe(
      '{"kind":"train","step":1,"lossNats":"NaN","text":"a\\nb"}\n',
    );
  });
});

describe('parseJsonStrict', () => {
  const parse = (text: string | Uint8Array): unknown => parseJsonStrict(text, { where: 'grid.json' });

  it('agrees with JSON.parse on everything that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const hasProto = text.includes('"__proto__"');
        fc.pre(!hasProto && !/\d{16,}/.test(text));
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['', 'line 1, column 1: ends too early'],
    ['{"a":1,"a":2}', 'found the key "a" twice'],
    ['{"a":1,"\\u0061":2}', 'found the key "a" twice'],
    ['{"__proto__":{}}', 'found the key "__proto__"'],
    ['{"a":{"__proto__":1}}', 'found the key "__proto__"'],
    ['\ufeff{}', 'byte order mark'],
    ['{"a":1e400}', 'the number 1e400 for a, which is too large'],
    ['1e400', 'the number 1e400, which is too large'],
    ['[9007199254740993]', 'the number 9007199254740993 for [0], which has no exact representation'],
    ['{"a":{"x":[{}]},"b":[1,{"c":-9007199254740993}]}', 'the number -9007199254740993 for b[1].c, which'],
    ['{"a":{"x":[{}]},"b":100000000000000000001}', 'the number 100000000000000000001 for b, which'],
    ['[01]', 'expected "," or "]"'],
    ['[1,]', 'found "]"'],
    ['{"a":1,}', 'expected a key in double quotes'],
    ["{'a':1}", 'expected a key in double quotes'],
    ['[NaN]', 'found "N"'],
    ['[1] 2', 'text after the end'],
    ['"a\nb"', 'bad escape or control character'],
    ['"a\\x"', 'bad escape or control character'],
    ['"abc', 'a string without end'],
    ['{"a" 1}', 'expected ":"'],
    ['\n\n  [1 2]', 'line 3, column 6'],
    [`${'['.repeat(200_000)}1${']'.repeat(200_000)}`, 'nested deeper than 64'],
    ['// no\n{}', 'found "/"'],
  ])('refuses %j', (text, message) => {
    expect(() => parse(text)).toThrow(UserError);
    expect(() => parse(text)).toThrow(message);
    expect(() => parse(text)).toThrow(/^grid\.json: .*\.$/);
  });

  it('reads every finite number that it writes', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(parse(canonicalJson([value]))).toEqual(JSON.parse(JSON.stringify([value])));
      }),
    );
    // whole, beyond 2^53, and written without an exponent
    for (const value of [2 ** 53, -(2 ** 53), 1e17, 2 ** 64, 123456789012345680000]) {
      expect(parse(canonicalJson({ value }))).toEqual({ value });
    }
  });

  it('refuses bytes that are not UTF-8, and long texts before reading them', () => {
    expect(() => parse(new Uint8Array([0x22, 0xff, 0x22]))).toThrow('is not UTF-8 text');
    expect(() => parseJsonStrict(' '.repeat(101), { where: 'x', maxLength: 100 })).toThrow(
      'x: found 101 characters, expected at most 100.',
    );
    expect(() => parseJsonStrict('[1,2,3]', { where: 'x', maxValues: 3 })).toThrow('more values');
  });

  it('blames the file when told so', () => {
    expect(() => parseJsonStrict('{', { where: 'x', blame: 'file' })).toThrow(RunError);
  });

  it('does not let a key reach the prototype', () => {
    const value = parse('{"constructor":1,"toString":2}') as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['constructor', 'toString']);
    expect(({} as Record<string, unknown>)['constructor']).toBe(Object);
  });
});
