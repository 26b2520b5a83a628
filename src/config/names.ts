/**
 * Names of runs and conditions, made from what changes the mathematics. A field equal to its default is left out of the
 * hash, so that a new field does not rename old runs.
 */
import { canonicalJson } from '../io/json.js';
import { sha256Hex } from '../io/sha256.js';
import { DEFAULT_RUN } from './defaults.js';
import { operationsOf } from './gpt-config-of.js';
import { INIT_NAMES, type InitConfig, initText } from './init.js';
import { phaseSpans } from './phases.js';
import type { RunConfig } from './run-config.js';
import { SETTINGS } from './settings.js';

export { gptConfigOf } from './gpt-config-of.js';

type Plain = Record<string, unknown>;

/** Hexadecimal digits of the hash that a run id shows: 48 bits, a collision among 10,000 runs has chance 2e-7. */
const ID_DIGITS = 12;

/** `max-med-sum-full-d16-s1-1f2e3a4b5c6d`: a readable part and the beginning of configSha256. Usable as a file name. */
export function runId(config: RunConfig): string {
  const tasks = courseText(config, '-', '-then-').toLowerCase();
  const short = tasks.length <= 32 ? tasks : `${config.data.tasks.length}-tasks`;
  const regime = config.data.file === undefined ? config.data.regime : 'file';
  const readable = `${short}-${regime}-d${config.model.dModel}-s${config.seed}`;
  return `${readable}-${configSha256(config).slice(0, ID_DIGITS)}`;
}

/** SHA-256 of the canonical JSON without fields that equal their default, 64 hexadecimal digits. */
export function configSha256(config: RunConfig): string {
  return sha256Hex(canonicalJson(withoutDefaults(config)));
}

/** Hash of everything but the seeds: runs with the same one are replicates. 12 hexadecimal digits. */
export function conditionId(config: RunConfig): string {
  const unseeded: RunConfig = {
    ...config,
    seed: DEFAULT_RUN.seed,
    data: { ...config.data, holdoutSeed: DEFAULT_RUN.seed },
    // checkpoints of the seeds of one condition are replicates too
    ...(config.init !== undefined && { init: unseededInit(config.init) }),
  };
  return configSha256(unseeded).slice(0, ID_DIGITS);
}

/** The source by its condition and step; the step is in its name. */
function unseededInit({ optimizer, ...init }: InitConfig): InitConfig {
  const step = /@(\d+)$/.exec(init.from)?.[1] ?? '';
  return {
    ...init,
    weights: sha256Hex(`${init.condition}@${step}`),
    ...(optimizer !== undefined && { optimizer: { ...optimizer, moments: sha256Hex('') } }),
  };
}

/** By name, so that a label reads the same when the operations table grows in its middle. */
const sortedTasks = (tasks: readonly string[]): string[] => [...tasks].sort();

/** `MAX+MED then SUM` @param joined - of the operations of one phase */
function courseText(config: RunConfig, joined: string, then: string): string {
  return phaseSpans(config)
    .map(({ tasks }) => sortedTasks(tasks).join(joined))
    .join(then);
}

/** Fields in which the replicates of one condition differ. */
export const SEED_PATHS: readonly string[] = [
  'seed',
  'data.holdoutSeed',
  'init.from',
  'init.weights',
  'init.optimizer',
];

/** Longest part of a file's name in a label. */
const NAME_CHARACTERS = 40;

/**
 * `MAX+MED+SUM, full, d=16`; lines of a file: `MAX+MIN, lines of test.tsv, d=16`; phases and another start:
 * `MAX+MED then SUM, full, d=16`, `SUM, full, d=16, numbers of MAX+MED@4000`
 */
export function conditionLabel(config: RunConfig): string {
  const { file } = config.data;
  const regime =
    file === undefined
      ? config.data.regime
      : `lines of ${Array.from(file.name).slice(0, NAME_CHARACTERS).join('')}`;
  const parts = [courseText(config, '+', ' then '), regime, `d=${config.model.dModel}`];
  return [...parts, ...(config.init === undefined ? [] : [initText(config.init)])].join(', ');
}

/**
 * A label for each configuration, in the same order: the condition's label, and where two different conditions would
 * read the same, the fields in which they differ (`SUM, full, d=16, steps=16000`). Seeds never appear.
 */
export function distinguishingLabels(configs: readonly RunConfig[]): string[] {
  const labels = configs.map(conditionLabel);
  return configs.map((config, i) => {
    const namesakes = configs.filter((_, j) => labels[j] === labels[i]);
    const differing = differingFields(namesakes).filter((path) => !SEED_PATHS.includes(path));
    const shown = differing.map((path) => `${path.slice(path.indexOf('.') + 1)}=${fieldText(config, path)}`);
    return [labels[i], ...shown].join(', ');
  });
}

/** Paths (`optimizer.learningRate`) at which the configurations are not all equal, in the order of the schema. */
export function differingFields(configs: readonly RunConfig[]): string[] {
  const flat = configs.map(flatten);
  const paths = new Set([...flatten(DEFAULT_RUN).keys(), ...flat.flatMap((fields) => [...fields.keys()])]);
  return [...paths].filter((path) => new Set(flat.map((fields) => fields.get(path) ?? 'absent')).size > 1);
}

/** Value of a field as text. @param path - `data.operands`, `seed`, ... */
export function fieldText(config: RunConfig, path: string): string {
  const implied = SETTINGS.find((row) => row.path === path)?.implied;
  const text = (
    flatten(config).get(path) ?? (implied === undefined ? 'absent' : canonicalJson(implied))
  ).replace(/^"(.*)"$/, '$1');
  return /^[0-9a-f]{64}$/.test(text) ? `${text.slice(0, ID_DIGITS)}...` : text;
}

/** A file or a checkpoint is known by its content: renaming it changes no run. */
function contentOf(source: Plain, names: readonly string[]): Plain {
  return Object.fromEntries(
    Object.entries(source).filter(([name, field]) => !names.includes(name) && field !== undefined),
  );
}

/** path -> canonical JSON */
function flatten(config: RunConfig): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [key, value] of Object.entries({ ...config, vocabulary: operationsOf(config) })) {
    if (value === undefined) continue;
    if (typeof value !== 'object' || Array.isArray(value)) fields.set(key, canonicalJson(value));
    else {
      for (const [name, field] of Object.entries(value as Plain)) {
        if (key === 'data' && name === 'file' && field !== undefined) {
          for (const [part, item] of Object.entries(contentOf(field as Plain, ['name']))) {
            fields.set(`data.file.${part}`, canonicalJson(item));
          }
        } else if (field !== undefined) fields.set(`${key}.${name}`, canonicalJson(field));
      }
    }
  }
  return fields;
}

/** What is hashed: fields that differ from their (possibly derived) default, and the vocabulary always. */
function withoutDefaults(config: RunConfig): Plain {
  const result: Plain = { vocabulary: operationsOf(config) };
  for (const { path, default: fixed, derived } of SETTINGS) {
    if (path === 'vocabulary') continue;
    const [section, key] = path.split('.') as [keyof RunConfig, string | undefined];
    const value = key === undefined ? config[section] : (config[section] as Plain)[key];
    if (value === undefined || sameJson(value, derived === undefined ? fixed : derived.from(config)))
      continue;
    if (key === undefined) result[section] = path === 'init' ? contentOf(value as Plain, INIT_NAMES) : value;
    else {
      const kept = path === 'data.file' ? contentOf(value as Plain, ['name']) : value;
      result[section] = { ...(result[section] as Plain | undefined), [key]: kept };
    }
  }
  return result;
}

function sameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return b !== undefined;
  // most fields: of two unequal strings or switches no text has to be made
  if (typeof a === typeof b && (typeof a === 'string' || typeof a === 'boolean')) return false;
  return b !== undefined && canonicalJson(a) === canonicalJson(b);
}
