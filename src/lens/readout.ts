/**
 * From the residual stream to logits: the final LayerNorm and the unembedding, in float64. The LayerNorm is linear once its
 * divisor is known, which is what direct attribution rests on (Elhage et al., "A Mathematical Framework for Transformer
 * Circuits", 2021). Browser-safe.
 */
import { type GptConfig, LAYER_NORM_EPS } from '../model/gpt-config.js';
import { TOKEN_EMBEDDING, UNEMBEDDING, UNEMBEDDING_BIAS, parameterTable } from '../model/parameters.js';

export interface Readout {
  /**
   * Logits of one row of the residual stream, as if the model ended there (nostalgebraist, "interpreting GPT: the logit
   * lens", 2020).
   * @param x - [.., dModel]; @param row - which
   * @returns [dVocab]
   */
  logits(x: Float32Array, row: number): Float64Array;
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
  const { dModel, dVocab, tied } = config;
  const table = parameterTable(config);
  const tensor = (name: string): Float32Array | undefined => {
    const spec = table.byName.get(name);
    return spec && parameters.subarray(spec.offset, spec.offset + spec.size);
  };
  const weight = tensor('transformer.ln_f.weight');
  const unembedding = tensor(tied ? TOKEN_EMBEDDING : UNEMBEDDING);
  if (weight === undefined || unembedding === undefined) throw new RangeError('The model has no readout.');
  const bias = tensor('transformer.ln_f.bias');
  const unembeddingBias = tensor(UNEMBEDDING_BIAS);

  // LayerNorm's weight and bias taken into the unembedding once
  const normalized = new Float64Array(dModel);
  const directions = Float64Array.from(unembedding, (value, at) => value * weight[at % dModel]);
  const constants = Float64Array.from({ length: dVocab }, (_, token) => {
    let total = unembeddingBias?.[token] ?? 0;
    for (let c = 0; c < dModel; c++) total += (bias?.[c] ?? 0) * unembedding[token * dModel + c];
    return total;
  });

  const momentsOf = (x: Float32Array, row: number): { mean: number; divisor: number } => {
    let mean = 0;
    for (let c = 0; c < dModel; c++) mean += x[row * dModel + c];
    mean /= dModel;
    let squares = 0;
    for (let c = 0; c < dModel; c++) squares += (x[row * dModel + c] - mean) ** 2;
    return { mean, divisor: Math.sqrt(squares / dModel + LAYER_NORM_EPS) };
  };

  return {
    logits(x, row) {
      const { mean, divisor } = momentsOf(x, row);
      for (let c = 0; c < dModel; c++) normalized[c] = (x[row * dModel + c] - mean) / divisor;
      const out = new Float64Array(dVocab);
      for (let token = 0; token < dVocab; token++) {
        let total = constants[token];
        const from = token * dModel;
        for (let c = 0; c < dModel; c++) total += normalized[c] * directions[from + c];
        out[token] = total;
      }
      return out;
    },
    divisor: (x, row) => momentsOf(x, row).divisor,
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
