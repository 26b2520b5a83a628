/**
 * What can be put right of what `verify` found, as a list to be read before anything is done. Good data are never touched; what
 * is damaged is moved into a folder `.damaged` and never deleted, but for what a crash was writing.
 */
import { basename, dirname, join } from 'node:path';
import { type Finding, openRun, rebuiltManifest, type RunStore } from '../../checkpoint/store.js';
import type { Verification } from '../verify/verify.js';

export const ACTION_KINDS = [
  'sweep',
  'unlock',
  'cut-tail',
  'restore-manifest',
  'move-step',
  'move-resume',
  'move-file',
  'move-cache-entry',
] as const;

/** One thing to do. */
export interface Action {
  readonly kind: (typeof ACTION_KINDS)[number];
  /** file or directory */
  readonly path: string;
  /** one sentence: what is done, and why nothing is lost */
  readonly says: string;
  readonly step?: number;
  /** of `restore-manifest` */
  readonly text?: string;
  /** of `move-step`: of the manifest that it had */
  readonly manifestSha256?: string;
}

export interface RunPlan {
  readonly dir: string;
  readonly actions: readonly Action[];
}

export interface RepairPlan {
  readonly runs: readonly RunPlan[];
  /** outside of runs */
  readonly others: readonly Action[];
  /** errors that nothing here mends */
  readonly left: readonly Finding[];
  /** runs that a live process holds */
  readonly held: readonly Finding[];
}

/** @param retrain - also move aside what keeps training from computing again what is damaged */
export function planRepair({ findings, runs }: Verification, retrain: boolean): RepairPlan {
  const plans: RunPlan[] = [];
  const left: Finding[] = [];
  const held: Finding[] = [];
  const isIn = (path: string, dir: string): boolean => path === dir || path.startsWith(`${dir}/`);
  for (const dir of runs) {
    const own = findings.filter(({ path }) => isIn(path, dir));
    const live = own.find(({ kind }) => kind === 'live-lock');
    if (live !== undefined) {
      held.push(live);
      continue;
    }
    const planned = planRun(dir, own, retrain);
    left.push(...planned.left);
    if (planned.actions.length > 0) plans.push({ dir, actions: planned.actions });
  }
  const outside = findings.filter(({ path }) => !runs.some((dir) => isIn(path, dir)));
  const others = outside.flatMap(actionOutside);
  left.push(...outside.filter((found) => found.level === 'error' && actionOutside(found).length === 0));
  return { runs: plans, others, left, held };
}

function actionOutside({ kind, path }: Finding): Action[] {
  if (kind === 'damaged-cache') {
    return [
      { kind: 'move-cache-entry', path, says: 'is moved aside; it is measured again when it is needed.' },
    ];
  }
  return kind === 'leftover' && basename(path).startsWith('.tmp-')
    ? [{ kind: 'sweep', path, says: 'is removed: the process that was writing it has ended.' }]
    : [];
}

function planRun(
  dir: string,
  findings: readonly Finding[],
  retrain: boolean,
): { actions: Action[]; left: Finding[] } {
  const actions: Action[] = [];
  const left: Finding[] = [];
  if (findings.some(({ kind }) => kind === 'damaged-config' || kind === 'link')) {
    return { actions, left: findings.filter(({ level }) => level === 'error') };
  }
  const store = openRun(dir);
  /** first step that is to be trained again */
  let from = Infinity;
  for (const found of findings) {
    const { kind, path, step = 0 } = found;
    switch (kind) {
      case 'leftover': {
        const says = basename(path).startsWith('.old-')
          ? 'is put back, or removed where its successor is there.'
          : 'is removed: the process that was writing it has ended.';
        actions.push({ kind: 'sweep', path, says });
        break;
      }
      case 'stale-lock':
        actions.push({ kind: 'unlock', path, says: 'is removed: its process has ended.' });
        break;
      case 'torn-tail':
        actions.push({ kind: 'cut-tail', path, says: 'loses its torn tail, which is kept in .damaged/.' });
        break;
      case 'damaged-resume':
        actions.push({ kind: 'move-resume', path, step, says: 'is moved into .damaged/.' });
        break;
      case 'damaged-manifest':
      case 'damaged-step': {
        const action = mendStep(store, found, retrain);
        if (action === undefined) left.push(withRetrain(found));
        else actions.push(action);
        if (action?.kind === 'move-step' && retrain) from = Math.min(from, step);
        break;
      }
      case 'lost-rows':
        if (retrain) from = Math.min(from, step);
        else left.push(found);
        break;
      case 'moved-aside':
        if (retrain) from = Math.min(from, step);
        break;
      case 'no-last-step':
        if (retrain) from = Math.min(from, store.end()?.step ?? 0);
        else if (!findings.some((other) => other.kind === 'damaged-step')) left.push(withRetrain(found));
        break;
      case 'damaged-log':
      case 'wrong-rows':
      case 'damaged-end':
        if (!retrain || basename(path) === 'timing.jsonl' || basename(path) === 'sessions.jsonl') {
          left.push(withRetrain(found));
          break;
        }
        from = 0;
        if (kind !== 'damaged-end' && !actions.some((action) => action.path === path)) {
          actions.push({
            kind: 'move-file',
            path,
            says: 'is moved into .damaged/; training writes it again.',
          });
        }
        break;
      default:
        if (found.level === 'error') left.push(found);
    }
  }
  if (from < Infinity) actions.push(...trainAgain(store, from, actions));
  return { actions, left };
}

const withRetrain = (found: Finding): Finding =>
  found.remedy.includes('--retrain')
    ? found
    : { ...found, remedy: 'Run "sumlens repair --retrain --yes" and train it again, or restore it.' };

/** undefined: nothing can be done without training again */
function mendStep(store: RunStore, { kind, path, step = 0 }: Finding, retrain: boolean): Action | undefined {
  const next = store.stepAfter(step);
  const named = next === undefined ? undefined : orUndefined(() => store.stepManifest(next).manifest.parent);
  if (kind === 'damaged-manifest' && typeof named === 'string') {
    const rebuilt = orUndefined(() => rebuiltManifest(store, step));
    if (rebuilt?.sha256 === named) {
      const says = `is written again: the manifest of step ${next ?? ''} names its SHA-256, which proves it.`;
      return { kind: 'restore-manifest', path, step, says, text: rebuilt.text };
    }
  }
  const directory = kind === 'damaged-manifest' ? dirname(path) : path;
  const own = orUndefined(() => store.stepManifest(step).manifest.sha256);
  const manifestSha256 = own ?? named ?? undefined;
  const isLast = next === undefined;
  const end = orUndefined(() => store.end());
  const isOver = end !== undefined && end.reason !== 'interrupted';
  // an earlier step would stand in for it, in a run that counts as finished
  if (!retrain && isLast && isOver) return undefined;
  if (!retrain && manifestSha256 === undefined) return undefined;
  const says = retrain
    ? 'is moved into .damaged/; training computes it again.'
    : 'is moved into .damaged/; a mark in its place keeps the chain of hashes, and readers are told.';
  const mark = manifestSha256 === undefined ? {} : { manifestSha256 };
  return { kind: 'move-step', path: directory, step, says, ...mark };
}

/** Resume points from a step on, and the end of the run, stand in the way of computing that step again. */
function trainAgain(store: RunStore, from: number, planned: readonly Action[]): Action[] {
  const says = `is moved into .damaged/, so that training goes on from before step ${from}.`;
  const points = store
    .resumeSteps()
    .filter((step) => step >= from)
    .map((step): Action => ({ kind: 'move-resume', path: store.resumeDirectory(step), step, says }))
    .filter(({ path }) => !planned.some((action) => action.path === path));
  const end = join(store.dir, 'end.json');
  return [...points, { kind: 'move-file', path: end, says }];
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
