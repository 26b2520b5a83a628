/**
 * Runs probe modules over checkpoints: what is cached is taken, the rest is measured in child processes, one a core;
 * then each module combines. A module or checkpoint that fails is named in the report and does not stop the others.
 */
import { dirname, join } from 'node:path';
import type { Measured, Options, Probe } from '../../probes/contract.js';
import type { EngineChoice } from '../train/train-run.js';
import { openEngine } from '../engine/registry.js';
import { errorMessage } from '../errors.js';
import { exists, makeDirectory, readText, writeFileDurably } from '../io/files.js';
import { jobEntryPath } from '../jobs/entry-path.js';
import { startJob } from '../jobs/start.js';
import type { Json, ModuleReport } from '../report/schema.js';
import type { ProbeMessage } from './probe-entry.js';
import { type CheckpointRef, measurementKey, resolveOptions } from './probe-plan.js';

export interface ProbeRequest {
  /** sorted (probe-plan.ts sortRefs) */
  readonly refs: readonly CheckpointRef[];
  readonly probes: readonly { readonly probe: Probe; readonly source?: string; readonly options?: Options }[];
  readonly engine: EngineChoice;
  /** children at a time */
  readonly parallel: number;
  readonly cacheDir: string;
  /** a child that says nothing for so long is ended and its checkpoint named as failed */
  readonly timeLimitMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ProbeProgress) => void;
}

export interface ProbeProgress {
  readonly module: string;
  readonly subject: string;
  /** measurements finished and asked for, all modules together; what was cached counts as finished */
  readonly done: number;
  readonly total: number;
}

const DEFAULT_TIME_LIMIT_MS = 120_000;
/** from asking a silent child to stop until it is killed */
const GRACE_MS = 2_000;
const WATCH_EVERY_MS = 200;

interface Task {
  readonly module: number;
  readonly ref: CheckpointRef;
  readonly cachePath: string;
}

type Outcome = { readonly measurement: Json } | { readonly failed: string };

/** @returns one ModuleReport a module, in the order asked for */
export async function probeCheckpoints(request: ProbeRequest): Promise<Record<string, ModuleReport>> {
  const { engine } = await openEngine(request.engine, { threads: 1 });
  const identity = { name: engine.name, kernelHash: engine.kernelHash };
  engine.dispose();

  const modules = request.probes.map(({ probe, source, options }) => ({
    probe,
    source: source ?? probe.name,
    options: resolveOptions(probe, options),
    incompatible: new Map(
      request.refs.flatMap((ref) => {
        const answer = probe.isCompatible(ref.config);
        return answer === true ? [] : [[ref.subject.id, answer] as const];
      }),
    ),
    outcomes: new Map<string, Outcome>(),
  }));

  const tasks: Task[] = [];
  let done = 0;
  modules.forEach(({ probe, options, incompatible, outcomes }, module) => {
    for (const ref of request.refs) {
      if (incompatible.has(ref.subject.id)) continue;
      const key = measurementKey(probe, options, ref, identity);
      const cachePath = join(request.cacheDir, probe.name, `${key}.json`);
      const cached = readCached(cachePath);
      if (cached === undefined) tasks.push({ module, ref, cachePath });
      else {
        outcomes.set(ref.subject.id, { measurement: cached });
        done++;
      }
    }
  });
  const total = done + tasks.length;
  const finished = (task: Task, outcome: Outcome): void => {
    modules[task.module].outcomes.set(task.ref.subject.id, outcome);
    done++;
    const progress = { module: modules[task.module].probe.name, subject: task.ref.subject.id, done, total };
    request.onProgress?.(progress);
  };

  await measureAll(request, tasks, (module) => modules[module], finished);

  const reports: Record<string, ModuleReport> = {};
  for (const module of modules) reports[module.probe.name] = combineModule(module, request.refs);
  return reports;
}

/** Splits each module's tasks over the children and keeps `parallel` of them busy. */
async function measureAll(
  request: ProbeRequest,
  tasks: readonly Task[],
  moduleOf: (index: number) => { readonly source: string; readonly options: Options },
  finished: (task: Task, outcome: Outcome) => void,
): Promise<void> {
  const parts: Task[][] = [];
  for (const module of new Set(tasks.map((task) => task.module))) {
    const mine = tasks.filter((task) => task.module === module);
    const n = Math.min(request.parallel, mine.length);
    for (let part = 0; part < n; part++) parts.push(mine.filter((_, i) => i % n === part));
  }
  const worker = async (): Promise<void> => {
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      const { source, options } = moduleOf(part[0].module);
      await measurePart(request, part, source, options, finished);
    }
  };
  await Promise.all(Array.from({ length: request.parallel }, worker));
}

/** One child after another until every task of the part has an outcome. */
async function measurePart(
  request: ProbeRequest,
  part: readonly Task[],
  source: string,
  options: Options,
  finished: (task: Task, outcome: Outcome) => void,
): Promise<void> {
  const open = new Map(part.map((task, index) => [index, task]));
  while (open.size > 0) {
    request.signal?.throwIfAborted();
    const { blamed, reason } = await measureInChild(request, open, source, options, finished);
    request.signal?.throwIfAborted();
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
  request: ProbeRequest,
  open: Map<number, Task>,
  source: string,
  options: Options,
  finished: (task: Task, outcome: Outcome) => void,
): Promise<{ readonly blamed: number; readonly reason: string }> {
  const limitMs = request.timeLimitMs ?? DEFAULT_TIME_LIMIT_MS;
  let current = [...open.keys()][0];
  let lastHeard = performance.now();
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
    makeDirectory(dirname(task.cachePath));
    writeFileDurably(task.cachePath, `${JSON.stringify({ measurement: message.measurement })}\n`);
    finished(task, { measurement: message.measurement });
  };
  const job = startJob({
    entry: jobEntryPath('src/workflows/probe-entry'),
    job: {
      probe: source,
      options,
      engine: request.engine,
      subjects: [...open].map(([index, { ref }]) => ({ index, runDir: ref.runDir, subject: ref.subject })),
    },
    onMessage: (message) => {
      try {
        take(message as unknown as ProbeMessage);
      } catch (error) {
        trouble ??= error instanceof Error ? error : new Error(String(error));
        job.cancel();
      }
    },
    graceMs: GRACE_MS,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  const watch = setInterval(() => {
    if (isLate || performance.now() - lastHeard < limitMs) return;
    isLate = true;
    job.cancel();
  }, WATCH_EVERY_MS);
  const end = await job.done;
  clearInterval(watch);
  if (trouble !== undefined) throw trouble;
  const reason = isLate
    ? `did not finish within ${Math.round(limitMs / 1000)} s`
    : end.kind === 'failed'
      ? end.message
      : 'its process ended early';
  return { blamed: current, reason };
}

function readCached(path: string): Json | undefined {
  if (!exists(path)) return undefined;
  try {
    const { measurement } = JSON.parse(readText(path)) as { measurement?: Json };
    return measurement;
  } catch {
    return undefined; // an unreadable entry is measured again
  }
}

function combineModule(
  module: {
    readonly probe: Probe;
    readonly options: Options;
    readonly incompatible: ReadonlyMap<string, string>;
    readonly outcomes: ReadonlyMap<string, Outcome>;
  },
  refs: readonly CheckpointRef[],
): ModuleReport {
  const { probe, options, incompatible, outcomes } = module;
  const measured: Measured<Json>[] = [];
  const leftOut: { subject: string; reason: string }[] = [];
  for (const { subject, config } of refs) {
    const outcome = outcomes.get(subject.id);
    if (outcome !== undefined && 'measurement' in outcome) {
      measured.push({ subject, config, measurement: outcome.measurement });
    } else {
      const reason =
        outcome === undefined ? (incompatible.get(subject.id) ?? 'not measured') : outcome.failed;
      leftOut.push({ subject: subject.id, reason });
    }
  }
  const { version, title, question, text } = probe;
  const head = { version, title, question, text, options, leftOut };
  if (measured.length === 0) {
    const all = refs.every(({ subject }) => incompatible.has(subject.id));
    const reason = leftOut.at(0)?.reason ?? 'there was no checkpoint';
    return { ...head, status: all ? 'incompatible' : 'failed', reason, findings: [], charts: [] };
  }
  try {
    const result = probe.combine(measured, options);
    return { ...head, status: 'ok', result, findings: probe.findings(result), charts: probe.charts(result) };
  } catch (error) {
    return { ...head, status: 'failed', reason: errorMessage(error), findings: [], charts: [] };
  }
}
