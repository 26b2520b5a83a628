/** The WASM engine: the same kernels with 128-bit vectors, for Node and browsers. The bytes are passed in. Browser-safe. */
import { errorMessage, UserError } from '../../errors.js';
import type { Engine } from '../engine.js';
import { KernelModel } from '../kernels/model.js';
import type { KernelModule } from '../kernels/module.js';
import { createWasmMemory, wasmApi, type WasmExports } from './memory.js';

/**
 * Compiles the module; asynchronous, everything after it is not. Single-threaded: the numbers do not depend on threads.
 * @param bytes - src/engine/wasm/kernels.wasm
 */
export async function openWasmEngine(bytes: Uint8Array): Promise<Engine> {
  const api = wasmApi();
  if (api === undefined)
    throw new UserError('engine "wasm": this host has no WebAssembly. Use another browser.');
  let compiled: object;
  try {
    compiled = await api.compile(bytes);
  } catch (error) {
    throw new UserError(
      `engine "wasm": kernels.wasm could not be compiled: ${errorMessage(error)}. It needs WebAssembly with SIMD.`,
    );
  }
  const module: KernelModule<Float32Array> = {
    realBytes: 4,
    pool: 0,
    threads: 1,
    createMemory: (stateBytes) => createWasmMemory(api, compiled, stateBytes),
  };
  const models = new Set<KernelModel<Float32Array>>();
  let disposed = false;
  return {
    name: 'wasm',
    isa: 'wasm simd128',
    kernelHash: readHash(module),
    threads: 1,
    createModel(config, from, mode) {
      if (disposed) throw new Error('This engine has been disposed of. Open a new one.');
      const model = new KernelModel(module, config, from, mode, (gone) => models.delete(gone));
      models.add(model);
      return model;
    },
    dispose() {
      disposed = true;
      for (const model of models) model.dispose();
      models.clear();
    },
  };
}

/** The hash of its sources that the module carries: 64 hexadecimal digits. */
function readHash(module: KernelModule<Float32Array>): string {
  const memory = module.createMemory(64);
  const at = (memory.functions as WasmExports).kernel_hash();
  const aligned = at - (at % 4);
  const view = memory.ints(aligned, 17);
  const bytes = new Uint8Array(view.buffer, at, 64);
  return String.fromCharCode(...bytes);
}
