/** Checkpoints and probes as library calls; the command line offers the same with folders and flags. */
import { join, resolve } from 'node:path';
import type { Options } from '../../probes/contract.js';
import { loadWeightsFile, openRun } from '../checkpoint/store.js';
import { gptConfigOf } from '../config/gpt-config-of.js';
import type { RunConfig } from '../config/run-config.js';
import { openEngine } from '../engine/registry.js';
import { RunError, UserError } from '../errors.js';
import { packageVersion } from '../io/package-root.js';
import { usableCores } from '../jobs/cores.js';
import { type Lens, openLens } from '../lens/lens.js';
import type { Report } from '../report/schema.js';
import type { EngineChoice } from '../train/train-run.js';
import type { ProbeChoice, ProbeProgress } from './probing/probe-checkpoints.js';
import { probeReport } from './probing/probe-job.js';
import { type CheckpointRef, selectProbes } from './probing/probe-plan.js';
import { loadUserProbe } from './probing/user-probe.js';
import { findSubjects } from './probing/subjects.js';

/** One verified checkpoint with its weights. */
export interface Checkpoint extends CheckpointRef {
  /** [arenaSize] float32 in parameterTable layout of the run's model */
  readonly parameters: Float32Array;
  /** sentences to show: a damaged later step in whose place this one was taken, a conversion */
  readonly notes: readonly string[];
}

export interface LoadOptions {
  /** the checkpoints folder; default `checkpoints` */
  readonly root?: string;
  /** of a `.safetensors` file by itself */
  readonly config?: RunConfig;
}

/**
 * Loads what an address names: `<run>`, `<run>@64,1024`, `<run>@all`, `<run>@final`, a path, or a `.safetensors` file.
 * @throws UserError for a name that means nothing, RunError when a checkpoint is damaged
 */
export function loadCheckpoints(address: string, options: LoadOptions = {}): Checkpoint[] {
  const found = findSubjects([address], resolve(options.root ?? 'checkpoints'), options.config);
  const { refs, damaged, passedOver } = found;
  if (damaged.length > 0) throw new RunError(damaged[0].reason);
  const notes = [...found.notes, ...passedOver.map(({ reason }) => reason)];
  return refs.map((ref) => ({ ...ref, parameters: weightsOf(ref), notes }));
}

/** The same for an address of one checkpoint. */
export function loadCheckpoint(address: string, options: LoadOptions = {}): Checkpoint {
  const found = loadCheckpoints(address, options);
  if (found.length !== 1)
    throw new UserError(
      `checkpoint "${address}": found ${found.length} checkpoints, expected one. Name one step, such as @final.`,
    );
  return found[0];
}

function weightsOf({ source, subject, config }: CheckpointRef): Float32Array {
  return source.kind === 'run'
    ? openRun(source.dir).loadStep(subject.step).parameters
    : loadWeightsFile(source.path, config).parameters;
}

export interface OpenModelOptions extends LoadOptions {
  /** default auto: the fastest that is here */
  readonly engine?: EngineChoice;
}

/** A lens on a loaded checkpoint; `dispose` (or `using`) gives its memory back. */
export interface OpenedModel extends Lens, Disposable {
  readonly checkpoint: Checkpoint;
  dispose(): void;
}

/**
 * Opens one checkpoint to be asked and looked into.
 * @param address - as for loadCheckpoint: `checkpoints/<run>`, `<run>@4096`, a `.safetensors` file
 */
export async function openModel(address: string, options: OpenModelOptions = {}): Promise<OpenedModel> {
  const checkpoint = loadCheckpoint(address, options);
  const { config, parameters } = checkpoint;
  const { engine } = await openEngine(options.engine ?? 'auto', { threads: 1 });
  const model = engine.createModel(gptConfigOf(config), { parameters }, 'inference');
  const dispose = (): void => {
    model.dispose();
    engine.dispose();
  };
  return { ...openLens(model, config), checkpoint, dispose, [Symbol.dispose]: dispose };
}

export interface RunProbeOptions {
  /** of the report; default `sumlens` */
  readonly title?: string;
  /** options of the modules, by module */
  readonly options?: Readonly<Record<string, Options>>;
  readonly engine?: EngineChoice;
  /** children at a time; default one a core */
  readonly parallel?: number;
  /** where measurements are kept; default `reports/.cache` */
  readonly cacheDir?: string;
  readonly timeLimitMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ProbeProgress) => void;
}

/**
 * Runs modules over checkpoints in child processes and returns the report, to be read or given to writeReport. A module
 * or checkpoint that fails has its reason in the report and does not stop the others.
 * @param modules - `all`, names, or paths of files that export a probe
 */
export async function runProbe(
  modules: string | readonly string[],
  checkpoints: readonly CheckpointRef[],
  options: RunProbeOptions = {},
): Promise<Report> {
  const chosen: ProbeChoice[] = [];
  for (const name of typeof modules === 'string' ? [modules] : modules) {
    if (/[./\\]/.test(name))
      chosen.push({ probe: await loadUserProbe(name, options.timeLimitMs), source: resolve(name) });
    else chosen.push(...selectProbes([name]).map((probe) => ({ probe })));
  }
  const { report } = await probeReport({
    title: options.title ?? 'sumlens',
    refs: checkpoints,
    probes: chosen.map((choice) => {
      const given = options.options?.[choice.probe.name];
      return given === undefined ? choice : { ...choice, options: given };
    }),
    engine: options.engine ?? 'auto',
    parallel: options.parallel ?? usableCores(),
    cacheDir: resolve(options.cacheDir ?? join('reports', '.cache')),
    version: packageVersion(),
    kind: 'comparison',
    timeLimitMs: options.timeLimitMs,
    signal: options.signal,
    onProgress: options.onProgress,
  });
  return report;
}
