/**
 * Logit lens: what the model would answer if it ended after each stage of the residual stream (nostalgebraist, "interpreting
 * GPT: the logit lens", 2020). Browser-safe.
 */
import type { Model } from '../engine/engine.js';
import { type ActivationName, activationName } from '../model/activations.js';
import type { GptConfig } from '../model/gpt-config.js';
import { type LensRun, activationsOf } from './run.js';

export interface LogitLens {
  /** `blocks.0.resid_pre`, then after attention and after feed-forward of every layer; the last is the model's own answer */
  readonly stages: readonly ActivationName[];
  /** number of rows N: all positions of all prompts, or those asked for */
  readonly rows: readonly number[];
  /** [stages, rows, dVocab] in one piece: for many rows */
  readonly values: Float64Array;
  /** [stages][rows][dVocab], views of `values` */
  readonly logits: readonly (readonly Float64Array[])[];
}

export function residualStages(config: GptConfig): ActivationName[] {
  const layers = Array.from({ length: config.nLayers }, (_, layer) => layer);
  return [
    activationName('resid_pre', 0),
    ...layers.flatMap((layer) => [activationName('resid_mid', layer), activationName('resid_post', layer)]),
  ];
}

/** @param rows - rows of the run; default all */
export function logitLensOf(model: Model, run: LensRun, rows?: readonly number[]): LogitLens {
  const { dModel, dVocab } = model.config;
  const stages = residualStages(model.config);
  const found = activationsOf(model, run, stages);
  const asked = rows ?? Array.from({ length: run.offsets[run.prompts.length] }, (_, row) => row);
  const streams = new Float32Array(stages.length * asked.length * dModel);
  stages.forEach((stage, s) => {
    const x = found.get(stage);
    if (x === undefined) throw new RangeError(`The engine did not return ${stage}.`);
    const start = s * asked.length * dModel;
    if (rows === undefined) {
      streams.set(x, start);
      return;
    }
    rows.forEach((row, i) => {
      streams.set(x.subarray(row * dModel, (row + 1) * dModel), start + i * dModel);
    });
  });
  const values = model.readout(streams);
  let views: Float64Array[][] | undefined;
  return {
    stages,
    rows: asked,
    values,
    // made when they are looked at: a view of every row costs as much as its numbers
    get logits() {
      views ??= stages.map((_, s) =>
        asked.map((__, i) => {
          const row = s * asked.length + i;
          return values.subarray(row * dVocab, (row + 1) * dVocab);
        }),
      );
      return views;
    },
  };
}
