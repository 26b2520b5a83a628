/**
 * Memory of a native model as hostile as the contract allows: what need not be zero holds a pattern (a NaN, say), results
 * begin at any multiple of four bytes, every call gets an arena of exactly the size it asks for, and what lies around and
 * between the pieces must still hold the pattern afterwards.
 */
import type {
  Address,
  KernelFunctions,
  KernelMemory,
  KernelModule,
} from '../../src/engine/kernels/module.js';
import type { Addon, KernelSet } from '../../src/engine/native/memory.js';
import { Rng } from '../../src/tensor/rng.js';

/** Bytes around each block, and between the pieces of a work arena. */
const AROUND = 512;
const BETWEEN = 64;

/** Patterns of 32 bits: zero, two NaNs, infinity, a number like any other, one that overflows. */
export const PAINTS = [0, 0xffffffff, 0x7fa00001, 0x7f800000, 0x3fa66666, 0x7f7fffff] as const;

interface Block {
  readonly name: string;
  readonly buffer: ArrayBuffer;
  /** address of the buffer's first byte */
  readonly origin: Address;
  readonly address: Address;
  readonly bytes: number;
}

/** The memories of a case, which tell what was written that should not have been. */
export class Painter {
  private readonly blocks: Block[] = [];
  /** [from, to) that must hold the paint */
  private guarded: (readonly [name: string, from: Address, to: Address])[] = [];
  private readonly rng: Rng;
  /** what kernels changed that they may only read */
  private readonly changed: string[] = [];

  constructor(
    private readonly addon: Addon,
    private readonly paint: number,
    seed: number,
  ) {
    this.rng = new Rng(seed, 'fuzz:memory');
  }

  /** @returns what was found wrong since the last call, none when all is well */
  damage(): string[] {
    const found = this.changed.splice(0);
    for (const [name, from, to] of this.guarded) {
      const words = this.words(from, to - from);
      const at = words.findIndex((word) => word !== this.paint);
      if (at !== -1) found.push(`${name}: ${4 * at} bytes past its end hold ${hex(words[at])}`);
    }
    return found;
  }

  /** Results and work arenas of calls that have ended: looked at for the last time. */
  forget(): string[] {
    const found = this.damage();
    const state = this.blocks.filter(({ name }) => name === 'state');
    this.blocks.splice(0, this.blocks.length, ...state);
    this.guarded = this.guarded.filter(([name]) => name.includes('state'));
    return found;
  }

  module(set: KernelSet, pool: Address, threads: number): KernelModule<Float32Array> {
    return {
      realBytes: 4,
      pool,
      threads,
      createMemory: (bytes) => this.memory(watched(set.functions, this, this.changed), bytes),
    };
  }

  /** the first words of the state arena that was made last */
  stateWords(count: number): Uint32Array {
    const state = this.blocks.findLast(({ name }) => name === 'state');
    if (state === undefined) throw new RangeError('No model was made.');
    return new Uint32Array(state.buffer, state.address - state.origin, count);
  }

  words(address: Address, bytes: number): Uint32Array {
    const block = this.blocks.find(
      ({ origin, buffer }) => address >= origin && address + bytes <= origin + buffer.byteLength,
    );
    if (block === undefined) throw new RangeError(`No block holds ${bytes} bytes at ${address}.`);
    return new Uint32Array(block.buffer, address - block.origin, bytes / 4);
  }

  private block(name: string, bytes: number, alignment: number): Block {
    const room = Math.ceil(bytes / 4) * 4;
    const buffer = new ArrayBuffer(AROUND + alignment + room + AROUND);
    new Uint32Array(buffer).fill(this.paint);
    const origin = this.addon.addressOf(buffer);
    const first = origin + AROUND;
    const shift = alignment === 4 ? 4 * this.rng.below(16) : (alignment - (first % alignment)) % alignment;
    const block = { name, buffer, origin, address: first + shift, bytes };
    this.blocks.push(block);
    this.guarded.push([`before ${name}`, origin, block.address]);
    this.guarded.push([name, block.address + room, origin + buffer.byteLength - (buffer.byteLength % 4)]);
    return block;
  }

  private memory(functions: KernelFunctions, stateBytes: number): KernelMemory<Float32Array> {
    const state = this.block('state', stateBytes, 64);
    new Uint8Array(state.buffer, state.address - state.origin, stateBytes).fill(0);
    let work: Block | undefined;
    const within = <T>(
      address: Address,
      bytes: number,
      make: (buffer: ArrayBuffer, offset: number) => T,
    ): T => {
      for (const block of [state, work]) {
        if (block === undefined) continue;
        if (address < block.address || address + bytes > block.address + block.bytes) continue;
        return make(block.buffer, address - block.origin);
      }
      throw new RangeError(`No arena holds ${bytes} bytes at ${address}.`);
    };
    const newReals = (length: number): { array: Float32Array; address: Address } => {
      const { buffer, address, origin } = this.block('result', 4 * length, 4);
      return { array: new Float32Array(buffer, address - origin, length), address };
    };
    return {
      functions,
      state: state.address,
      work: (bytes) => {
        work = this.block('work', bytes, 64);
        return work.address;
      },
      guards: {
        bytes: BETWEEN,
        placed: (addresses) => {
          addresses.forEach((address, i) => {
            this.guarded.push([`piece ${i} of the work arena`, address, address + BETWEEN]);
          });
        },
      },
      reals: (address, length) =>
        within(address, 4 * length, (buffer, offset) => new Float32Array(buffer, offset, length)),
      newReals,
      copyRows: (address, rows, width, stride) => {
        within(address, 4 * rows * stride, () => undefined);
        const copied = newReals(rows * width);
        this.addon.packRows(copied.address, address, rows, 4 * width, 4 * stride);
        return copied.array;
      },
      ints: (address, length) =>
        within(address, 4 * length, (buffer, offset) => new Int32Array(buffer, offset, length)),
      doubles: (address, length) =>
        within(address, 8 * length, (buffer, offset) => new Float64Array(buffer, offset, length)),
      stateBytes,
      get workBytes() {
        return work?.bytes ?? 0;
      },
      dispose: () => {
        work = undefined;
      },
    };
  }
}

/** Where the drivers that take a batch are told of it: tokens, targets, offsets, N, S. */
const BATCHES = {
  train_gradients: [4, 5, 6, 7, 8],
  train_step: [4, 5, 6, 7, 8],
  forward_batch: [4, 5, 6, 7, 8],
  capture_batch: [4, 5, 6, 7, 8],
} as const;

/** The functions, of which those that take a batch must leave it as it is. */
function watched(functions: KernelFunctions, painter: Painter, changed: string[]): KernelFunctions {
  const watching: Record<string, (...numbers: number[]) => unknown> = { ...functions };
  for (const [name, [tokens, targets, offsets, n, s]] of Object.entries(BATCHES)) {
    const plain = watching[name];
    watching[name] = (...numbers) => {
      const inputs = (): string =>
        [
          painter.words(numbers[tokens], 4 * numbers[n]),
          painter.words(numbers[targets], 4 * numbers[n]),
          painter.words(numbers[offsets], 4 * (numbers[s] + 1)),
        ].join(';');
      const before = inputs();
      const result = plain(...numbers);
      if (inputs() !== before) changed.push(`${name} changed its batch`);
      return result;
    };
  }
  return watching as unknown as KernelFunctions;
}

const hex = (word: number): string => `0x${word.toString(16).padStart(8, '0')}`;
