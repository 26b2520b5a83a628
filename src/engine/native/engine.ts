/** The native engine: the kernels as a Node addon, with a pool of threads. Node only. */
import { RunError, unacceptable } from '../../errors.js';
import type { Engine, OpenEngineOptions } from '../engine.js';
import { KernelModel } from '../kernels/model.js';
import type { KernelModule, RealArray } from '../kernels/module.js';
import { type Addon, createNativeMemory, type KernelSet } from './memory.js';

export const MOST_THREADS = 256;

/** @throws RangeError where the processor has none of them; load.ts says so before */
export function widestSet({ sets }: Addon): KernelSet {
  const set = sets.find(({ supported }) => supported);
  if (set === undefined) throw new RangeError('The processor supports none of the kernels of this addon.');
  return set;
}

/** @param realBytes - 4, or 8 for an addon of the double build */
export function nativeModule<R extends RealArray>(
  addon: Addon,
  { functions }: KernelSet,
  threads: number,
  realBytes: 4 | 8,
  makeReals: (buffer: ArrayBuffer, offset: number, length: number) => R,
): KernelModule<R> {
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_THREADS) {
    throw unacceptable('threads', threads, `a whole number from 1 to ${MOST_THREADS}`);
  }
  const pool = threads === 1 ? 0 : addon.pool_create(threads);
  if (threads > 1 && pool === 0) {
    throw new RunError(`${threads} threads could not be started. Pass a smaller --threads.`);
  }
  return {
    realBytes,
    pool,
    threads,
    createMemory: (stateBytes) => createNativeMemory(addon, functions, stateBytes, realBytes, makeReals),
  };
}

/** The engine of an addon that load.ts has accepted. @param set - one that is supported; default: the widest */
export function openNativeEngine(
  addon: Addon,
  { threads }: OpenEngineOptions,
  set = widestSet(addon),
): Engine {
  const module = nativeModule(
    addon,
    set,
    threads,
    4,
    (buffer, offset, n) => new Float32Array(buffer, offset, n),
  );
  const models = new Set<KernelModel<Float32Array>>();
  let disposed = false;
  return {
    name: 'native',
    isa: set.isa,
    kernelHash: addon.kernelHash,
    threads,
    createModel(config, from, mode) {
      if (disposed) throw new Error('This engine has been disposed of. Open a new one.');
      const model = new KernelModel(module, config, from, mode, (gone) => models.delete(gone));
      models.add(model);
      return model;
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      for (const model of models) model.dispose();
      models.clear();
      if (module.pool !== 0) addon.pool_destroy(module.pool);
    },
  };
}
