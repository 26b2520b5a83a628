/**
 * The fits of linear-probe.ts in WebAssembly (kernels/logistic.c): the same bits, in half of the time or less. Where there is
 * no WebAssembly with 128-bit vectors, or a task is too large for it, linear-probe.ts computes them itself.
 */
import { LOGISTIC_MODULE } from '../kernels/logistic-module.js';

/** The part of the WebAssembly interface that is used; the library of plain ECMAScript does not declare it. */
interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}
declare const WebAssembly: {
  readonly Memory: new (descriptor: { initial: number }) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: unknown };
};
declare const atob: (text: string) => string;

interface Exports {
  /** @returns address of the end of what a task of this shape takes */
  lay_out(rows: number, cols: number, penalty: number, total: number): number;
  inputs(): number;
  /** @returns 2 iterations + 1 if converged */
  fit(start: number, quasi: number): number;
}

const PAGE_BYTES = 65536;
/** Tasks above stay outside: memory once taken is kept. */
const MOST_BYTES = 2 ** 28;

/** Rows ready for fits. */
export interface KernelFeatures {
  readonly rows: number;
  readonly cols: number;
  /** [rows, cols] centred and scaled, and the same as [cols, rows]: sums run along memory */
  readonly x: Float64Array;
  readonly columns: Float64Array;
  readonly penalty: number;
  /** [rows] how many examples each row stands for, and of all rows together */
  readonly multiplicity: Float64Array;
  readonly total: number;
}

export class LogisticKernel {
  private view: Float64Array;
  /** what lies in the memory */
  private features: KernelFeatures | undefined;

  private constructor(
    private readonly memory: Memory,
    private readonly exports: Exports,
  ) {
    this.view = new Float64Array(memory.buffer);
  }

  /** @returns null where the host cannot run it */
  static open(): LogisticKernel | null {
    try {
      const bytes = Uint8Array.from(atob(LOGISTIC_MODULE), (character) => character.charCodeAt(0));
      const memory = new WebAssembly.Memory({ initial: 2 });
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
      return new LogisticKernel(memory, exports as Exports);
    } catch {
      return null;
    }
  }

  /**
   * @param y - [rows] ones among each row
   * @param start - intercept to begin with; factor [cols + 1, cols + 1] lower Cholesky factor of the Hessian there
   * @param isQuasi - L-BFGS first
   * @param beta - [cols + 1]; written
   * @returns undefined: too large, nothing is written
   */
  fit(
    features: KernelFeatures,
    y: ArrayLike<number>,
    { start, factor, isQuasi }: { readonly start: number; readonly factor: Float64Array; isQuasi: boolean },
    beta: Float64Array,
  ): { readonly converged: boolean; readonly iterations: number } | undefined {
    const { rows, cols } = features;
    const size = cols + 1;
    if (!this.hold(features)) return undefined;
    const { view } = this;
    // the places that lay_out of logistic.c gives them
    const yAt = this.exports.inputs() / 8 + 2 * even(rows * cols) + even(rows);
    const factorAt = yAt + even(rows);
    const betaAt = factorAt + even(size * size);
    view.set(y, yAt);
    view.set(factor, factorAt);
    const end = this.exports.fit(start, isQuasi ? 1 : 0);
    for (let j = 0; j < size; j++) beta[j] = view[betaAt + j];
    return { converged: end % 2 === 1, iterations: end >> 1 };
  }

  private hold(features: KernelFeatures): boolean {
    if (this.features === features) return true;
    const { rows, cols, x, columns, penalty, multiplicity, total } = features;
    if (24 * (rows + cols) * (cols + 2) > MOST_BYTES) return false;
    const bytes = this.exports.lay_out(rows, cols, penalty, total);
    const missing = Math.ceil(bytes / PAGE_BYTES) - this.memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) {
      this.features = undefined;
      try {
        this.memory.grow(missing);
      } catch {
        return false;
      }
      this.view = new Float64Array(this.memory.buffer);
    }
    const at = this.exports.inputs() / 8;
    this.view.set(x, at);
    this.view.set(columns, at + even(rows * cols));
    this.view.set(multiplicity, at + 2 * even(rows * cols));
    this.features = features;
    return true;
  }
}

const even = (length: number): number => length + (length & 1);

let shared: LogisticKernel | null | undefined;

/** One for all solvers of the process, as a fit is finished when it returns; null where the host cannot run it. */
export function logisticKernel(): LogisticKernel | null {
  if (shared === undefined) shared = LogisticKernel.open();
  return shared;
}
