/** Symbolic links in a tree of files: where they lead. Reads only. */
import { readlinkSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { isDirectory, listDirectory } from './files.js';

/** What a symbolic link says; undefined for anything else. */
export function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Whether a path leads, through all its links, to something in a tree. @param root - its real path */
export function leadsInto(path: string, root: string): boolean {
  try {
    const real = realpathSync(path);
    return real === root || real.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
  } catch {
    return false;
  }
}

/** The path without links. @throws when there is nothing */
export const realPath = (path: string): string => realpathSync(path);

/** Links below a directory, none of them followed. */
export function linksBelow(directory: string): string[] {
  return listDirectory(directory).flatMap((name) => {
    const path = join(directory, name);
    if (linkTarget(path) !== undefined) return [path];
    return isDirectory(path) ? linksBelow(path) : [];
  });
}
