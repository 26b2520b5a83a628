/**
 * Flags shared by commands, from the table of settings (config/settings.ts), and how their text becomes values. The
 * environment variable of `--d-model` is SUMLENS_D_MODEL; a flag given on the command line wins. Ranges are checked in
 * src/config and src/listops, so that a configuration file gets the same answers.
 */
import { type Command, Help, Option } from 'commander';
import { type DeepPartial, resolveRunConfig } from '../../config/parse.js';
import { PRESET_NAMES, presetFields } from '../../config/presets.js';
import type { RunConfig } from '../../config/run-config.js';
import type { Setting } from '../../config/setting.js';
import { argumentOf, detailsOf } from '../../config/setting-text.js';
import { parseNumber, parseSwitch, settingValue } from '../../config/setting-value.js';
import { SETTINGS } from '../../config/settings.js';
import { ENGINE_CHOICES, type EngineChoice } from '../../engine/engine.js';
import { UserError, nearest, unacceptable } from '../../errors.js';
import { readText } from '../../io/files.js';
import { parseJsonStrict } from '../../io/json.js';
import { usableCores } from '../../jobs/cores.js';

/** A setting that has a flag. */
interface FlagRow extends Setting {
  readonly flag: string;
}

const FLAG_ROWS: readonly FlagRow[] = SETTINGS.filter((row): row is FlagRow => row.flag !== undefined);

/** What data is: `sample`, and part of `train`. */
export function addDataFlags(command: Command): Command {
  const rows = FLAG_ROWS.filter(({ path }) => path.startsWith('data.') || path === 'seed');
  return addRows(command, rows).addOption(presetOption());
}

/** Everything that makes a run, and `--config` for a file of it. */
export function addRunFlags(command: Command): Command {
  return addRows(command, FLAG_ROWS)
    .addOption(presetOption())
    .option('--config <file>', 'JSON file with any of these fields; flags win');
}

function presetOption(): Option {
  return new Option(
    '--preset <name>',
    `what the runs of a preset share (${PRESET_NAMES.join(', ')}); flags win`,
  );
}

function addRows(command: Command, rows: readonly FlagRow[]): Command {
  const reasons = new Map<string, string>();
  for (const row of rows) {
    const argument = argumentOf(row);
    const words = argument === undefined ? `--${row.flag}` : `--${row.flag} <${argument}>`;
    command.addOption(new Option(words, `${row.help} (${detailsOf(row)})`));
    reasons.set(`--${row.flag}`, row.reason);
  }
  command.addOption(new Option('--why', 'with --help: why each default is what it is'));
  const usual = new Help();
  return command.configureHelp({
    optionDescription: (option) => {
      const reason = reasons.get(option.long ?? '');
      const text = usual.optionDescription(option);
      return reason === undefined || command.opts()['why'] !== true ? text : `${text}; ${reason}`;
    },
  });
}

/** Where work runs and what is printed: the same words in every command. */
export function addCommonFlags(command: Command): Command {
  return command
    .option(
      '--engine <name>',
      'auto, native, wasm, or tfjs[:tensorflow|:wasm|:cpu], the slow reference (default: auto)',
    )
    .option('--threads <n>', 'threads of the engine, or runs at a time')
    .option('--json', 'one JSON document on stdout, everything else on stderr')
    .option('--quiet', 'no progress');
}

export { parseNumber };

/** Options of a command as commander parsed them; flags in camelCase. */
export type ParsedOptions = Readonly<Record<string, unknown>>;

/** Flags that name a file or a folder: an empty text would be the folder that the command runs in. */
const PATH_FLAGS: ReadonlySet<string> = new Set([
  'checkpoints',
  'reports',
  'out',
  'config',
  'figures',
  'csv',
  'parquet',
]);

/** Value of a flag: command line first, then the environment. `field` names the source for messages. */
export function flagValue(
  options: ParsedOptions,
  flag: string,
  environment: NodeJS.ProcessEnv = process.env,
): { readonly value: string | boolean; readonly field: string } | undefined {
  // commander stores `--no-bias` as bias: false, and its default as bias: true
  const negated = flag.startsWith('no-');
  const key = camelCase(negated ? flag.slice(3) : flag);
  const given = options[key];
  if (negated ? given === false : given === true) return { value: true, field: `--${flag}` };
  if (given === '' && PATH_FLAGS.has(flag)) throw unacceptable(`--${flag}`, given, 'a path');
  if (typeof given === 'string') return { value: given, field: `--${flag}` };
  const variable = `SUMLENS_${flag.replaceAll('-', '_').toUpperCase()}`;
  const stored = environment[variable];
  return stored === undefined || stored === '' ? undefined : { value: stored, field: variable };
}

/** A switch: given, or its variable is 1 or true. */
export function switchValue(options: ParsedOptions, flag: string, environment?: NodeJS.ProcessEnv): boolean {
  const found = flagValue(options, flag, environment);
  return found !== undefined && parseSwitch(found.value, found.field);
}

/** A whole number in a range, for flags that are no part of the configuration. */
export function wholeFlag(
  options: ParsedOptions,
  flag: string,
  range: readonly [number, number],
  environment?: NodeJS.ProcessEnv,
): number | undefined {
  const found = flagValue(options, flag, environment);
  if (found === undefined) return undefined;
  const value = parseNumber(found.value, found.field);
  if (!Number.isInteger(value) || value < range[0] || value > range[1]) {
    throw unacceptable(found.field, value, `a whole number from ${range[0]} to ${range[1]}`);
  }
  return value;
}

/** `--threads`, at least 1; default: the cores of this machine. */
export function threadsFlag(options: ParsedOptions): number {
  return wholeFlag(options, 'threads', [1, 256]) ?? usableCores();
}

/** `--engine`; default auto. */
export function engineFlag(options: ParsedOptions): EngineChoice {
  const found = flagValue(options, 'engine');
  if (found === undefined) return 'auto';
  const choice = ENGINE_CHOICES.find((name) => name === found.value);
  if (choice !== undefined) return choice;
  const isTfjs = String(found.value).startsWith('tfjs');
  const near = nearest(String(found.value), ENGINE_CHOICES) ?? (isTfjs ? 'tfjs' : undefined);
  throw unacceptable(
    found.field,
    found.value,
    `one of ${ENGINE_CHOICES.join(', ')}`,
    near === undefined ? undefined : `Did you mean ${near}?`,
  );
}

/** A whole configuration: defaults, then `--preset`, then the file of `--config`, then flags and environment. */
export function runConfigOf(options: ParsedOptions, environment?: NodeJS.ProcessEnv): RunConfig {
  return resolveRunConfig(runFieldsOf(options, environment));
}

/** The fields that were given: those of `--preset`, then of the file of `--config`, then flags and environment. */
export function runFieldsOf(options: ParsedOptions, environment?: NodeJS.ProcessEnv): DeepPartial<RunConfig> {
  const file = flagValue(options, 'config', environment);
  const preset = presetOf(options, environment);
  const fields = flagFields(options, environment);
  if (file === undefined) return mergeFields(preset, fields);
  const stored = readConfigFile(String(file.value));
  // the file alone first, so that its own mistakes are reported with its name
  resolveRunConfig(stored, String(file.value));
  return mergeFields(mergeFields(preset, stored), fields);
}

/** What `--preset` says; nothing without it. */
export function presetOf(options: ParsedOptions, environment?: NodeJS.ProcessEnv): DeepPartial<RunConfig> {
  const found = flagValue(options, 'preset', environment);
  return found === undefined ? {} : presetFields(String(found.value));
}

/** The fields that flags and environment name, nested as in the configuration; nothing is checked but their form. */
export function flagFields(options: ParsedOptions, environment?: NodeJS.ProcessEnv): DeepPartial<RunConfig> {
  const fields: Record<string, unknown> = {};
  for (const row of FLAG_ROWS) {
    const found = flagValue(options, row.flag, environment);
    if (found === undefined) continue;
    const [section, name] = row.path.split('.');
    const value = parseValue(row, found.value, found.field);
    if (name === undefined) fields[section] = value;
    else fields[section] = { ...(fields[section] as object | undefined), [name]: value };
  }
  // every field comes from the table of settings; resolveRunConfig checks the values
  return fields;
}

function parseValue(row: FlagRow, value: string | boolean, field: string): unknown {
  const parsed = settingValue(row, value, field);
  // a switch says what is not so by default
  return row.rule.kind === 'boolean' ? parsed !== row.default : parsed;
}

/** Longest configuration file that is read: a complete one has two kilobytes. */
const MOST_CONFIG_BYTES = 1024 * 1024;

/** Fields of a configuration from a JSON file; their values are checked by resolveRunConfig. */
export function readConfigFile(path: string): DeepPartial<RunConfig> {
  let content: string;
  try {
    content = readText(path, MOST_CONFIG_BYTES);
  } catch (error) {
    // a file the user named is the user's to mend
    throw new UserError(`--config: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const parsed = parseJsonStrict(content, { where: path, maxLength: MOST_CONFIG_BYTES });
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw unacceptable(path, parsed, 'an object with fields of a run configuration');
  }
  // unknown fields and wrong types are refused by resolveRunConfig
  return parsed;
}

/** Fields of `over` win, section by section. */
export function mergeFields(
  under: DeepPartial<RunConfig>,
  over: DeepPartial<RunConfig>,
): DeepPartial<RunConfig> {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isSection(below) && isSection(value) ? { ...below, ...value } : value;
  }
  return merged;
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function camelCase(flag: string): string {
  return flag.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
