/** Memory of WASM models: one WebAssembly.Memory and instance a model, state arena first, work arena after. Browser-safe. */
import { RunError } from '../../errors.js';
import { align64, type KernelFunctions, type KernelMemory } from '../kernels/module.js';

const PAGE_BYTES = 65536;

/** The part of the WebAssembly interface that is used; the library of plain ECMAScript does not declare it. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
export interface WasmApi {
  readonly Memory: new (descriptor: { initial: number; maximum?: number }) => WasmMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  compile(bytes: Uint8Array): Promise<object>;
}
declare const WebAssembly: WasmApi;

/** The API of this host, or undefined where there is none. */
export function wasmApi(): WasmApi | undefined {
  return typeof WebAssembly === 'undefined' ? undefined : WebAssembly;
}

export interface WasmExports extends KernelFunctions {
  readonly __heap_base: { readonly value: number };
  kernel_hash(): number;
}

/** A fresh instance with `stateBytes` of zeroed state. */
export function createWasmMemory(
  api: WasmApi,
  module: object,
  stateBytes: number,
): KernelMemory<Float32Array> {
  const pages = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES);
  // stack and static data lie below __heap_base, under 6 pages
  let memory: WasmMemory | undefined = new api.Memory({ initial: 8 });
  const { exports } = new api.Instance(module, { env: { memory } });
  const functions = exports as unknown as WasmExports;
  const state = align64(functions.__heap_base.value);
  const workAt = state + align64(stateBytes);
  let workBytes = 0;
  const buffer = (): ArrayBuffer => {
    if (memory === undefined) throw new Error('This model has been disposed of. Create a new one.');
    return memory.buffer;
  };
  const reserve = (bytes: number): void => {
    const missing = pages(bytes) - buffer().byteLength / PAGE_BYTES;
    try {
      if (missing > 0) memory?.grow(missing);
    } catch {
      throw new RunError(
        `engine "wasm": found a need for ${Math.ceil(bytes / 2 ** 20)} MiB, expected at most what WebAssembly gives ` +
          '(4096 MiB or less). Use fewer or shorter sequences at once, or --engine native.',
      );
    }
  };
  reserve(workAt);
  return {
    functions,
    state,
    work(bytes) {
      if (bytes > workBytes) {
        const wanted = align64(Math.ceil(bytes * 1.2));
        reserve(workAt + wanted);
        workBytes = wanted;
      }
      return workAt;
    },
    reals: (address, length) => new Float32Array(buffer(), address, length),
    // kernels reach linear memory only, which no caller may own
    newReals: (length) => ({ array: new Float32Array(length), address: undefined }),
    copyRows(address, rows, width, stride) {
      const view = new Float32Array(buffer(), address, rows * stride);
      if (stride === width) return view.slice();
      const out = new Float32Array(rows * width);
      for (let i = 0, to = 0; i < rows; i++) {
        for (let from = i * stride, end = from + width; from < end; from++, to++) out[to] = view[from];
      }
      return out;
    },
    ints: (address, length) => new Int32Array(buffer(), address, length),
    doubles: (address, length) => new Float64Array(buffer(), address, length),
    get stateBytes() {
      return memory === undefined ? 0 : stateBytes;
    },
    get workBytes() {
      return workBytes;
    },
    dispose() {
      memory = undefined;
      workBytes = 0;
    },
  };
}
