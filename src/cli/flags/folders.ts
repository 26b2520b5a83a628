/** Where runs and reports are: the same two flags in every command. */
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { flagValue, type ParsedOptions } from './flags.js';

export function addFolderFlags(command: Command): Command {
  return command
    .addOption(new Option('--checkpoints <folder>', 'folder of runs (default: checkpoints)'))
    .addOption(new Option('--reports <folder>', 'folder of reports (default: reports)'));
}

export function foldersOf(options: ParsedOptions): { checkpointsDir: string; reportsDir: string } {
  const folder = (name: 'checkpoints' | 'reports'): string =>
    resolve(String(flagValue(options, name)?.value ?? name));
  return { checkpointsDir: folder('checkpoints'), reportsDir: folder('reports') };
}
