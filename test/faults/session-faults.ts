/**
 * P2 and P10: one whole session of a run (lock, logs, steps, resume points, what retention gives up, end) with a fault
 * at one of its file operations: a crash before, after or in the middle of it, with unsynced data dropped; or an error of
 * the system, once or from there on. Afterwards every step published before loads, the newest resume point is one of the
 * two that may be, nothing torn is visible, and the same work goes on to the same bytes.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { createOrOpenRun, openRun, type RunStore } from '../../src/checkpoint/store.js';
import { FileError, withFileSystem } from '../../src/io/files.js';
import { Crash, FaultyFileSystem, walk, type Fault } from '../io/faulty-file-system.js';
import { sameNumbers, SMALL_RUN, stateAt, weightsAt } from './small-run.js';
import { inFolderSync, must, Tally, type Outcome, type Trial } from './trial.js';

const CODES = ['ENOSPC', 'EIO', 'EROFS', 'EACCES', 'EMFILE'] as const;
const STEPS = [0, 64, 256];
const POINTS = [50, 100, 150];

function open(root: string): RunStore {
  return createOrOpenRun(root, SMALL_RUN);
}

/** What a training does with its files, from where an earlier session stopped. */
function session(root: string): void {
  const store = open(root);
  const release = store.lock();
  const resume = store.latestResume();
  const from = resume?.step ?? 0;
  store.clearEnd();
  store.dropMetricsAfter(from, resume?.metricsBytes ?? 0);
  store.appendSession({ engine: 'native', fromStep: from });
  const events = [
    ...STEPS.map((step) => ({ step, resume: false })),
    ...POINTS.map((step) => ({ step, resume: true })),
  ]
    .filter(({ step, resume: isPoint }) => step > from || (step === 0 && !isPoint))
    .sort((a, b) => a.step - b.step);
  for (const event of events) {
    if (event.step > 0) store.appendMetrics({ kind: 'train', step: event.step, lossNats: 1 });
    store.appendTiming({ step: event.step, elapsedMs: event.step });
    if (event.resume) store.publishResume(event.step, stateAt(event.step), { at: event.step });
    else store.publishStep(event.step, weightsAt(event.step));
  }
  store.writeEnd({ reason: 'budget', step: 256 });
  release();
}

/** Files that must be the same however the run came to its end; of resume points the newest, older ones may be left. */
function bytesOf(root: string): string {
  const store = open(root);
  const newest = String(store.resumeSteps().at(-1)).padStart(6, '0');
  return walk(store.dir)
    .map((path) => ({ path, name: path.slice(store.dir.length + 1) }))
    .filter(({ name }) => !/^(timing|sessions)\.jsonl$|^lock$/.test(name))
    .filter(({ name }) => !name.startsWith('resume/') || name.startsWith(`resume/${newest}/`))
    .map(({ path, name }) => `${name} ${fs.readFileSync(path, 'latin1')}`)
    .sort()
    .join('\n');
}

/** Everything that is visible is whole. */
function mustBeWhole(root: string): void {
  const names = fs.existsSync(root) ? fs.readdirSync(root).filter((name) => !name.startsWith('.')) : [];
  if (names.length === 0) return;
  const store = openRun(join(root, names[0]));
  for (const step of store.steps()) {
    must(sameNumbers(store.loadStep(step).parameters, weightsAt(step)), `step ${step} holds other weights`);
  }
  for (const step of store.resumeSteps()) {
    // one that was moved aside to be replaced or given up is not visible
    must(
      sameNumbers(store.loadResume(step).state.m, stateAt(step).m),
      `resume point ${step} holds another state`,
    );
  }
}

interface Case {
  readonly fault: Fault;
  readonly name: string;
}

function tryCase({ fault }: Case, expected: string): void {
  inFolderSync((root) => {
    const faulty = new FaultyFileSystem(fault);
    let error: unknown;
    try {
      withFileSystem(faulty, () => session(root));
    } catch (thrown) {
      error = thrown;
    }
    // without synced directories nothing is promised of a power cut, only of a process that ends
    if (fault.kind !== 'no-directory-sync') faulty.settle(root);
    const isCrash =
      fault.kind === 'crash' || (fault.kind === 'no-directory-sync' && fault.crashAt !== undefined);
    if (isCrash) must(error instanceof Crash, 'the planted crash did not come');
    else if (fault.kind === 'no-directory-sync') must(error === undefined, String(error));
    else if (error !== undefined) mustBeClear(error, fault);
    // the lock of a process that lives is its own: it ends with the process, which here goes on
    for (const path of walk(root).filter((name) => name.endsWith('/lock'))) fs.rmSync(path);
    mustBeWhole(root);
    session(root);
    must(bytesOf(root) === expected, 'the run does not end in the bytes of an undisturbed one');
    const left = walk(root).filter((path) => /\/\.(tmp|old)-/.test(path));
    must(left.length === 0, `left behind: ${left.join(', ')}`);
  });
}

function mustBeClear(error: unknown, fault: Fault): void {
  const text = error instanceof Error ? error.message : String(error);
  must(error instanceof FileError, `found ${text}, expected an error of a file`);
  const reason = 'code' in fault ? `(${fault.code})` : 'the system took 0 of';
  must(text.includes(reason) && !text.includes('\n'), `not one line with ${reason}: ${text}`);
}

function operationsOf(): number {
  return inFolderSync((root) => {
    const counting = new FaultyFileSystem({ kind: 'none' });
    withFileSystem(counting, () => session(root));
    return counting.operations;
  });
}

function casesOf(faultsAt: (at: number) => readonly Fault[]): Case[] {
  return Array.from({ length: operationsOf() }, (_, at) => faultsAt(at))
    .flat()
    .map((fault) => ({ fault, name: JSON.stringify(fault) }));
}

/** Every n-th case, so that at most `count` are tried. */
function tryCases(cases: readonly Case[], trial: Trial): Outcome {
  const stride = Math.max(1, Math.ceil(cases.length / trial.count));
  const chosen = cases.filter((_, i) => i < 4 || (i + trial.seed) % stride === 0);
  const tally = new Tally({ ...trial, count: chosen.length });
  const expected = inFolderSync((root) => {
    session(root);
    return bytesOf(root);
  });
  for (const one of chosen) tally.runSync(one.name, () => tryCase(one, expected));
  return tally.outcome(`${chosen.length} of ${cases.length} cases`);
}

/** P2. The trial's count is an upper limit: all cases are those of every operation. */
export const tryCrashes = (trial: Trial): Outcome =>
  tryCases(
    casesOf((at) => (['before', 'after', 'torn'] as const).map((when) => ({ kind: 'crash', at, when }))),
    trial,
  );

/** P10. Also writes that take a few bytes at a time, or none. */
export const tryErrors = (trial: Trial): Outcome => {
  const errors = casesOf((at) => [
    ...CODES.map((code) => ({ kind: 'error', at, code }) as const),
    ...CODES.map((code) => ({ kind: 'errors-from', at, code }) as const),
  ]);
  const shorts = [0, 1, 7, 100].map((bytes): Fault => ({ kind: 'short', bytes }));
  return tryCases([...shorts.map((fault) => ({ fault, name: JSON.stringify(fault) })), ...errors], trial);
};

/**
 * The weaker promise: directories cannot be synced. A process that ends at any operation loses nothing (the power stays on).
 */
export const tryUnsyncedDirectories = (trial: Trial): Outcome => {
  const whole = ['EINVAL', 'EPERM', 'ENOTSUP'].map((code): Fault => ({ kind: 'no-directory-sync', code }));
  const crashes = casesOf((crashAt) => [{ kind: 'no-directory-sync', code: 'EINVAL', crashAt }]);
  return tryCases([...whole.map((fault) => ({ fault, name: JSON.stringify(fault) })), ...crashes], trial);
};
