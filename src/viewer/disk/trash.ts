/** Deleting is moving: into the hidden folder `.trash` of the same root, from where it can be moved back. */
import { basename, join } from 'node:path';
import { printable } from '../../errors.js';
import { type Lock, LockedError, takeLock } from '../../io/lock.js';
import { makeDirectory, moveDurably, removeTree } from '../../io/files.js';
import { now, randomLetters } from '../../io/unique.js';
import { type Folder, isRealFolder, pathOf } from './folders.js';
import { RefusedError } from '../http/guard.js';

export const TRASH_FOLDER = '.trash';

/**
 * @param name - as its list shows it
 * @param lockFile - held by whoever writes in it
 * @returns where it lies now, below the folder of runs or reports
 * @throws RefusedError 409: somebody writes in it, or it is a link
 */
export function moveToTrash(folder: Folder, name: string, lockFile: string): string {
  const dir = pathOf(folder);
  // the list follows links inside the root: what they lead to is listed itself
  if (folder.parts.join('/') !== folder.id || !isRealFolder(dir)) {
    throw new RefusedError(
      409,
      `${printable(name)} is a link. Delete what it leads to, or remove the link by hand.`,
    );
  }
  const lock = lockFolder(join(dir, lockFile), name);
  const time = now().toISOString().replace(/[:.]/g, '-');
  const place = `${basename(dir).slice(0, 100)}-${time}-${randomLetters().slice(0, 4)}`;
  makeDirectory(join(folder.root, TRASH_FOLDER));
  const target = join(folder.root, TRASH_FOLDER, place);
  try {
    moveDurably(dir, target);
  } catch (error) {
    removeTree(lock.path);
    throw error;
  }
  // the lock has moved along
  removeTree(join(target, lockFile));
  return `${TRASH_FOLDER}/${place}`;
}

/** Nobody trains or writes in it, and nobody begins to. */
function lockFolder(path: string, name: string): Lock {
  try {
    return takeLock(path, 'moves this folder to the trash');
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    throw new RefusedError(
      409,
      `${printable(name)} is in use by process ${error.holder.pid} on ${printable(error.holder.host)} (${printable(error.holder.text)}). Stop it first.`,
    );
  }
}
