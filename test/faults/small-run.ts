/** The smallest run that the store takes, and its weights and training states by step: nothing is computed. */
import { gptConfigOf } from '../../src/config/names.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { TrainingState } from '../../src/engine/engine.js';
import { initialParameters } from '../../src/model/init.js';

export const SMALL_RUN = resolveRunConfig({
  data: { tasks: ['SUM'], operands: [2, 2] },
  model: { dModel: 2, dMlp: 2, nLayers: 1, nCtx: 16 },
  training: { steps: 256 },
});

export const weightsAt = (step: number): Float32Array => initialParameters(gptConfigOf(SMALL_RUN), step);

export function stateAt(step: number): TrainingState {
  const scaled = (factor: number): Float32Array => weightsAt(step + 1).map((x) => x * factor);
  return { parameters: weightsAt(step), m: scaled(0.5), v: scaled(2), step };
}

export function sameNumbers(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );
}
