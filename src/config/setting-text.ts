/** Settings in words: for the help, for docs/settings.md, and as the command that trains a configuration. */
import { canonicalJson } from '../io/json.js';
import { allowedText } from '../rules.js';
import type { RunConfig } from './run-config.js';
import type { Setting } from './setting.js';
import { SETTINGS } from './settings.js';

/** What stands for the value behind the flag; undefined for a switch. */
export function argumentOf({ rule, argument }: Setting): string | undefined {
  if (argument !== undefined) return argument;
  switch (rule.kind) {
    case 'boolean':
      return undefined;
    case 'whole':
      return 'n';
    case 'number':
      return 'x';
    case 'choice':
      return rule.of.join('|');
    case 'names':
    case 'range':
    case 'other':
      return 'value';
  }
}

/** The default and what is allowed: `default 16; a whole number from 1 to 1024`. */
export function detailsOf(row: Setting): string {
  const isSwitch = row.rule.kind === 'boolean';
  const byDefault = isSwitch && row.derived === undefined ? 'no' : defaultText(row);
  // a choice stands behind the flag already
  const allowed = isSwitch || row.rule.kind === 'choice' ? [] : [allowedText(row.rule)];
  return [`default ${byDefault}`, ...allowed].join('; ');
}

/** The default as a flag would say it; `none` where the field is absent. */
export function defaultText(row: Setting): string {
  if (row.derived !== undefined) return row.derived.text;
  const value = row.default ?? row.implied;
  return value === undefined ? 'none' : valueText(row, value);
}

/** A value as its flag takes it. */
export function valueText({ rule, text }: Setting, value: unknown): string {
  // the value has the type of its own row
  if (text !== undefined) return text.write(value as never);
  if (Array.isArray(value)) return value.join(rule.kind === 'range' ? '..' : '+');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * The command that trains a configuration: every field that has a flag and is not what it would be anyway. Fields without
 * a flag (the lines of a file, a vocabulary from elsewhere) are not in it.
 * @param always - paths that are said in any case
 */
export function trainCommand(config: RunConfig, always: readonly string[] = []): string {
  const words = SETTINGS.flatMap((row) => {
    const { path, flag, rule, derived } = row;
    const value = valueOf(config, path);
    if (flag === undefined || value === undefined) return [];
    const usual = derived === undefined ? row.default : derived.from(config);
    if (canonicalJson(value) === canonicalJson(usual ?? null) && !always.includes(path)) return [];
    // a switch says what is not so by default
    return rule.kind === 'boolean' ? [`--${flag}`] : [`--${flag} ${valueText(row, value)}`];
  });
  return ['sumlens train', ...words].join(' ');
}

function valueOf(config: RunConfig, path: string): unknown {
  const [section, key] = path.split('.') as [keyof RunConfig, string | undefined];
  return key === undefined ? config[section] : (config[section] as Readonly<Record<string, unknown>>)[key];
}

/** The table of docs/settings.md. */
export function settingsTable(): string {
  const rows = SETTINGS.map((row) => [
    row.flag === undefined ? '' : `\`--${row.flag}\``,
    `\`${row.path}\``,
    row.help,
    row.rule.kind === 'boolean' && row.derived === undefined ? String(row.default) : defaultText(row),
    allowedText(row.rule),
    row.reason,
  ]);
  const header = ['flag', 'field', 'what it is', 'default', 'allowed', 'why this default'];
  const widths = header.map((name, i) =>
    Math.max(...[name, ...rows.map((row) => row[i])].map((text) => text.length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, i) => text.padEnd(widths[i])).join(' | ')} |`;
  return [line(header), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line), ''].join('\n');
}
