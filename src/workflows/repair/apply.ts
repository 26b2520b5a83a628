/** Does what a plan says. Each run under its own claim, so that no process trains it meanwhile. */
import { basename, dirname, join } from 'node:path';
import { cutTail, moveAside, moveFileAside, openRun, restoreManifest } from '../../checkpoint/store.js';
import { errorMessage } from '../../errors.js';
import { exists, makeDirectory, moveDurably, removeStaleTemporaries } from '../../io/files.js';
import { randomLetters } from '../../io/unique.js';
import type { Action, RepairPlan, RunPlan } from './plan.js';

export interface Applied {
  readonly done: readonly Action[];
  /** sentences: a run that a process took meanwhile, a full disk */
  readonly failed: readonly string[];
}

export function applyRepair({ runs, others }: RepairPlan): Applied {
  const done: Action[] = [];
  const failed: string[] = [];
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      failed.push(errorMessage(error));
    }
  };
  for (const plan of runs) attempt(() => repairRun(plan, (action) => done.push(action)));
  for (const action of others) {
    attempt(() => {
      if (action.kind === 'sweep') removeStaleTemporaries(dirname(action.path));
      else moveCacheEntry(action.path);
      done.push(action);
    });
  }
  return { done, failed };
}

function repairRun({ dir, actions }: RunPlan, onDone: (action: Action) => void): void {
  const store = openRun(dir);
  // a stale lock is taken over, and gone afterwards
  const release = store.lock('repair', { waitMs: 0, tidies: false });
  try {
    if (actions.some(({ kind }) => kind === 'sweep')) store.sweep();
    for (const action of actions) {
      const { kind, path, step = 0, text = '', manifestSha256 } = action;
      if (kind === 'cut-tail') cutTail(store, basename(path));
      else if (kind === 'restore-manifest') restoreManifest(store, step, text);
      else if (kind === 'move-step') moveAside(store, 'steps', step, manifestSha256);
      else if (kind === 'move-resume') moveAside(store, 'resume', step);
      else if (kind === 'move-file' && exists(path)) moveFileAside(store, basename(path));
      onDone(action);
    }
  } finally {
    release();
  }
}

/** Into `.cache/.damaged/`, which nothing reads. */
function moveCacheEntry(path: string): void {
  const module = dirname(path);
  const folder = join(dirname(module), '.damaged');
  makeDirectory(folder);
  moveDurably(path, join(folder, `${basename(module)}-${basename(path)}-${randomLetters()}`));
}
