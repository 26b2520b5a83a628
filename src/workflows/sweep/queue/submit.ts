/**
 * The sweep's side of a queue: every run that is ready is a job; answers are collected by looking again and again, because
 * events get lost. A job that is gone, as after a restart of a server that kept nothing, is put in again: the run directory
 * is the truth, and a finished run answers at once.
 */
import type { Job, JobType, Queue } from 'bullmq';
import { runId } from '../../../config/names.js';
import type { RunConfig } from '../../../config/run-config.js';
import { errorMessage } from '../../../errors.js';
import { parseProgress } from '../../../train/train-job.js';
import type { TrainProgress } from '../../../train/pace.js';
import type { SweepRun } from '../plan/expand.js';
import type { Attempt } from '../pool.js';
import { parseResult } from '../protocol.js';
import { openServer } from './connection.js';
import { type Answer, jobId, type QueuedRun } from './messages.js';

/** Jobs of one sweep that are in the queue at a time. */
export const MOST_QUEUED = 512;
const LOOK_EVERY_MS = 500;
/** A server that is away is not waited for. */
const MOST_CLOSING_MS = 5000;
const STATES: JobType[] = ['waiting', 'active', 'delayed', 'prioritized', 'completed', 'failed'];

interface Pending {
  readonly data: QueuedRun;
  readonly resolve: (end: Attempt) => void;
  readonly onProgress: (progress: TrainProgress) => void;
}

export interface SubmitOptions {
  readonly url: URL;
  readonly sweep: string;
  readonly signal?: AbortSignal | undefined;
  readonly onNote?: (text: string) => void;
}

export interface Submitter {
  attempt(run: SweepRun, config: RunConfig, onProgress: (progress: TrainProgress) => void): Promise<Attempt>;
  close(): Promise<void>;
}

/** @throws UserError, RunError when the server cannot be used */
export async function openSubmitter(options: SubmitOptions): Promise<Submitter> {
  const server = await openServer(options.url);
  const queue: Queue<QueuedRun, Answer> = server.openQueue();
  let isAway = false;
  // the connection comes back by itself
  queue.on('error', (error) => {
    if (!isAway) options.onNote?.(`queue: ${errorMessage(error)}; waiting for it`);
    isAway = true;
  });
  const pending = new Map<string, Pending>();

  const put = (id: string, data: QueuedRun): Promise<unknown> =>
    queue.add('run', data, { jobId: id, attempts: 1, removeOnComplete: false, removeOnFail: false });

  const take = async (id: string, job: Job<QueuedRun, Answer>): Promise<void> => {
    const one = pending.get(id);
    if (one === undefined) return;
    const { progress } = job;
    if (typeof progress === 'object' && 'step' in progress) one.onProgress(parseProgress(progress as never));
    if (job.finishedOn === undefined) return;
    const end = endOf(job);
    // a job that is there keeps another of its id out, which a further attempt would be
    await job.remove();
    pending.delete(id);
    one.resolve(end);
  };

  const look = async (): Promise<void> => {
    const jobs = (await queue.getJobs(STATES)) as (Job<QueuedRun, Answer> | undefined)[];
    isAway = false;
    const present = new Set<string>();
    for (const job of jobs) {
      if (job?.id === undefined) continue;
      present.add(job.id);
      await take(job.id, job);
    }
    for (const [id, { data }] of pending) if (!present.has(id)) await put(id, data);
  };

  let isOpen = true;
  const looking = (async () => {
    while (isOpen) {
      try {
        if (pending.size > 0) await look();
      } catch (error) {
        if (!isAway) options.onNote?.(`queue: ${errorMessage(error)}; trying again`);
        isAway = true;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  })();

  options.signal?.addEventListener('abort', () => {
    for (const { resolve } of pending.values()) resolve({ kind: 'interrupted' });
    pending.clear();
  });

  return {
    async attempt(run, config, onProgress) {
      const data: QueuedRun = {
        sweep: options.sweep,
        config,
        modules: run.modules,
        ...(run.givesMoments === true && { givesMoments: true }),
      };
      const id = jobId(options.sweep, runId(config));
      return new Promise<Attempt>((resolve) => {
        if (options.signal?.aborted === true) resolve({ kind: 'interrupted' });
        // put in by the next look, which finds that it is not there
        else pending.set(id, { data, resolve, onProgress });
      });
    },
    async close() {
      isOpen = false;
      // while the server is away a look waits for it without end
      server.disconnect();
      await Promise.race([looking, new Promise((resolve) => setTimeout(resolve, 2 * LOOK_EVERY_MS))]);
      await Promise.race([
        queue.close().catch(() => undefined),
        new Promise((resolve) => setTimeout(resolve, MOST_CLOSING_MS).unref()),
      ]);
    },
  };
}

/** How a job that is over ended. */
function endOf(job: Job<QueuedRun, Answer>): Attempt {
  // BullMQ's own reasons: stalled too often, a worker that threw
  if (job.failedReason !== undefined && job.failedReason !== '') {
    return { kind: 'failed', message: job.failedReason, final: false };
  }
  const answer = job.returnvalue as Answer | null;
  try {
    if (answer?.kind === 'failed') return { kind: 'failed', message: answer.message, final: answer.final };
    return { kind: 'finished', line: parseResult(answer?.line) };
  } catch (error) {
    return { kind: 'failed', message: errorMessage(error), final: false };
  }
}
