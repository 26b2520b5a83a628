/** The runs of a checkpoints folder with their state, damaged ones included. Weights are not read. */
import { join } from 'node:path';
import { errorMessage } from '../errors.js';
import { lockHolder } from '../io/lock.js';
import { exists, isDirectory, listDirectory } from '../io/files.js';
import { CONFIG_FILE, END_REASONS, LOCK_FILE, readConfig, readEnd } from './run-files.js';

/** `running`: a live process holds it; `stopped`: it has no end and nobody works on it. */
export const RUN_STATUSES = [...END_REASONS, 'running', 'stopped', 'corrupt'] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export interface ListedRun {
  readonly name: string;
  readonly dir: string;
  readonly status: RunStatus;
  /** why it is corrupt */
  readonly reason?: string;
}

/** Folder of runs that ship with the package, beside the user's own. */
export const REFERENCE = 'reference';

/** All runs below `root` and `root/reference`, by name; the user's own before a shipped one of the same name. */
export function listRuns(root: string): ListedRun[] {
  const runs = new Map<string, ListedRun>();
  for (const folder of [root, join(root, REFERENCE)]) {
    for (const name of listDirectory(folder)) {
      const dir = join(folder, name);
      if (name.startsWith('.') || runs.has(name) || !isRunLike(folder === root, name, dir)) continue;
      runs.set(name, { name, dir, ...statusOf(dir) });
    }
  }
  return [...runs.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isRunLike(isRoot: boolean, name: string, dir: string): boolean {
  try {
    return isDirectory(dir) && !(isRoot && name === REFERENCE && !exists(join(dir, CONFIG_FILE)));
  } catch {
    // listed, so that statusOf gives the reason
    return true;
  }
}

function statusOf(dir: string): Pick<ListedRun, 'status' | 'reason'> {
  try {
    readConfig(dir);
    const end = readEnd(dir);
    if (lockHolder(join(dir, LOCK_FILE)) !== undefined) return { status: 'running' };
    return { status: end?.reason ?? 'stopped' };
  } catch (error) {
    return { status: 'corrupt', reason: errorMessage(error) };
  }
}
