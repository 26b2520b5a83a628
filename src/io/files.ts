/**
 * The only module that writes files, beside log-files.ts. Every operation goes through one replaceable FileSystem, so that tests can fail,
 * shorten or tear any of them. What a file means is not known here.
 */
import * as nodeFs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { RunError, errorCode, errorMessage, printable } from '../errors.js';
import { fateOf, ownIdentity, ownOrigin } from './process-identity.js';
import { millisecondsSince, now, randomLetters } from './unique.js';

/** The calls of node:fs that this project uses. */
export interface FileSystem {
  openSync(path: string, flags: 'r' | 'r+' | 'wx' | 'a'): number;
  /** may write less than asked */
  writeSync(fd: number, data: Uint8Array, offset: number, length: number): number;
  fsyncSync(fd: number): void;
  closeSync(fd: number): void;
  ftruncateSync(fd: number, length: number): void;
  renameSync(from: string, to: string): void;
  linkSync(existing: string, path: string): void;
  mkdirSync(path: string, options: { readonly recursive: boolean }): void;
  unlinkSync(path: string): void;
  rmSync(path: string, options: { readonly recursive: boolean; readonly force: boolean }): void;
  readFileSync(path: string): Uint8Array;
  readdirSync(path: string): string[];
  /** follows links */
  statSync(path: string): {
    isDirectory(): boolean;
    isFile(): boolean;
    readonly size: number;
    readonly mtimeMs: number;
  };
  utimesSync(path: string, atime: Date, mtime: Date): void;
}

let current: FileSystem = nodeFs;

/** The file system in use. */
export function fileSystem(): FileSystem {
  return current;
}

/** Runs `fn` (synchronous) with every file operation of this module going to `replacement`. For tests. */
export function withFileSystem<T>(replacement: FileSystem, fn: () => T): T {
  const previous = current;
  current = replacement;
  try {
    return fn();
  } finally {
    current = previous;
  }
}

/** A file operation failed; `code` is the system's (`ENOSPC`, `ENOENT`, ...), `path` the file. */
export class FileError extends RunError {
  override readonly name = 'FileError';
  constructor(
    message: string,
    readonly code: string,
    readonly path: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full. Free some space and start again',
  EDQUOT: 'the disk quota is used up. Free some space and start again',
  EFBIG: 'the file would be larger than the system allows. Raise the limit and start again',
  EACCES: 'permission denied. Change the permissions, or choose another folder with --out',
  EPERM: 'the system does not permit it. Change the permissions, or choose another folder with --out',
  EROFS: 'the file system is read-only. Choose another folder with --out',
  EIO: 'the device reports an input/output error. Check the disk',
  EMFILE: 'too many files are open in this process. Raise the limit (ulimit -n) and start again',
  ENFILE: 'too many files are open on this machine. Close some and start again',
  ENOENT: 'it does not exist',
  EEXIST: 'it exists already',
  ENOTDIR: 'a part of the path is not a directory',
  EISDIR: 'it is a directory, expected a file',
  ENAMETOOLONG: 'the name is too long',
};

/** Runs one file operation and turns what it throws into a FileError of one line. */
export function attempt<T>(verb: string, path: string, operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    const code = errorCode(error);
    if (error instanceof FileError || code === undefined) throw error;
    const reason = REASONS[code] ?? printable(errorMessage(error), 200);
    throw new FileError(`Cannot ${verb} ${printable(path, 300)}: ${reason} (${code}).`, code, path, error);
  }
}

export const toBytes = (data: Uint8Array | string): Uint8Array =>
  typeof data === 'string' ? new TextEncoder().encode(data) : data;

/** Writes until every byte is written: write(2) may take less than asked without an error. */
export function writeFully(fd: number, data: Uint8Array, path: string): void {
  for (let done = 0; done < data.length;) {
    const written = current.writeSync(fd, data, done, data.length - done);
    if (written <= 0) {
      throw new FileError(
        `Cannot write ${printable(path, 300)}: the system took ${done} of ${data.length} bytes. Check the free space.`,
        'ENOSPC',
        path,
      );
    }
    done += written;
  }
}

/** Opens, works, closes. Of two errors the first one counts: what closing says after a failed write hides its cause. */
export function withOpen(path: string, flags: 'r' | 'r+' | 'wx' | 'a', work: (fd: number) => void): void {
  const fd = current.openSync(path, flags);
  try {
    work(fd);
  } catch (error) {
    try {
      current.closeSync(fd);
    } catch {
      // the first error is the cause
    }
    throw error;
  }
  current.closeSync(fd);
}

/** Where directories cannot be opened or synced: Windows, and shares such as CIFS, 9p and vboxsf. */
const CANNOT_SYNC_DIRECTORIES = ['EINVAL', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EISDIR', 'EBADF'];

/**
 * Makes the entries of a directory durable. A file system that has no such call gets a weaker promise
 * (docs/reliability.md): the order of what survives a power cut is then its own affair.
 */
function syncDirectory(path: string): void {
  attempt('sync', path, () => {
    try {
      withOpen(path, 'r', (fd) => current.fsyncSync(fd));
    } catch (error) {
      if (!CANNOT_SYNC_DIRECTORIES.includes(errorCode(error) ?? '')) throw error;
    }
  });
}

/** Writes a new file and makes its content durable; fails when it exists. */
function writeNewFile(path: string, data: Uint8Array): void {
  attempt('write', path, () => {
    withOpen(path, 'wx', (fd) => {
      writeFully(fd, data, path);
      current.fsyncSync(fd);
    });
  });
}

/** Throws the first error again after trying to remove `path`, whose own failure would hide the cause. */
function removingOnFailure(path: string, operation: () => void): void {
  try {
    operation();
  } catch (error) {
    try {
      current.rmSync(path, { recursive: true, force: true });
    } catch {
      // the next writer of the same target removes it: see removeStaleTemporaries
    }
    throw error;
  }
}

/** Letters of the target's name that a temporary's name repeats, for a reader of the directory. */
const NAME_LETTERS = 80;

/**
 * `.tmp-<name of the target>-<origin>-<pid>-<random>`: readers skip names with a leading dot. It is unique by its random
 * letters; origin and pid say whose it is (two processes with equal pids in two containers may share the directory).
 */
export function temporaryBeside(target: string): string {
  const name = basename(target).slice(0, NAME_LETTERS);
  return join(dirname(target), `.tmp-${name}-${ownOrigin()}-${ownIdentity().pid}-${randomLetters()}`);
}

/** True for the name of something that is being written, or that a crash left. */
export const isTemporaryName = (name: string): boolean => name.startsWith('.tmp-');

const TEMPORARY = /^\.tmp-.+-([0-9a-f]{8})-(\d+)-[0-9a-f]{12}$/;
/** Age from which a temporary counts as left over where its process cannot be seen: writing one takes seconds. */
const ABANDONED_MS = 3_600_000;

/**
 * Removes temporaries in `directory` whose process has ended, or failed to remove them; those of processes that cannot
 * be seen from here after an hour. @returns how many
 */
export function removeStaleTemporaries(directory: string): number {
  let removed = 0;
  for (const name of listDirectory(directory)) {
    if (!isLeftOver(directory, name)) continue;
    try {
      current.rmSync(join(directory, name), { recursive: true, force: true });
      removed++;
    } catch {
      // another process removes it at the same time, or may not: it blocks nobody
    }
  }
  return removed;
}

/** True for what a process that has ended was writing in `directory`, or that was left there for an hour. */
export const isLeftOver = (directory: string, name: string): boolean =>
  isTemporaryName(name) && !mayBeInUse(directory, name);

function mayBeInUse(directory: string, name: string): boolean {
  const [, origin, digits] = TEMPORARY.exec(name) ?? [];
  const { host, pid: ownPid } = ownIdentity();
  if (origin === ownOrigin()) {
    const pid = Number(digits);
    // operations are synchronous, so a temporary of this very process is one that failed
    return pid !== ownPid && fateOf({ host, pid, started: undefined }) !== 'ended';
  }
  try {
    return millisecondsSince(current.statSync(join(directory, name)).mtimeMs) < ABANDONED_MS;
  } catch {
    // gone by now, or not ours to look at
    return true;
  }
}

const swept = new Set<string>();

/** Once a process and directory: a directory of a thousand measurements is not listed for each of them. */
function sweepOnce(directory: string): void {
  if (swept.has(directory)) return;
  swept.add(directory);
  try {
    removeStaleTemporaries(directory);
  } catch {
    // a directory that cannot be listed may still be written to
  }
}

/** Writes a whole file: afterwards `path` holds either the old or all of the new content, and durably so. */
export function writeFileDurably(path: string, data: Uint8Array | string): void {
  sweepOnce(dirname(path));
  const temporary = temporaryBeside(path);
  removingOnFailure(temporary, () => {
    writeNewFile(temporary, toBytes(data));
    attempt('write', path, () => current.renameSync(temporary, path));
    syncDirectory(dirname(path));
  });
}

export interface DirectoryEntry {
  /** a plain file name */
  readonly name: string;
  /** plain names of the directories it lies in, outermost first; absent: the directory itself */
  readonly folders?: readonly string[];
  readonly bytes: Uint8Array | string;
}

export interface PublishOptions {
  /** replace an existing directory; by default it is an error */
  readonly replace?: boolean;
}

/**
 * Makes a directory appear with all its files at once, durably: the only way a directory with content comes to be.
 * A crash at any point leaves the old state or the new one (with `replace`: the old one may lie in `.old-<name>` until
 * recoverReplaced is called, which publishDirectory itself does first).
 * @param entries - written in this order; put the manifest last
 */
export function publishDirectory(
  target: string,
  entries: readonly DirectoryEntry[],
  options: PublishOptions = {},
): void {
  const parent = dirname(target);
  makeDirectory(parent);
  removeStaleTemporaries(parent);
  recoverReplaced(target);
  const replaces = exists(target);
  if (replaces && options.replace !== true) {
    throw new FileError(`Cannot publish ${printable(target, 300)}: it exists already.`, 'EEXIST', target);
  }
  const temporary = temporaryBeside(target);
  removingOnFailure(temporary, () => {
    attempt('create', temporary, () => current.mkdirSync(temporary, { recursive: false }));
    for (const { name, folders = [], bytes } of entries) {
      const odd = [...folders, name].find(
        (part) => part === '' || part === '.' || part === '..' || /[/\\\0]/.test(part),
      );
      if (odd !== undefined) {
        throw new RangeError(`publishDirectory: "${printable(odd)}" is not a plain file name.`);
      }
      const folder = join(temporary, ...folders);
      makeDirectory(folder);
      writeNewFile(join(folder, name), toBytes(bytes));
      if (folders.length > 0) syncDirectory(folder);
    }
    syncDirectory(temporary);
    if (replaces) attempt('replace', target, () => current.renameSync(target, replacedName(target)));
    try {
      attempt('publish', target, () => current.renameSync(temporary, target));
    } catch (error) {
      if (replaces) recoverReplaced(target);
      throw error;
    }
    syncDirectory(parent);
  });
  if (replaces) removeTree(replacedName(target));
}

const replacedName = (target: string): string => join(dirname(target), `.old-${basename(target)}`);

/** Puts a directory back that a crash left moved aside in the middle of a replacement, and removes what is left over. */
export function recoverReplaced(target: string): void {
  const old = replacedName(target);
  if (!exists(old)) return;
  if (exists(target)) removeTree(old);
  else {
    attempt('recover', target, () => current.renameSync(old, target));
    syncDirectory(dirname(target));
  }
}

/** recoverReplaced for everything in a directory; only while no other process writes there. */
export function recoverAllReplaced(directory: string): void {
  for (const name of listDirectory(directory)) {
    if (name.startsWith('.old-')) recoverReplaced(join(directory, name.slice('.old-'.length)));
  }
}

/** Creates a directory and its parents, durably; fine when it exists. */
export function makeDirectory(path: string): void {
  if (isDirectory(path)) return;
  if (exists(path)) {
    throw new FileError(`${printable(path, 300)} is a file, expected a folder (ENOTDIR).`, 'ENOTDIR', path);
  }
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  attempt('create', path, () => {
    try {
      // one level: of several the system reports another error than the one that happened
      current.mkdirSync(path, { recursive: false });
    } catch (error) {
      // another process may have created it at the same moment
      if (errorCode(error) !== 'EEXIST' || !isDirectory(path)) throw error;
    }
  });
  syncDirectory(parent);
}

/** Removes a file or directory; fine when it does not exist. A directory vanishes at once, before its files are removed. */
export function removeTree(path: string): void {
  if (!exists(path)) return;
  const doomed = temporaryBeside(path);
  attempt('remove', path, () => {
    current.renameSync(path, doomed);
    // else a power cut may bring the name back after some of the files are gone
    syncDirectory(dirname(path));
    current.rmSync(doomed, { recursive: true, force: true });
  });
}

/** Sets the time of the last change to now; false when the file system or its owner does not let us. */
export function touch(path: string): boolean {
  try {
    const time = now();
    current.utimesSync(path, time, time);
    return true;
  } catch {
    return false;
  }
}

/** Milliseconds since the last change; undefined when there is nothing. */
export function ageMs(path: string): number | undefined {
  return exists(path)
    ? attempt('look at', path, () => millisecondsSince(current.statSync(path).mtimeMs))
    : undefined;
}

/** Whole content. @param maxBytes - refuse larger files before reading; a device or FIFO is refused always */
export function readBytes(path: string, maxBytes = 2 ** 31 - 1): Uint8Array {
  return attempt('read', path, () => {
    const status = current.statSync(path);
    const shown = printable(path, 300);
    if (status.isDirectory()) {
      throw new FileError(`Cannot read ${shown}: it is a directory, expected a file.`, 'EISDIR', path);
    }
    if (!status.isFile())
      throw new FileError(`Cannot read ${shown}: it is not a regular file.`, 'EINVAL', path);
    if (status.size > maxBytes) {
      throw new FileError(
        `Cannot read ${shown}: it has ${status.size} bytes, expected at most ${maxBytes}.`,
        'EFBIG',
        path,
      );
    }
    const bytes = current.readFileSync(path);
    // a plain view: callers must not come to depend on Buffer
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  });
}

/** Whole content as UTF-8; bytes that are not UTF-8 are an error. A byte order mark is kept. */
export function readText(path: string, maxBytes?: number): string {
  const bytes = readBytes(path, maxBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FileError(`Cannot read ${printable(path, 300)}: it is not UTF-8 text.`, 'EINVAL', path);
  }
}

/** True when something is there that can be read or listed (a broken link counts as nothing). */
export function exists(path: string): boolean {
  try {
    current.statSync(path);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return false;
    return attempt('look at', path, () => {
      throw error;
    });
  }
}

/** True for a directory, also through a link; false when there is nothing. */
export function isDirectory(path: string): boolean {
  return exists(path) && attempt('look at', path, () => current.statSync(path).isDirectory());
}

/** Names in a directory, sorted; empty when it does not exist. */
export function listDirectory(path: string): string[] {
  if (!exists(path)) return [];
  return attempt('list', path, () => [...current.readdirSync(path)].sort());
}

/** Creates a file that must not exist yet, whole and durable from the first moment on. @returns false when it exists */
export function createExclusively(path: string, text: string): boolean {
  const temporary = temporaryBeside(path);
  try {
    writeNewFile(temporary, toBytes(text));
    // link(2) fails when the name is taken, and never shows an empty file as open(O_EXCL) before the first write does
    current.linkSync(temporary, path);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST') return false;
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS') {
      return createWithoutLink(path, text);
    }
    return attempt('create', path, () => {
      throw error;
    });
  } finally {
    try {
      current.rmSync(temporary, { recursive: true, force: true });
    } catch {
      // removeStaleTemporaries removes it
    }
  }
}

/** For file systems without hard links. */
function createWithoutLink(path: string, text: string): boolean {
  try {
    writeNewFile(path, toBytes(text));
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Gives a file another name; false when it is not there any more. */
export function moveFile(from: string, to: string): boolean {
  try {
    current.renameSync(from, to);
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    return attempt('move', from, () => {
      throw error;
    });
  }
}

/** Gives a file or directory another name in another directory of the same file system, durably. */
export function moveDurably(from: string, to: string): void {
  attempt('move', from, () => current.renameSync(from, to));
  for (const directory of new Set([dirname(to), dirname(from)])) syncDirectory(directory);
}
