/**
 * The assay of C5: models that can only memorize. A LATIN- or TABLE-only run beside the SUM-only ones has to come out as
 * a memorizer, otherwise a low index of SUM says nothing. Which runs are controls, how they are trained, what they show.
 */
import { differingFields, fieldText } from '../../src/config/hash.js';
import { DEFAULT_RUN } from '../../src/config/defaults.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { vocabularyOf } from '../../src/listops/tokenizer.js';

export const CONTROL_TASKS = ['LATIN', 'TABLE'] as const;

export interface Control {
  /** place in the result's conditions */
  readonly condition: number;
  readonly task: string;
  /** the operation is asked of two operands only: no way round by a third */
  readonly twoOnly: boolean;
  /** fields other than tasks and seeds in which it differs from the SUM-only condition */
  readonly differs: readonly string[];
}

const MATTERS_NOT = ['data.tasks', 'data.holdoutSeed', 'data.tableSeed', 'seed'];

/** LATIN-only and TABLE-only conditions with pairs held out at the same modulus. */
export function controlsOf(sumOnly: RunConfig, configs: readonly RunConfig[]): Control[] {
  return configs.flatMap((config, condition) => {
    const task = CONTROL_TASKS.find((name) => config.data.tasks.join() === name);
    const { regime, modulus, operands } = config.data;
    if (task === undefined || regime !== 'pairs' || modulus !== sumOnly.data.modulus) return [];
    const differs = differingFields([sumOnly, config]).filter((path) => !MATTERS_NOT.includes(path));
    return [{ condition, task, twoOnly: operands[1] === 2, differs }];
  });
}

/** Flags of the fields that a command must repeat when they differ from their default. */
const FLAGS: Readonly<Record<string, string>> = {
  'data.modulus': '--modulus',
  'data.depth': '--depth',
  'data.operands': '--operands',
  'data.nesting': '--nesting',
  'data.format': '--format',
  'data.loss': '--loss',
  'data.fixedSize': '--fixed-size',
  'data.window': '--window',
  'data.medianOfEven': '--median-of-even',
  'model.dModel': '--d-model',
  'model.nLayers': '--layers',
  'model.nHeads': '--heads',
  'model.dMlp': '--d-mlp',
  'model.activation': '--activation',
  'model.residualInit': '--residual-init',
  'model.nCtx': '--n-ctx',
  'training.steps': '--steps',
  'training.batchSize': '--batch',
  'optimizer.learningRate': '--lr',
  'optimizer.warmupSteps': '--warmup',
  'optimizer.schedule': '--schedule',
  'optimizer.finalFraction': '--final-fraction',
  'optimizer.beta2': '--beta2',
  'optimizer.weightDecay': '--weight-decay',
};
const SWITCHES: Readonly<Record<string, string>> = {
  'model.bias': '--no-bias',
  'model.qkvBias': '--no-qkv-bias',
  'model.tied': '--untied',
  'model.unembeddingBias': '--unembedding-bias',
  'model.shareBlocks': '--share-blocks',
};

/**
 * The command that trains the first run of each control like the SUM-only runs; none where the notation of the runs has no
 * control operation.
 */
export function controlCommands(sumOnly: RunConfig): string[] {
  const { operations } = vocabularyOf(sumOnly.data);
  const usual: RunConfig = {
    ...DEFAULT_RUN,
    model: { ...DEFAULT_RUN.model, dMlp: 4 * sumOnly.model.dModel, qkvBias: sumOnly.model.bias },
  };
  const flags = differingFields([usual, sumOnly]).flatMap((path) => {
    if (SWITCHES[path] !== undefined) return [SWITCHES[path]];
    if (FLAGS[path] === undefined) return [];
    return [`${FLAGS[path]} ${fieldText(sumOnly, path).replace(/[[\]]/g, '').replace(',', '..')}`];
  });
  return CONTROL_TASKS.filter((task) => operations.includes(task)).map((task) =>
    [`sumlens train --tasks ${task} --regime pairs`, ...flags, '--seed 1'].join(' '),
  );
}
