/**
 * What the TypeScript drivers need of a compiled kernel module, native or WASM. Addresses are numbers: pointers there,
 * byte offsets here. Browser-safe.
 */

/** Numbers of the kernels: Float32Array; Float64Array in the double build that the tests check gradients with. */
export type RealArray = Float32Array | Float64Array;

/** Position of a byte that kernels may read or write. 0 is no address. */
export type Address = number;

/** The functions of kernels/drivers.h; parameters in its order, pointers as addresses. */
export interface KernelFunctions {
  /** a width rounded up to whole vectors */
  padded_width(width: number): number;
  /** numbers from one row of activations of this width to the next */
  row_numbers(width: number): number;
  train_work_bytes(d: Address, n: number, s: number, longest: number, threads: number): number;
  train_gradients(
    pool: Address,
    d: Address,
    state: Address,
    work: Address,
    tokens: Address,
    targets: Address,
    offsets: Address,
    n: number,
    s: number,
    longest: number,
    losses: Address,
  ): number;
  train_step(
    pool: Address,
    d: Address,
    state: Address,
    work: Address,
    tokens: Address,
    targets: Address,
    offsets: Address,
    n: number,
    s: number,
    longest: number,
    losses: Address,
    options: Address,
    tStep: number,
    result: Address,
  ): number;
  forward_work_bytes(d: Address, n: number, s: number, longest: number, threads: number): number;
  forward_batch(
    pool: Address,
    d: Address,
    parameters: Address,
    work: Address,
    tokens: Address,
    targets: Address,
    offsets: Address,
    n: number,
    s: number,
    longest: number,
    logits: Address,
    losses: Address,
    given: Address,
    nGiven: number,
    kept: Address,
  ): number;
  generate_work_bytes(d: Address, rows: number, s: number, capacity: number): number;
  generate_next(
    d: Address,
    parameters: Address,
    work: Address,
    maxRows: number,
    s: number,
    capacity: number,
    first: number,
    tokens: Address,
    start: Address,
    slot: Address,
    length: Address,
    n: number,
    next: Address,
  ): void;
  capture_work_bytes(d: Address, n: number, s: number, longest: number, threads: number): number;
  capture_batch(
    pool: Address,
    d: Address,
    parameters: Address,
    work: Address,
    tokens: Address,
    targets: Address,
    offsets: Address,
    n: number,
    s: number,
    longest: number,
    results: Address,
    logits: Address,
    losses: Address,
    first: number,
  ): void;
  readout_scratch(d: Address): number;
  readout_rows(d: Address, parameters: Address, scratch: Address, out: Address, x: Address, n: number): void;
  stage_prepare(d: Address, parameters: Address, work: Address): void;
  stage_weight_bytes(d: Address): number;
  stage_embed(
    d: Address,
    parameters: Address,
    out: Address,
    ids: Address,
    n: number,
    positions: number,
  ): void;
  stage_add(d: Address, out: Address, a: Address, b: Address, n: number): void;
  stage_layernorm(
    d: Address,
    parameters: Address,
    work: Address,
    layer: number,
    which: number,
    out: Address,
    x: Address,
    n: number,
  ): void;
  stage_linear(
    d: Address,
    parameters: Address,
    work: Address,
    layer: number,
    which: number,
    out: Address,
    x: Address,
    n: number,
  ): void;
  stage_activation(d: Address, out: Address, pre: Address, n: number): void;
  stage_scratch(d: Address, longest: number): number;
  stage_scores(
    d: Address,
    scores: Address,
    q: Address,
    k: Address,
    offsets: Address,
    s: number,
    iota: Address,
    scratch: Address,
  ): void;
  stage_pattern(
    d: Address,
    pattern: Address,
    scores: Address,
    offsets: Address,
    s: number,
    scratch: Address,
  ): void;
  stage_values(
    d: Address,
    z: Address,
    pattern: Address,
    v: Address,
    offsets: Address,
    s: number,
    iota: Address,
    scratch: Address,
  ): void;
  stage_logits(
    d: Address,
    parameters: Address,
    work: Address,
    logits: Address,
    losses: Address,
    hf: Address,
    rows: Address,
    targets: Address,
    n: number,
    temp: Address,
    scratch: Address,
  ): number;
}

/**
 * The two arenas of one model. Views are made afresh for every use: they end where the work arena grows (WASM).
 */
export interface KernelMemory<R extends RealArray> {
  readonly functions: KernelFunctions;
  /** first byte of the state arena: 64-byte aligned, zero at first, never moves */
  readonly state: Address;
  /** first byte of a work arena of at least `bytes`; what it held before may be lost */
  work(bytes: number): Address;
  reals(address: Address, length: number): R;
  /**
   * @returns an array that the caller will own, with undefined contents, and where kernels may write it before the caller
   *   has it; no address where they cannot (WASM)
   */
  newReals(length: number): { readonly array: R; readonly address: Address | undefined };
  /** @returns [rows, width], a copy that the caller owns, of rows that lie `stride` numbers apart */
  copyRows(address: Address, rows: number, width: number, stride: number): R;
  ints(address: Address, length: number): Int32Array;
  doubles(address: Address, length: number): Float64Array;
  readonly stateBytes: number;
  readonly workBytes: number;
  /**
   * Tests only: so many bytes, whole cache lines, stay free after each piece of the work arena, and `placed` is told where
   * they begin, so that a test sees what is written there
   */
  readonly guards?: { readonly bytes: number; placed(addresses: readonly Address[]): void };
  dispose(): void;
}

/** A loaded module. */
export interface KernelModule<R extends RealArray> {
  /** bytes of one number: 4, or 8 in the double build */
  readonly realBytes: 4 | 8;
  /** address of a thread pool; 0: none */
  readonly pool: Address;
  readonly threads: number;
  createMemory(stateBytes: number): KernelMemory<R>;
}

/** Rounds up to whole cache lines, as every array in an arena begins on one. */
export function align64(bytes: number): number {
  return Math.ceil(bytes / 64) * 64;
}
