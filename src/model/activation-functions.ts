/**
 * THE table of activation functions of the feed-forward layer. A row is what every engine and the reference need; the
 * operations of TensorFlow.js are a table of the same rows in engine/tfjs/forward.ts, which does not compile without one.
 * Browser-safe.
 */

export interface ActivationFunctionRow {
  /** what the kernels are told (`relu` in model.h); they compute no other function than these */
  readonly kernel: 0 | 1;
  /** the function itself, in float64 */
  readonly value: (x: number) => number;
}

export const ACTIVATION_FUNCTIONS = {
  /** exact form: x Phi(x) */
  gelu: { kernel: 0, value: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)) },
  relu: { kernel: 1, value: (x) => Math.max(0, x) },
} as const satisfies Readonly<Record<string, ActivationFunctionRow>>;

export type ActivationFunction = keyof typeof ACTIVATION_FUNCTIONS;
export const ACTIVATION_FUNCTION_NAMES = Object.keys(ACTIVATION_FUNCTIONS) as readonly ActivationFunction[];

/** erf by its series of positive terms: 2/sqrt(pi) e^(-x^2) sum 2^n x^(2n+1) / (2n+1)!! */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}
