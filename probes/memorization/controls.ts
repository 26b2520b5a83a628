/**
 * The assay of C5: models that can only memorize. A LATIN- or TABLE-only run beside the SUM-only ones has to come out as
 * a memorizer, otherwise a low index of SUM says nothing. Which runs are controls, how they are trained, what they show.
 */
import { DEFAULT_SEED } from '../../src/config/defaults.js';
import { differingFields } from '../../src/config/hash.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { trainCommand } from '../../src/config/setting-text.js';
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

/**
 * The command that trains the first run of each control like the SUM-only runs; none where the notation of the runs has no
 * control operation.
 */
export function controlCommands(sumOnly: RunConfig): string[] {
  return controlConfigs(sumOnly).map((config) => trainCommand(config, ['data.tasks', 'data.regime', 'seed']));
}

/** The first run of each control: the SUM-only runs with another operation and the first seed. */
export function controlConfigs(sumOnly: RunConfig): RunConfig[] {
  const { operations } = vocabularyOf(sumOnly.data);
  const { vocabulary: _, ...rest } = sumOnly;
  return CONTROL_TASKS.filter((task) => operations.includes(task)).map((task) =>
    resolveRunConfig({
      ...rest,
      data: { ...sumOnly.data, tasks: [task], regime: 'pairs', holdoutSeed: DEFAULT_SEED },
      seed: DEFAULT_SEED,
    }),
  );
}
