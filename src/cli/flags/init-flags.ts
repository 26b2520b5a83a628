/** `--init-from` and what goes with it: a run that starts from another run's checkpoint. */
import { type Command, Option } from 'commander';
import { INIT_PARTS, type InitPart } from '../../config/init.js';
import type { DeepPartial } from '../../config/parse.js';
import type { RunConfig } from '../../config/run-config.js';
import { UserError, nearest, unacceptable } from '../../errors.js';
import { withInit } from '../../train/init-source.js';
import { type ParsedOptions, flagValue } from './flags.js';

const OPTIMIZERS = ['kept', 'reset'] as const;

export function addInitFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--init-from <checkpoint>', 'start from this checkpoint: <run>, <run>@4096 or a path'),
    )
    .addOption(
      new Option(
        '--init <what>',
        `with --init-from: what is taken over, ${INIT_PARTS.join(', ')} (default all)`,
      ),
    )
    .addOption(
      new Option(
        '--init-optimizer <what>',
        "with --init-from: AdamW's moments, kept (with --init all) or reset (default reset)",
      ),
    );
}

/** The fields with the source described, and its address. */
export function initFieldsOf(
  fields: DeepPartial<RunConfig>,
  options: ParsedOptions,
  root: string,
  environment?: NodeJS.ProcessEnv,
): { readonly fields: DeepPartial<RunConfig>; readonly initFrom?: string } {
  const from = flagValue(options, 'init-from', environment);
  const what = wordOf<InitPart>(options, 'init', INIT_PARTS, environment);
  const optimizer = wordOf(options, 'init-optimizer', OPTIMIZERS, environment);
  if (from === undefined) {
    const alone = what !== undefined ? '--init' : '--init-optimizer';
    if (what === undefined && optimizer === undefined) return { fields };
    throw new UserError(
      `${alone}: found ${what ?? optimizer ?? ''} without --init-from, expected a checkpoint with it.`,
    );
  }
  const initFrom = String(from.value);
  return { fields: withInit(fields, { from: initFrom, what, optimizer }, root), initFrom };
}

function wordOf<T extends string>(
  options: ParsedOptions,
  flag: string,
  words: readonly T[],
  environment?: NodeJS.ProcessEnv,
): T | undefined {
  const found = flagValue(options, flag, environment);
  if (found === undefined) return undefined;
  const word = words.find((candidate) => candidate === found.value);
  if (word !== undefined) return word;
  const near = nearest(String(found.value), words);
  throw unacceptable(
    found.field,
    found.value,
    `one of ${words.join(', ')}`,
    near === undefined ? undefined : `Did you mean ${near}?`,
  );
}
