/** Reads everything in a run directory and says what is wrong with it. Changes nothing. */
import { basename, join } from 'node:path';
import { printable } from '../errors.js';
import { lockHolder } from '../io/lock.js';
import { exists, isDirectory, isLeftOver, listDirectory } from '../io/files.js';
import { wholeLines } from '../io/log-files.js';
import { sha256Hex } from '../io/sha256.js';
import { finding, type Finding } from './finding.js';
import { MANIFEST, readVerified, type Manifest } from './manifest.js';
import {
  DROPPED_FILE,
  END_FILE,
  LOCK_FILE,
  LostRowsError,
  METRICS_FILE,
  SESSIONS_FILE,
  TIMING_FILE,
  checkMetrics,
  isLogLine,
  listSteps,
  logBytes,
  readEnd,
  readJsonLines,
  stepDirectory,
  type RunEnd,
} from './run-files.js';
import type { RunStore } from './run-store.js';

/** A published step that was read whole. */
export interface VerifiedStep {
  readonly step: number;
  /** [arenaSize] float32 in parameterTable layout */
  readonly parameters: Float32Array;
  readonly weightsSha256: string;
}

const AGAIN = 'Run "sumlens repair" on this run, or train it again.';
const RETRAIN = 'Restore it, or train the run again.';

/** @param onStep - is given every step that is whole, in the order of their numbers */
export function verifyRun(
  store: RunStore,
  onStep: (step: VerifiedStep) => void = () => undefined,
): Finding[] {
  const findings: Finding[] = [];
  const add = (found: Finding): void => void findings.push(found);
  checkSteps(store, onStep, add);
  checkResumePoints(store, add);
  const end = checkEnd(store, add);
  checkLogs(store, end, add);
  checkLock(store.dir, add);
  for (const part of ['.', 'steps', 'resume']) checkLeftovers(join(store.dir, part), add);
  return findings;
}

type Add = (found: Finding) => void;

function checkSteps(store: RunStore, onStep: (step: VerifiedStep) => void, add: Add): void {
  checkNames(store, 'steps', add);
  const holders = new Map<string, number>();
  let previous: { readonly step: number; readonly sha256: string | undefined } | undefined;
  for (const step of listSteps(store.dir, 'steps')) {
    const directory = stepDirectory(store.dir, 'steps', step);
    const before = previous;
    previous = { step, sha256: undefined };
    if (store.isMovedAside(step)) {
      previous = { step, sha256: store.movedManifest(step) };
      add(
        finding('moved-aside', directory, {
          step,
          level: 'note',
          problem: `the weights of step ${step} were moved aside as damaged, and no others took their place.`,
          remedy: 'Run "sumlens repair --retrain" on this run and train it again, if they are needed.',
        }),
      );
      continue;
    }
    let manifest: Manifest;
    try {
      ({ manifest } = store.stepManifest(step));
    } catch (error) {
      add(finding('damaged-manifest', join(directory, MANIFEST), { step, problem: error, remedy: AGAIN }));
      continue;
    }
    previous = { step, sha256: manifest.sha256 };
    const expected = before === undefined ? null : before.sha256;
    // of a manifest that cannot be read nothing is known to compare with
    if (expected !== undefined && manifest.parent !== expected) {
      add(
        finding('broken-chain', directory, {
          step,
          problem: `its manifest names another parent than step ${before?.step ?? 'none'}: one of them was changed.`,
          remedy: RETRAIN,
        }),
      );
    }
    checkUnlisted(directory, manifest, add);
    if (exists(join(directory, DROPPED_FILE))) continue;
    let loaded: VerifiedStep;
    try {
      for (const name of manifest.files.keys()) readVerified(directory, manifest, name);
      loaded = store.readStep(step, manifest);
    } catch (error) {
      add(finding('damaged-step', directory, { step, problem: error, remedy: AGAIN }));
      continue;
    }
    // the mistake of serving one file under many step names has happened to published collections
    const twin = holders.get(loaded.weightsSha256);
    if (twin === undefined) holders.set(loaded.weightsSha256, step);
    else {
      add(
        finding('shared-weights', directory, {
          step,
          problem: `${store.name}: steps ${twin} and ${step} hold the same weights, expected other weights after an update.`,
          remedy: RETRAIN,
        }),
      );
    }
    const bad = loaded.parameters.findIndex((value) => !Number.isFinite(value));
    if (bad !== -1) {
      add(
        finding('not-finite', directory, {
          step,
          problem: `${store.name}@${step}: parameter ${bad} is ${loaded.parameters[bad]}, expected a finite number.`,
          remedy: RETRAIN,
        }),
      );
    }
    onStep(loaded);
  }
}

function checkNames(store: RunStore, part: 'steps' | 'resume', add: Add): void {
  const known = new Set(listSteps(store.dir, part).map((step) => basename(stepDirectory('', part, step))));
  for (const name of listDirectory(join(store.dir, part))) {
    if (name.startsWith('.') || known.has(name)) continue;
    add(
      finding('stray', join(store.dir, part, name), {
        problem: 'is no step, expected directories such as 000064 alone.',
        remedy: 'Move it out of the run: nothing reads it.',
      }),
    );
  }
}

function checkUnlisted(directory: string, manifest: Manifest, add: Add): void {
  for (const name of listDirectory(directory)) {
    if (name === MANIFEST || name === DROPPED_FILE || name.startsWith('.') || manifest.files.has(name))
      continue;
    add(
      finding('stray', join(directory, name), {
        problem: 'is not listed by the manifest, expected its files alone.',
        remedy: 'Move it out of the run: nothing reads it.',
      }),
    );
  }
}

/** Model, moments, and what the trainer goes on from; batches need no state of their own. */
function checkResumePoints(store: RunStore, add: Add): void {
  checkNames(store, 'resume', add);
  for (const step of listSteps(store.dir, 'resume')) {
    const directory = stepDirectory(store.dir, 'resume', step);
    try {
      store.loadResume(step);
    } catch (error) {
      const isWhole = error instanceof LostRowsError;
      const remedy = isWhole
        ? 'Restore the rows, or start the run: it goes on from an earlier point and writes them again.'
        : 'Run "sumlens repair" on this run: training goes on from the point before.';
      add(finding(isWhole ? 'lost-rows' : 'damaged-resume', directory, { step, problem: error, remedy }));
    }
  }
}

function checkEnd(store: RunStore, add: Add): RunEnd | undefined {
  let end: RunEnd | undefined;
  const path = join(store.dir, END_FILE);
  try {
    end = readEnd(store.dir);
  } catch (error) {
    add(finding('damaged-end', path, { problem: error, remedy: RETRAIN }));
  }
  const isOver = end !== undefined && end.reason !== 'interrupted' && end.reason !== 'diverged';
  if (isOver && store.lastStep !== end?.step) {
    add(
      finding('no-last-step', path, {
        problem: `${store.name}: ended at step ${end?.step ?? 0}, but the last checkpoint is ${store.lastStep ?? 'missing'}.`,
        remedy: 'Run "sumlens repair --retrain" on this run and train it again.',
      }),
    );
  }
  return end;
}

/** A torn tail, the mark of a crash, apart from damage that no crash leaves. */
function checkLogs(store: RunStore, end: RunEnd | undefined, add: Add): void {
  for (const name of [METRICS_FILE, TIMING_FILE, SESSIONS_FILE]) {
    const path = join(store.dir, name);
    try {
      const bytes = logBytes(path);
      const whole = wholeLines(bytes, isLogLine);
      const expected = name === METRICS_FILE ? end?.metricsSha256 : undefined;
      const isTorn =
        whole < bytes.length && (expected === undefined || sha256Hex(bytes.subarray(0, whole)) === expected);
      if (isTorn) {
        add(
          finding('torn-tail', path, {
            level: 'note',
            problem: `the last ${bytes.length - whole} bytes are no whole line, expected one: a crash leaves such a tail.`,
            remedy: 'Readers pass over it; the next start, or "sumlens repair", cuts it off.',
          }),
        );
      } else if (name === METRICS_FILE) checkMetrics(path, end);
      readJsonLines(path, () => true);
    } catch (error) {
      add(finding('damaged-log', path, { problem: error, remedy: RETRAIN }));
    }
  }
}

function checkLock(dir: string, add: Add): void {
  const path = join(dir, LOCK_FILE);
  if (!exists(path)) return;
  const holder = lockHolder(path);
  if (holder === undefined) {
    add(
      finding('stale-lock', path, {
        level: 'note',
        problem: 'names a process that has ended, expected a live one or no lock.',
        remedy: 'The next start takes it over; "sumlens repair" removes it.',
      }),
    );
    return;
  }
  add(
    finding('live-lock', path, {
      level: 'note',
      problem: `is held by process ${holder.pid} on ${printable(holder.host)} (${printable(holder.text)}): what it is writing now may look like damage.`,
      remedy: 'Verify again when it has ended.',
    }),
  );
}

/** What a crash left in a directory. */
export function checkLeftovers(directory: string, add: Add): void {
  if (!isDirectory(directory)) return;
  for (const name of listDirectory(directory)) {
    const isOld = name.startsWith('.old-');
    if (!isOld && !isLeftOver(directory, name)) continue;
    add(
      finding('leftover', join(directory, name), {
        level: 'note',
        problem: isOld
          ? 'was moved aside by a process that ended before it had finished.'
          : 'was being written by a process that has ended.',
        remedy: 'The next start, or "sumlens repair", sweeps it.',
      }),
    );
  }
}

/** One sentence for each problem, for callers that print it. */
export const problemsOf = (findings: readonly Finding[]): string[] => [
  ...new Set(findings.filter(({ level }) => level === 'error').map(({ problem }) => problem)),
];
