/** Runs the memorization probe on a model or on weights, outside any run directory. */
import {
  type MemorizationMeasurement,
  type MemorizationParts,
  measureParts,
  measurementOf,
} from '../../probes/memorization/measure.js';
import { gptConfigOf } from '../../src/config/gpt-config-of.js';
import { conditionId, conditionLabel } from '../../src/config/names.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { RunConfig } from '../../src/config/run-config.js';
import type { Engine, Model } from '../../src/engine/engine.js';
import type { DataConfig } from '../../src/listops/data-config.js';
import { initialParameters } from '../../src/model/init.js';
import type { Subject } from '../../src/evidence/subject.js';
import { designOf } from '../../src/workflows/probing/design.js';
import { checkPlainJson } from '../../src/workflows/probing/probe-plan.js';
import { Rng } from '../../src/tensor/rng.js';
import { answerModel, type AnswerModelOptions } from './answer-model.js';

export function configWith(
  data: Partial<DataConfig>,
  rest: {
    readonly seed?: number;
    readonly steps?: number;
    readonly nCtx?: number;
    readonly dModel?: number;
  } = {},
): RunConfig {
  const { seed = 1, steps = 1000, nCtx = 64, dModel = 16 } = rest;
  return resolveRunConfig({ data, seed, training: { steps }, model: { nCtx, dModel } });
}

/** @param accuracy - of every operation, at both of the last two evaluations */
export function subjectOf(config: RunConfig, fields: Partial<Subject> = {}, accuracy = 1): Subject {
  const { tasks, regime } = config.data;
  const byTask = Object.fromEntries(tasks.map((task) => [task, accuracy]));
  const condition = conditionId(config);
  const run = `${tasks.join('-')}-${regime}-${condition}-${config.seed}`;
  return {
    id: `${run}@${config.training.steps}`,
    run,
    step: config.training.steps,
    seed: config.seed,
    condition,
    label: conditionLabel(config),
    parameters: 1,
    weightsSha256: '',
    final: true,
    accuracy: byTask,
    learned: byTask,
    design: designOf(config, 'budget', true),
    ...fields,
  };
}

const notHere = (): never => {
  throw new Error('the probe does not open models');
};
const NO_ENGINE: Engine = {
  name: 'wasm',
  isa: 'none',
  kernelHash: '',
  threads: 1,
  createModel: notHere,
  dispose: () => undefined,
};

/** What was counted, and what is stored of it. */
export type MeasuredModel = MemorizationParts & MemorizationMeasurement;

export function withRows(parts: MemorizationParts): MeasuredModel {
  return { ...parts, ...measurementOf(parts), holdout: parts.holdout };
}

/** Measures a model; what is stored must be plain JSON with finite numbers. */
export function measureModel(config: RunConfig, model: Model, subject = subjectOf(config)): MeasuredModel {
  const parameters = initialParameters(gptConfigOf(config), config.seed);
  const parts = measureParts(
    { subject, config, parameters, untrainedParameters: parameters },
    { beyondPrompts: 40, leakExamples: 200 },
    {
      engine: NO_ENGINE,
      model,
      rng: (index = 0) => new Rng(config.seed, 'probe:memorization', index),
      progress: () => undefined,
    },
  );
  checkPlainJson({ ...measurementOf(parts) }, 'measurement');
  return withRows(parts);
}

/** Measures a model that answers what a function says. */
export function measureAnswers(config: RunConfig, answer: AnswerModelOptions['answer']): MeasuredModel {
  return measureModel(
    config,
    answerModel({ gpt: gptConfigOf(config), modulus: config.data.modulus, answer }),
  );
}
