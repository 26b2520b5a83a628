/** What a sweep puts into the queue, and what a worker answers. */
import type { RunConfig } from '../../../config/run-config.js';
import type { Attempt } from '../pool.js';

/** One run; the job's id is jobId(sweep, run), so that the same run is never in the queue twice. */
export interface QueuedRun {
  readonly sweep: string;
  readonly config: RunConfig;
  readonly modules: readonly string[];
  readonly givesMoments?: true;
}

/** What a worker's job returns. A run that failed is an answer too: whether it is tried again is the sweep's to say. */
export type Answer = Exclude<Attempt, { readonly kind: 'interrupted' }>;

/** BullMQ allows no colon. */
export const jobId = (sweep: string, run: string): string => `${sweep}.${run}`;
