/**
 * Kernels one by one, and whole models in float64, from builds that only tests make (build-native.mjs). Arrays live in an
 * arena; `array` copies numbers in and gives the address.
 */
import { resolve } from 'node:path';
import { KernelModel } from '../../src/engine/kernels/model.js';
import type { Address, KernelMemory, KernelModule, RealArray } from '../../src/engine/kernels/module.js';
import { nativeModule, widestSet } from '../../src/engine/native/engine.js';
import { loadAddon } from '../../src/engine/native/load.js';
import type { Addon, KernelSet } from '../../src/engine/native/memory.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { buildNative } from '../../src/setup/build-native.mjs';

const ROOT = resolve(import.meta.dirname, '../..');

type Call = (...numbers: number[]) => number;

/** Functions of native/single-kernels.c; arguments in its order, pointers as addresses (0: NULL). */
export const SINGLE_KERNELS = [
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
export type SingleKernels = Readonly<Record<(typeof SINGLE_KERNELS)[number], Call>>;

interface Build {
  readonly addon: Addon;
  readonly set: KernelSet & { readonly functions: SingleKernels };
}

async function loadBuild(real: 'float' | 'double'): Promise<Build> {
  const { status, reason } = await buildNative({ root: ROOT, real, single: true });
  if (status === 'unavailable') throw new Error(reason);
  const loaded = loadAddon({ file: real === 'double' ? 'kernels-double.node' : 'kernels-single.node' });
  if (loaded.kind !== 'loaded') throw new Error(loaded.reason);
  return { addon: loaded.addon, set: widestSet(loaded.addon) as Build['set'] };
}

/** A model whose every number is a float64; the same drivers as the engine's. */
export async function openDoubleModule(): Promise<KernelModule<Float64Array>> {
  const { addon, set } = await loadBuild('double');
  return nativeModule(addon, set, 1, 8, (buffer, offset, length) => new Float64Array(buffer, offset, length));
}

/** @param parameters - [arenaSize] in parameterTable layout */
export function doubleModel(
  module: KernelModule<Float64Array>,
  config: GptConfig,
  parameters: Float64Array,
): KernelModel<Float64Array> {
  return new KernelModel(module, config, { parameters }, 'train');
}

/** One call's memory: arrays are placed one after another, 64 bytes apart at least, and never freed. */
export class Bench<R extends RealArray> {
  private next: Address;

  constructor(
    readonly kernels: SingleKernels,
    private readonly memory: KernelMemory<R>,
    private readonly realBytes: number,
  ) {
    this.next = memory.state;
  }

  /** Copies numbers in; @returns the address */
  array(values: ArrayLike<number>): Address {
    const at = this.empty(values.length);
    this.read(at, values.length).set(values);
    return at;
  }

  /** @returns the address of `length` zeros, readable 16 numbers further */
  empty(length: number): Address {
    const at = this.next;
    this.next += Math.ceil(((length + 16) * this.realBytes) / 64) * 64;
    this.read(at, length).fill(0);
    return at;
  }

  ints(values: ArrayLike<number>): Address {
    const at = this.next;
    this.next += Math.ceil((values.length * 4) / 64) * 64 + 64;
    this.memory.ints(at, values.length).set(values);
    return at;
  }

  /** A view; changes with the arena. */
  read(at: Address, length: number): R {
    return this.memory.reals(at, length);
  }
}

/** @param bytes - of the arena that holds all arrays of one bench */
export async function openFloatBench(bytes = 1 << 22): Promise<Bench<Float32Array>> {
  const { addon, set } = await loadBuild('float');
  const module = nativeModule(
    addon,
    set,
    1,
    4,
    (buffer, offset, length) => new Float32Array(buffer, offset, length),
  );
  return new Bench(set.functions, module.createMemory(bytes), 4);
}

export async function openDoubleBench(bytes = 1 << 22): Promise<Bench<Float64Array>> {
  const { addon, set } = await loadBuild('double');
  const module = nativeModule(
    addon,
    set,
    1,
    8,
    (buffer, offset, length) => new Float64Array(buffer, offset, length),
  );
  return new Bench(set.functions, module.createMemory(bytes), 8);
}
