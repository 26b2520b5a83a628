/** Makes and opens run directories. */
import { basename, join, resolve } from 'node:path';
import { configSha256, runId } from '../config/names.js';
import type { RunConfig } from '../config/run-config.js';
import { errorCode } from '../errors.js';
import {
  createExclusively,
  exists,
  isDirectory,
  isTemporaryName,
  listDirectory,
  publishDirectory,
} from '../io/files.js';
import * as files from './run-files.js';
import { RunStore } from './run-store.js';

/**
 * Opens the run of a configuration, and creates its directory when there is none.
 * @param root - the checkpoints folder; the directory's name is the run id
 * @param options.out - another directory instead
 * @throws UserError listing the fields that differ when the directory holds another run
 */
export function createOrOpenRun(
  root: string,
  config: RunConfig,
  options: { readonly out?: string } = {},
): RunStore {
  const dir = resolve(options.out ?? join(root, runId(config)));
  files.checkRunName(basename(dir));
  // an empty directory stays: it may be the one this process is in
  if (isDirectory(dir) && listDirectory(dir).every(isTemporaryName)) {
    createExclusively(join(dir, files.CONFIG_FILE), files.configText(config));
  } else if (!exists(dir)) {
    try {
      publishDirectory(dir, [{ name: files.CONFIG_FILE, bytes: files.configText(config) }]);
    } catch (error) {
      // another process created it at the same moment; else it is another error with the same name
      const isTaken = errorCode(error) === 'EEXIST' || errorCode(error) === 'ENOTEMPTY';
      if (!isTaken || !exists(dir)) throw error;
    }
  }
  const stored = files.readConfig(dir);
  if (configSha256(stored) !== configSha256(config)) throw files.configMismatch(dir, stored, config);
  return new RunStore(dir, stored);
}

/** Opens an existing run. @throws UserError when the directory is no run, RunError when its configuration is damaged */
export function openRun(dir: string): RunStore {
  const path = resolve(dir);
  return new RunStore(path, files.readConfig(path));
}
