/** Which checkpoints of a sweep stay on disk. Only runs that the sweep itself trained, alone, are ever thinned out. */
import { join } from 'node:path';
import { openRun, type RunStore } from '../../checkpoint/store.js';
import { errorMessage } from '../../errors.js';
import { exists, removeTree } from '../../io/files.js';

export const KEEPS = ['all', 'final', 'none'] as const;
export type Keep = (typeof KEEPS)[number];

/** How long another process may hold a run that is to be thinned out; it then stays as it is. */
const WAIT_MS = 0;

/**
 * Gives up what need not stay of a finished run.
 * @returns a sentence when it had to stay as it is
 */
export function thinOut(root: string, run: string, keep: Keep, sweep: string): string | undefined {
  const dir = join(root, run);
  if (keep === 'all' || !exists(dir)) return undefined;
  try {
    const store = openRun(dir);
    if (!isOwn(store, sweep)) return undefined;
    const release = store.lock('thinning out', { waitMs: WAIT_MS });
    try {
      if (keep === 'final') store.keepFinal();
      else removeTree(dir);
    } finally {
      release();
    }
  } catch (error) {
    return `${run} stays as it is: ${errorMessage(error)}`;
  }
  return undefined;
}

/** Every session was of this sweep. */
function isOwn(store: RunStore, sweep: string): boolean {
  const sessions = store.readSessions() as readonly { readonly versions?: { readonly sweep?: unknown } }[];
  return sessions.length > 0 && sessions.every(({ versions }) => versions?.sweep === sweep);
}

/**
 * Whether the end of a run lies on disk and verifies.
 * @param moments - with the moments of its optimizer
 * @returns its weights' hash, or undefined
 */
export function finalWeights(root: string, run: string, moments = false): string | undefined {
  const dir = join(root, run);
  if (!exists(dir)) return undefined;
  try {
    const store = openRun(dir);
    const { step, weightsSha256 } = store.loadStep('final');
    if (moments) store.loadResume(step);
    return weightsSha256;
  } catch {
    return undefined;
  }
}
