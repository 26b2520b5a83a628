/**
 * A worker: takes a core, then one waiting job after the other, until none waits. It is a process of its own that outlives
 * the server; what a job does is done by the command line, as a user would start it.
 */
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { errorMessage } from '../../errors.js';
import { assertLocked, type Lock, takeLock, LockedError, releaseLock } from '../../io/lock.js';
import { exists, makeDirectory, readText } from '../../io/files.js';
import { parseJsonStrict } from '../../io/json.js';
import { startLogged } from '../../jobs/detached.js';
import {
  isCancelled,
  lockOf,
  LOG_FILE,
  queuedJobs,
  readBegun,
  readEnd,
  readJob,
  slotOf,
  slotsFolder,
  type StoredJob,
  writeBegun,
  writeInput,
  writeEnd,
  writeProgress,
} from './files.js';
import type { Folders } from './folders.js';
import { CORES, FILE, planJob } from './plan.js';

export interface WorkerOptions extends Folders {
  readonly jobs: string;
  /** jobs that run at once, over all workers */
  readonly cores: number;
  /** absolute path of the command line */
  readonly cli: string;
}

const LOOK_MS = 250;
/** From the request to stop until the command is killed: it publishes a checkpoint first. */
const GRACE_MS = 60_000;

/** Returns when no job waits, or at once where every core is taken. */
export async function work(options: WorkerOptions): Promise<void> {
  const { jobs, cores } = options;
  makeDirectory(slotsFolder(jobs));
  const slot = takeSlots(jobs, cores, 1).at(0);
  if (slot === undefined) return;
  try {
    for (;;) {
      const next = takeNext(jobs);
      if (next === undefined) return;
      await perform(next.id, next.job, next.lock, slot, options);
    }
  } finally {
    releaseLock(slot);
  }
}

/** Locks of up to so many free slots. */
function takeSlots(jobs: string, cores: number, most: number): Lock[] {
  const taken: Lock[] = [];
  for (let slot = 0; slot < cores && taken.length < most; slot++) {
    const lock = tryLock(slotOf(jobs, slot), 'runs jobs of the viewer');
    if (lock !== undefined) taken.push(lock);
  }
  return taken;
}

function tryLock(path: string, text: string): Lock | undefined {
  try {
    return takeLock(path, text);
  } catch (error) {
    if (error instanceof LockedError) return undefined;
    throw error;
  }
}

/** The oldest job that waits, locked. */
function takeNext(jobs: string): { id: string; job: StoredJob; lock: Lock } | undefined {
  for (const id of queuedJobs(jobs)) {
    const lock = tryLock(lockOf(jobs, id), 'runs this job');
    if (lock === undefined) continue;
    const job = readJob(jobs, id);
    // another worker may have been quicker, or somebody does not want it any more
    const isOpen =
      readEnd(jobs, id) === undefined && readBegun(jobs, id) === undefined && !isCancelled(jobs, id);
    if (job !== undefined && isOpen) return { id, job, lock };
    releaseLock(lock);
  }
  return undefined;
}

async function perform(
  id: string,
  job: StoredJob,
  lock: Lock,
  slot: Lock,
  options: WorkerOptions,
): Promise<void> {
  const { jobs, cores, cli } = options;
  const more = takeSlots(jobs, cores, job.cores - 1);
  const own = 1 + more.length;
  try {
    writeBegun(jobs, id, own);
    const planned = planJob(job.request, options);
    const file = planned.file === undefined ? '' : writeInput(jobs, id, planned.file);
    const args = planned.args.map((word) => (word === CORES ? String(own) : word === FILE ? file : word));
    const code = await run(id, args, [lock, slot, ...more], { jobs, cli });
    const outcome = code === 0 ? 'done' : isCancelled(jobs, id) ? 'cancelled' : 'failed';
    writeEnd(jobs, id, { outcome, reason: outcome === 'failed' ? reasonOf(jobs, id, code) : null });
  } catch (error) {
    writeEnd(jobs, id, { outcome: 'failed', reason: errorMessage(error) });
  } finally {
    for (const one of [lock, ...more]) releaseLock(one);
  }
}

/** @returns the exit code; null: killed */
function run(
  id: string,
  args: readonly string[],
  locks: readonly Lock[],
  { jobs, cli }: Pick<WorkerOptions, 'jobs' | 'cli'>,
): Promise<number | null> {
  const { child, progress } = startLogged(cli, args, join(jobs, id, LOG_FILE));
  createInterface({ input: progress }).on('line', (line) => {
    try {
      writeProgress(jobs, id, parseJsonStrict(line, { where: 'progress' }));
    } catch {
      // a torn line, or a folder that is gone: the next one says more
    }
  });
  let stopAt: number | undefined;
  const timer = setInterval(() => {
    try {
      for (const lock of locks) assertLocked(lock);
    } catch {
      child.kill('SIGTERM');
    }
    if (!isCancelled(jobs, id)) return;
    if (stopAt === undefined) {
      stopAt = performance.now();
      child.kill('SIGTERM');
    } else if (performance.now() - stopAt > GRACE_MS) child.kill('SIGKILL');
  }, LOOK_MS);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code));
  }).finally(() => clearInterval(timer)) as Promise<number | null>;
}

/** The sentence of the command line, which is the last it says. */
function reasonOf(jobs: string, id: string, code: number | null): string {
  const path = join(jobs, id, LOG_FILE);
  const lines = exists(path)
    ? readText(path, 64 << 20)
        .split('\n')
        .filter((line) => line.trim() !== '')
    : [];
  const said = lines.findLast((line) => line.startsWith('sumlens: '))?.slice('sumlens: '.length);
  return (said ?? lines.at(-1) ?? `It ended with ${code === null ? 'a signal' : `code ${code}`}.`).slice(
    0,
    1000,
  );
}
