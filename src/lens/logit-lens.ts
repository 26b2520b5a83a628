/** Logit lens: what the model would answer if it ended after each stage of the residual stream. Browser-safe. */
import type { Model } from '../engine/engine.js';
import { type ActivationName, activationName } from '../model/activations.js';
import type { GptConfig } from '../model/gpt-config.js';
import type { Readout } from './readout.js';
import { type LensRun, activationsOf } from './run.js';

export interface LogitLens {
  /** `blocks.0.resid_pre`, then after attention and after feed-forward of every layer; the last is the model's own answer */
  readonly stages: readonly ActivationName[];
  /** number of rows N: all positions of all prompts, or those asked for */
  readonly rows: readonly number[];
  /** [stages][rows][dVocab] */
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
export function logitLensOf(
  model: Model,
  readout: Readout,
  run: LensRun,
  rows?: readonly number[],
): LogitLens {
  const stages = residualStages(model.config);
  const found = activationsOf(model, run, stages);
  const asked = rows ?? Array.from({ length: run.offsets[run.prompts.length] }, (_, row) => row);
  const logits = stages.map((stage) => {
    const x = found.get(stage);
    if (x === undefined) throw new RangeError(`The engine did not return ${stage}.`);
    return asked.map((row) => readout.logits(x, row));
  });
  return { stages, rows: asked, logits };
}
