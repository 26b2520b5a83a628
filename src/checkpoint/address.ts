/** How a user names checkpoints: `<run>`, `<run>@0`, `<run>@64,1024`, `<run>@all`, `<run>@final`, or a path. */
import { basename, dirname, join, resolve } from 'node:path';
import { UserError, nearest, printable } from '../errors.js';
import { exists, isDirectory, listDirectory } from '../io/files.js';
import { REFERENCE } from './list.js';
import { MANIFEST } from './manifest.js';
import { CONFIG_FILE } from './run-files.js';
import { openRun } from './open-run.js';
import type { RunStore } from './run-store.js';

/** `last`: the last step that verifies; `final`: where the run ended; `all`: every published step. */
export type StepSelection = readonly number[] | 'all' | 'final' | 'last';

export interface CheckpointAddress {
  /** absolute */
  readonly runDir: string;
  readonly steps: StepSelection;
}

/**
 * @param root - the checkpoints folder
 * @throws UserError naming the nearest run
 */
export function parseCheckpointAddress(text: string, root: string): CheckpointAddress {
  // a folder's own name may hold "@"
  const whole = stepDirectoryAddress(text) ?? wholeAddress(text, root);
  if (whole !== undefined) return whole;
  const at = text.lastIndexOf('@');
  if (at === -1 || /[/\\]/.test(text.slice(at))) return { runDir: findRun(text, root), steps: 'last' };
  return { runDir: findRun(text.slice(0, at), root), steps: parseSteps(text, text.slice(at + 1)) };
}

function wholeAddress(text: string, root: string): CheckpointAddress | undefined {
  const runDir = runAt(text, root);
  return runDir === undefined ? undefined : { runDir, steps: 'last' };
}

function parseSteps(text: string, selection: string): StepSelection {
  if (selection === 'all' || selection === 'final' || selection === 'last') return selection;
  const steps = selection.split(',').map((part) => (/^\d{1,15}$/.test(part) ? Number(part) : NaN));
  if (steps.some(Number.isNaN)) {
    throw new UserError(
      `checkpoint "${printable(text)}": found "${printable(selection)}" after "@", expected steps such as 0 or 64,1024, or all, final or last.`,
    );
  }
  return [...new Set(steps)].sort((a, b) => a - b);
}

/** `.../<run>/steps/000064` */
function stepDirectoryAddress(text: string): CheckpointAddress | undefined {
  const path = resolve(text);
  const steps = dirname(path);
  if (basename(steps) !== 'steps' || !/^\d{6,15}$/.test(basename(path)) || !exists(join(path, MANIFEST))) {
    return undefined;
  }
  return { runDir: dirname(steps), steps: [Number(basename(path))] };
}

/** Absolute path of the run that a name or path means; undefined when there is none. */
function runAt(run: string, root: string): string | undefined {
  const isPlain = (part: string): boolean =>
    part !== '' && part !== '.' && part !== '..' && !/[\\\0]/.test(part);
  const here = join(root, run);
  const shipped = join(root, REFERENCE, run);
  // `exp/run`: a path from here, or below the checkpoints folder as the viewer lists it
  const candidates = !run.split('/').every(isPlain)
    ? [run]
    : run.includes('/')
      ? [run, here, shipped]
      : [here, shipped, run];
  const found = candidates.find((dir) => run !== '' && !dir.includes('\0') && exists(join(dir, CONFIG_FILE)));
  return found === undefined ? undefined : resolve(found);
}

function findRun(run: string, root: string): string {
  const found = runAt(run, root);
  if (found !== undefined) return found;
  const names = [root, join(root, REFERENCE)].flatMap((folder) =>
    listDirectory(folder).filter(
      (name) => !name.startsWith('.') && isDirectory(join(folder, name)) && name !== REFERENCE,
    ),
  );
  const near = nearest(run, names) ?? names.find((name) => run !== '' && name.startsWith(run));
  const known =
    names.length === 0
      ? `${printable(root, 300)} holds no runs: train one first`
      : `${printable(root, 300)} holds ${names.slice(0, 5).join(', ')}${names.length > 5 ? `, and ${names.length - 5} more` : ''}`;
  throw new UserError(
    `checkpoint "${printable(run)}": found no such run, expected a run or a path to one; ${known}.` +
      (near === undefined ? '' : ` Did you mean ${near}?`),
  );
}

/** The steps an address stands for, ascending. @throws UserError when one is not there */
export function selectSteps(store: RunStore, selection: StepSelection): number[] {
  const steps = store.steps();
  if (selection === 'last') return [store.loadStep('last').step];
  if (selection === 'final') return [store.finalStep()];
  if (selection === 'all') {
    if (steps.length === 0)
      throw new UserError(`${store.name}: found no checkpoint, expected at least one. Train the run first.`);
    return steps;
  }
  const absent = selection.find((step) => !steps.includes(step));
  if (absent === undefined) return [...selection];
  throw new UserError(
    `${store.name}@${absent}: found no such checkpoint, expected one of ${steps.join(', ') || 'none yet'}.`,
  );
}

/** Every checkpoint that the texts name, without repetition, in their order. @throws UserError, RunError */
export function resolveCheckpoints(
  texts: readonly string[],
  root: string,
): { readonly store: RunStore; readonly step: number }[] {
  const seen = new Set<string>();
  const result: { store: RunStore; step: number }[] = [];
  for (const text of texts) {
    const { runDir, steps } = parseCheckpointAddress(text, root);
    const store = openRun(runDir);
    for (const step of selectSteps(store, steps)) {
      const key = `${runDir}@${step}`;
      if (!seen.has(key)) result.push({ store, step });
      seen.add(key);
    }
  }
  return result;
}
