/**
 * P9: mutated safetensors files, in bytes and in the fields of the header. Each is refused in one line that names a tensor,
 * an offset or the header, or is read as the format says; none takes a second or keeps memory.
 */
import { MAX_HEADER_BYTES, decodeSafetensors, encodeSafetensors } from '../../src/checkpoint/format.js';
import { RunError } from '../../src/errors.js';
import { Rng } from '../../src/tensor/rng.js';
import { must, Tally, type Outcome, type Trial } from './trial.js';

const MOST_MS = 1000;
const MOST_GROWTH_BYTES = 64e6;

const INTERESTING = [...new TextEncoder().encode('{}[]",:0123456789-eE.\\ ntfu')];
/** Values that stand in for one field of a header. */
const FIELDS: readonly unknown[] = [
  ...['F32', 'F16', 'BF16', 'F64', 'I8', 'BOOL', '', 'toString', null, 32],
  ...[[], [0], [1], [2], [4], [2, 3], [3, 2], [-1], [2.5], ['2'], [2 ** 31, 2 ** 31], [2 ** 53], [null], {}],
  ...[
    [0, 8],
    [8, 0],
    [0, 24],
    [24, 40],
    [16, 40],
    [0, 0],
    [0, 1],
    [0, 2 ** 53],
    ['0', '8'],
  ],
];

function sources(): Uint8Array[] {
  const tensor = (name: string, shape: number[]) => ({
    name,
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i + 0.5),
  });
  const wide = Array.from({ length: 30 }, (_, i) => tensor(`block.${i}.weight`, [i % 3, 2]));
  return [
    encodeSafetensors([tensor('a.weight', [2, 3]), tensor('b', [4]), tensor('c', [])], { format: 'pt' }),
    encodeSafetensors(wide),
    fileOf({ h: { dtype: 'F16', shape: [4], data_offsets: [0, 8] } }, 8),
    fileOf({ d: { dtype: 'F64', shape: [2], data_offsets: [0, 16] } }, 16),
  ];
}

function fileOf(header: unknown, bufferBytes: number): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + bufferBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

/** One to four edits of bytes. */
function edited(source: Uint8Array, rng: Rng): Uint8Array {
  let bytes = source.slice();
  for (let edits = 1 + rng.below(4); edits > 0 && bytes.length > 0; edits--) {
    const at = rng.below(bytes.length);
    const one = INTERESTING[rng.below(INTERESTING.length)];
    switch (rng.below(7)) {
      case 0:
        bytes[at] ^= 1 << rng.below(8);
        break;
      case 1:
        bytes[at] = rng.below(256);
        break;
      case 2:
        bytes[at] = one;
        break;
      case 3:
        bytes = bytes.slice(0, at);
        break;
      case 4:
        bytes = Uint8Array.of(...bytes.subarray(0, at), one, ...bytes.subarray(at));
        break;
      case 5:
        // the declared length of the header alone
        if (bytes.length >= 8) bytes[rng.below(8)] = rng.below(256);
        break;
      default:
        bytes.copyWithin(at, rng.below(bytes.length), bytes.length);
    }
  }
  return bytes;
}

/** One field of one tensor replaced, the file otherwise whole. */
function refielded(source: Uint8Array, rng: Rng): Uint8Array {
  const length = Number(new DataView(source.buffer, source.byteOffset).getBigUint64(0, true));
  const text = new TextDecoder().decode(source.subarray(8, 8 + length));
  const header = JSON.parse(text) as Record<string, Record<string, unknown>>;
  const names = Object.keys(header);
  const fields = ['dtype', 'shape', 'data_offsets'];
  const value = FIELDS[rng.below(FIELDS.length)];
  header[names[rng.below(names.length)]][fields[rng.below(fields.length)]] = value;
  const body = source.subarray(8 + length);
  const file = fileOf(header, body.length);
  file.set(body, file.length - body.length);
  return file;
}

export async function tryMutations(trial: Trial): Promise<Outcome> {
  const tally = new Tally(trial);
  const rng = new Rng(trial.seed, 'mutations');
  const whole = sources();
  let accepted = 0;
  let slowestMs = 0;
  const before = process.memoryUsage().rss;
  let mostGrowth = 0;
  for (let i = 0; i < trial.count; i++) {
    const source = whole[rng.below(whole.length)];
    const bytes = rng.below(4) === 0 ? refielded(source, rng) : edited(source, rng);
    const began = process.cpuUsage();
    tally.runSync(`mutation ${i}`, () => {
      if (isReadAsTheFormatSays(bytes)) accepted++;
    });
    const ms = process.cpuUsage(began).user / 1000;
    slowestMs = Math.max(slowestMs, ms);
    if (i % 1000 !== 0) continue;
    mostGrowth = Math.max(mostGrowth, process.memoryUsage().rss - before);
    await new Promise((resolve) => setImmediate(resolve));
  }
  must(accepted > trial.count / 100, `only ${accepted} mutations were read: the others prove little`);
  must(slowestMs < MOST_MS, `the slowest took ${slowestMs.toFixed(0)} ms, expected less than ${MOST_MS}`);
  const growth = `${(mostGrowth / 1e6).toFixed(0)} MB`;
  must(mostGrowth < MOST_GROWTH_BYTES, `memory grew by ${growth}, expected at most 64 MB`);
  return tally.outcome(`${accepted} read, slowest ${slowestMs.toFixed(1)} ms, memory +${growth}`);
}

/** @returns false when the file was refused. @throws Error when either is wrong */
function isReadAsTheFormatSays(bytes: Uint8Array): boolean {
  let tensors: ReturnType<typeof decodeSafetensors>['tensors'];
  try {
    tensors = decodeSafetensors(bytes, 'm').tensors;
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    const { message } = error;
    must(!message.includes('\n') && message.length < 600, `not one line: ${message}`);
    must(
      /tensor|offset|header|key|__metadata__|bytes|pickle|git-LFS|column/.test(message),
      `names no place: ${message}`,
    );
    return false;
  }
  checkAllowed(bytes, tensors);
  return true;
}

const SIZES: Readonly<Record<string, number>> = { F32: 4, F64: 8, F16: 2, BF16: 2 };

/** A second, simple reading of the rules: JSON.parse sees the same header, and sizes add up to the buffer. */
function checkAllowed(
  bytes: Uint8Array,
  tensors: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): void {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  must(length <= MAX_HEADER_BYTES, 'the header is longer than the cap');
  const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString('utf8')) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  const spans: [number, number][] = [];
  for (const [name, { dtype, shape, data_offsets: offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    must(JSON.stringify(tensors.get(name)?.shape) === JSON.stringify(shape), `${name}: another shape`);
    const size = shape.reduce((a, b) => a * b, SIZES[dtype]);
    must(
      offsets[1] - offsets[0] === size,
      `${name}: ${dtype} ${JSON.stringify(shape)} in ${JSON.stringify(offsets)}`,
    );
    spans.push(offsets);
  }
  let end = 0;
  for (const [from, to] of spans.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    must(from === end, `a hole or an overlap at ${end} was accepted`);
    end = to;
  }
  must(end === bytes.length - 8 - length, 'bytes behind the last tensor were accepted');
}
