/**
 * Exclusive locks: one process at a time may write in a directory. A lock is a small file with the holder's identity;
 * that of a process which has ended is taken over. Whoever cannot be seen from here (another host, another container) is
 * taken to be alive while it keeps the file's time up to date.
 */
import { basename, dirname } from 'node:path';
import { RunError, errorCode, printable } from '../errors.js';
import {
  ageMs,
  createExclusively,
  exists,
  listDirectory,
  moveFile,
  readText,
  removeTree,
  temporaryBeside,
  touch,
} from './files.js';
import { canonicalJson, parseJsonStrict } from './json.js';
import { millisecondsSince, now, randomLetters } from './unique.js';
import { fateOf, ownIdentity, type ProcessIdentity } from './process-identity.js';

export interface Lock {
  readonly path: string;
  /** the exact content of the file while the lock is held */
  readonly content: string;
}

export interface LockHolder extends ProcessIdentity {
  /** what the holder wrote about itself */
  readonly text: string;
}

/** Someone else holds the lock. */
export class LockedError extends RunError {
  override readonly name = 'LockedError';
  constructor(
    readonly path: string,
    readonly holder: LockHolder,
  ) {
    super(
      `${printable(path, 300)} is held by process ${holder.pid} on ${printable(holder.host)} (${printable(holder.text)}). ` +
        'Wait until it ends, or stop it; if that machine or container is gone, delete the file, or wait an hour.',
    );
  }
}

/** Times that a lock may be seen to be there and then gone. */
const MOST_VANISHED = 1000;
/**
 * How long a lock that is gone may be in the hands of somebody who took it for stale and gives it back: a process that
 * is starved or stopped between the two renames takes its time.
 */
const GIVEN_BACK_MS = 10_000;
/** After how long a lock that is gone, and in nobody's hands, counts as lost. */
const LOST_MS = 100;

/** A holder that cannot be seen and did not touch its file for so long is taken to be gone. */
const ABANDONED_MS = 3_600_000;
/** How often a lock's time is brought up to date, at most. */
const REFRESH_MS = 30_000;

const refreshedAt = new WeakMap<Lock, number>();

/** Contents of locks of this process that could not be found when they were given up: when they come back, nobody holds them. */
const givenUpUnseen = new Set<string>();

/**
 * Takes the lock at `path`, or throws a LockedError that names the live holder.
 * @param text - what this process does, for the other's message
 * @param options.waitMs - keep trying for so long (blocks this thread): a holder that was just killed needs a moment
 */
export function takeLock(path: string, text: string, options: { waitMs?: number } = {}): Lock {
  const content = canonicalJson({ ...ownIdentity(), token: randomLetters(), text });
  let vanished = 0;
  for (let waited = 0; ;) {
    if (createExclusively(path, content)) return { path, content };
    // given up since: not stale, so that whoever has it next is left alone. A broken link is there for ever, and is moved
    if (!exists(path) && vanished++ < MOST_VANISHED) continue;
    const holder = lockHolder(path);
    if (holder === undefined || isGivenUp(path, holder)) removeStale(path);
    else if (waited >= (options.waitMs ?? 0)) throw new LockedError(path, holder);
    else {
      sleep(50);
      waited += 50;
    }
  }
}

/** Who holds the lock now; undefined when nobody that is alive does. */
export function lockHolder(path: string): LockHolder | undefined {
  const holder = readHolder(path);
  return holder !== undefined && holds(path, holder) ? holder : undefined;
}

function holds(path: string, holder: ProcessIdentity): boolean {
  const fate = fateOf(holder);
  return fate === 'alive' || (fate === 'unknown' && (ageMs(path) ?? 0) < ABANDONED_MS);
}

/**
 * Throws a RunError unless the lock is still this one: every publish and every append under a lock asks first. Shows
 * those who cannot see this process that it is at work.
 */
export function assertLocked(lock: Lock): void {
  if (!exists(lock.path) || readText(lock.path) !== lock.content) {
    throw new RunError(
      `${printable(lock.path, 300)} is no longer held by this process: another one took over. Nothing was written.`,
    );
  }
  if (millisecondsSince(refreshedAt.get(lock) ?? 0) < REFRESH_MS) return;
  refreshedAt.set(lock, now().getTime());
  touch(lock.path);
}

/** True for a lock of this process that came back after it was given up, see removeStale. */
function isGivenUp(path: string, holder: ProcessIdentity): boolean {
  if (holder.pid !== ownIdentity().pid || givenUpUnseen.size === 0) return false;
  try {
    return givenUpUnseen.has(readText(path));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return false;
  }
}

/** Gives the lock up; fine when it was lost. */
export function releaseLock(lock: Lock): void {
  for (let waited = 0; waited <= GIVEN_BACK_MS; waited += 10) {
    try {
      if (exists(lock.path)) {
        if (readText(lock.path) === lock.content) removeTree(lock.path);
        return;
      }
      // looked for once more: it may have been given back after the first look
      if (waited >= LOST_MS && !isInHand(lock.path) && !exists(lock.path)) break;
    } catch (error) {
      // moved away between two of these calls, see removeStale
      if (errorCode(error) !== 'ENOENT') throw error;
    }
    sleep(10);
  }
  givenUpUnseen.add(lock.content);
}

/** True while somebody has moved the lock aside, or is writing one. */
function isInHand(path: string): boolean {
  const prefix = `.tmp-${basename(path)}-`;
  return listDirectory(dirname(path)).some((name) => name.startsWith(prefix));
}

/** Removes a dead holder's file, by a rename that only one of several processes wins. */
function removeStale(path: string): void {
  const aside = temporaryBeside(path);
  if (!moveFile(path, aside)) return;
  const moved = readHolder(aside);
  // between our look and our move somebody else may have removed the stale file and taken the lock: give it back
  if (moved !== undefined && holds(aside, moved) && !isGivenUp(aside, moved))
    createExclusively(path, readText(aside));
  removeTree(aside);
}

/** The identity in a lock file; undefined when the file is missing or was not written by takeLock. */
function readHolder(path: string): LockHolder | undefined {
  if (!exists(path)) return undefined;
  let content: unknown;
  try {
    content = parseJsonStrict(readText(path, 65536), { where: path, blame: 'file' });
  } catch {
    return undefined;
  }
  if (typeof content !== 'object' || content === null) return undefined;
  const { host, pid, started, namespace, text } = content as Partial<Record<string, unknown>>;
  if (typeof host !== 'string' || typeof pid !== 'number' || typeof text !== 'string') return undefined;
  if (!Number.isSafeInteger(pid) || pid < 1) return undefined;
  const known = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return { host, pid, started: known(started), namespace: known(namespace), text };
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
