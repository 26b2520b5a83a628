/**
 * Jobs on disk: one folder each below `.sumlens-jobs` of the checkpoints folder, so that they outlive the server. A job is
 * written whole; what happens to it is said by further files, each written by one process: the worker that holds its lock.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { lockHolder } from '../../io/lock.js';
import {
  exists,
  listDirectory,
  publishDirectory,
  readText,
  removeTree,
  writeFileDurably,
} from '../../io/files.js';
import { canonicalJson, parseJsonStrict } from '../../io/json.js';
import { now, randomLetters } from '../../io/unique.js';
import { jobRequestSchema } from '../api/schemas.js';

export const JOBS_FOLDER = '.sumlens-jobs';
export const JOB_FILE = 'job.json';
export const LOG_FILE = 'log';
const BEGUN_FILE = 'begun.json';
const PROGRESS_FILE = 'progress.json';
const END_FILE = 'end.json';
const CANCEL_FILE = 'cancel';
const LOCK_FILE = 'lock';
const SLOTS_FOLDER = 'slots';

/** `20261129-184100-123-0a1b2c`: the order of names is the order of time. */
export const JOB_ID = /^\d{8}-\d{6}-\d{3}-[0-9a-f]{6}$/;

const storedSchema = z.strictObject({
  request: jobRequestSchema,
  title: z.string(),
  command: z.string(),
  runs: z.array(z.string()),
  notes: z.array(z.string()),
  /** cores that it would like */
  cores: z.int().min(1),
  report: z.string().nullable(),
  added: z.string(),
});
export type StoredJob = z.infer<typeof storedSchema>;

const begunSchema = z.strictObject({ begun: z.string(), cores: z.int() });
const progressSchema = z.strictObject({
  share: z.number().min(0).max(1),
  text: z.string().max(2000),
  etaMs: z.number().nullable(),
});
export type StoredProgress = z.infer<typeof progressSchema>;
const endSchema = z.strictObject({
  ended: z.string(),
  outcome: z.enum(['done', 'failed', 'cancelled']),
  reason: z.string().nullable(),
});
export type JobEnd = z.infer<typeof endSchema>;

export const jobsFolder = (checkpointsDir: string): string => join(checkpointsDir, JOBS_FOLDER);
export const lockOf = (jobs: string, id: string): string => join(jobs, id, LOCK_FILE);
export const slotOf = (jobs: string, slot: number): string => join(jobs, SLOTS_FOLDER, String(slot));
export const slotsFolder = (jobs: string): string => join(jobs, SLOTS_FOLDER);

/** Publishes a job whole, to wait for a core. */
export function addJob(jobs: string, id: string, job: StoredJob): void {
  publishDirectory(join(jobs, id), [{ name: JOB_FILE, bytes: `${canonicalJson(job)}\n` }]);
}

export function newJobId(): string {
  const [date, time] = now().toISOString().replace(/[-:Z]/g, '').split('T');
  return `${date}-${time.replace('.', '-')}-${randomLetters().slice(0, 6)}`;
}

/** Ids, oldest first. */
export const listJobs = (jobs: string): string[] => listDirectory(jobs).filter((name) => JOB_ID.test(name));

/** undefined: there is none, or it is not one of ours */
function read<T>(path: string, schema: z.ZodType<T>): T | undefined {
  try {
    if (!exists(path)) return undefined;
    return schema.safeParse(parseJsonStrict(readText(path, 1 << 20), { where: path })).data;
  } catch {
    return undefined;
  }
}

const write = (path: string, value: unknown): void => writeFileDurably(path, `${canonicalJson(value)}\n`);

export const readJob = (jobs: string, id: string): StoredJob | undefined =>
  read(join(jobs, id, JOB_FILE), storedSchema);
export const readBegun = (jobs: string, id: string): z.infer<typeof begunSchema> | undefined =>
  read(join(jobs, id, BEGUN_FILE), begunSchema);
export const readProgress = (jobs: string, id: string): StoredProgress | undefined =>
  read(join(jobs, id, PROGRESS_FILE), progressSchema);
export const readEnd = (jobs: string, id: string): JobEnd | undefined =>
  read(join(jobs, id, END_FILE), endSchema);
export const isCancelled = (jobs: string, id: string): boolean => exists(join(jobs, id, CANCEL_FILE));
export const isHeld = (jobs: string, id: string): boolean => lockHolder(lockOf(jobs, id)) !== undefined;

export const writeBegun = (jobs: string, id: string, cores: number): void =>
  write(join(jobs, id, BEGUN_FILE), { begun: now().toISOString(), cores });
export const writeProgress = (jobs: string, id: string, progress: unknown): void => {
  const checked = progressSchema.safeParse(progress);
  if (checked.success) write(join(jobs, id, PROGRESS_FILE), checked.data);
};
export const writeEnd = (jobs: string, id: string, end: Omit<JobEnd, 'ended'>): void =>
  write(join(jobs, id, END_FILE), { ...end, ended: now().toISOString() });
/** @returns its path */
export function writeInput(
  jobs: string,
  id: string,
  { name, text }: { readonly name: string; readonly text: string },
): string {
  const path = join(jobs, id, name);
  writeFileDurably(path, text);
  return path;
}
export const writeCancel = (jobs: string, id: string): void =>
  writeFileDurably(join(jobs, id, CANCEL_FILE), '');

/** For a job that has ended. */
export const removeJob = (jobs: string, id: string): void => removeTree(join(jobs, id));

/** Jobs that wait: nobody has begun them, oldest first. */
export function queuedJobs(jobs: string): string[] {
  return listJobs(jobs).filter(
    (id) =>
      readEnd(jobs, id) === undefined &&
      readBegun(jobs, id) === undefined &&
      !isCancelled(jobs, id) &&
      readJob(jobs, id) !== undefined,
  );
}

/** Slots of which nobody holds the lock. */
export function freeSlots(jobs: string, cores: number): number {
  return Array.from({ length: cores }, (_, slot) => lockHolder(slotOf(jobs, slot))).filter(
    (holder) => holder === undefined,
  ).length;
}
