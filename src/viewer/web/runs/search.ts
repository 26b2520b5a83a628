/**
 * The search of the table of runs: terms with blanks between them, all of which hold. `dModel>=32 tasks:SUM -tag:old`.
 * Pure; what a term asks is decided once, when the text is read.
 */
import type { RunList, RunSummary, SettingValue } from '../../contract.js';
import { stateOf } from './state.js';

export interface Listed {
  readonly run: RunSummary;
  /** of its condition, by path */
  readonly settings: Readonly<Record<string, SettingValue>>;
}

/** Runs with the settings of their conditions. */
export function withSettings({ runs, conditions }: RunList): Listed[] {
  const settings = new Map(conditions.map((one) => [one.condition, one.settings]));
  return runs.map((run) => ({ run, settings: settings.get(run.condition) ?? {} }));
}

export interface Search {
  readonly test: (listed: Listed) => boolean;
  /** terms that mean nothing, in words; they are left out of the test */
  readonly problems: readonly string[];
}

type Value = SettingValue | undefined;
type Read = (listed: Listed) => Value | readonly Value[];

const TERM = /^(-?)([A-Za-z][\w.]*)(>=|<=|!=|>|<|=|:)(.*)$/s;
const MOST_NAMED = 6;

/** Columns by name; settings and operations come beside them. */
const COLUMNS: Readonly<Record<string, Read>> = {
  seed: ({ run }) => run.seed,
  step: ({ run }) => run.step,
  steps: ({ run }) => run.steps,
  loss: ({ run }) => run.loss,
  parameters: ({ run }) => run.parameters,
  chance: ({ run }) => run.chance,
  learned: ({ run }) => run.learned,
  shipped: ({ run }) => run.shipped === true,
  linked: ({ run }) => run.linkOf !== undefined,
  state: ({ run }) => stateOf(run).word,
  tag: ({ run }) => run.tags ?? [],
  note: ({ run }) => run.note ?? '',
  condition: ({ run }) => run.label,
  run: ({ run }) => run.id,
  folder: ({ run }) => run.id.split('/').slice(0, -1).join('/'),
};

/** Names that a search may use: columns, operations, settings by their last part (by their path where a column has that name). */
export function searchNames(list: readonly Listed[]): string[] {
  const settings = new Set<string>();
  const operations = new Set<string>();
  for (const one of conditionsOf(list)) {
    for (const path of Object.keys(one.settings)) settings.add(leaf(path) in COLUMNS ? path : leaf(path));
    for (const name of one.run.tasks) operations.add(name);
  }
  return [...Object.keys(COLUMNS), ...[...operations].sort(), ...[...settings].sort()];
}

export function parseSearch(text: string, list: readonly Listed[]): Search {
  const problems: string[] = [];
  const names = searchNames(list);
  const tests = (text.match(/(?:[^\s"]|"[^"]*"?)+/g) ?? []).flatMap((term) => {
    const test = testOf(term, names);
    if (typeof test !== 'string') return [test];
    problems.push(test);
    return [];
  });
  return { test: (listed) => tests.every((test) => test(listed)), problems };
}

/** text: why the term means nothing */
function testOf(term: string, names: readonly string[]): ((listed: Listed) => boolean) | string {
  const [, minus = '', name = '', operator = '', value = ''] = TERM.exec(term) ?? [];
  if (name === '') {
    const isNot = term.startsWith('-') && term.length > 1;
    const words = plain(isNot ? term.slice(1) : term);
    return (listed) => anywhere(listed).includes(words) !== isNot;
  }
  const wanted = unquoted(value);
  if (wanted === '') return `${name}${operator} needs a value, such as ${name}${operator}1.`;
  const read = readerOf(name, names);
  if (read === undefined) return unknownName(name, names);
  const isOrdered = ['>', '<', '>=', '<='].includes(operator);
  if (isOrdered && numberOf(wanted) === undefined) {
    return `${name}${operator}${wanted}: expected a number after ${operator}, such as 32, 1e-3 or 95%.`;
  }
  return (listed) => {
    const found = read(listed);
    return fits(found, operator, wanted) !== (minus === '-');
  };
}

function readerOf(name: string, names: readonly string[]): Read | undefined {
  const lower = name.toLowerCase();
  const column = Object.keys(COLUMNS).find((key) => key === lower);
  if (column !== undefined) return COLUMNS[column];
  const isSetting = (path: string): boolean => {
    const own = path.toLowerCase();
    return own === lower || own.endsWith(`.${lower}`);
  };
  const known = names.find((key) => key.toLowerCase() === lower || lower.endsWith(`.${key.toLowerCase()}`));
  if (known === undefined) return undefined;
  return ({ run, settings }) => {
    const accuracy = run.accuracy?.[known];
    if (accuracy !== undefined && known.toLowerCase() === lower) return accuracy;
    return Object.entries(settings)
      .filter(([path]) => isSetting(path))
      .flatMap(([, value]): readonly Value[] => (isList(value) ? value : [value]));
  };
}

/** Array.isArray keeps no type of a read-only array. */
const isList = <T>(value: T | readonly T[]): value is readonly T[] => Array.isArray(value);

function fits(found: Value | readonly Value[], operator: string, wanted: string): boolean {
  const values = isList(found) ? found : [found];
  const number = numberOf(wanted);
  if (operator === ':' || operator === '=' || operator === '!=') {
    // `tasks:MAX+SUM` asks for both, `tasks=MAX+SUM` for these and no other
    const parts = wanted.split('+');
    const isOne = operator === ':' ? contains : equals;
    const holds =
      parts.every((part) => values.some((value) => isOne(value, part))) &&
      (operator === ':' || values.length <= Math.max(1, parts.length));
    const isWhole = values.length === 1 && isOne(values[0], wanted);
    return (holds || isWhole) !== (operator === '!=');
  }
  return values.some((value) => {
    if (typeof value !== 'number' || number === undefined) return false;
    if (operator === '>') return value > number;
    if (operator === '<') return value < number;
    return operator === '>=' ? value >= number : value <= number;
  });
}

function equals(value: Value, wanted: string): boolean {
  if (typeof value === 'number') return value === numberOf(wanted);
  if (typeof value === 'boolean')
    return (value ? ['yes', 'true', 'on'] : ['no', 'false', 'off']).includes(plain(wanted));
  if (value === null || value === undefined) return ['none', 'null', 'unknown'].includes(plain(wanted));
  return plain(String(value)) === plain(wanted);
}

/** Text: a part of it is enough, but for the names of operations (SUM is no part of GSUM). */
function contains(value: Value, wanted: string): boolean {
  if (typeof value !== 'string' || /^[A-Z]+$/.test(value)) return equals(value, wanted);
  return plain(value).includes(plain(wanted));
}

/** `32`, `1e-3`, `95%` */
function numberOf(text: string): number | undefined {
  const [, digits = '', percent] = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(%?)$/i.exec(text) ?? [];
  if (digits === '') return undefined;
  return Number(digits) / (percent === '%' ? 100 : 1);
}

function unknownName(name: string, names: readonly string[]): string {
  const lower = name.toLowerCase();
  const near = names.filter((known) => {
    const own = known.toLowerCase();
    return own.includes(lower) || lower.includes(own) || own.slice(0, 3) === lower.slice(0, 3);
  });
  const shown = (near.length > 0 ? near : names).slice(0, MOST_NAMED).join(', ');
  return `No column, operation or setting is called ${name}. ${near.length > 0 ? 'Near it' : 'Some that are'}: ${shown}.`;
}

const leaf = (path: string): string => path.slice(path.lastIndexOf('.') + 1);
const plain = (text: string): string => unquoted(text).toLowerCase();
const unquoted = (text: string): string => text.replaceAll('"', '');

function anywhere({ run }: Listed): string {
  return [run.id, run.label, ...(run.tags ?? []), run.note ?? '', run.reason ?? '', stateOf(run).word]
    .join('\n')
    .toLowerCase();
}

/** One run of each condition. */
function conditionsOf(list: readonly Listed[]): Listed[] {
  return [...new Map(list.map((listed) => [listed.run.condition, listed])).values()];
}
