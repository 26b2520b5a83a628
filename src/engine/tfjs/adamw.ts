/**
 * AdamW in plain float64, stored as float32: decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101, as
 * torch.optim.AdamW writes it) behind a clip of the global gradient norm. What is not finite is found before anything is
 * changed. Nothing here is shared with the kernels.
 */
import type { ParameterTable } from '../../model/parameters.js';
import type { AdamWOptions, TrainStepResult } from '../engine.js';

/** Arenas in parameterTable layout, [arenaSize]. */
export interface OptimizerArenas {
  readonly parameters: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** Square root of the sum of squares of all gradients. */
export function gradientNorm(table: ParameterTable, gradients: Float32Array): number {
  let sum = 0;
  for (const { offset, size } of table.specs) {
    for (let i = offset; i < offset + size; i++) sum += gradients[i] * gradients[i];
  }
  return Math.sqrt(sum);
}

/** The first thing that is not finite: parameters and moments by their tensor, then loss, then gradient norm. */
export function whatDiverged(
  table: ParameterTable,
  { parameters, m, v }: OptimizerArenas,
  lossNats: number,
  norm: number,
): Extract<TrainStepResult, { kind: 'diverged' }> | undefined {
  for (const [values, title] of [
    [parameters, 'parameter'],
    [m, 'first moment of'],
    [v, 'second moment of'],
  ] as const) {
    for (const { name, offset, size } of table.specs) {
      for (let i = offset; i < offset + size; i++) {
        if (Number.isFinite(values[i])) continue;
        return { kind: 'diverged', quantity: `${title} ${name}`, value: values[i] };
      }
    }
  }
  if (!Number.isFinite(lossNats)) return { kind: 'diverged', quantity: 'loss', value: lossNats };
  if (!Number.isFinite(norm)) return { kind: 'diverged', quantity: 'gradient norm', value: norm };
  return undefined;
}

/**
 * One update; everything has been found finite.
 *   g = gradient * min(1, clip / (norm + 1e-6));  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
 *   p = p (1 - lr wd) - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 * @param t - updates done before this one, plus one
 */
export function adamw(
  table: ParameterTable,
  { parameters, m, v }: OptimizerArenas,
  gradients: Float32Array,
  norm: number,
  options: AdamWOptions,
  t: number,
): void {
  const { learningRate, beta1, beta2, eps, weightDecay, clip } = options;
  const factor = Math.min(1, clip / (norm + 1e-6));
  const correction1 = 1 - beta1 ** t;
  const correction2 = 1 - beta2 ** t;
  for (const { offset, size, decays } of table.specs) {
    const keep = decays ? 1 - learningRate * weightDecay : 1;
    for (let i = offset; i < offset + size; i++) {
      const g = gradients[i] * factor;
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      const step = m[i] / correction1 / (Math.sqrt(v[i] / correction2) + eps);
      parameters[i] = parameters[i] * keep - learningRate * step;
    }
  }
}
