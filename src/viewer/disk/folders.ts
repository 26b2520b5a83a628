/**
 * Folders of runs or reports below a root: plain ones, those in folders of folders, and links that lead to one inside the
 * root. A link that leads out of it is named and not followed. Reads names only.
 */
import { type Dirent, existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { CONFIG_FILE } from '../../checkpoint/run-files.js';
import { isPlainName } from './contained.js';

export interface Folder {
  /** real path of the folder that was given */
  readonly root: string;
  /** as listed: names below the root joined by "/"; of a link its own */
  readonly id: string;
  /** names of the real path below the root: of a link those of where it leads */
  readonly parts: readonly string[];
}

export interface Folders {
  readonly folders: readonly Folder[];
  readonly refused: readonly { readonly id: string; readonly reason: string }[];
}

/** Folders of folders that are looked into. */
const MOST_LEVELS = 4;
/** Of a run, which is no folder of runs however damaged it is. */
const PARTS_OF_RUNS = ['steps', 'resume'];

export const pathOf = ({ root, parts }: Folder): string => join(root, ...parts);

/**
 * @param root - a real path
 * @param isOther - names right below the root that are not this list's affair
 * @param marks - files of which one makes a folder what is looked for
 */
export function foldersBelow(
  root: string,
  isOther: (name: string) => boolean = () => false,
  marks: readonly string[] = [CONFIG_FILE],
): Folders {
  const folders: Folder[] = [];
  const refused: { id: string; reason: string }[] = [];
  const isOne = (path: string): boolean => marks.some((mark) => existsSync(join(path, mark)));

  /** @returns whether there is anything to list */
  const visit = (parts: readonly string[]): boolean => {
    const before = folders.length + refused.length;
    for (const entry of entriesOf(join(root, ...parts))) {
      const { name } = entry;
      if (!isPlainName(name) || (parts.length === 0 ? isOther(name) : PARTS_OF_RUNS.includes(name))) continue;
      const own = [...parts, name];
      const id = own.join('/');
      const path = join(root, ...own);
      if (entry.isSymbolicLink()) {
        const target = linkedTo(root, path);
        if (typeof target === 'string') refused.push({ id, reason: target });
        else if (target !== undefined) {
          if (isOne(join(root, ...target))) folders.push({ root, id, parts: target });
          else refused.push({ id, reason: `is a link to a folder without ${marks[0]}` });
        }
      } else if (entry.isDirectory()) {
        if (isOne(path) || own.length > MOST_LEVELS) folders.push({ root, id, parts: own });
        else if (!visit(own) && parts.length === 0) folders.push({ root, id, parts: own });
      }
    }
    return folders.length + refused.length > before;
  };

  visit([]);
  return { folders, refused };
}

/** Names below the root of where a link leads; text: why it is not followed; undefined: to a file, which is nothing here. */
function linkedTo(root: string, path: string): string[] | string | undefined {
  const below = root.endsWith(sep) ? root : root + sep;
  try {
    const real = realpathSync.native(path);
    if (!real.startsWith(below)) return 'is a link that leaves this folder: such links are not followed';
    if (!statSync(real).isDirectory()) return undefined;
    const parts = real.slice(below.length).split(sep);
    return parts.every(isPlainName) ? parts : 'is a link to a hidden folder: such links are not followed';
  } catch {
    return 'is a link that leads nowhere: such links are not followed';
  }
}

function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    // no folder yet: nothing in it yet
    return [];
  }
}

/** A folder at the end of a path in which nothing is a link. */
export function isRealFolder(path: string): boolean {
  try {
    return realpathSync.native(path) === path && statSync(path).isDirectory();
  } catch {
    return false;
  }
}
