/** The folders that jobs work in: what a page names lies in them, and it is told no path of this machine. */
import { realpathSync } from 'node:fs';
import { sep } from 'node:path';
import { parseCheckpointAddress } from '../../checkpoint/address.js';
import { unacceptable, UserError } from '../../errors.js';

export interface Folders {
  readonly checkpointsDir: string;
  readonly reportsDir: string;
}

/** @throws what the work throws, without the paths of the folders */
export function withoutPaths<T>({ checkpointsDir, reportsDir }: Folders, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const message = error.message.replaceAll(checkpointsDir, 'checkpoints').replaceAll(reportsDir, 'reports');
    throw new UserError(message, { cause: error });
  }
}

/**
 * An address of a run of the folder, as a path; nothing outside of it is opened.
 * @param field - for messages
 */
export function checkpointOf(text: string, root: string, field: string): string {
  const isPath = text.endsWith('.safetensors') || text.startsWith('/') || text.split(/[/\\]/).includes('..');
  if (isPath || text.startsWith('-') || /[\\\0]/.test(text)) {
    throw unacceptable(field, text, '<run>, <run>@<step>,<step>, <run>@all or <run>@final');
  }
  const { runDir, steps } = parseCheckpointAddress(text, root);
  const [realRoot, real] = [root, runDir].map((path) => realpathSync(path));
  if (!real.startsWith(realRoot + sep)) throw unacceptable(field, text, 'a run of the checkpoints folder');
  return steps === 'last' ? real : `${real}@${typeof steps === 'string' ? steps : steps.join(',')}`;
}
