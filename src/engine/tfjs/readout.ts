/** The readout of the engine contract in plain code: what the kernels' is compared with. */
import type { GptConfig } from '../../model/gpt-config.js';
import { LAYER_NORM_EPS } from '../../model/gpt-config.js';
import { readoutTensors } from '../../model/parameters.js';

/** @param stream - [rows, dModel] @returns [rows, dVocab] */
export function readoutRows(config: GptConfig, parameters: Float32Array, stream: Float32Array): Float64Array {
  const { dModel, dVocab } = config;
  const { weight, bias, unembedding, unembeddingBias } = readoutTensors(config, parameters);
  // LayerNorm's weight and bias taken into the unembedding once
  const directions = Float64Array.from(unembedding, (value, at) => value * weight[at % dModel]);
  const constants = Float64Array.from({ length: dVocab }, (_, token) => {
    let total = unembeddingBias?.[token] ?? 0;
    for (let c = 0; c < dModel; c++) total += (bias?.[c] ?? 0) * unembedding[token * dModel + c];
    return total;
  });
  const rows = stream.length / dModel;
  const out = new Float64Array(rows * dVocab);
  for (let row = 0; row < rows; row++) {
    const x = Float64Array.from(stream.subarray(row * dModel, (row + 1) * dModel));
    const mean = x.reduce((sum, value) => sum + value, 0) / dModel;
    const centred = x.map((value) => value - mean);
    const divisor = Math.sqrt(
      centred.reduce((sum, value) => sum + value * value, 0) / dModel + LAYER_NORM_EPS,
    );
    for (let token = 0; token < dVocab; token++) {
      let total = constants[token];
      for (let c = 0; c < dModel; c++) total += (centred[c] / divisor) * directions[token * dModel + c];
      out[row * dVocab + token] = total;
    }
  }
  return out;
}
