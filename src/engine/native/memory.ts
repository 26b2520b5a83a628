/** Arenas of native models: ordinary ArrayBuffers whose addresses the addon tells. They are freed with the model. */
import { RunError } from '../../errors.js';
import type { Address, KernelFunctions, KernelMemory, RealArray } from '../kernels/module.js';

/** The kernels compiled for one set of instructions. Every set gives the same bytes. */
export interface KernelSet {
  readonly name: 'avx512' | 'avx2' | 'double';
  /** for people */
  readonly isa: string;
  /** by this processor and its operating system */
  readonly supported: boolean;
  readonly functions: KernelFunctions;
}

/** What build/kernels.node exports (addon.c). */
export interface Addon {
  readonly kernelHash: string;
  /** widest vectors first */
  readonly sets: readonly KernelSet[];
  /** @returns 0 when threads cannot be started */
  pool_create(threads: number): Address;
  pool_destroy(pool: Address): void;
  addressOf(buffer: ArrayBuffer): Address;
  /** both multiples of LARGE_PAGE */
  useLargePages(address: Address, bytes: number): void;
  /** lets the process keep up to `bytes` of what is freed, for the next results */
  keepFreedMemory(bytes: number): void;
  releaseFreedMemory(): void;
  /** rows of `rowBytes`, `stride` bytes apart, one after another to `to` */
  packRows(to: Address, from: Address, rows: number, rowBytes: number, stride: number): void;
}

const LARGE_PAGE = 2 << 20;
/**
 * Results from this size on make the process keep freed memory: a batch of captured activations is some 20 MB, and in
 * fresh pages it takes half as long again. The garbage collector frees several batches at a time.
 */
const LARGE_RESULT = 64 << 10;
const KEPT_BYTES = 256 << 20;

/** Asks for large pages wherever whole ones fit. */
function advise(addon: Addon, address: Address, bytes: number): void {
  const from = Math.ceil(address / LARGE_PAGE) * LARGE_PAGE;
  const whole = Math.floor((address + bytes - from) / LARGE_PAGE) * LARGE_PAGE;
  if (whole > 0) addon.useLargePages(from, whole);
}

/** What `make` gives; memory that is not there is one line. */
function allocate<T>(bytes: number, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RunError(
      `engine "native": found a need for ${Math.ceil(bytes / 2 ** 20)} MiB at once, expected at most what this machine ` +
        'gives. Use fewer or shorter sequences at once, or a smaller model.',
    );
  }
}

/** One stretch of memory, aligned to 64 bytes or, when it holds one, to large pages. */
class Block {
  readonly address: Address;
  private readonly skip: number;
  private readonly buffer: ArrayBuffer;

  constructor(
    addon: Addon,
    readonly bytes: number,
  ) {
    const alignment = bytes < LARGE_PAGE ? 64 : LARGE_PAGE;
    // what lies before the first aligned byte is never touched, so that it takes no memory
    this.buffer = allocate(bytes, () => new ArrayBuffer(bytes + alignment));
    const first = addon.addressOf(this.buffer);
    this.skip = (alignment - (first % alignment)) % alignment;
    this.address = first + this.skip;
    advise(addon, this.address, bytes);
  }

  /** @returns buffer and offset when [address, address + bytes) lies inside */
  find(address: Address, bytes: number): { buffer: ArrayBuffer; offset: number } | undefined {
    const inside = address - this.address;
    if (inside < 0 || inside + bytes > this.bytes) return undefined;
    return { buffer: this.buffer, offset: this.skip + inside };
  }
}

/** @param makeReals - Float32Array or Float64Array over part of a buffer */
export function createNativeMemory<R extends RealArray>(
  addon: Addon,
  functions: KernelFunctions,
  stateBytes: number,
  realBytes: number,
  makeReals: (buffer: ArrayBuffer, offset: number, length: number) => R,
): KernelMemory<R> {
  let state: Block | undefined = new Block(addon, stateBytes);
  let work: Block | undefined;
  let keepsFreed = false;
  const find = (address: Address, bytes: number): { buffer: ArrayBuffer; offset: number } => {
    const found = state?.find(address, bytes) ?? work?.find(address, bytes);
    if (found === undefined) throw new RangeError(`No arena holds ${bytes} bytes at address ${address}.`);
    return found;
  };
  const newReals = (length: number): { array: R; address: Address } => {
    if (length * realBytes >= LARGE_RESULT && !keepsFreed) {
      keepsFreed = true;
      addon.keepFreedMemory(KEPT_BYTES);
    }
    // not zeroed first: every byte is written by whoever asked for it
    const bytes = length * realBytes;
    const { buffer } = allocate(bytes, () => Buffer.allocUnsafeSlow(bytes));
    if (!(buffer instanceof ArrayBuffer)) throw new TypeError('A buffer of its own is an ArrayBuffer.');
    const address = addon.addressOf(buffer);
    advise(addon, address, buffer.byteLength);
    return { array: makeReals(buffer, 0, length), address };
  };
  return {
    functions,
    state: state.address,
    work(bytes) {
      // a fifth more than asked: lengths of batches differ from step to step
      if (work === undefined || work.bytes < bytes) work = new Block(addon, Math.ceil(bytes * 1.2));
      return work.address;
    },
    reals(address, length) {
      const { buffer, offset } = find(address, length * realBytes);
      return makeReals(buffer, offset, length);
    },
    newReals,
    copyRows(address, rows, width, stride) {
      find(address, rows * stride * realBytes);
      const copied = newReals(rows * width);
      addon.packRows(copied.address, address, rows, width * realBytes, stride * realBytes);
      return copied.array;
    },
    ints(address, length) {
      const { buffer, offset } = find(address, length * 4);
      return new Int32Array(buffer, offset, length);
    },
    doubles(address, length) {
      const { buffer, offset } = find(address, length * 8);
      return new Float64Array(buffer, offset, length);
    },
    get stateBytes() {
      return state?.bytes ?? 0;
    },
    get workBytes() {
      return work?.bytes ?? 0;
    },
    dispose() {
      state = undefined;
      work = undefined;
      if (keepsFreed) addon.releaseFreedMemory();
      keepsFreed = false;
    },
  };
}
