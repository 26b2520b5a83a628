/**
 * Turns what a user or a stored config.json says into a checked RunConfig. Every complaint is one line that names the
 * field and its flag, what was found and what is allowed.
 */
import { UserError, errorMessage, nearest, printable, unacceptable } from '../errors.js';
import { canonicalTasks, checkDataConfig, maxTokens, type DataConfig } from '../listops/data-config.js';
import { OPERATION_NAMES, oldestVocabulary } from '../listops/language/operations.js';
import { checkGptConfig } from '../model/gpt-config.js';
import { checkRule, shownValue } from '../rules.js';
import { DEFAULT_RUN } from './defaults.js';
import { gptConfigOf, operationsOf } from './gpt-config-of.js';
import { checkInit } from './init.js';
import { checkPhasesAgree, checkedPhases, phasesText, stepsOfPhases, tasksOfPhases } from './phases.js';
import type { RunConfig } from './run-config.js';
import type { Given, Setting } from './setting.js';
import { SECTIONS, SECTION_SETTINGS, SETTINGS, type Section } from './settings.js';

export { DEFAULT_RUN } from './defaults.js';

/** Every field optional, at every level; arrays are whole or absent. */
export type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> | undefined }
    : T;

/** Most tokens in one batch: beyond it the activations of even a small model fill the memory. */
export const MAX_BATCH_TOKENS = 2 ** 21;

type Plain = Record<string, unknown>;

/** Keys of a section, as written in JSON. */
const keysOf = (section: Section): readonly string[] => Object.keys(SECTION_SETTINGS[section]);

/** Fields that stored configurations may lack, being older: the default is what their runs did. */
export const ADDED_LATER: readonly string[] = SETTINGS.filter((row) => row.addedLater === true).map(
  ({ path }) => path,
);
const TOP_KEYS: readonly string[] = [...SECTIONS, 'seed', 'init', 'vocabulary'];
const ALL_PATHS: readonly string[] = [...TOP_KEYS, ...SETTINGS.map(({ path }) => path)];

/**
 * Fills in defaults, also those that follow from other fields, and checks everything.
 * @param partial - the fields that were given; unknown ones are refused
 * @param where - file the fields came from, put before the message
 * @throws UserError
 */
export function resolveRunConfig(partial: DeepPartial<RunConfig>, where?: string): RunConfig {
  return named(where, () => check(plainObject('the configuration', partial), 'fill'));
}

/**
 * Checks a stored configuration, which must be complete: a default may have changed since it was written.
 * @throws UserError
 */
export function parseRunConfig(json: unknown, where: string): RunConfig {
  return named(where, () => check(plainObject('the configuration', json), 'complete'));
}

function named(where: string | undefined, fn: () => RunConfig): RunConfig {
  try {
    return fn();
  } catch (error) {
    if (where === undefined || !(error instanceof UserError)) throw error;
    throw new UserError(`${printable(where, 300)}: ${errorMessage(error)}`, { cause: error });
  }
}

function check(given: Plain, mode: 'fill' | 'complete'): RunConfig {
  refuseUnknownKeys(given, TOP_KEYS, '');
  const sections: Partial<Record<Section, Plain>> = {};
  for (const section of SECTIONS) {
    const fields = given[section] === undefined ? {} : plainObject(section, given[section]);
    refuseUnknownKeys(fields, keysOf(section), `${section}.`);
    if (mode === 'complete') requireKeys(fields, section);
    sections[section] = fields;
  }
  if (mode === 'complete' && given['seed'] === undefined) throw missing('seed');
  sayWhatPhasesDecide(sections);

  const merged: Record<string, unknown> = { ...DEFAULT_RUN, ...defined(given) };
  const defaults = DEFAULT_RUN as unknown as Record<Section, Plain>;
  for (const section of SECTIONS) {
    merged[section] = { ...defaults[section], ...defined(sections[section] ?? {}) };
  }
  for (const { path, derived } of SETTINGS) {
    if (derived === undefined || valueAt(sections, path) !== undefined) continue;
    const [section, key] = path.split('.');
    // a value of the wrong type stays one, and is refused below by the rule of the field it stands in
    (merged[section] as Plain)[key] = derived.from(merged as unknown as Given);
  }
  for (const row of SETTINGS) {
    const value = valueAt(merged, row.path);
    if (!row.path.startsWith('data.') && value !== undefined) checkField(row, value);
    if (row.implied !== undefined && value === row.implied) leaveOut(merged, row.path);
  }
  if (merged['init'] !== undefined) merged['init'] = checkInit(merged['init']);
  merged['data'] = checkedData(merged['data'] as Plain);
  merged['vocabulary'] = checkedVocabulary(given['vocabulary'], merged['data'] as DataConfig);
  // every field was checked against its rule just now
  const config = merged as unknown as RunConfig;
  checkTogether(config);
  return config;
}

/** The operations and the updates of a run with phases follow from them. */
function sayWhatPhasesDecide(sections: Partial<Record<Section, Plain>>): void {
  const given = sections.training?.['phases'];
  if (given === undefined) return;
  const phases = checkedPhases(given);
  if (sections.data?.['file'] !== undefined) {
    throw unacceptable('--phases', phasesText(phases), 'nothing with --data');
  }
  checkPhasesAgree(phases, { tasks: sections.data?.['tasks'], steps: sections.training?.['steps'] });
  sections.training = { ...sections.training, phases, steps: stepsOfPhases(phases) };
  sections.data = { ...sections.data, tasks: sections.data?.['tasks'] ?? tasksOfPhases(phases) };
}

function leaveOut(config: Plain, path: string): void {
  const [section, key] = path.split('.');
  config[section] = Object.fromEntries(
    Object.entries(config[section] as Plain).filter(([name]) => name !== key),
  );
}

function checkPhases({ training }: RunConfig): void {
  const { phases, phaseSchedule, phaseOptimizer, stop } = training;
  if (phases === undefined) {
    const alone = phaseSchedule !== undefined ? '--phase-schedule' : '--phase-optimizer';
    if (phaseSchedule === undefined && phaseOptimizer === undefined) return;
    throw unacceptable(alone, phaseSchedule ?? phaseOptimizer, 'nothing without --phases');
  }
  // what an earlier phase learned may be forgotten, so that not all is ever right at once
  if (stop !== 'budget') throw unacceptable('training.stop (--stop)', stop, 'budget with --phases');
}

function checkTogether(config: RunConfig): void {
  const { model, optimizer, training, data } = config;
  if (model.dModel % model.nHeads !== 0) {
    throw unacceptable(
      'model.nHeads (--heads)',
      model.nHeads,
      `a divisor of --d-model ${model.dModel}`,
      'Change --heads or --d-model so that every head has the same width.',
    );
  }
  if (model.unembeddingBias && model.tied) {
    const field = 'model.unembeddingBias (--unembedding-bias)';
    throw unacceptable(field, true, 'false where the unembedding is tied', 'Add --untied.');
  }
  if (model.qkvBias && !model.bias) {
    throw unacceptable('model.qkvBias (--no-qkv-bias)', true, 'false with --no-bias');
  }
  if (data.window !== undefined && data.window > model.nCtx) {
    throw unacceptable('model.nCtx (--n-ctx)', model.nCtx, `at least --window ${data.window}`);
  }
  checkPhases(config);
  const longest = maxTokens(data);
  if (longest > model.nCtx) {
    throw unacceptable(
      'model.nCtx (--n-ctx)',
      model.nCtx,
      data.file === undefined
        ? `at least ${longest}, the longest sequence of --depth ${data.depth} with --operands ${data.operands.join('..')}`
        : `at least ${longest}, the longest line that is kept of ${data.file.name}`,
      data.file === undefined
        ? 'Raise --n-ctx, or lower --depth or --operands.'
        : 'Raise --n-ctx, or lower --max-tokens.',
    );
  }
  const row = data.window ?? longest;
  if (training.batchSize * row > MAX_BATCH_TOKENS) {
    throw unacceptable(
      'training.batchSize (--batch)',
      training.batchSize,
      `at most ${Math.floor(MAX_BATCH_TOKENS / row)} ` +
        (data.window === undefined ? `examples of up to ${row} tokens` : `windows of ${row} tokens`),
    );
  }
  if (optimizer.schedule === 'exponential' && optimizer.finalFraction === 0) {
    throw unacceptable(
      'optimizer.finalFraction (--final-fraction)',
      0,
      'a number above 0 with --schedule exponential',
    );
  }
  checkGptConfig(gptConfigOf(config));
}

/** Types first, because the checks of listops trust them; then their ranges. */
function checkedData(data: Plain): DataConfig {
  const { tasks, operands } = data;
  if (!Array.isArray(tasks) || !tasks.every((task) => typeof task === 'string')) {
    throw unacceptable('data.tasks (--tasks)', tasks, 'a list of operation names, e.g. ["MAX", "SUM"]');
  }
  if (
    !Array.isArray(operands) ||
    operands.length !== 2 ||
    !operands.every((bound) => typeof bound === 'number')
  ) {
    throw unacceptable(
      'data.operands (--operands)',
      operands,
      'two whole numbers [fewest, most], e.g. [2, 3]',
    );
  }
  // what is not an array is checked value by value in listops, whatever its type
  const checked = { ...data, tasks: canonicalTasks(tasks), operands: [...operands] } as unknown as DataConfig;
  checkDataConfig(checked);
  return checked;
}

/** Operations of the table stand where their token ids put them; names of another program may follow. */
function checkedVocabulary(given: unknown, data: DataConfig): readonly string[] {
  const own = operationsOf({ data });
  const names = given === undefined ? own : given;
  const valid =
    Array.isArray(names) &&
    names.length > 0 &&
    names.length <= 256 &&
    names.every(
      (name): name is string => typeof name === 'string' && /^[A-Za-z][A-Za-z0-9_]{0,15}$/.test(name),
    ) &&
    new Set(names).size === names.length;
  if (!valid) throw unacceptable('vocabulary', names, 'a list of distinct operation names');
  if (data.notation !== undefined) {
    if (names.join(' ') === own.join(' ')) return names;
    throw unacceptable('vocabulary', names.join(','), `${own.join(', ')} with --notation ${data.notation}`);
  }
  const absent = data.tasks.find((task) => !names.includes(task));
  const misplaced = OPERATION_NAMES.find((name, index) => names.includes(name) && names[index] !== name);
  if (absent === undefined && misplaced === undefined) return names;
  const problem =
    absent === undefined
      ? `${String(misplaced)} would have the token of another operation`
      : `no token for ${absent} of data.tasks`;
  throw unacceptable(
    'vocabulary',
    names.join(','),
    `${oldestVocabulary(data.tasks).join(', ')}, as the table of operations has them: ${problem}`,
    'Leave the field out.',
  );
}

function checkField({ path, flag, rule }: Setting, value: unknown): void {
  if (flag === undefined) return;
  checkRule(path === flag ? `--${flag}` : `${path} (--${flag})`, rule, value);
}

function refuseUnknownKeys(value: Plain, known: readonly string[], prefix: string): void {
  for (const key of Object.keys(value)) {
    if (known.includes(key)) continue;
    const leaf = (path: string): string => path.slice(path.indexOf('.') + 1);
    const suggestion =
      ALL_PATHS.find((path) => leaf(path) === key) ??
      nearest(
        `${prefix}${key}`,
        known.map((name) => `${prefix}${name}`),
      ) ??
      ALL_PATHS.find((path) => leaf(path) === nearest(key, ALL_PATHS.map(leaf)));
    throw new UserError(
      `${prefix}${printable(key)}: unknown field, expected one of ${known.join(', ')}.` +
        (suggestion === undefined ? '' : ` Did you mean ${suggestion}?`),
    );
  }
}

function requireKeys(fields: Plain, section: Section): void {
  for (const [key, row] of Object.entries<Omit<Setting, 'path'>>(SECTION_SETTINGS[section])) {
    const mayLack = row.default === undefined || row.addedLater === true;
    if (fields[key] === undefined && !mayLack) throw missing(`${section}.${key}`);
  }
}

function missing(path: string): UserError {
  return new UserError(`${path}: found nothing, expected a value: a stored configuration holds every field.`);
}

function plainObject(field: string, value: unknown): Plain {
  const plain = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!plain) throw unacceptable(field, shownValue(value), 'an object of named fields');
  return value as Plain;
}

function defined(value: Plain): Plain {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined));
}

function valueAt(config: Plain, path: string): unknown {
  const [first, second] = path.split('.');
  return second === undefined ? config[first] : (config[first] as Plain | undefined)?.[second];
}
