/**
 * How large the two writes to the residual stream are: description, not cause. Sums over prompts are gathered template by
 * template, by operation and layer at result-predicting positions, and turned into ratios at the end.
 */
import type { Model } from '../../src/engine/engine.js';
import { RESULT } from '../../src/listops/language/expression.js';
import { OPERATION_NAMES } from '../../src/listops/language/operations.js';
import type { TemplateBatch } from '../../src/listops/prompts/templates.js';
import { activationName } from '../../src/model/activations.js';
import { nineDigits } from '../../src/report/report-json.js';
import { logDeterministic } from '../../src/tensor/math.js';
import type { Replacements } from '../../src/lens/components.js';
import { layersOf } from './template-run.js';

/** Sums over prompts; see addWrites. */
export function emptyWriteSums() {
  return {
    prompts: 0,
    /** of ||x - template mean||^2 */
    attentionVariation: 0,
    mlpVariation: 0,
    /** of ||x||^2 */
    attentionSquares: 0,
    mlpSquares: 0,
    /** of the cosine of the two writes, and of the two writes less their template means */
    cosine: 0,
    variationCosine: 0,
  };
}
export type WriteSums = ReturnType<typeof emptyWriteSums>;

/**
 * Adds the writes of one template at one position.
 * @param attention - [N, C] all rows of the template batch
 * @param mlp - [N, C]
 * @param rows - [P] the row of every prompt at this position
 */
export function addWrites(
  sums: WriteSums,
  attention: Float32Array,
  mlp: Float32Array,
  rows: Int32Array,
  C: number,
): void {
  const meanOf = (x: Float32Array): Float64Array => {
    const mean = new Float64Array(C);
    for (const row of rows) for (let c = 0; c < C; c++) mean[c] += x[row * C + c] / rows.length;
    return mean;
  };
  const attentionMean = meanOf(attention);
  const mlpMean = meanOf(mlp);
  for (const row of rows) {
    const raw = { aa: 0, mm: 0, am: 0 };
    const varying = { aa: 0, mm: 0, am: 0 };
    for (let c = 0; c < C; c++) {
      const a = attention[row * C + c];
      const m = mlp[row * C + c];
      raw.aa += a * a;
      raw.mm += m * m;
      raw.am += a * m;
      const da = a - attentionMean[c];
      const dm = m - mlpMean[c];
      varying.aa += da * da;
      varying.mm += dm * dm;
      varying.am += da * dm;
    }
    sums.prompts++;
    sums.attentionSquares += raw.aa;
    sums.mlpSquares += raw.mm;
    sums.attentionVariation += varying.aa;
    sums.mlpVariation += varying.mm;
    sums.cosine += cosine(raw);
    sums.variationCosine += cosine(varying);
  }
}

/** 0 where one of the two is the zero vector: they share no direction. */
function cosine({ aa, mm, am }: { aa: number; mm: number; am: number }): number {
  return aa === 0 || mm === 0 ? 0 : am / Math.sqrt(aa * mm);
}

export function writeRatios(sums: WriteSums) {
  return {
    /** log(rms ||attn_out - template mean|| / rms ||mlp_out - template mean||); infinite when one never varies */
    logRatio: 0.5 * logDeterministic(sums.attentionVariation / sums.mlpVariation),
    /** the same of the whole writes, constant part included */
    rawLogRatio: 0.5 * logDeterministic(sums.attentionSquares / sums.mlpSquares),
    /** mean cosine of attn_out and mlp_out */
    cosine: sums.cosine / sums.prompts,
    /** mean cosine of the two less their template means: negative is cancellation */
    variationCosine: sums.variationCosine / sums.prompts,
  };
}

/** Sums by operation and layer. */
export type NormSums = Map<string, WriteSums>;

export function addNorms(
  into: NormSums,
  filled: TemplateBatch,
  activations: Replacements,
  model: Model,
): void {
  const { batch, length, nPrompts } = filled;
  for (let t = 0; t < length; t++) {
    if (batch.roles[t] !== RESULT) continue;
    const rows = Int32Array.from({ length: nPrompts }, (_, p) => p * length + t);
    for (const layer of layersOf(model.config)) {
      const key = normKey(OPERATION_NAMES[batch.operations[t]], layer);
      const attention = activations.get(activationName('attn_out', layer));
      const mlp = activations.get(activationName('mlp_out', layer));
      if (attention === undefined || mlp === undefined)
        throw new RangeError(`Layer ${layer} was not captured.`);
      const sums = into.get(key) ?? emptyWriteSums();
      into.set(key, sums);
      addWrites(sums, attention, mlp, rows, model.config.dModel);
    }
  }
}

function normKey(operation: string, layer: number): string {
  return `${operation} ${layer}`;
}

/** By operation and layer, trained beside untrained. */
export function normTable(
  trained: ReadonlyMap<string, WriteSums>,
  untrained: ReadonlyMap<string, WriteSums>,
) {
  return [...trained].map(([key, sums]) => {
    const [operation, layer] = key.split(' ');
    const before = nineDigits(writeRatios(untrained.get(key) ?? emptyWriteSums()));
    return { operation, layer: Number(layer), ...nineDigits(writeRatios(sums)), before };
  });
}
