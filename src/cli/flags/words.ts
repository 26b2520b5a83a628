/** What a report is called, what its author says of it, and the command line that makes it again. */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { unacceptable } from '../../errors.js';
import { shellWord } from '../../io/shell-word.js';
import type { CheckpointRef } from '../../workflows/probing/probe-plan.js';
import { flagValue, type ParsedOptions } from './flags.js';

const MOST_TITLE = 200;
const MOST_NOTES = 20_000;

export function addWordFlags(command: Command): Command {
  return command
    .option('--title <text>', 'heading of the report')
    .option('--notes <text>', 'what readers of the report are told beside it; a paragraph a line');
}

export interface Words {
  readonly title?: string;
  readonly notes?: string;
}

/** @throws UserError for an empty or endless text, or one with control characters */
export function wordsOf(options: ParsedOptions): Words {
  const title = textOf(options, 'title', MOST_TITLE);
  const notes = textOf(options, 'notes', MOST_NOTES);
  return { ...(title === undefined ? {} : { title }), ...(notes === undefined ? {} : { notes }) };
}

function textOf(options: ParsedOptions, flag: 'title' | 'notes', most: number): string | undefined {
  const found = flagValue(options, flag);
  if (found === undefined) return undefined;
  const text = String(found.value).replaceAll('\r\n', '\n');
  const odd = flag === 'notes' ? /[^\P{Cc}\n\t]/u : /\p{Cc}/u;
  if (text.trim() === '' || text.length > most || odd.test(text))
    throw unacceptable(found.field, text, `text of 1 to ${most} characters, without control characters`);
  return text;
}

/**
 * The command line of a report without folders: names of runs, sorted, so that the order in which they were given changes
 * nothing. A run stands for its last checkpoint, and with its steps otherwise.
 * @param head - such as `['probe', 'all']`
 */
export function commandLine(
  head: readonly string[],
  refs: readonly CheckpointRef[],
  options: ParsedOptions,
): string {
  const steps = new Map<string, { step: number; final: boolean }[]>();
  const files = refs.flatMap(({ source }) => (source.kind === 'file' ? [basename(source.path)] : []));
  for (const { source, subject } of refs) {
    if (source.kind === 'file') continue;
    steps.set(subject.run, [...(steps.get(subject.run) ?? []), subject]);
  }
  const runs = [...steps].map(([run, own]) =>
    own.length === 1 && own[0].final
      ? run
      : `${run}@${[...new Set(own.map(({ step }) => step))].sort((a, b) => a - b).join(',')}`,
  );
  const flags = (['name', 'title', 'notes'] as const).flatMap((flag) => {
    const found = flagValue(options, flag);
    return found === undefined ? [] : [`--${flag}`, String(found.value)];
  });
  const config = files.length === 0 ? undefined : flagValue(options, 'config');
  const switches = (['series', 'subset'] as const).flatMap((flag) =>
    options[flag] === true ? [`--${flag}`] : [],
  );
  const words = [
    ...head,
    ...runs.sort(),
    ...files.sort(),
    ...(config === undefined ? [] : ['--config', basename(String(config.value))]),
    ...switches,
    ...flags,
  ];
  return ['sumlens', ...words].map(shellWord).join(' ');
}
