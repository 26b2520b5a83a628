/**
 * What this engine uses of TensorFlow.js 4.22, written down here so that neither building nor loading the project needs
 * the optional packages. load.ts is where the real module becomes this type.
 */

export interface Tensor {
  readonly shape: readonly number[];
  /** the values; on some back ends the tensor's own memory, so never to be changed */
  dataSync(): Float32Array;
  dispose(): void;
}

type Values = Float32Array | Uint8Array;
type Operand = Tensor | number;

export interface CustomResult {
  readonly value: Tensor;
  /** @param saved - what the body has saved: tensors that must live until the gradient is taken */
  readonly gradFunc: (dy: Tensor, saved: readonly Tensor[]) => Tensor;
}

/** How the gradient of one kernel is computed; names of kernels and of their inputs are TensorFlow.js's. */
export interface GradientRule {
  readonly kernelName: string;
  readonly inputsToSave?: readonly string[];
  readonly saveAllInputs?: boolean;
  readonly outputsToSave?: readonly boolean[];
  /** @param dy - an array where the kernel has several outputs */
  readonly gradFunc: (
    dy: Tensor | readonly Tensor[],
    saved: readonly Tensor[],
    attributes: Readonly<Record<string, unknown>>,
  ) => Readonly<Record<string, () => Tensor>>;
}

export interface TensorFlow {
  registerGradient(rule: GradientRule): void;
  readonly version_core?: string;
  readonly version?: Readonly<Record<string, string>>;
  enableProdMode(): void;
  getBackend(): string;
  /** switches at once where the back end has been initialised before */
  setBackend(name: string): Promise<boolean>;
  memory(): { readonly numTensors: number; readonly numBytes: number };
  tidy<T>(body: () => T): T;
  /** on some back ends the tensor keeps the array itself */
  tensor(values: Values, shape: readonly number[], dtype?: 'float32' | 'bool'): Tensor;
  fill(shape: readonly number[], value: number): Tensor;
  zeros(shape: readonly number[]): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  transpose(x: Tensor): Tensor;
  concat(parts: readonly Tensor[], axis: number): Tensor;
  split(x: Tensor, sizes: readonly number[], axis: number): Tensor[];
  where(condition: Tensor, a: Tensor, b: Tensor): Tensor;
  add(a: Operand, b: Operand): Tensor;
  sub(a: Operand, b: Operand): Tensor;
  mul(a: Operand, b: Operand): Tensor;
  div(a: Operand, b: Operand): Tensor;
  greater(a: Operand, b: Operand): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  exp(x: Tensor): Tensor;
  log(x: Tensor): Tensor;
  erf(x: Tensor): Tensor;
  rsqrt(x: Tensor): Tensor;
  relu(x: Tensor): Tensor;
  softmax(x: Tensor): Tensor;
  sum(x: Tensor, axis?: number | readonly number[], keepDims?: boolean): Tensor;
  mean(x: Tensor, axis: number, keepDims: boolean): Tensor;
  max(x: Tensor, axis: number, keepDims: boolean): Tensor;
  /** an operation with a gradient of its own: one tensor in, one out */
  customGrad(
    body: (x: Tensor, save: (tensors: readonly Tensor[]) => void) => CustomResult,
  ): (x: Tensor) => Tensor;
  /** of a scalar function: its value, and its gradient with respect to each argument */
  valueAndGrads(
    body: (...inputs: Tensor[]) => Tensor,
  ): (inputs: readonly Tensor[]) => { readonly value: Tensor; readonly grads: readonly Tensor[] };
}
