/**
 * What the final LayerNorm and the unembedding read, in float64: the LayerNorm is linear once its divisor is known, which is what direct attribution rests on (Elhage et al., "A Mathematical Framework for Transformer
 * Circuits", 2021). Browser-safe.
 */
import { type GptConfig, LAYER_NORM_EPS } from '../model/gpt-config.js';
import { readoutTensors } from '../model/parameters.js';

export interface Readout {
  /** what the final LayerNorm divides a row by: sqrt(variance + eps) */
  divisor(x: Float32Array, row: number): number;
  /**
   * The direction whose product with an uncentred write, over the divisor, is what the write adds to a logit: LayerNorm
   * weight times unembedding row, less its mean.
   * @param weights - [dVocab] which sum of logits is read: 1 at one token, or 1 and -1
   * @returns [dModel]
   */
  direction(weights: ReadonlyMap<number, number>): Float64Array;
  /** what the bias of the final LayerNorm and of the unembedding add to that sum of logits, whatever was computed */
  constant(weights: ReadonlyMap<number, number>): number;
}

export function createReadout(config: GptConfig, parameters: Float32Array): Readout {
  const { dModel } = config;
  const { weight, bias, unembedding, unembeddingBias } = readoutTensors(config, parameters);

  return {
    divisor(x, row) {
      let mean = 0;
      for (let c = 0; c < dModel; c++) mean += x[row * dModel + c];
      mean /= dModel;
      let squares = 0;
      for (let c = 0; c < dModel; c++) squares += (x[row * dModel + c] - mean) ** 2;
      return Math.sqrt(squares / dModel + LAYER_NORM_EPS);
    },
    direction(weights) {
      const out = new Float64Array(dModel);
      for (const [token, times] of weights) {
        for (let c = 0; c < dModel; c++) out[c] += times * weight[c] * unembedding[token * dModel + c];
      }
      const mean = out.reduce((sum, x) => sum + x, 0) / dModel;
      return out.map((x) => x - mean);
    },
    constant(weights) {
      let total = 0;
      for (const [token, times] of weights) {
        total += times * (unembeddingBias?.[token] ?? 0);
        for (let c = 0; c < dModel; c++) total += times * (bias?.[c] ?? 0) * unembedding[token * dModel + c];
      }
      return total;
    },
  };
}
