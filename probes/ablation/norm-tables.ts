/** Sizes of the two writes at result-predicting positions, by operation and layer, trained beside untrained. */
import { type WriteSums, addWrites, emptyWriteSums, writeRatios } from '../../src/analysis/ablation-norms.js';
import type { Model } from '../../src/engine/engine.js';
import { RESULT } from '../../src/listops/expression.js';
import { OPERATION_NAMES } from '../../src/listops/operations.js';
import type { TemplateBatch } from '../../src/listops/templates.js';
import { activationName } from '../../src/model/activations.js';
import type { Replacements } from './components.js';
import { jsonNumber } from './json-numbers.js';
import type { NormRow } from './measurement.js';
import { layersOf } from './template-run.js';

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

export function normRows(
  trained: ReadonlyMap<string, WriteSums>,
  untrained: ReadonlyMap<string, WriteSums>,
): NormRow[] {
  return [...trained].map(([key, sums]) => {
    const [operation, layer] = key.split(' ');
    const { logRatio, rawLogRatio, cosine, variationCosine } = writeRatios(sums);
    const before = writeRatios(untrained.get(key) ?? emptyWriteSums());
    return {
      operation,
      layer: Number(layer),
      logRatio: jsonNumber(logRatio),
      rawLogRatio: jsonNumber(rawLogRatio),
      cosine: jsonNumber(cosine),
      variationCosine: jsonNumber(variationCosine),
      untrainedLogRatio: jsonNumber(before.logRatio),
      untrainedRawLogRatio: jsonNumber(before.rawLogRatio),
    };
  });
}
