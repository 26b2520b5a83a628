/**
 * The kernels one by one, from the builds for tests (src/engine/native/single-kernels.c): arrays with guards behind them,
 * plain references in float64, and distances in units in the last place.
 */
import { describe, it } from 'vitest';
import { loadAddon } from '../../../src/engine/native/load.js';
import type { Addon, KernelSet } from '../../../src/engine/native/memory.js';
import { packageRoot } from '../../../src/io/package-root.js';
import { buildNative } from '../../../src/setup/build-native.mjs';
import { isRequired } from '../engines.js';

/** Functions of native/single-kernels.c. */
const SINGLE_KERNELS = [
  'vector_exp',
  'vector_normal',
  'scalar_log',
  'pack_transposed',
  'pack_rows',
  'matrix_product',
  'layernorm_forward',
  'layernorm_backward',
  'layernorm_parameters',
  'activation_forward',
  'gather_embedding',
  'scatter_embedding',
  'column_sums',
  'softmax_row',
  'attention_forward',
  'attention_gradient',
  'cross_entropy',
] as const;

export type Reals = Float32Array | Float64Array;

/** Arguments in the order of single-kernels.c: arrays, numbers, undefined for NULL. */
type Argument = Block | number | undefined;
export type KernelName = (typeof SINGLE_KERNELS)[number];

/** Kernels read whole vectors past an array's end, but may write only padding that they are told of. */
const GUARD = 32;
const GUARD_VALUE = 1234.5;

type SingleSet = KernelSet & {
  readonly functions: Readonly<Record<KernelName, (...args: number[]) => number>>;
};

export interface Block {
  readonly values: Reals;
  readonly address: number;
}

export class Bench {
  private readonly guards: (Reals | Int32Array)[] = [];

  constructor(
    private readonly addon: Addon,
    private readonly set: SingleSet,
  ) {
    this.real = set.name === 'double' ? 'double' : 'float';
  }

  readonly real: 'float' | 'double';

  get name(): string {
    return this.set.name;
  }

  /** A width rounded up to whole vectors of this set. */
  padded(n: number): number {
    return this.set.functions.padded_width(n);
  }

  /** row_stride of real.h */
  rowStride(n: number): number {
    return this.set.functions.row_numbers(n);
  }

  /** [rows, stride] from [rows, width], zeros in the padding */
  padRows(values: ArrayLike<number>, rows: number, width: number): Float64Array {
    const stride = this.rowStride(width);
    const out = new Float64Array(rows * stride);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < width; j++) out[i * stride + j] = values[i * width + j];
    }
    return out;
  }

  /** [rows, width] from [rows, stride] */
  unpadRows(
    values: ArrayLike<number>,
    rows: number,
    width: number,
    stride = this.rowStride(width),
  ): Float64Array {
    return Float64Array.from(
      { length: rows * width },
      (_, i) => values[Math.floor(i / width) * stride + (i % width)],
    );
  }

  /** [values.length] numbers, 64-byte aligned, with readable memory behind them. */
  reals(values: ArrayLike<number>): Block {
    const bytes = this.real === 'float' ? 4 : 8;
    const { buffer, offset, address } = this.aligned((values.length + GUARD) * bytes);
    const make = (from: number, length: number): Reals =>
      this.real === 'float'
        ? new Float32Array(buffer, offset + from * bytes, length)
        : new Float64Array(buffer, offset + from * bytes, length);
    const array = make(0, values.length);
    array.set(values);
    const guard = make(values.length, GUARD);
    guard.fill(GUARD_VALUE);
    this.guards.push(guard);
    return { values: array, address };
  }

  zeros(length: number): Block {
    return this.reals(new Float64Array(length));
  }

  ints(values: ArrayLike<number>): Block {
    const { buffer, offset, address } = this.aligned((values.length + GUARD) * 4);
    new Int32Array(buffer, offset, values.length).set(values);
    return { values: new Float64Array(values.length), address };
  }

  /** Calls a kernel, and throws where it has written past an array. */
  call(name: KernelName, ...args: readonly Argument[]): void {
    this.set.functions[name](...args.map((one) => (typeof one === 'number' ? one : (one?.address ?? 0))));
    if (this.guards.some((guard) => guard.some((x) => x !== GUARD_VALUE))) {
      throw new Error(`${name} wrote past the end of an array.`);
    }
    this.guards.length = 0;
  }

  private aligned(bytes: number): { buffer: ArrayBuffer; offset: number; address: number } {
    const buffer = new ArrayBuffer(bytes + 64);
    const first = this.addon.addressOf(buffer);
    const offset = (64 - (first % 64)) % 64;
    return { buffer, offset, address: first + offset };
  }
}

/** The kernels for each set of instructions that this processor has; the reason where the build is missing. */
async function open(real: 'float' | 'double'): Promise<Bench[] | string> {
  const built = await buildNative({ root: packageRoot(), real, single: true });
  if (built.status === 'unavailable') return built.reason;
  const loaded = loadAddon({ file: real === 'float' ? 'kernels-single.node' : 'kernels-double.node' });
  if (loaded.kind === 'unavailable') return loaded.reason;
  const { addon } = loaded;
  for (const set of addon.sets) {
    const missing = SINGLE_KERNELS.filter((name) => !(name in set.functions));
    if (missing.length > 0) return `the build does not export ${missing.join(', ')} for ${set.name}.`;
  }
  return addon.sets.filter(({ supported }) => supported).map((set) => new Bench(addon, set as SingleSet));
}

/** A `describe` on each set of one build: fails where native is required, else is skipped with the reason. */
export async function describeKernels(
  title: string,
  real: 'float' | 'double',
  body: (bench: Bench) => void,
): Promise<void> {
  const benches = await open(real);
  if (typeof benches !== 'string') {
    for (const bench of benches) describe(`${title} [${bench.name}]`, () => body(bench));
  } else if (isRequired('native')) {
    it(`${title}: the ${real} build for tests is available, as REQUIRE_ENGINES asks`, () => {
      throw new Error(benches);
    });
  } else {
    // un-skip when: a C compiler is installed, on linux-x64
    it.skip(`${title} [${real}], skipped: ${benches}`, () => undefined);
  }
}

/** Distance in units in the last place of float32 at the expected value (normal numbers). */
export function ulps(actual: number, expected: number): number {
  if (Object.is(actual, expected) || actual === expected) return 0;
  const exponent = Math.max(-126, Math.floor(Math.log2(Math.abs(expected))));
  return Math.abs(actual - expected) / 2 ** (exponent - 23);
}

/** Every float32 of a few mantissas at every exponent, both signs, and the special values. */
export function floatGrid(mantissas: number): Float32Array {
  const values: number[] = [0, -0, Infinity, -Infinity, NaN];
  for (let exponent = -126; exponent <= 127; exponent++) {
    for (let i = 0; i < mantissas; i++) values.push((1 + i / mantissas) * 2 ** exponent);
  }
  return Float32Array.from(values.flatMap((x) => [x, -x]));
}

/** 1 - Phi(y) for y >= 0: the normal density times Mills's ratio, as Laplace's continued fraction, or by its series. */
export function normalTail(y: number): number {
  const density = Math.exp(-0.5 * y * y) / Math.sqrt(2 * Math.PI);
  if (y < 3) {
    let term = y;
    let total = y;
    for (let n = 1; term > 1e-18 * total; n++) {
      term *= (y * y) / (2 * n + 1);
      total += term;
    }
    return 0.5 - density * total;
  }
  let fraction = y;
  for (let n = 120; n >= 1; n--) fraction = y + n / fraction;
  return density / fraction;
}

/** Standard normal distribution function. */
export function normalDistribution(x: number): number {
  return x < 0 ? normalTail(-x) : 1 - normalTail(x);
}
