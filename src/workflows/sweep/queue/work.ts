/**
 * A worker's side of a queue: takes jobs and trains them in child processes. This process only waits, so that the lock of a job
 * is renewed however long a run computes; a child is BullMQ's sandbox in all but name, and ends with its worker.
 */
import type { Job, Worker } from 'bullmq';
import { runId } from '../../../config/names.js';
import { parseRunConfig } from '../../../config/parse.js';
import { errorMessage, UserError } from '../../../errors.js';
import type { EngineChoice } from '../../../train/train-run.js';
import { attemptInChild } from '../child.js';
import type { Attempt } from '../pool.js';
import { openServer } from './connection.js';
import type { Answer, QueuedRun } from './messages.js';

export interface WorkOptions {
  readonly url: URL;
  /** the checkpoints folder */
  readonly root: string;
  readonly engine: EngineChoice;
  /** runs at a time */
  readonly parallel: number;
  /** end after so long without a job; default: never */
  readonly idleMs?: number | undefined;
  readonly signal: AbortSignal;
  readonly onNote?: (text: string) => void;
}

/** A job whose worker was killed is free again after the lock has run out and another worker has looked. */
const LOCK_MS = 10_000;
const STALLED_LOOK_MS = 5000;
/** A job that has killed so many workers is poison: it fails. */
export const MOST_STALLED = 10;
/** Another process still holds the run: one whose lock was lost while it computes. */
const HELD_WAIT_MS = 2000;
const MOST_HELD_MS = 10 * 60_000;

/** Works until the signal, or until there was nothing to do for a while. @returns jobs done */
export async function workOnQueue(options: WorkOptions): Promise<number> {
  const server = await openServer(options.url);
  let done = 0;
  let working = 0;
  let lastBusy = performance.now();
  const worker: Worker<QueuedRun, Answer> = server.openWorker<QueuedRun, Answer>(
    async (job, token) => {
      working++;
      try {
        const end = await trainJob(job, options);
        if (end.kind !== 'interrupted') return end;
        // stopped by the user: another worker goes on from its last checkpoint
        await job.moveToWait(token);
        throw new server.bullmq.WaitingError();
      } finally {
        working--;
        lastBusy = performance.now();
      }
    },
    {
      concurrency: options.parallel,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_LOOK_MS,
      maxStalledCount: MOST_STALLED,
    },
  );
  worker.on('completed', (job, answer) => {
    done++;
    const name = runId(job.data.config);
    options.onNote?.(answer.kind === 'finished' ? `${name} finished` : `${name} failed: ${answer.message}`);
  });
  let isAway = false;
  worker.on('error', (error) => {
    if (!isAway) options.onNote?.(`queue: ${errorMessage(error)}; going on when it is back`);
    isAway = true;
  });
  worker.on('ready', () => {
    isAway = false;
  });
  await untilOver(options, () => (working > 0 ? 0 : performance.now() - lastBusy));
  await closeSoon(worker);
  server.disconnect();
  return done;
}

/** Until the signal, or until it has been idle for too long. */
async function untilOver({ signal, idleMs = Infinity }: WorkOptions, idle: () => number): Promise<void> {
  while (!signal.aborted && idle() < idleMs) await new Promise((resolve) => setTimeout(resolve, 100));
}

/** Waits for jobs that are ending, and not for a server that is away. */
async function closeSoon(worker: Worker<QueuedRun, Answer>): Promise<void> {
  await Promise.race([
    worker.close().catch(() => undefined),
    new Promise((resolve) => setTimeout(resolve, 35_000).unref()),
  ]);
}

async function trainJob(job: Job<QueuedRun, Answer>, options: WorkOptions): Promise<Attempt> {
  const { root, engine, signal } = options;
  const { sweep, modules, givesMoments } = job.data;
  try {
    const config = parseRunConfig(job.data.config, `job ${job.id ?? ''}`);
    const begin = performance.now();
    for (;;) {
      const end = await attemptInChild(
        { config, modules, ...(givesMoments === true && { givesMoments }) },
        {
          root,
          engine,
          sweep,
          signal,
          // lost when the server is away, as nothing depends on it
          onProgress: (progress) => void job.updateProgress({ ...progress }).catch(() => undefined),
        },
      );
      const isHeld = end.kind === 'failed' && / is held by process \d+ /.test(end.message);
      if (!isHeld || performance.now() - begin > MOST_HELD_MS || signal.aborted) return end;
      await new Promise((resolve) => setTimeout(resolve, HELD_WAIT_MS));
    }
  } catch (error) {
    return { kind: 'failed', message: errorMessage(error), final: error instanceof UserError };
  }
}
