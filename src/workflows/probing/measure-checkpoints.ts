/**
 * Runs measurements in child processes, a few at a time. A child that throws, dies or stays silent costs the one
 * checkpoint it was at; the others are measured by the next child. What was measured is in the cache at once.
 */
import { dirname } from 'node:path';
import type { Options } from '../../../probes/contract.js';
import { exists, makeDirectory, readText, writeFileDurably } from '../../io/files.js';
import { sha256Hex } from '../../io/sha256.js';
import { jobEntryPath } from '../../jobs/entry-path.js';
import { START_LIMIT_MS, startJob } from '../../jobs/start.js';
import type { Json } from '../../report/schema.js';
import type { EngineChoice } from '../../train/train-run.js';
import type { MeasureJob, ProbeMessage } from './probe-entry.js';
import type { CheckpointRef } from './probe-plan.js';

/** Path of the child's entry for jobEntryPath. */
export const PROBE_ENTRY = 'src/workflows/probing/probe-entry';

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
  /** a module whose measurements go on for longer is stopped; absent: never */
  readonly moduleLimitMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** share of a measurement that its module says is done, in [0, 1]; several times a second */
  readonly onShare?: ((task: MeasureTask, share: number) => void) | undefined;
}

/** A module as a child finds it: its name or the path of its file, and its options. */
export interface ModuleSource {
  readonly source: string;
  readonly options: Options;
  /** not the user's */
  readonly isOwn: boolean;
  /** options that make it cheaper, for people: `relabellings 999`; none: empty */
  readonly cheaper: string;
}

/** from asking a silent child to stop until it is killed */
const GRACE_MS = 2_000;
const WATCH_EVERY_MS = 200;
/** Short-lived objects in 6 MiB, not 48: 20 MB less at the peak, for 1 to 2 % more processor time. */
const SMALL_NURSERY = ['--max-semi-space-size=2'];
/** glibc keeps what V8's compiler threads have freed for each thread apart: 15 MB less with one arena, in the same time. */
const ONE_ARENA = { MALLOC_ARENA_MAX: '1' };

/**
 * Splits the tasks over children and keeps `parallel` of them busy. Our own modules share children, as to start one costs
 * as much as some measurements; a module of the user's has children of its own.
 * @param finished - called once a task, in the order in which they end
 */
export async function measureAll(
  settings: MeasureSettings,
  tasks: readonly MeasureTask[],
  modules: readonly ModuleSource[],
  finished: (task: MeasureTask, outcome: Outcome) => void,
): Promise<void> {
  const groups = new Map<string, MeasureTask[]>();
  for (const task of tasks) {
    const { source, isOwn } = modules[task.module];
    const name = isOwn ? '' : source;
    const group = groups.get(name) ?? [];
    groups.set(name, group);
    group.push(task);
  }
  const parts = [...groups.values()].flatMap((group) => {
    const n = Math.min(settings.parallel, group.length);
    return Array.from({ length: n }, (_, part) => group.filter((_, i) => i % n === part));
  });
  const clocks = modules.map((_, module) => ({
    startedAt: Infinity,
    measured: 0,
    asked: tasks.filter((task) => task.module === module).length,
  }));
  const count = (task: MeasureTask, outcome: Outcome): void => {
    if ('measurement' in outcome) clocks[task.module].measured++;
    finished(task, outcome);
  };
  await inParallel(settings.parallel, parts, (part) =>
    measurePart(settings, part, { modules, clocks }, count),
  );
}

/** How far a module has come. */
interface ModuleClock {
  /** of performance.now(), when its first measurement began */
  startedAt: number;
  measured: number;
  readonly asked: number;
}

interface ModulesAtWork {
  readonly modules: readonly ModuleSource[];
  readonly clocks: readonly ModuleClock[];
}

function isOverLimit({ startedAt }: ModuleClock, { moduleLimitMs = Infinity }: MeasureSettings): boolean {
  return performance.now() - startedAt >= moduleLimitMs;
}

function stoppedText({ cheaper }: ModuleSource, clock: ModuleClock, limitMs: number): string {
  const remedies = [
    ...(cheaper === '' ? [] : [`--series (${cheaper})`]),
    'fewer checkpoints',
    'a longer --module-limit',
  ];
  return `stopped after ${seconds(limitMs)} s with ${clock.measured} of ${clock.asked} checkpoints measured; what is measured is kept. Try ${remedies.join(', or ')}.`;
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
  work: ModulesAtWork,
  finished: (task: MeasureTask, outcome: Outcome) => void,
): Promise<void> {
  const open = new Map(part.map((task, index) => [index, task]));
  const leaveOutStopped = (): void => {
    for (const [index, task] of open) {
      const clock = work.clocks[task.module];
      if (!isOverLimit(clock, settings)) continue;
      open.delete(index);
      const reason = stoppedText(work.modules[task.module], clock, settings.moduleLimitMs ?? 0);
      finished(task, { failed: reason });
    }
  };
  for (;;) {
    leaveOutStopped();
    if (open.size === 0) return;
    settings.signal?.throwIfAborted();
    const { blamed, reason } = await measureInChild(settings, open, work, finished);
    settings.signal?.throwIfAborted();
    if (blamed === undefined) continue;
    // the child is gone and work is left: the checkpoint it was at carries the blame, the rest is tried again
    const task = open.get(blamed);
    open.delete(blamed);
    if (task !== undefined) finished(task, { failed: reason });
  }
}

/**
 * Measures what is in `open`, taking out what has an outcome.
 * @returns the checkpoint the child was at when it ended, and why it ended; undefined when its module was stopped
 */
async function measureInChild(
  settings: MeasureSettings,
  open: Map<number, MeasureTask>,
  { modules, clocks }: ModulesAtWork,
  finished: (task: MeasureTask, outcome: Outcome) => void,
): Promise<{ readonly blamed: number | undefined; readonly reason: string }> {
  const { engine, timeLimitMs, signal } = settings;
  let current = [...open.keys()][0];
  // until its work begins a child is silent because it is starting
  let lastHeard = performance.now() + START_LIMIT_MS;
  let isLate = false;
  let isStopped = false;
  // of our own work, not of the child's: a full disk ends the whole job
  let trouble: Error | undefined;
  const take = (message: ProbeMessage): void => {
    lastHeard = performance.now();
    current = message.index;
    const task = open.get(current);
    if (task !== undefined) {
      const clock = clocks[task.module];
      clock.startedAt = Math.min(clock.startedAt, lastHeard);
    }
    if (task === undefined) return;
    if (message.kind === 'progress') {
      settings.onShare?.(task, shareOf(message));
      return;
    }
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
    engine,
    modules: modules.map(({ source, options }) => ({ probe: source, options })),
    tasks: [...open].map(([index, { ref, module }]) => ({
      index,
      module,
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
    nodeArguments: SMALL_NURSERY,
    environment: ONE_ARENA,
    ...(signal === undefined ? {} : { signal }),
  });
  const watch = setInterval(() => {
    if (isLate || isStopped) return;
    const task = open.get(current);
    isStopped = task !== undefined && isOverLimit(clocks[task.module], settings);
    isLate = !isStopped && performance.now() - lastHeard >= timeLimitMs;
    if (isLate || isStopped) job.cancel();
  }, WATCH_EVERY_MS);
  const end = await job.done;
  clearInterval(watch);
  if (trouble !== undefined) throw trouble;
  const reason = isLate
    ? lateText(timeLimitMs)
    : end.kind === 'failed'
      ? end.message
      : 'its process ended early';
  return { blamed: isStopped ? undefined : current, reason };
}

/** What a module of the user's tells need not make sense. */
function shareOf({ done, total }: { readonly done: number; readonly total: number }): number {
  const share = done / total;
  return share >= 0 && share <= 1 ? share : 0;
}

export function lateText(timeLimitMs: number): string {
  return `did not finish within ${seconds(timeLimitMs)} s`;
}

const seconds = (ms: number): number => Number((ms / 1000).toPrecision(3));

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
