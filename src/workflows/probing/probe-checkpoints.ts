/**
 * Runs probe modules over checkpoints: what is cached is taken, the rest is measured in child processes, one a core;
 * then each module combines. A module or checkpoint that fails is named in the report and does not stop the others.
 */
import { join } from 'node:path';
import type { Options, Probe } from '../../../probes/contract.js';
import type { RunConfig } from '../../config/run-config.js';
import { openEngine } from '../../engine/registry.js';
import { errorMessage } from '../../errors.js';
import type { EngineChoice } from '../../train/train-run.js';
import { combineModule, isOwn, type MeasuredModule, type ModuleOutcome } from './combine-module.js';
import { inParallel, measureAll, type MeasureTask, type Outcome, readCached } from './measure-checkpoints.js';
import { codeSha256 } from './module-code.js';
import { type CheckpointRef, measurementKey, resolveOptions } from './probe-plan.js';
import { askCompatible, type Compatibility } from './user-probe.js';

/** A module to be run. */
export interface ProbeChoice {
  readonly probe: Probe;
  /** path of the file it came from; absent: one of our own */
  readonly source?: string;
  readonly options?: Options;
}

export interface ProbeRequest {
  /** sorted (probe-plan.ts sortRefs) */
  readonly refs: readonly CheckpointRef[];
  readonly probes: readonly ProbeChoice[];
  readonly engine: EngineChoice;
  /** children at a time */
  readonly parallel: number;
  readonly cacheDir: string;
  /** a child that says nothing for so long is ended and its checkpoint named as failed */
  readonly timeLimitMs?: number | undefined;
  /** a module that measures for longer is stopped, and what it has not measured is named as failed; absent: never */
  readonly moduleLimitMs?: number | undefined;
  /** take the options that modules declare for many steps of a run */
  readonly series?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ProbeProgress) => void) | undefined;
}

export interface ProbeProgress {
  readonly module: string;
  readonly subject: string;
  /** measurements finished and asked for, all modules together; what was cached counts as finished */
  readonly done: number;
  readonly total: number;
  /** of this measurement, share that its module says is done; 1: it is finished. Told several times a second */
  readonly share: number;
}

/** In the order asked for. */
export type ProbeOutcome = readonly (ModuleOutcome & { readonly name: string })[];

const DEFAULT_TIME_LIMIT_MS = 120_000;

/** What a request comes to before anything is measured: what the cache holds, and what it lacks. */
export interface MeasurementPlan {
  /** in the order asked for, with the outcomes that are cached or are known to fail */
  readonly modules: readonly PlannedModule[];
  /** what is not cached */
  readonly tasks: readonly MeasureTask[];
  /** measurements found in the cache */
  readonly cached: number;
}

/** What is asked of the plan of a request: no child is needed for it, except for modules of the user's. */
export type PlanRequest = Pick<ProbeRequest, 'refs' | 'probes' | 'engine' | 'cacheDir'> &
  Partial<Pick<ProbeRequest, 'series' | 'signal' | 'timeLimitMs'>>;

/** Reads the cache; measures nothing. */
export async function planMeasurements(request: PlanRequest): Promise<MeasurementPlan> {
  const { refs, timeLimitMs = DEFAULT_TIME_LIMIT_MS } = request;
  const { engine } = await openEngine(request.engine, { threads: 1 });
  const identity = { name: engine.name, kernelHash: engine.kernelHash };
  engine.dispose();

  const modules = await Promise.all(request.probes.map((choice) => planModule(choice, request, timeLimitMs)));
  const tasks: MeasureTask[] = [];
  let cached = 0;
  modules.forEach(({ probe, options, codeSha256, incompatible, outcomes }, module) => {
    for (const ref of refs) {
      if (incompatible.has(ref.subject.id) || outcomes.has(ref.subject.id)) continue;
      const key = measurementKey(probe, options, ref, identity, codeSha256);
      const cachePath = join(request.cacheDir, probe.name, `${key}.json`);
      const found = readCached(cachePath);
      if (found === undefined) tasks.push({ module, ref, cachePath });
      else {
        outcomes.set(ref.subject.id, { measurement: found });
        cached++;
      }
    }
  });
  return { modules, tasks, cached };
}

/** Measures what the cache lacks; every measurement is in the cache as soon as it is made, and in the plan returned. */
export async function measureCheckpoints(request: ProbeRequest): Promise<MeasurementPlan> {
  const { parallel, signal, timeLimitMs = DEFAULT_TIME_LIMIT_MS } = request;
  const plan = await planMeasurements(request);
  const { modules, tasks } = plan;
  let done = plan.cached;
  const total = done + tasks.length;
  const tell = ({ module, ref }: MeasureTask, share: number): void =>
    request.onProgress?.({ module: modules[module].probe.name, subject: ref.subject.id, done, total, share });
  await measureAll(
    {
      engine: request.engine,
      parallel,
      timeLimitMs,
      moduleLimitMs: request.moduleLimitMs,
      signal,
      onShare: tell,
    },
    tasks,
    modules.map((module) => ({ ...module, isOwn: isOwn(module), cheaper: cheaperOptions(module) })),
    (task, outcome) => {
      modules[task.module].outcomes.set(task.ref.subject.id, outcome);
      done++;
      tell(task, 1);
    },
  );
  return plan;
}

export async function probeCheckpoints(request: ProbeRequest): Promise<ProbeOutcome> {
  const { refs, parallel, signal, timeLimitMs = DEFAULT_TIME_LIMIT_MS } = request;
  const { modules } = await measureCheckpoints(request);
  const settings = { timeLimitMs, signal };
  const combined = new Map<string, ModuleOutcome>();
  await inParallel(parallel, modules, async (module) => {
    combined.set(module.probe.name, await combineModule(module, refs, settings));
  });
  return modules.flatMap(({ probe: { name } }) => {
    const one = combined.get(name);
    return one === undefined ? [] : [{ name, ...one }];
  });
}

/** What --series would make smaller. */
function cheaperOptions({ probe, options }: PlannedModule): string {
  return Object.entries(probe.options ?? {})
    .filter(([name, { series }]) => series !== undefined && series !== options[name])
    .map(([name, { series }]) => `${name} ${JSON.stringify(series)}`)
    .join(', ');
}

export type PlannedModule = MeasuredModule & {
  readonly codeSha256: string | undefined;
  readonly outcomes: Map<string, Outcome>;
};

async function planModule(
  { probe, source, options }: ProbeChoice,
  { refs, series, signal }: PlanRequest,
  timeLimitMs: number,
): Promise<PlannedModule> {
  const incompatible = new Map<string, string>();
  const outcomes = new Map<string, Outcome>();
  const configs = refs.map(({ config }) => config);
  const answers =
    source === undefined
      ? configs.map((config) => compatibility(probe, config))
      : await askCompatible(source, configs, timeLimitMs, signal);
  refs.forEach(({ subject }, i) => {
    const found = answers[i];
    if ('failed' in found) outcomes.set(subject.id, found);
    else if (found.answer !== true) incompatible.set(subject.id, found.answer);
  });
  return {
    probe,
    source: source ?? probe.name,
    codeSha256: source === undefined ? undefined : codeSha256(source),
    options: resolveOptions(probe, options, series === true),
    incompatible,
    outcomes,
  };
}

function compatibility(probe: Probe, config: RunConfig): Compatibility {
  try {
    return { answer: probe.isCompatible?.(config) ?? true };
  } catch (error) {
    return { failed: errorMessage(error) };
  }
}
