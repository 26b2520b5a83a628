/**
 * The safetensors format: 8 bytes of header length, a JSON header, one buffer of raw little-endian numbers. Writing is
 * canonical (equal tensors, equal bytes); reading refuses whatever the format forbids. Browser-safe; no file access.
 */
import { RunError, printable } from '../errors.js';
import { canonicalJson, visitFieldsStrict } from '../io/json.js';

export { parametersToTensors, tensorsToParameters } from './parameters.js';

export interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** [product of shape] float32, row-major */
  readonly data: Float32Array;
}

export interface DecodedSafetensors {
  /** in the order of the buffer; data are copies, views of one allocation */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
  /** one sentence for each conversion that was needed */
  readonly notes: readonly string[];
}

/** Longest header read: it takes several times its size in memory once parsed. */
export const MAX_HEADER_BYTES = 10 * 1024 * 1024;
/** Far more than any model here has; a header of so many takes less than 64 MB of memory and half a second to read. */
export const MAX_TENSORS = 50_000;
const MAX_DIMENSIONS = 8;
const MAX_NAME_LENGTH = 256;
const TOO_MANY = `found more than ${MAX_TENSORS} tensors, expected at most that many.`;
const LENGTH_BYTES = 8;
const METADATA = '__metadata__';

/** Bytes of one element, for each element type that can be read. */
const ELEMENT_BYTES: Readonly<Record<string, number>> = { F32: 4, F64: 8, F16: 2, BF16: 2 };
/** Further types of tensors that are passed over. */
const PASSED_BYTES: Readonly<Record<string, number>> = {
  ...ELEMENT_BYTES,
  ...{ BOOL: 1, U8: 1, I8: 1, I16: 2, I32: 4, I64: 8, F64: 8 },
};

/**
 * Encodes float32 tensors, sorted by name; the header is padded with blanks so that the buffer is 8-byte aligned.
 * @throws RangeError when a shape does not match its data or a name occurs twice: both are errors of the program
 */
export function encodeSafetensors(
  tensors: readonly Tensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const header: Record<string, unknown> = {};
  if (Object.keys(metadata).length > 0) header[METADATA] = metadata;
  let size = 0;
  sorted.forEach(({ name, shape, data }, i) => {
    if (name === METADATA || name === '__proto__' || name === '' || name.length > MAX_NAME_LENGTH) {
      throw new RangeError(`Tensor name "${printable(name)}" is not acceptable.`);
    }
    if (i > 0 && sorted[i - 1].name === name) throw new RangeError(`Tensor "${name}" occurs twice.`);
    const elements = shape.reduce((product, n) => product * n, 1);
    if (elements !== data.length) {
      throw new RangeError(`Tensor "${name}" [${shape.join(', ')}]: found ${data.length} elements.`);
    }
    const end = size + 4 * elements;
    header[name] = { dtype: 'F32', shape, data_offsets: [size, end] };
    size = end;
  });
  const json = new TextEncoder().encode(canonicalJson(header));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes + size);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(headerBytes), true);
  bytes.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + headerBytes);
  bytes.set(json, LENGTH_BYTES);
  let at = LENGTH_BYTES + headerBytes;
  for (const { data } of sorted) {
    if (isLittleEndian) bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    else for (let i = 0; i < data.length; i++) view.setFloat32(at + 4 * i, data[i], true);
    at += data.byteLength;
  }
  return bytes;
}

const isLittleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly elements: number;
  readonly begin: number;
  readonly end: number;
}

/**
 * Decodes a whole file. F64, F16 and BF16 are converted to float32, which `notes` says; other element types are refused.
 * @param where - file for messages
 * @param options.passOver - tensors that are checked and left out, whatever their element type
 * @throws RunError naming the tensor or the offset
 */
export function decodeSafetensors(
  bytes: Uint8Array,
  where = 'safetensors',
  options: { readonly passOver?: (name: string) => boolean } = {},
): DecodedSafetensors {
  const fail = (problem: string): never => {
    throw new RunError(`${printable(where, 300)}: ${problem}`);
  };
  if (bytes.length < LENGTH_BYTES) {
    fail(
      `found ${bytes.length} bytes, expected at least ${LENGTH_BYTES} for the header length.${whatItMayBe(bytes)}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const declared = view.getBigUint64(0, true);
  const available = bytes.length - LENGTH_BYTES;
  if (declared < 2n) fail(`header length at offset 0: found ${declared}, expected at least 2.`);
  if (declared > BigInt(MAX_HEADER_BYTES)) {
    fail(
      `header length at offset 0: found ${declared}, expected at most ${MAX_HEADER_BYTES}.${whatItMayBe(bytes)}`,
    );
  }
  if (declared > BigInt(available)) {
    fail(
      `header length at offset 0: found ${declared}, expected at most the ${available} bytes that follow.`,
    );
  }
  const headerBytes = Number(declared);
  const headerText = bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + headerBytes);
  if (headerText[0] !== 0x7b) fail(`header at offset ${LENGTH_BYTES}: does not begin with "{".`);
  if (countFields(headerText) > MAX_TENSORS) {
    // said before anything is built of it: that would take a second and a hundred times its memory
    fail(TOO_MANY);
  }
  const buffer = bytes.subarray(LENGTH_BYTES + headerBytes);
  const { passOver = () => false } = options;
  const metadata = new Map<string, string>();
  const entries: Entry[] = [];
  const limits = {
    where: `${where}, header`,
    maxLength: MAX_HEADER_BYTES,
    maxDepth: 4,
    // a tensor takes 8 values at two dimensions: enough for the cap, and a bound on memory
    maxValues: MAX_TENSORS * (6 + MAX_DIMENSIONS),
    blame: 'file',
  } as const;
  // field by field: a header as one object takes twenty times its size
  visitFieldsStrict(headerText, limits, (name, value) => {
    if (name === METADATA) readMetadata(value, metadata, fail);
    else if (entries.length === MAX_TENSORS) fail(TOO_MANY);
    else {
      const bytesOf = passOver(name) ? PASSED_BYTES : ELEMENT_BYTES;
      entries.push(readEntry(name, value, buffer.length, bytesOf, fail));
    }
  });
  checkTiling(entries, buffer.length, fail);

  const notes: string[] = [];
  const tensors = new Map<string, Tensor>();
  const kept = entries.filter(({ name }) => !passOver(name));
  // one allocation for all: many small ones take several times the memory of their numbers
  const numbers = new Float32Array(kept.reduce((sum, { elements }) => sum + elements, 0));
  let at = 0;
  for (const { name, dtype, shape, elements, begin, end } of kept) {
    const data = numbers.subarray(at, at + elements);
    at += elements;
    const source = buffer.subarray(begin, end);
    if (dtype === 'F32') readFloat32(source, data);
    else {
      if (dtype === 'F16') readFloat16(source, data);
      else if (dtype === 'F64') readFloat64(source, data);
      else readBfloat16(source, data);
      notes.push(`${printable(where, 300)}: tensor "${name}" is ${dtype} and was converted to F32.`);
    }
    tensors.set(name, { name, shape, data });
  }
  return { tensors, metadata, notes };
}

const OFFSETS_KEY = new TextEncoder().encode('"data_offsets"');

/** How often the key occurs that every tensor has; within a string its quotes would be escaped. */
function countFields(header: Uint8Array): number {
  let count = 0;
  const [quote] = OFFSETS_KEY;
  for (let at = header.indexOf(quote); at !== -1; at = header.indexOf(quote, at + 1)) {
    let same = 1;
    while (same < OFFSETS_KEY.length && header[at + same] === OFFSETS_KEY[same]) same++;
    if (same === OFFSETS_KEY.length) count++;
  }
  return count;
}

type Fail = (problem: string) => never;

/** A guess at what a file without a plausible header is. */
function whatItMayBe(bytes: Uint8Array): string {
  const start = String.fromCharCode(...bytes.subarray(0, 20));
  if (start.startsWith('version https://git-')) return ' This is a git-LFS pointer: fetch the file itself.';
  if (start.startsWith('PK') || start.startsWith('\x80')) {
    return ' This looks like a PyTorch pickle: convert it to safetensors.';
  }
  // a header of a length that no header has: eight letters of something else
  return start.length >= LENGTH_BYTES && start[LENGTH_BYTES] !== '{'
    ? ' This is not a safetensors file.'
    : '';
}

function readMetadata(value: unknown, metadata: Map<string, string>, fail: Fail): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail(`${METADATA}: expected an object of strings.`);
  }
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string') return fail(`${METADATA}.${printable(key)}: expected a string.`);
    metadata.set(key, text);
  }
}

function readEntry(
  name: string,
  value: unknown,
  bufferBytes: number,
  elementBytes: Readonly<Record<string, number>>,
  fail: Fail,
): Entry {
  const label = `tensor "${printable(name)}"`;
  if (name === '' || name.length > MAX_NAME_LENGTH || hasControl(name)) {
    return fail(`${label}: expected a name of 1 to ${MAX_NAME_LENGTH} printable characters.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return fail(`${label}: expected an object with dtype, shape and data_offsets.`);
  }
  const unknown = Object.keys(value).find((key) => !['dtype', 'shape', 'data_offsets'].includes(key));
  if (unknown !== undefined) return fail(`${label}: found the unknown field "${printable(unknown)}".`);
  const { dtype, shape, data_offsets: offsets } = value as Partial<Record<string, unknown>>;
  if (typeof dtype !== 'string' || !Object.hasOwn(elementBytes, dtype)) {
    return fail(`${label}: found dtype ${shown(dtype)}, expected F32, F64, F16 or BF16.`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    return fail(`${label}: found shape ${shown(shape)}, expected whole numbers from 0.`);
  }
  if (shape.length > MAX_DIMENSIONS) {
    return fail(`${label}: found ${shape.length} dimensions, expected at most ${MAX_DIMENSIONS}.`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return fail(`${label}: found data_offsets ${shown(offsets)}, expected [begin, end].`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > bufferBytes) {
    return fail(`${label}: data_offsets [${begin}, ${end}] lie outside the buffer of ${bufferBytes} bytes.`);
  }
  let elements = 1;
  for (const n of shape) {
    elements *= n;
    if (!Number.isSafeInteger(elements))
      return fail(`${label}: the product of shape [${shape.join(', ')}] overflows.`);
  }
  const expected = elements * elementBytes[dtype];
  if (end - begin !== expected) {
    return fail(
      `${label}: shape [${shape.join(', ')}] of ${dtype} needs ${expected} bytes, data_offsets [${begin}, ${end}] give ${end - begin}.`,
    );
  }
  // copied: an array that grew keeps room for seventeen
  return { name, dtype, shape: [...shape], elements, begin, end };
}

/** Offsets must cover the buffer from 0 to its end without hole or overlap. Sorts the entries. */
function checkTiling(entries: Entry[], bufferBytes: number, fail: Fail): void {
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let at = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== at) {
      fail(
        `tensor "${printable(name)}": begins at offset ${begin}, which leaves ${begin > at ? 'a hole' : 'an overlap'} at ${Math.min(at, begin)}.`,
      );
    }
    at = end;
  }
  if (at !== bufferBytes) fail(`the tensors end at offset ${at}, the buffer at ${bufferBytes}.`);
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

// eslint-disable-next-line no-control-regex -- control characters in names are what is looked for
const hasControl = (text: string): boolean => /[\u0000-\u001f\u007f]/.test(text);

const shown = (value: unknown): string => printable(JSON.stringify(value) ?? 'nothing');

/** @param bytes - [4 n], any alignment; @param out - [n]; written */
function readFloat32(bytes: Uint8Array, out: Float32Array): void {
  if (isLittleEndian) new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
  else {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < out.length; i++) out[i] = view.getFloat32(4 * i, true);
  }
}

/** Rounded to the nearest float32. @param bytes - [8 n], any alignment; @param out - [n]; written */
function readFloat64(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < out.length; i++) out[i] = view.getFloat64(8 * i, true);
}

/** bfloat16 is the upper half of a float32. @param bytes - [2 n]; @param out - [n]; written */
function readBfloat16(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < out.length; i++) bits[i] = view.getUint16(2 * i, true) << 16;
}

/** IEEE 754 binary16. @param bytes - [2 n]; @param out - [n]; written */
function readFloat16(bytes: Uint8Array, out: Float32Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let i = 0; i < out.length; i++) {
    const half = view.getUint16(2 * i, true);
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >>> 10) & 0x1f;
    const fraction = half & 0x3ff;
    if (exponent === 0) out[i] = sign * fraction * 2 ** -24;
    else if (exponent === 31) out[i] = fraction === 0 ? sign * Infinity : NaN;
    else out[i] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
}
