/** `--data` and what goes with it: lines of a file instead of generated examples. */
import type { Command } from 'commander';
import { type DataFileRequest, withDataFile } from '../../config/data-file-fields.js';
import { type DeepPartial, resolveRunConfig } from '../../config/parse.js';
import type { RunConfig } from '../../config/run-config.js';
import { UserError } from '../../errors.js';
import type { DataFileConfig } from '../../listops/files/data-file-config.js';
import { type ParsedOptions, flagValue, parseNumber, runFieldsOf } from './flags.js';

export function addDataFileFlags(command: Command): Command {
  return command
    .option(
      '--data <file>',
      'lines of a ListOps file (label and expression, or Source and Target) instead of generated examples',
    )
    .option(
      '--max-tokens <n>',
      'with --data: leave lines of more tokens out (default: none may exceed --n-ctx)',
    )
    .option(
      '--held-fraction <x>',
      'with --data: share of the expressions held out of training (default: 0.1)',
    );
}

/** What the flags say of a data file; undefined without `--data`. */
export function dataFileRequest(
  options: ParsedOptions,
  environment?: NodeJS.ProcessEnv,
): DataFileRequest | undefined {
  const path = flagValue(options, 'data', environment);
  const numbers = (['max-tokens', 'held-fraction'] as const).map((flag) => {
    const found = flagValue(options, flag, environment);
    if (found === undefined) return undefined;
    if (path === undefined) {
      throw new UserError(
        `${found.field}: found ${String(found.value)} without --data, expected a file with it.`,
      );
    }
    return parseNumber(found.value, found.field);
  });
  if (path === undefined) return undefined;
  return { path: String(path.value), maxTokens: numbers[0], heldFraction: numbers[1] };
}

export interface RunAndFile {
  readonly config: RunConfig;
  /** path of the file that config.data.file describes */
  readonly dataFile?: string;
}

/**
 * A whole configuration with what its data file decides: defaults, `--config`, flags and environment, `--data`.
 * @param fields - default: those of configuration file, flags and environment
 */
export function runAndFileOf(
  options: ParsedOptions,
  environment?: NodeJS.ProcessEnv,
  fields: DeepPartial<RunConfig> = runFieldsOf(options, environment),
): RunAndFile {
  const request = dataFileRequest(options, environment);
  if (request !== undefined) {
    return { config: resolveRunConfig(withDataFile(fields, request)), dataFile: request.path };
  }
  const file = fields.data?.file;
  if (file !== undefined) {
    throw new UserError(
      `--data: found no file, expected ${file.name ?? 'the file'} that data.file of the configuration names.`,
    );
  }
  return { config: resolveRunConfig(fields) };
}

/** One line about which lines of a file are used. */
export function fileLine({
  name,
  lines,
  kept,
  dropped,
  bareNumbers,
  maxTokens,
  longest,
}: DataFileConfig): string {
  const parts = [`${name}: ${kept} of ${lines} lines, every label computed again and right`];
  if (dropped > 0) parts.push(`${dropped} longer than ${maxTokens ?? longest} tokens left out`);
  if (bareNumbers > 0) parts.push(`${bareNumbers} of a bare number left out`);
  return `${parts.join('; ')}; longest ${longest} tokens`;
}
