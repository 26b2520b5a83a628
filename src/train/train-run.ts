/**
 * One run from its configuration to its end: opens the run directory and the engine, goes on where the last session
 * stopped, and writes down how it ended. The loop itself is trainer.ts.
 */
import { type ResumePoint, type RunStore, createOrOpenRun } from '../checkpoint/store.js';
import { gptConfigOf } from '../config/names.js';
import { phaseAt, type PhaseSpan, phaseSpans } from '../config/phases.js';
import type { RunConfig } from '../config/run-config.js';
import type { Batch, Engine, Model, TrainingState } from '../engine/engine.js';
import { openEngine } from '../engine/registry.js';
import { UserError } from '../errors.js';
import type { Json } from '../io/json.js';
import { readLinesOf } from '../listops/files/data-file.js';
import { createGenerator } from '../listops/sampling/generate.js';
import { createLineSource, type LineSource } from '../listops/files/line-data.js';
import { parameterTable } from '../model/parameters.js';
import { estimateTrainingMs, isSlowEngine } from './estimate.js';
import { evaluate } from './evaluate.js';
import { type EvaluationSet, createEvaluationSet } from './evaluation-set.js';
import { initialState } from './init-source.js';
import { accuracyByOperation } from './learned.js';
import { createLineEvaluation, type LineEvaluation, scoreLines } from './line-evaluation.js';
import { type EvalRow, type LineScore, type WindowState, parseMetricRows } from './metrics.js';
import { momentUpdates } from './moments.js';
import { Pace, type TrainProgress } from './pace.js';
import { type LoopEnd, type TrainLog, trainLoop } from './trainer.js';

export type EngineChoice = Parameters<typeof openEngine>[0];

export interface TrainOptions {
  /** the checkpoints folder; the run's directory in it is named after its id */
  readonly root: string;
  /** another directory for this run instead */
  readonly out?: string | undefined;
  readonly engine: EngineChoice;
  /** path of the file that `data.file` of the configuration names; its content must be the same */
  readonly dataFile?: string | undefined;
  /** address of the checkpoint that `init` of the configuration describes; default: its name in `root` */
  readonly initFrom?: string | undefined;
  /** of the engine; the bytes of a run do not depend on it */
  readonly threads: number;
  /** go on although the last session used another engine or other kernels; recorded in sessions.jsonl */
  readonly allowEngineChange?: boolean | undefined;
  /** time between resume checkpoints, default RESUME_EVERY_MS */
  readonly resumeEveryMs?: number | undefined;
  /** versions for sessions.jsonl, e.g. of Node */
  readonly versions?: Readonly<Record<string, string>> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined;
}

export interface TrainOutcome {
  readonly run: string;
  readonly dir: string;
  readonly reason: LoopEnd['reason'];
  /** updates done and kept */
  readonly step: number;
  /** found finished: nothing was trained */
  readonly already: boolean;
  /** result tokens of trained prompts at the last evaluation, by operation */
  readonly accuracy: Readonly<Record<string, number>>;
  /** the last evaluation on lines of the data file; absent when the data are generated */
  readonly lines?: readonly LineScore[] | undefined;
  /** sentences worth showing: the engine chosen, damage worked around, what diverged */
  readonly notes: readonly string[];
  /** of this session; 0 when nothing was trained */
  readonly tokensPerSecond: number;
}

/** The outcome of a run that has ended for good, or undefined. Opens nothing but its small files. */
export function finishedOutcome(store: RunStore): TrainOutcome | undefined {
  const end = store.end();
  if (end === undefined || end.reason === 'interrupted') return undefined;
  const last = evaluationsOf(store).at(-1);
  return {
    run: store.id,
    dir: store.dir,
    reason: end.reason,
    step: end.step,
    already: true,
    accuracy: last === undefined ? {} : accuracyByOperation(last),
    ...(last?.lines !== undefined && { lines: last.lines }),
    notes: typeof end.message === 'string' ? [end.message] : [],
    tokensPerSecond: 0,
  };
}

/**
 * Trains a run to its end, or to the signal. A run that is finished returns at once.
 * @throws UserError when the engine changed, LockedError when another process trains it
 */
export async function trainRun(config: RunConfig, options: TrainOptions): Promise<TrainOutcome> {
  const store = createOrOpenRun(options.root, config, options.out === undefined ? {} : { out: options.out });
  const finished = finishedOutcome(store);
  if (finished !== undefined) return finished;
  const release = store.lock();
  let outcome: TrainOutcome;
  try {
    // another process may have finished it before the lock was ours
    outcome = finishedOutcome(store) ?? (await trainLocked(store, sourceOf(config, options), options));
  } catch (error) {
    releaseQuietly(release);
    throw error;
  }
  release();
  return outcome;
}

/** After an error: what giving the lock up says would hide the cause, and the lock of an ended process is no obstacle. */
function releaseQuietly(release: () => void): void {
  try {
    release();
  } catch {
    // the first error is the one to tell
  }
}

/** The lines that the run's configuration names; undefined when its examples are generated. @throws UserError */
function sourceOf({ data, seed }: RunConfig, { dataFile }: TrainOptions): LineSource | undefined {
  if (data.file !== undefined) return createLineSource(data, readLinesOf(data, dataFile), seed);
  if (dataFile === undefined) return undefined;
  throw new UserError(
    '--data: found a file, expected none: the examples of this configuration are generated.',
  );
}

async function trainLocked(
  store: RunStore,
  source: LineSource | undefined,
  options: TrainOptions,
): Promise<TrainOutcome> {
  const { engine, note } = await openEngine(options.engine, { threads: options.threads });
  try {
    const model = engine.createModel(gptConfigOf(store.config), { seed: store.config.seed }, 'train');
    try {
      const outcome = await trainOn(store, engine, model, source, options);
      return { ...outcome, notes: [note, ...outcome.notes] };
    } finally {
      model.dispose();
    }
  } finally {
    engine.dispose();
  }
}

async function trainOn(
  store: RunStore,
  engine: Engine,
  model: Model,
  source: LineSource | undefined,
  options: TrainOptions,
): Promise<TrainOutcome> {
  const { config } = store;
  const { steps } = config.training;
  const resume = store.latestResume();
  const step = resume?.step ?? 0;
  const change = engineChange(store, engine, resume, options.allowEngineChange === true);
  const start = startOf(config, resume, options);
  store.clearEnd();
  store.dropMetricsAfter(step, resume === undefined ? 0 : resume.metricsBytes);
  store.appendSession({
    engine: engine.name,
    isa: engine.isa,
    kernelHash: engine.kernelHash,
    threads: options.threads,
    fromStep: step,
    ...(change !== undefined && { engineChangedFrom: change }),
    versions: options.versions ?? {},
    time: new Date().toISOString(),
  });
  if (start !== undefined) model.setState(start);

  const evaluations = evaluationsOf(store);
  const pace = new Pace({ steps, startStep: step, resumeEveryMs: options.resumeEveryMs });
  const last = evaluations.at(-1);
  if (last !== undefined) pace.accuracy = accuracyByOperation(last);
  const batch = examplesOf(config, source);
  if (isSlowEngine(engine)) {
    const estimateMs = estimateTrainingMs(engine, config, batch, step);
    options.onProgress?.({ ...pace.progress(), estimateMs });
  }
  const end = await trainLoop({
    config,
    model,
    batch,
    evaluate: evaluator(config, model, source),
    log: storeLog(store, engine, model, pace),
    pace,
    start: { step, window: resume === undefined ? undefined : extraOf(resume).window, evaluations },
    signal: options.signal ?? new AbortController().signal,
    onProgress: options.onProgress,
  });
  const message = divergenceMessage(end);
  store.writeEnd({ reason: end.reason, step: end.step, ...(message !== undefined && { message }) });
  return {
    run: store.id,
    dir: store.dir,
    reason: end.reason,
    step: end.step,
    already: false,
    accuracy: pace.accuracy,
    ...(source !== undefined && { lines: evaluationsOf(store).at(-1)?.lines }),
    notes: [...store.notes, ...(message === undefined ? [] : [message])],
    tokensPerSecond: pace.tokensPerSecond(),
  };
}

/** The state to start from; undefined: as the model was made, from the seed. @throws UserError */
function startOf(
  config: RunConfig,
  resume: ResumePoint | undefined,
  { root, initFrom }: TrainOptions,
): TrainingState | undefined {
  if (resume !== undefined) return { ...resume.state, step: momentUpdates(config, resume.step) };
  if (config.init !== undefined) return initialState(config, config.init, root, initFrom);
  if (initFrom === undefined) return undefined;
  throw new UserError(
    '--init-from: found a checkpoint, expected none: this configuration starts from its seed.',
  );
}

/** The examples of each update: those of its phase, numbered through the whole run. */
function examplesOf(config: RunConfig, source: LineSource | undefined): (step: number) => Batch {
  const { batchSize } = config.training;
  if (source !== undefined) return (step) => source.batch(step, batchSize);
  const phases = phaseSpans(config).map((span) => ({
    ...span,
    examples: createGenerator({ ...config.data, tasks: span.tasks }, config.seed),
  }));
  return (step) =>
    (phases.find(({ to }) => step < to) ?? phases[phases.length - 1]).examples.batch(step, batchSize);
}

/**
 * The evaluation of a run: single operations of the whole run, whole expressions of the phase that ends or goes on there. The
 * prompts are built once a phase, those of the last evaluation when it comes.
 */
function evaluator(
  config: RunConfig,
  model: Model,
  source: LineSource | undefined,
): (step: number, pause: () => Promise<void>) => Promise<EvalRow> {
  const chunkTokens = evaluationChunk(parameterTable(gptConfigOf(config)).nParameters);
  const { steps } = config.training;
  const spans = phaseSpans(config);
  let set: EvaluationSet | undefined;
  let asked: PhaseSpan | undefined;
  let lines: LineEvaluation | undefined;
  return async (step, pause) => {
    const phase = phaseAt(spans, step - 1);
    if (set === undefined || ((step === steps || phase !== asked) && config.data.depth > 1)) {
      set = createEvaluationSet(config.data, { chunkTokens, final: step === steps, tasks: phase.tasks });
      asked = phase;
    }
    const row = await evaluate(model, set, step, pause);
    if (source === undefined) return row;
    lines ??= createLineEvaluation(source, chunkTokens);
    return { ...row, lines: await scoreLines(model, lines, pause) };
  };
}

/** Tokens of one evaluation batch: some milliseconds of work, and no larger work arena than needed. */
export function evaluationChunk(nParameters: number): number {
  return Math.max(256, Math.min(4096, Math.floor(1e8 / nParameters)));
}

function storeLog(store: RunStore, engine: Engine, model: Model, pace: Pace): TrainLog {
  return {
    metrics: (row) => {
      store.appendMetrics({ ...row });
    },
    timing: (step) => {
      store.appendTiming({
        step,
        elapsedMs: Math.round(pace.elapsedMs()),
        tokensPerSecond: Math.round(pace.tokensPerSecond()),
      });
    },
    publishStep: (step) => {
      store.publishStep(step, model.getParameters());
    },
    publishResume: (step, window) => {
      const { name, kernelHash } = engine;
      const extra: ResumeExtra = { window, engine: name, kernelHash };
      const state = model.getState();
      const updates = momentUpdates(store.config, step);
      if (state.step !== updates)
        throw new RangeError(`step ${step}: moments of ${state.step}, not ${updates} updates`);
      store.publishResume(step, { ...state, step }, extra as unknown as Json);
    },
  };
}

/** What goes into a resume checkpoint beside the training state. */
interface ResumeExtra {
  readonly window: WindowState;
  readonly engine: string;
  readonly kernelHash: string;
}

/** The loop's own state; written by storeLog alone, and its hash was verified. */
function extraOf({ extra }: ResumePoint): ResumeExtra {
  return extra as unknown as ResumeExtra;
}

function evaluationsOf(store: RunStore): EvalRow[] {
  return parseMetricRows(store.readMetrics(), `${store.name}/metrics.jsonl`).filter(
    (row) => row.kind === 'eval',
  );
}

/**
 * Equal bytes need equal kernels.
 * @returns the engine changed from, when that is allowed; undefined when nothing changes
 */
function engineChange(
  store: RunStore,
  engine: Engine,
  resume: ResumePoint | undefined,
  allowed: boolean,
): string | undefined {
  const step = resume?.step ?? 0;
  const is = describeEngine(engine.name, engine.kernelHash);
  const session = store.readSessions().at(-1) as Partial<ResumeExtra> | undefined;
  const published = describeEngine(session?.engine, session?.kernelHash);
  const kept = store.lastStep ?? 0;
  // step 0 is the same on every engine; one past the resume point would be computed again with other bits
  if (session !== undefined && published !== is && kept > step) {
    throw new UserError(
      `--engine: found ${is}, but ${store.name} holds step ${kept} made with ${published} and would go on from ` +
        `step ${step}. Pass --engine ${session.engine ?? ''}, or train it elsewhere with --out.`,
    );
  }
  if (resume === undefined) return undefined;
  const extra = extraOf(resume);
  const was = describeEngine(extra.engine, extra.kernelHash);
  if (was === is) return undefined;
  if (!allowed) {
    throw new UserError(
      `--engine: found ${is}, but ${store.name} was trained with ${was} up to step ${step}. ` +
        `Pass --engine ${extra.engine}, or --allow-engine-change to go on with other rounding.`,
    );
  }
  return was;
}

function describeEngine(name = 'unknown', kernelHash = ''): string {
  return `${name} (kernels ${kernelHash.slice(0, 12)})`;
}

function divergenceMessage(end: LoopEnd): string | undefined {
  if (end.divergence === undefined) return undefined;
  const { quantity, value } = end.divergence;
  return (
    `Diverged at step ${end.step + 1}: ${quantity} is ${value}. The update was not applied; ` +
    `the last checkpoint is as it was. Lower --lr, or check --clip.`
  );
}
