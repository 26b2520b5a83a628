/**
 * Reading below one root and nowhere else: every path is resolved to its real one before it is opened, links are not
 * followed, and only regular files are read. Writes nothing.
 */
import { constants, lstatSync, readdirSync } from 'node:fs';
import { open, realpath, type FileHandle } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';

/** A name that is one step down: no separator, no dot first, no NUL. */
export function isPlainName(name: string): boolean {
  return name !== '' && !name.startsWith('.') && !/[/\\\0]/.test(name) && !isAbsolute(name);
}

/**
 * The real path of root/parts, when nothing on the way below the root is a link; undefined when it is not there or
 * leads elsewhere.
 */
export async function containedPath(root: string, ...parts: readonly string[]): Promise<string | undefined> {
  if (!parts.every(isPlainName)) return undefined;
  try {
    const realRoot = await realpath(root);
    const wanted = join(realRoot, ...parts);
    const real = await realpath(wanted);
    const below = realRoot.endsWith(sep) ? realRoot : realRoot + sep;
    return real === wanted && real.startsWith(below) ? real : undefined;
  } catch {
    return undefined;
  }
}

/** A regular file and no link. @param path - in a folder that is known to be a real one below the root */
export function isPlainFile(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
}

/** Folders below a run that are looked into: steps/000064. */
const MOST_LEVELS = 4;

/**
 * What in a folder, at any depth, is neither a regular file nor a folder: a link, a pipe, a device; undefined: nothing.
 * @param folder - a real folder below the root
 * @returns its path below the folder
 */
export function firstUnplain(folder: string, parts: readonly string[] = []): string | undefined {
  if (parts.length > MOST_LEVELS) return parts.join('/');
  for (const entry of readdirSync(join(folder, ...parts), { withFileTypes: true })) {
    const own = [...parts, entry.name];
    if (entry.isDirectory()) {
      const found = firstUnplain(folder, own);
      if (found !== undefined) return found;
    } else if (!entry.isFile()) return own.join('/');
  }
  return undefined;
}

/** An open regular file, or undefined. The caller closes it. */
export async function openContained(
  root: string,
  ...parts: readonly string[]
): Promise<{ handle: FileHandle; size: number; mtimeMs: number; ino: number } | undefined> {
  const path = await containedPath(root, ...parts);
  if (path === undefined) return undefined;
  let handle: FileHandle | undefined;
  try {
    // O_NOFOLLOW: the last name may have become a link since; O_NONBLOCK: a pipe must not hold us
    handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { size, mtimeMs, ino, isFile } = await stated(handle);
    if (isFile) return { handle, size, mtimeMs, ino };
  } catch {
    // gone or unreadable: the same answer as never there
  }
  await handle?.close();
  return undefined;
}

async function stated(handle: FileHandle) {
  const stat = await handle.stat();
  return { size: stat.size, mtimeMs: stat.mtimeMs, ino: stat.ino, isFile: stat.isFile() };
}

/** The whole file when it is there, regular, and at most `mostBytes` long. */
export async function readContained(
  root: string,
  parts: readonly string[],
  mostBytes: number,
): Promise<Buffer | undefined> {
  const file = await openContained(root, ...parts);
  if (file === undefined) return undefined;
  try {
    return file.size > mostBytes ? undefined : await file.handle.readFile();
  } catch {
    return undefined;
  } finally {
    await file.handle.close();
  }
}
