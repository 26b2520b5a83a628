/** The design of a run, out of its configuration: what says which runs may be compared, and which belong together. */
import { operationsOf } from '../../config/gpt-config-of.js';
import { configSha256, fieldText } from '../../config/names.js';
import { lastTasks } from '../../config/phases.js';
import type { RunConfig } from '../../config/run-config.js';
import { DEFAULT_RUN } from '../../config/defaults.js';
import type { Design } from '../../evidence/subject.js';
import { sha256Hex } from '../../io/sha256.js';
import { INIT_STD } from '../../model/parameters.js';
import { isNested } from '../../train/learned.js';

/** Hexadecimal digits of a key: as many as a run's id shows. */
const DIGITS = 12;

/** What may differ in runs that differ in tasks and seeds alone. */
const MATCH_FREE: readonly string[] = ['data.tasks', 'data.holdoutSeed', 'seed'];
/** The same for runs of other budgets. */
const FAMILY_FREE: readonly string[] = [
  ...MATCH_FREE,
  'optimizer.warmupSteps',
  'training.steps',
  'training.evaluateEvery',
];
/** What may differ within a ladder: sizes are told apart by width, conditions by tasks and start, budgets by steps. */
const LADDER_FREE: readonly string[] = [
  ...FAMILY_FREE,
  'model.dModel',
  'model.dMlp',
  'model.nHeads',
  'optimizer.learningRate',
  'training.stop',
  'training.phases',
  'training.phaseSchedule',
  'training.phaseOptimizer',
  'model.embeddingInit',
  'init',
];

export function designOf(config: RunConfig, end: Design['end'], trainedHere: boolean): Design {
  const { data, model, optimizer, training, init } = config;
  return {
    tasks: [...lastTasks(config)],
    regime: data.regime,
    modulus: data.modulus,
    depth: data.depth,
    nested: isNested(data),
    operands: [data.operands[0], data.operands[1]],
    dModel: model.dModel,
    nLayers: model.nLayers,
    steps: training.steps,
    learningRate: optimizer.learningRate,
    embeddingInit: model.embeddingInit ?? INIT_STD,
    ...startOf(training, init),
    end,
    trainedHere,
    generated: data.file === undefined,
    comparable: comparableKey(config),
    match: keyWithout(config, MATCH_FREE),
    family: keyWithout(config, FAMILY_FREE),
    ladder: keyWithout(config, LADDER_FREE),
  };
}

/** How training began: other tasks first, parts of another run's weights, or nothing of the kind. */
function startOf(
  { phases, phaseSchedule, phaseOptimizer }: RunConfig['training'],
  init: RunConfig['init'],
): Pick<Design, 'startKind' | 'startTasks'> {
  if (init !== undefined) return { startKind: init.what, startTasks: init.tasks.join('+') };
  if (phases === undefined) return { startKind: 'scratch', startTasks: '' };
  const isPlain = phaseSchedule === undefined && phaseOptimizer === undefined;
  return {
    startKind: isPlain ? 'phases' : 'phases-varied',
    startTasks: phases
      .slice(0, -1)
      .map(({ tasks }) => tasks.join('+'))
      .join(', '),
  };
}

type Fields = Record<string, unknown>;

/** Hash of a configuration in which the fields named have their defaults. */
function keyWithout(config: RunConfig, free: readonly string[]): string {
  const defaults = DEFAULT_RUN as unknown as Fields;
  const isFree = (path: string): boolean => free.includes(path);
  const kept = Object.entries(config).flatMap(([group, value]): [string, unknown][] => {
    if (isFree(group)) return defaults[group] === undefined ? [] : [[group, defaults[group]]];
    if (typeof value !== 'object' || Array.isArray(value)) return [[group, value]];
    const fallback = defaults[group] as Fields | undefined;
    const fields = Object.entries(value as Fields).flatMap(([field, own]): [string, unknown][] => {
      if (!isFree(`${group}.${field}`)) return [[field, own]];
      return fallback?.[field] === undefined ? [] : [[field, fallback[field]]];
    });
    return [[group, Object.fromEntries(fields)]];
  });
  return configSha256(Object.fromEntries(kept) as unknown as RunConfig).slice(0, DIGITS);
}

/**
 * Vocabulary, context length and modulus change what the tokens and positions are; a hold-out changes the learning problem,
 * and so do the lines of a file.
 */
function comparableKey(config: RunConfig): string {
  const { data, model } = config;
  return sha256Hex(
    JSON.stringify([
      data.notation ?? '',
      operationsOf(config),
      data.modulus,
      model.nCtx,
      data.regime,
      data.file === undefined ? 'generated' : fieldText(config, 'data.file.sha256'),
      data.file?.kept,
      data.file?.heldFraction,
    ]),
  ).slice(0, DIGITS);
}
