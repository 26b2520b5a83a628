/** Runs the ablation probe on given weights, outside any run directory. */
import { type AblationParts, measureParts } from '../../probes/ablation/measure.js';
import { rowsOf } from '../../probes/ablation/rows.js';
import type { RunConfig } from '../../src/config/run-config.js';
import type { Engine } from '../../src/engine/engine.js';
import { openEngine } from '../../src/engine/registry.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { initialParameters } from '../../src/model/init.js';
import type { Subject } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import { designOf } from '../../src/workflows/probing/design.js';

/** The engine that every machine has. */
export async function testEngine(): Promise<Engine> {
  return (await openEngine('wasm', { threads: 1 })).engine;
}

/** @param accuracy - of every operation, at both of the last two evaluations */
export function subjectFor(config: RunConfig, run = 'test', accuracy = 1): Subject {
  const byTask = Object.fromEntries(config.data.tasks.map((task) => [task, accuracy]));
  return {
    id: `${run}@0`,
    run,
    step: 0,
    seed: config.seed,
    condition: config.data.tasks.join('+'),
    label: `${config.data.tasks.join('+')}, ${config.data.regime}`,
    parameters: 1,
    weightsSha256: '',
    final: true,
    accuracy: byTask,
    learned: byTask,
    design: designOf(config, 'budget', true),
  };
}

export interface Measurable {
  readonly config: RunConfig;
  readonly gpt: GptConfig;
  readonly parameters: Float32Array;
}

/** What was counted, and the rows made of it. */
export type MeasuredAblation = AblationParts & ReturnType<typeof withRows>;

export function withRows(parts: AblationParts) {
  return { ...parts, rows: rowsOf(parts) };
}

export function measureOn(
  engine: Engine,
  { config, gpt, parameters }: Measurable,
  promptsPerTemplate = 100,
  dosesPerOctave = 2,
): MeasuredAblation {
  const model = engine.createModel(gpt, { parameters }, 'inference');
  const parts = measureParts(
    {
      subject: subjectFor(config),
      config,
      parameters,
      untrainedParameters: initialParameters(gpt, config.seed),
    },
    { promptsPerTemplate, dosesPerOctave },
    {
      engine,
      model,
      rng: (index = 0) => new Rng(config.seed, 'probe:ablation', index),
      progress: () => undefined,
    },
  );
  model.dispose();
  return withRows(parts);
}
