/**
 * Runs measurements in child processes, a few at a time. A child that throws, dies or stays silent costs the one
 * checkpoint it was at; the others are measured by the next child. What was measured is in the cache at once.
 */
import { dirname } from 'node:path';
import type { Options } from '../../probes/contract.js';
import { exists, makeDirectory, readText, writeFileDurably } from '../io/files.js';
import { sha256Hex } from '../io/sha256.js';
import { jobEntryPath } from '../jobs/entry-path.js';
import { START_LIMIT_MS, startJob } from '../jobs/start.js';
import type { Json } from '../report/schema.js';
import type { EngineChoice } from '../train/train-run.js';
import type { MeasureJob, ProbeMessage } from './probe-entry.js';
import type { CheckpointRef } from './probe-plan.js';

/** Path of the child's entry for jobEntryPath. */
export const PROBE_ENTRY = 'src/workflows/probe-entry';

/** One checkpoint to be measured by one module. */
export interface MeasureTask {
  /** index of the module */
  readonly module: number;
  readonly ref: CheckpointRef;
  readonly cachePath: string;
}

export type Outcome = { readonly measurement: Json } | { readonly failed: string };

export interface MeasureSettings {
  readonly engine: EngineChoice;
  /** children at a time */
  readonly parallel: number;
  /** a child that says nothing for so long is ended */
  readonly timeLimitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A module as a child finds it: its name or the path of its file, and its options. */
export interface ModuleSource {
  readonly source: string;
  readonly options: Options;
}

/** from asking a silent child to stop until it is killed */
const GRACE_MS = 2_000;
const WATCH_EVERY_MS = 200;

/**
 * Splits each module's tasks over the children and keeps `parallel` of them busy.
 * @param finished - called once a task, in the order in which they end
 */
export async function measureAll(
  settings: MeasureSettings,
  tasks: readonly MeasureTask[],
  modules: readonly ModuleSource[],
  finished: (task: MeasureTask, outcome: Outcome) => void,
): Promise<void> {
  const parts: MeasureTask[][] = [];
  for (const module of new Set(tasks.map((task) => task.module))) {
    const mine = tasks.filter((task) => task.module === module);
    const n = Math.min(settings.parallel, mine.length);
    for (let part = 0; part < n; part++) parts.push(mine.filter((_, i) => i % n === part));
  }
  await inParallel(settings.parallel, parts, (part) =>
    measurePart(settings, part, modules[part[0].module], finished),
  );
}

/** Works through a list with so many at a time. */
export async function inParallel<T>(
  parallel: number,
  items: readonly T[],
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(parallel, items.length) }, worker));
}

/** One child after another until every task of the part has an outcome. */
async function measurePart(
  settings: MeasureSettings,
  part: readonly MeasureTask[],
  module: ModuleSource,
  finished: (task: MeasureTask, outcome: Outcome) => void,
): Promise<void> {
  const open = new Map(part.map((task, index) => [index, task]));
  while (open.size > 0) {
    settings.signal?.throwIfAborted();
    const { blamed, reason } = await measureInChild(settings, open, module, finished);
    settings.signal?.throwIfAborted();
    // the child is gone and work is left: the checkpoint it was at carries the blame, the rest is tried again
    const task = open.get(blamed);
    open.delete(blamed);
    if (task !== undefined) finished(task, { failed: reason });
  }
}

/**
 * Measures what is in `open`, taking out what has an outcome.
 * @returns the checkpoint the child was at when it ended, and why it ended
 */
async function measureInChild(
  { engine, timeLimitMs, signal }: MeasureSettings,
  open: Map<number, MeasureTask>,
  { source, options }: ModuleSource,
  finished: (task: MeasureTask, outcome: Outcome) => void,
): Promise<{ readonly blamed: number; readonly reason: string }> {
  let current = [...open.keys()][0];
  // until its work begins a child is silent because it is starting
  let lastHeard = performance.now() + START_LIMIT_MS;
  let isLate = false;
  // of our own work, not of the child's: a full disk ends the whole job
  let trouble: Error | undefined;
  const take = (message: ProbeMessage): void => {
    lastHeard = performance.now();
    current = message.index;
    const task = open.get(current);
    if (task === undefined || message.kind === 'progress') return;
    open.delete(current);
    if (message.kind === 'failed') {
      finished(task, { failed: message.reason });
      return;
    }
    writeCached(task.cachePath, message.measurement);
    finished(task, { measurement: message.measurement });
  };
  const work: MeasureJob = {
    kind: 'measure',
    probe: source,
    options,
    engine,
    subjects: [...open].map(([index, { ref }]) => ({
      index,
      source: ref.source,
      config: ref.config,
      subject: ref.subject,
    })),
  };
  const job = startJob({
    entry: jobEntryPath(PROBE_ENTRY),
    job: work as unknown as Json,
    onMessage: (message) => {
      try {
        take(message as unknown as ProbeMessage);
      } catch (error) {
        trouble ??= error instanceof Error ? error : new Error(String(error));
        job.cancel();
      }
    },
    onStart: () => {
      lastHeard = performance.now();
    },
    graceMs: GRACE_MS,
    ...(signal === undefined ? {} : { signal }),
  });
  const watch = setInterval(() => {
    if (isLate || performance.now() - lastHeard < timeLimitMs) return;
    isLate = true;
    job.cancel();
  }, WATCH_EVERY_MS);
  const end = await job.done;
  clearInterval(watch);
  if (trouble !== undefined) throw trouble;
  const reason = isLate
    ? lateText(timeLimitMs)
    : end.kind === 'failed'
      ? end.message
      : 'its process ended early';
  return { blamed: current, reason };
}

export function lateText(timeLimitMs: number): string {
  return `did not finish within ${Number((timeLimitMs / 1000).toPrecision(3))} s`;
}

function writeCached(path: string, measurement: Json): void {
  makeDirectory(dirname(path));
  writeFileDurably(path, `${JSON.stringify({ sha256: hashOf(measurement), measurement })}\n`);
}

/** Of the text that is stored: numbers survive JSON exactly. */
const hashOf = (measurement: Json | undefined): string => sha256Hex(JSON.stringify(measurement) ?? '');

/**
 * A stored measurement; undefined when there is none, or one that is not what was stored, which is then measured again.
 */
export function readCached(path: string): Json | undefined {
  if (!exists(path)) return undefined;
  try {
    const { sha256, measurement } = JSON.parse(readText(path)) as { sha256?: unknown; measurement?: Json };
    return sha256 === hashOf(measurement) ? measurement : undefined;
  } catch {
    return undefined;
  }
}
