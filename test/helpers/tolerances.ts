/**
 * THE table of tolerances of the engines' tests, with what was measured beside each. `measured` is the greatest error
 * as a fraction of the tolerance atol + rtol |expected|, so that 0.01 means a hundred times better than promised; equal
 * bytes on every machine make it a constant of the kernels. Raising a tolerance needs a sentence here.
 */
import type { EngineName } from '../../src/engine/engine.js';
import { expectClose, type Closeness, type Tolerance } from './close.js';

/** `double` is the build of the kernels in float64 */
export type MeasuredEngine = EngineName | 'double';

export interface ToleranceRow extends Tolerance {
  readonly measured: Readonly<Partial<Record<MeasuredEngine, number>>>;
}

export const TOLERANCES = {
  /** PyTorch in float64 is the reference of these (test/engine/fixtures); reliability.md P6 */
  'pytorch logits': {
    rtol: 0,
    atol: 1e-4,
    measured: {
      native: 7.4e-3,
      wasm: 1.1e-2,
      double: 3.3e-11,
      'tfjs:tensorflow': 7.7e-3,
      'tfjs:wasm': 1.3e-2,
      'tfjs:cpu': 4.9e-3,
    },
  },
  'pytorch losses of ten steps': {
    rtol: 0,
    atol: 1e-5,
    measured: {
      native: 6.4e-2,
      wasm: 2.1e-1,
      double: 2.2e-10,
      'tfjs:tensorflow': 5.0e-2,
      'tfjs:wasm': 1.5e-1,
      'tfjs:cpu': 8.4e-2,
    },
  },
  'pytorch gradients': {
    rtol: 1e-4,
    atol: 1e-6,
    measured: {
      native: 1.4e-1,
      wasm: 1.1e-1,
      double: 2.8e-10,
      'tfjs:tensorflow': 1.3e-1,
      'tfjs:wasm': 9.9e-2,
      'tfjs:cpu': 1.1e-1,
    },
  },
  /** AdamW divides by the root of the second moment: an error of a small gradient counts in full */
  'pytorch parameters after ten steps': {
    rtol: 1e-5,
    atol: 1e-5,
    measured: {
      native: 2.5e-2,
      wasm: 3.7e-2,
      double: 7.2e-11,
      'tfjs:tensorflow': 2.7e-2,
      'tfjs:wasm': 3.5e-2,
      'tfjs:cpu': 1.8e-2,
    },
  },
  /** of ten steps: the norm of a gradient at parameters that differ as the row above says */
  'pytorch gradient norms': {
    rtol: 1e-4,
    atol: 1e-6,
    measured: {
      native: 4.3e-2,
      wasm: 1.5e-1,
      double: 2.6e-10,
      'tfjs:tensorflow': 3.5e-2,
      'tfjs:wasm': 1.5e-1,
      'tfjs:cpu': 7.6e-2,
    },
  },
  /** exactly zero in real numbers, as a key bias moves all scores of a row alike */
  'gradients of key biases': {
    rtol: 0,
    atol: 1e-6,
    measured: {
      native: 1.1e-2,
      wasm: 2.1e-2,
      double: 1.8e-11,
      'tfjs:tensorflow': 2.1e-2,
      'tfjs:wasm': 1.0e-2,
      'tfjs:cpu': 1.0e-2,
    },
  },
  /** the plain float64 forward pass of test/helpers/naive-gpt.ts is the reference of these */
  'naive logits': {
    rtol: 1e-5,
    atol: 1e-4,
    measured: {
      native: 2.8e-2,
      wasm: 2.6e-2,
      'tfjs:tensorflow': 2.7e-2,
      'tfjs:wasm': 3.6e-2,
      'tfjs:cpu': 1.9e-2,
    },
  },
  'naive activations': {
    rtol: 1e-5,
    atol: 1e-4,
    measured: {
      native: 8.9e-2,
      wasm: 6.4e-2,
      'tfjs:tensorflow': 9.2e-2,
      'tfjs:wasm': 6.4e-2,
      'tfjs:cpu': 4.6e-2,
    },
  },
  'naive after interventions': {
    rtol: 1e-5,
    atol: 1e-4,
    measured: {
      native: 2.3e-2,
      wasm: 2.1e-2,
      'tfjs:tensorflow': 3.5e-2,
      'tfjs:wasm': 2.9e-2,
      'tfjs:cpu': 1.8e-2,
    },
  },
  /** central differences in float64, eps 1e-6; reliability.md P5 */
  'finite differences': { rtol: 1e-3, atol: 1e-5, measured: { double: 2.2e-3 } },
  /** a gradient in float32 against the same differences in float64, dotted with directions of all tensors */
  'finite differences, float32': {
    rtol: 2e-3,
    atol: 1e-4,
    measured: {
      native: 8.0e-3,
      wasm: 1.2e-2,
      'tfjs:tensorflow': 1.0e-2,
      'tfjs:wasm': 1.2e-2,
      'tfjs:cpu': 6.6e-3,
    },
  },
  /** libtensorflow only: the other engines give the same bytes */
  'a sequence in other company': { rtol: 1e-5, atol: 1e-5, measured: { 'tfjs:tensorflow': 1e-1 } },
  /** the reference engine on TensorFlow.js is the reference of these (conformance.test.ts); reliability.md P7 */
  'conformance, one kernel': {
    rtol: 1e-5,
    atol: 1e-6,
    measured: { native: 1.6e-1, wasm: 1.3e-1, 'tfjs:tensorflow': 3.1e-1, 'tfjs:wasm': 0, 'tfjs:cpu': 2.1e-1 },
  },
  conformance: {
    rtol: 1e-5,
    atol: 1e-5,
    measured: {
      native: 2.0e-1,
      wasm: 1.7e-1,
      double: 1.2e-1,
      'tfjs:tensorflow': 2.0e-1,
      'tfjs:wasm': 0,
      'tfjs:cpu': 1.8e-1,
    },
  },
  'conformance, gradients': {
    rtol: 1e-4,
    atol: 1e-6,
    measured: {
      native: 8.7e-2,
      wasm: 6.2e-2,
      double: 6.9e-2,
      'tfjs:tensorflow': 9.1e-2,
      'tfjs:wasm': 0,
      'tfjs:cpu': 8.9e-2,
    },
  },
  'conformance, ten steps': {
    rtol: 1e-5,
    atol: 1e-5,
    measured: {
      native: 8.2e-2,
      wasm: 4.9e-2,
      double: 6.3e-2,
      'tfjs:tensorflow': 5.2e-2,
      'tfjs:wasm': 0,
      'tfjs:cpu': 7.6e-2,
    },
  },
  /** a single kernel against plain arithmetic in float64; reliability.md P6 */
  kernels: { rtol: 1.3e-6, atol: 1e-5, measured: { native: 4.0e-2 } },
} as const satisfies Readonly<Record<string, ToleranceRow>>;

export type ToleranceName = keyof typeof TOLERANCES;

/** Tests compare through a gauge, which remembers the greatest error of each row. */
export class Gauge {
  private readonly found = new Map<ToleranceName, Closeness>();

  constructor(readonly engine: MeasuredEngine) {}

  /** Throws where `actual` is not within the row's tolerance. */
  expect(
    row: ToleranceName,
    actual: ArrayLike<number>,
    expected: ArrayLike<number>,
    name: string,
    shape?: readonly number[],
  ): void {
    const found = expectClose(actual, expected, TOLERANCES[row], name, shape);
    if (found.worst >= (this.found.get(row)?.worst ?? 0)) this.found.set(row, found);
  }

  /**
   * Throws where an error has become three times what the table records: the kernels have got worse, though they may
   * still be within the tolerance. With the environment variable MEASURE set it prints what it found.
   */
  check(): void {
    for (const [row, { worst, largest }] of this.found) {
      const { measured }: ToleranceRow = TOLERANCES[row];
      const recorded = measured[this.engine];
      if (process.env.MEASURE !== undefined) {
        process.stderr.write(`measured: ${row} | ${this.engine} | ${worst.toExponential(2)} | ${largest}\n`);
      } else if (recorded === undefined || worst > Math.max(3 * recorded, 1e-6)) {
        throw new Error(
          `${row} (${this.engine}): greatest error ${worst.toExponential(2)} of the tolerance, recorded ${recorded}. ` +
            'If the kernels changed for a reason, record it in test/helpers/tolerances.ts.',
        );
      }
    }
  }
}
