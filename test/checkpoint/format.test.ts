import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_HEADER_BYTES,
  MAX_TENSORS,
  decodeSafetensors,
  encodeSafetensors,
} from '../../src/checkpoint/format.js';
import { RunError } from '../../src/errors.js';
import { packageRoot } from '../../src/io/package-root.js';
import { temporaryFolder } from '../io/temporary.js';
import { tryMutations } from '../faults/mutations.js';

const tensor = (name: string, shape: number[], values?: number[]) => ({
  name,
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => values?.[i] ?? i + 0.5),
});

/** A file from raw parts: the header as text or bytes, any declared length. */
function file(header: string | Uint8Array, buffer: number | Uint8Array = 0, declared?: bigint): Uint8Array {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const body = typeof buffer === 'number' ? new Uint8Array(buffer) : buffer;
  const bytes = new Uint8Array(8 + text.length + body.length);
  new DataView(bytes.buffer).setBigUint64(0, declared ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(body, 8 + text.length);
  return bytes;
}

const entry = (fields: Record<string, unknown>): string =>
  JSON.stringify({ dtype: 'F32', shape: [2], data_offsets: [0, 8], ...fields });
const one = (fields: Record<string, unknown>, name = 'w'): string =>
  `{${JSON.stringify(name)}:${entry(fields)}}`;

describe('encodeSafetensors', () => {
  it('writes the bytes that the format prescribes', () => {
    const bytes = encodeSafetensors([tensor('b', [1], [2]), tensor('a', [2], [1, -1])], { format: 'pt' });
    const header =
      '{"__metadata__":{"format":"pt"},"a":{"data_offsets":[0,8],"dtype":"F32","shape":[2]},"b":{"data_offsets":[8,12],"dtype":"F32","shape":[1]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
    const expected = file(padded, new Uint8Array(new Float32Array([1, -1, 2]).buffer));
    expect(Buffer.from(bytes).equals(Buffer.from(expected))).toBe(true);
    expect((8 + padded.length) % 8).toBe(0);
  });

  it('gives equal bytes for equal tensors in any order, also as views with an offset', () => {
    const a = tensor('a', [3]);
    const b = tensor('b', [2, 2]);
    const shifted = { ...b, data: Float32Array.of(9, ...b.data).subarray(1) };
    expect(encodeSafetensors([b, a])).toEqual(encodeSafetensors([a, shifted]));
  });

  it('refuses shapes that do not match, repeated and reserved names', () => {
    expect(() => encodeSafetensors([{ ...tensor('a', [2]), shape: [3] }])).toThrow('found 2 elements');
    expect(() => encodeSafetensors([tensor('a', [1]), tensor('a', [1])])).toThrow('occurs twice');
    for (const name of ['__metadata__', '__proto__', '']) {
      expect(() => encodeSafetensors([tensor(name, [1])])).toThrow('is not acceptable');
    }
  });
});

describe('decodeSafetensors', () => {
  it('gives back what was encoded, for any tensors, bit by bit', () => {
    const anyTensors = fc.uniqueArray(
      fc.record({
        name: fc.stringMatching(/^[a-z][a-z0-9._]{0,30}$/),
        shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }),
        seed: fc.nat(),
      }),
      { selector: (t) => t.name, maxLength: 8 },
    );
    fc.assert(
      fc.property(
        anyTensors,
        fc.dictionary(fc.stringMatching(/^[a-z]+$/), fc.string()),
        (specs, metadata) => {
          const tensors = specs.map(({ name, shape, seed }) => {
            const bits = new Uint32Array(shape.reduce((a, b) => a * b, 1)).map((_, i) =>
              Math.imul(seed + i, 2654435761),
            );
            // quiet NaN payloads may not survive a conversion; here nothing converts, so all bit patterns must
            return { name, shape, data: new Float32Array(bits.buffer) };
          });
          const decoded = decodeSafetensors(encodeSafetensors(tensors, metadata));
          expect(new Set(decoded.tensors.keys())).toEqual(new Set(tensors.map((t) => t.name)));
          for (const { name, shape, data } of tensors) {
            const found = decoded.tensors.get(name);
            expect(found?.shape).toEqual(shape);
            const bitsOf = (x: Float32Array): Uint32Array =>
              new Uint32Array(x.buffer, x.byteOffset, x.length);
            expect(bitsOf(found?.data ?? new Float32Array())).toEqual(bitsOf(data));
          }
          expect(Object.fromEntries(decoded.metadata)).toEqual(metadata);
        },
      ),
    );
  });

  it('reads a file at any alignment', () => {
    const bytes = encodeSafetensors([tensor('a', [3])]);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    expect(decodeSafetensors(shifted.subarray(3)).tensors.get('a')?.data).toEqual(
      Float32Array.of(0.5, 1.5, 2.5),
    );
  });

  it('converts F16 and BF16 and says so', () => {
    const half = new Uint8Array(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7c00, 0x8000, 0x3555).buffer);
    const decoded = decodeSafetensors(
      file(one({ dtype: 'F16', shape: [6], data_offsets: [0, 12] }), half),
      'm',
    );
    // 1, -2, the smallest subnormal, infinity, minus zero, the half nearest to 1/3
    expect([...(decoded.tensors.get('w')?.data ?? [])]).toEqual([
      1,
      -2,
      2 ** -24,
      Infinity,
      -0,
      0.333251953125,
    ]);
    expect(decoded.notes).toEqual(['m: tensor "w" is F16 and was converted to F32.']);
    const brain = new Uint8Array(Uint16Array.of(0x3f80, 0xc049, 0x7fc0).buffer);
    const bf16 = decodeSafetensors(file(one({ dtype: 'BF16', shape: [3], data_offsets: [0, 6] }), brain));
    expect([...(bf16.tensors.get('w')?.data ?? [])]).toEqual([1, -3.140625, NaN]);
    expect(bf16.notes).toHaveLength(1);
    const double = new Uint8Array(Float64Array.of(1 / 3, -0, 1e300).buffer);
    const f64 = decodeSafetensors(file(one({ dtype: 'F64', shape: [3], data_offsets: [0, 24] }), double));
    expect([...(f64.tensors.get('w')?.data ?? [])]).toEqual([Math.fround(1 / 3), -0, Infinity]);
    expect(f64.notes).toHaveLength(1);
  });

  it('refuses 150,000 tensors before it builds anything of them', () => {
    const names = Array.from(
      { length: 150_000 },
      (_, i) => `"${i}":{"dtype":"F32","shape":[],"data_offsets":[0,0]}`,
    );
    const bytes = file(`{${names.join(',')}}`);
    const before = process.memoryUsage().heapUsed;
    const began = process.cpuUsage();
    expect(() => decodeSafetensors(bytes)).toThrow(/more than 50000 tensors/);
    const { user, system } = process.cpuUsage(began);
    expect((user + system) / 1e6).toBeLessThan(1);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64e6);
  });

  const deep = `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`;
  const many = `{${Array.from({ length: 120_000 }, (_, i) => `"${i}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}`).join(',')}}`;
  const malformed: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['an empty file', new Uint8Array(0), /found 0 bytes, expected at least 8/],
    ...[1, 2, 3, 4, 5, 6, 7].map(
      (n) => [`${n} bytes`, new Uint8Array(n), new RegExp(`found ${n} bytes, expected at least 8`)] as const,
    ),
    ['header length 0', file('', 8, 0n), /header length at offset 0: found 0/],
    ['header length 1', file('{', 0), /found 1, expected at least 2/],
    ['header longer than the file', file('{}', 0, 3n), /found 3, expected at most the 2 bytes that follow/],
    ['header above the cap', file('{}', 0, BigInt(MAX_HEADER_BYTES + 1)), /expected at most 10485760/],
    ['header length 2^53 + 1', file('{}', 0, 2n ** 53n + 1n), /found 9007199254740993/],
    ['header length 2^64 - 1', file('{}', 0, 2n ** 64n - 1n), /found 18446744073709551615/],
    ['a header that is not UTF-8', file(new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])), /is not UTF-8/],
    ['a byte order mark', file('\ufeff{}'), /does not begin with "\{"/],
    ['a leading blank', file(' {}'), /does not begin with "\{"/],
    ['an array', file('[]'), /does not begin with "\{"/],
    ['a string', file('"x"'), /does not begin with "\{"/],
    ['broken JSON', file('{"a":'), /line 1, column 6: ends too early/],
    ['text after the header', file('{}x'), /text after the end/],
    ['200,000 levels', file(deep), /nested deeper than 4/],
    ['120,000 tensors', file(many), /found more than 50000 tensors, expected at most that many/],
    ['a repeated name', file(`{"w":${entry({})},"w":${entry({})}}`, 8), /the key "w" twice/],
    ['a repeated escaped name', file(`{"w":${entry({})},"\\u0077":${entry({})}}`, 8), /the key "w" twice/],
    ['the name __proto__', file(`{"__proto__":${entry({})}}`, 8), /the key "__proto__"/],
    ['an empty name', file(one({}, ''), 8), /tensor "": expected a name/],
    ['a NUL in a name', file(one({}, 'a\0b'), 8), /tensor "a\\u0000b": expected a name/],
    ['a newline in a name', file(one({}, 'a\nb'), 8), /tensor "a\\u000ab": expected a name/],
    ['a name of 300 characters', file(one({}, 'x'.repeat(300)), 8), /expected a name of 1 to 256/],
    ['a tensor that is a number', file('{"w":1}'), /tensor "w": expected an object/],
    ['a tensor that is null', file('{"w":null}'), /tensor "w": expected an object/],
    ['a tensor that is an array', file('{"w":[]}'), /tensor "w": expected an object/],
    ['no dtype', file('{"w":{"shape":[2],"data_offsets":[0,8]}}', 8), /found dtype nothing/],
    ['an unknown dtype', file(one({ dtype: 'F31' }), 8), /found dtype "F31", expected F32, F64, F16 or BF16/],
    ['dtype I64', file(one({ dtype: 'I64', data_offsets: [0, 16] }), 16), /found dtype "I64"/],
    ['dtype toString', file(one({ dtype: 'toString' }), 8), /found dtype "toString"/],
    ['a dtype that is a number', file(one({ dtype: 32 }), 8), /found dtype 32/],
    ['no shape', file('{"w":{"dtype":"F32","data_offsets":[0,8]}}', 8), /found shape nothing/],
    ['a negative dimension', file(one({ shape: [-2] }), 8), /found shape \[-2\]/],
    ['a fractional dimension', file(one({ shape: [2.5] }), 8), /found shape \[2\.5\]/],
    ['a dimension as text', file(one({ shape: ['2'] }), 8), /found shape \["2"\]/],
    ['a shape that is a number', file(one({ shape: 2 }), 8), /found shape 2/],
    ['a shape that is null', file(one({ shape: null }), 8), /found shape null/],
    ['nine dimensions', file(one({ shape: [1, 1, 1, 1, 1, 1, 1, 1, 2] }), 8), /found 9 dimensions/],
    [
      'a product above 2^53',
      file(one({ shape: [2 ** 30, 2 ** 30] }), 8),
      /the product of shape .* overflows/,
    ],
    [
      'a dimension above 2^53',
      file('{"w":{"dtype":"F32","shape":[9007199254740993],"data_offsets":[0,8]}}', 8),
      /no exact representation/,
    ],
    ['a dimension 1e400', file('{"w":{"dtype":"F32","shape":[1e400],"data_offsets":[0,8]}}', 8), /too large/],
    ['a huge shape on a small file', file(one({ shape: [2 ** 40] }), 8), /needs 4398046511104 bytes/],
    [
      'a shape smaller than its bytes',
      file(one({ shape: [1] }), 8),
      /needs 4 bytes, data_offsets \[0, 8\] give 8/,
    ],
    ['a shape larger than its bytes', file(one({ shape: [3] }), 8), /needs 12 bytes/],
    ['no offsets', file('{"w":{"dtype":"F32","shape":[2]}}', 8), /found data_offsets nothing/],
    ['one offset', file(one({ data_offsets: [8] }), 8), /found data_offsets \[8\]/],
    ['three offsets', file(one({ data_offsets: [0, 8, 8] }), 8), /found data_offsets \[0,8,8\]/],
    ['negative offsets', file(one({ data_offsets: [-8, 0] }), 8), /found data_offsets \[-8,0\]/],
    ['fractional offsets', file(one({ data_offsets: [0.5, 8.5] }), 16), /found data_offsets \[0\.5,8\.5\]/],
    ['offsets as text', file(one({ data_offsets: ['0', '8'] }), 8), /found data_offsets/],
    ['offsets reversed', file(one({ data_offsets: [8, 0] }), 8), /\[8, 0\] lie outside the buffer/],
    [
      'offsets past the end',
      file(one({ data_offsets: [8, 16] }), 8),
      /\[8, 16\] lie outside the buffer of 8 bytes/,
    ],
    ['one byte short', file(one({}), 7), /lie outside the buffer of 7 bytes/],
    ['one byte long', file(one({}), 9), /the tensors end at offset 8, the buffer at 9/],
    ['a buffer without tensors', file('{}', 1), /the tensors end at offset 0, the buffer at 1/],
    [
      'a hole at the start',
      file(one({ data_offsets: [4, 12] }), 12),
      /begins at offset 4, which leaves a hole at 0/,
    ],
    [
      'a hole between',
      file(`{"a":${entry({})},"b":${entry({ data_offsets: [12, 20] })}}`, 20),
      /"b": begins at offset 12, which leaves a hole at 8/,
    ],
    [
      'an overlap',
      file(`{"a":${entry({})},"b":${entry({ data_offsets: [4, 12] })}}`, 12),
      /"b": begins at offset 4, which leaves an overlap at 4/,
    ],
    [
      'twice the same bytes',
      file(`{"a":${entry({})},"b":${entry({})}}`, 8),
      /"b": begins at offset 0, which leaves an overlap/,
    ],
    ['an unknown field', file(one({ strides: [1] }), 8), /the unknown field "strides"/],
    ['metadata with a number', file('{"__metadata__":{"a":1}}'), /__metadata__\.a: expected a string/],
    ['metadata as an array', file('{"__metadata__":[]}'), /__metadata__: expected an object/],
    ['metadata that is null', file('{"__metadata__":null}'), /__metadata__: expected an object/],
    [
      'a git-LFS pointer',
      new TextEncoder().encode('version https://git-lfs.github.com/spec/v1\noid sha256:0\n'),
      /This is a git-LFS pointer: fetch the file itself/,
    ],
    [
      'a renamed PyTorch archive',
      new TextEncoder().encode('PK\u0003\u0004 and so on and on'),
      /This looks like a PyTorch pickle/,
    ],
  ];
  it('has at least 60 hand-made cases', () => {
    expect(malformed.length).toBeGreaterThanOrEqual(60);
  });
  it.each(malformed)('refuses %s', (_, bytes, message) => {
    // processor time: other work on the machine does not count
    const started = process.cpuUsage();
    let error: unknown;
    try {
      decodeSafetensors(bytes, 'model.safetensors');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(RunError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toMatch(/^model\.safetensors[:,] [^\n]*$/);
    expect((error as Error).message.length).toBeLessThan(500);
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(1000);
  });

  it('accepts names that only look dangerous: they are never used as paths or markup', () => {
    for (const name of ['../../x', '<img onerror=alert(1)>', 'constructor', 'é']) {
      expect([...decodeSafetensors(file(one({}, name), 8)).tensors.keys()]).toEqual([name]);
    }
  });

  it('survives 10,000 seeded mutations: one line, or a result that the format allows', async () => {
    const found = await tryMutations({ seed: 1, count: 10_000 });
    expect(found).toMatchObject({ tried: 10_000, held: 10_000, broken: [] });
  });
});
describe('a header of as many tensors as are read', () => {
  const SCRIPT = `
    const { decodeSafetensors, MAX_TENSORS } = await import(process.argv[1]);
    const { readFileSync } = await import('node:fs');
    const bytes = new Uint8Array(readFileSync(process.argv[2]));
    const rss = process.memoryUsage().rss;
    const cpu = process.cpuUsage();
    let found;
    try { found = decodeSafetensors(bytes).tensors.size; } catch (error) { found = error.message; }
    const { user, system } = process.cpuUsage(cpu);
    const growth = process.resourceUsage().maxRSS * 1024 - rss;
    console.log(JSON.stringify({ found, cpuMs: (user + system) / 1000, growth }));`;

  function decodedAlone(n: number): { found: unknown; cpuMs: number; growth: number } {
    const path = join(temporaryFolder(), 'many.safetensors');
    const fields = Array.from(
      { length: n },
      (_, i) => `"transformer.h.${i}.w":{"dtype":"F32","shape":[1,1],"data_offsets":[${4 * i},${4 * i + 4}]}`,
    );
    const json = Buffer.from(`{${fields.join(',')}}`);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    writeFileSync(path, Buffer.concat([length, json, Buffer.alloc(4 * n)]));
    const format = pathToFileURL(join(packageRoot(), 'dist', 'src', 'checkpoint', 'format.js')).href;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT, format, path], {
      encoding: 'utf8',
    });
    expect(child.stderr).toBe('');
    return JSON.parse(child.stdout) as ReturnType<typeof decodedAlone>;
  }

  // measured: 0.26 s and 53 MB at the cap, 0.04 s and 5 MB above it
  it.each([
    [MAX_TENSORS, MAX_TENSORS],
    [100_000, `safetensors: found more than ${MAX_TENSORS} tensors, expected at most that many.`],
  ])('takes at most a second and 64 MB: %i', (n, answer) => {
    const { found, cpuMs, growth } = decodedAlone(n);
    expect(found).toBe(answer);
    expect(cpuMs).toBeLessThan(1000);
    expect(growth).toBeLessThan(64 * 1024 * 1024);
  });
});
