/** The jobs as the server sees them: adds, lists, asks to stop, and sees to it that workers are there for what waits. */
import { join } from 'node:path';
import { LockedError, takeLock, releaseLock } from '../../io/lock.js';
import { canonicalJson } from '../../io/json.js';
import { now } from '../../io/unique.js';
import { jobEntryPath } from '../../jobs/entry-path.js';
import { startDetached } from '../../jobs/detached.js';
import { openContained } from '../disk/contained.js';
import type {
  CompareRequest,
  DryRunResult,
  JobCheck,
  JobList,
  JobLog,
  JobProgress,
  JobRequest,
  JobState,
  JobSummary,
  SweepRequest,
} from '../contract/jobs.js';
import { notFound, RefusedError } from '../http/guard.js';
import {
  addJob,
  freeSlots,
  isCancelled,
  isHeld,
  JOB_ID,
  type JobEnd,
  jobsFolder,
  listJobs,
  lockOf,
  LOG_FILE,
  newJobId,
  readBegun,
  readEnd,
  readJob,
  readProgress,
  removeJob,
  type StoredJob,
  writeCancel,
  writeEnd,
} from './files.js';
import { DryRuns } from './dry-runs.js';
import type { Folders } from './folders.js';
import { planJob } from './plan.js';

export interface JobStoreOptions extends Folders {
  /** jobs at a time */
  readonly cores: number;
  readonly log: (line: string) => void;
}

/** Jobs that wait, and jobs that are remembered. */
const MOST_QUEUED = 100;
const MOST_KEPT = 200;
/** Bytes of a log that are sent at once, and of one that is opened for the first time. */
const MOST_LOG_BYTES = 64 << 10;
/** A worker that was just started needs a moment until it holds its core. */
const START_MS = 2000;

/** States of a job that will yet do what it was asked for. */
const SHARED: readonly JobState[] = ['queued', 'running'];

export class JobStore {
  private readonly jobs: string;
  /** what never changes again */
  private readonly stored = new Map<string, StoredJob>();
  private readonly ends = new Map<string, { readonly end: JobEnd; readonly summary: JobSummary }>();
  private readonly dryRuns: DryRuns;
  private startedAt = -Infinity;

  constructor(private readonly options: JobStoreOptions) {
    this.jobs = jobsFolder(options.checkpointsDir);
    this.dryRuns = new DryRuns(options, options.cores);
  }

  /** jobs at a time */
  get cores(): number {
    return this.options.cores;
  }

  list(): JobList {
    const jobs = listJobs(this.jobs)
      .map((id) => this.summary(id))
      .filter((job) => job !== undefined)
      .reverse();
    return { cores: this.options.cores, jobs };
  }

  /** @throws RefusedError 404 */
  get(id: string): JobSummary {
    const job = JOB_ID.test(id) ? this.summary(id) : undefined;
    if (job === undefined) throw notFound('job');
    return job;
  }

  /** @throws UserError in the words of the command line */
  check(request: JobRequest): JobCheck {
    const { title, command, runs, notes } = planJob(request, this.options);
    return { title, command, runs, notes };
  }

  /** What a plan would cost, and could decide. @throws as DryRuns.run */
  dryRun(request: SweepRequest): Promise<DryRunResult> {
    return this.dryRuns.run(request);
  }

  /** Jobs go on; what was only looked at ends. */
  close(): void {
    this.dryRuns.close();
  }

  /** @throws UserError; RefusedError 409 when too many wait */
  add(request: JobRequest): JobSummary {
    const { title, command, runs, notes, isWide, report } = planJob(request, this.options);
    if (this.waiting() >= MOST_QUEUED) {
      throw new RefusedError(409, `${MOST_QUEUED} jobs wait already. Cancel some, or wait.`);
    }
    this.forgetOld();
    const id = newJobId();
    const cores = isWide ? this.options.cores : 1;
    addJob(this.jobs, id, {
      ...{ request, title, command, report, cores },
      runs: [...runs],
      notes: [...notes],
      added: now().toISOString(),
    });
    this.startedAt = -Infinity;
    this.keepGoing();
    return this.get(id);
  }

  /** One job for all that ask for the same as long as it has not ended. @throws as add */
  addOnce(request: JobRequest): JobSummary {
    const open = this.latest(request);
    return open !== undefined && SHARED.includes(open.state) ? open : this.add(request);
  }

  /** The latest job that was asked for with these words. */
  latest(request: JobRequest): JobSummary | undefined {
    return this.latestWhere(request, (stored) => stored);
  }

  /** The latest job that measures a comparison, whether it also writes a report or not. */
  latestOf({ name: _name, ...comparison }: CompareRequest): JobSummary | undefined {
    return this.latestWhere(comparison, (stored) => {
      if (stored.kind !== 'compare') return stored;
      const { name: _report, ...rest } = stored;
      return rest;
    });
  }

  private latestWhere(
    request: JobRequest,
    asked: (stored: JobRequest) => JobRequest,
  ): JobSummary | undefined {
    const wanted = canonicalJson(request);
    const id = listJobs(this.jobs).findLast((one) => {
      const stored = this.storedJob(one);
      return stored !== undefined && canonicalJson(asked(stored.request)) === wanted;
    });
    return id === undefined ? undefined : this.summary(id);
  }

  /** @throws RefusedError 404, 409 */
  again(id: string): JobSummary {
    const job = this.get(id);
    if (job.ended === null && job.state !== 'stopped')
      throw new RefusedError(409, `The job ${id} has not ended. Cancel it first.`);
    const stored = this.storedJob(id);
    if (stored === undefined) throw notFound('job');
    return this.add(stored.request);
  }

  /** A job that waits ends at once, one at work when it has published. @throws RefusedError 404, 409 */
  cancel(id: string): JobSummary {
    const job = this.get(id);
    if (job.ended !== null) throw new RefusedError(409, `The job ${id} has ended already.`);
    writeCancel(this.jobs, id);
    try {
      const lock = takeLock(lockOf(this.jobs, id), 'cancels this job');
      if (readEnd(this.jobs, id) === undefined)
        writeEnd(this.jobs, id, { outcome: 'cancelled', reason: null });
      releaseLock(lock);
    } catch (error) {
      // its worker sees it within a moment
      if (!(error instanceof LockedError)) throw error;
    }
    return this.get(id);
  }

  /** What was printed after an offset in bytes. */
  async log(id: string, offset: number): Promise<JobLog & { readonly next: number }> {
    const file = await openContained(join(this.jobs, id), LOG_FILE);
    if (file === undefined) return { fresh: offset === 0, text: '', next: 0 };
    try {
      const isFresh = offset > file.size || file.size - offset > MOST_LOG_BYTES;
      const from = isFresh ? Math.max(0, file.size - MOST_LOG_BYTES) : offset;
      const bytes = Buffer.alloc(file.size - from);
      const { bytesRead } = await file.handle.read(bytes, 0, bytes.length, from);
      // whole lines only, so that no letter is cut in two
      const end = bytes.lastIndexOf(10, bytesRead - 1) + 1;
      return { fresh: isFresh || offset === 0, text: bytes.toString('utf8', 0, end), next: from + end };
    } finally {
      await file.handle.close();
    }
  }

  /** Starts workers where jobs wait and cores are free; they take what waits and end when nothing does. */
  keepGoing(): void {
    if (performance.now() - this.startedAt < START_MS) return;
    const { cores, checkpointsDir, reportsDir, log } = this.options;
    const waiting = this.waiting();
    const wanted = waiting === 0 ? 0 : Math.min(waiting, freeSlots(this.jobs, cores));
    if (wanted === 0) return;
    this.startedAt = performance.now();
    const entry = jobEntryPath('src/viewer/jobs/worker-entry');
    for (let i = 0; i < wanted; i++) {
      startDetached(entry, [checkpointsDir, reportsDir, String(cores)], (error) =>
        log(`viewer: no worker could be started: ${error.message}`),
      );
    }
  }

  /** What has ended is known, and not read again. */
  private waiting(): number {
    return listJobs(this.jobs).filter((id) => this.summary(id)?.state === 'queued').length;
  }

  private storedJob(id: string): StoredJob | undefined {
    const stored = this.stored.get(id) ?? readJob(this.jobs, id);
    if (stored !== undefined) this.stored.set(id, stored);
    return stored;
  }

  private summary(id: string): JobSummary | undefined {
    const known = this.ends.get(id);
    if (known !== undefined) return known.summary;
    const stored = this.storedJob(id);
    if (stored === undefined) return undefined;
    // the lock before the end: a job that ends between the two looks is seen as ended
    const isAtWork = isHeld(this.jobs, id);
    const end = readEnd(this.jobs, id);
    const begun = readBegun(this.jobs, id);
    const state = stateOf({
      end,
      isAtWork,
      hasBegun: begun !== undefined,
      isCancelled: isCancelled(this.jobs, id),
    });
    const progress = readProgress(this.jobs, id) ?? null;
    const { request, title, command, runs, notes, report, added, cores } = stored;
    const summary: JobSummary = {
      ...{ id, kind: request.kind, state, title, command, runs, notes, report, added },
      begun: begun?.begun ?? null,
      ended: end?.ended ?? null,
      progress: end === undefined || progress === null ? progress : atEnd(progress, state),
      cores: begun?.cores ?? cores,
      reason: end?.reason ?? null,
    };
    if (end !== undefined) this.ends.set(id, { end, summary });
    return summary;
  }

  private forgetOld(): void {
    const ended = listJobs(this.jobs).filter((id) => readEnd(this.jobs, id) !== undefined);
    for (const id of ended.slice(0, Math.max(0, ended.length - MOST_KEPT))) {
      removeJob(this.jobs, id);
      this.stored.delete(id);
      this.ends.delete(id);
    }
  }
}

function stateOf(of: {
  readonly end: JobEnd | undefined;
  readonly isAtWork: boolean;
  readonly hasBegun: boolean;
  readonly isCancelled: boolean;
}): JobState {
  if (of.end !== undefined) return of.end.outcome;
  if (of.isAtWork) return of.isCancelled ? 'stopping' : 'running';
  if (of.hasBegun) return 'stopped';
  return of.isCancelled ? 'cancelled' : 'queued';
}

/** What is told last comes up to half a second before the end: a job that is done has done all of it. */
function atEnd(progress: JobProgress, state: JobState): JobProgress {
  return { ...progress, etaMs: null, share: state === 'done' ? 1 : progress.share };
}
