/** What can be put right in a run without losing anything. Only under a lock; what is damaged is kept in `.damaged/`. */
import { basename, join } from 'node:path';
import {
  exists,
  listDirectory,
  makeDirectory,
  moveDurably,
  publishDirectory,
  readBytes,
  writeFileDurably,
} from '../io/files.js';
import { repairTail, wholeLines } from '../io/log-files.js';
import { sha256Hex } from '../io/sha256.js';
import { MANIFEST, withManifest } from './manifest.js';
import { DAMAGED_FOLDER, isLogLine, logBytes, MOVED_FILE, stepDirectory } from './run-files.js';
import { MODEL, type RunStore } from './run-store.js';

/**
 * Puts a damaged step, or resume point, into `.damaged/`. In the place of a step stands a mark with the hash of its manifest,
 * so that the chain of those around it holds.
 * @param manifestSha256 - of the manifest that the step had; undefined for a resume point, or when nothing follows the step
 * @returns where it lies now
 */
export function moveAside(
  store: RunStore,
  kind: 'steps' | 'resume',
  step: number,
  manifestSha256?: string,
): string {
  store.assertWritable();
  const from = stepDirectory(store.dir, kind, step);
  const to = freeAside(store, `${kind}-${basename(from)}`);
  if (manifestSha256 === undefined) {
    makeDirectory(join(store.dir, DAMAGED_FOLDER));
    moveDurably(from, to);
    return to;
  }
  // copied before it is replaced: a crash in between leaves two, never none
  const names = listDirectory(from).filter((name) => !name.startsWith('.'));
  publishDirectory(
    to,
    names.map((name) => ({ name, bytes: readBytes(join(from, name)) })),
  );
  publishDirectory(from, [{ name: MOVED_FILE, bytes: `${manifestSha256}\n` }], { replace: true });
  return to;
}

/** Puts one file of the run's directory into `.damaged/`. @returns where it lies now */
export function moveFileAside(store: RunStore, name: string): string {
  store.assertWritable();
  const to = freeAside(store, name);
  makeDirectory(join(store.dir, DAMAGED_FOLDER));
  moveDurably(join(store.dir, name), to);
  return to;
}

/** Cuts the torn tail of a log, which is kept in `.damaged/`. @returns bytes cut off */
export function cutTail(store: RunStore, name: string): number {
  store.assertWritable();
  const path = join(store.dir, name);
  const bytes = logBytes(path);
  const tail = bytes.subarray(wholeLines(bytes, isLogLine));
  if (tail.length === 0) return 0;
  makeDirectory(join(store.dir, DAMAGED_FOLDER));
  writeFileDurably(freeAside(store, `${name}-tail`), tail);
  return repairTail(path, isLogLine);
}

function freeAside({ dir }: RunStore, name: string): string {
  for (let n = 1; ; n++) {
    const path = join(dir, DAMAGED_FOLDER, n === 1 ? name : `${name}-${n}`);
    if (!exists(path)) return path;
  }
}

/**
 * What the manifest of a step must have been, if its weights are those it described: all of it follows from the weights, the
 * configuration and the step before. The next manifest, which names its hash, proves it.
 * @throws RunError when one of these cannot be read
 */
export function rebuiltManifest(
  store: RunStore,
  step: number,
): { readonly text: string; readonly sha256: string } {
  const bytes = readBytes(join(stepDirectory(store.dir, 'steps', step), MODEL));
  const { configSha256 } = store;
  const head = { kind: 'step', step, configSha256, parent: store.parentOf(step) } as const;
  const text = String(withManifest(head, [{ name: MODEL, bytes }])[1].bytes);
  return { text, sha256: sha256Hex(text) };
}

/** Writes the manifest of a step again. */
export function restoreManifest(store: RunStore, step: number, text: string): void {
  store.assertWritable();
  writeFileDurably(join(stepDirectory(store.dir, 'steps', step), MANIFEST), text);
}
