/**
 * Trains many runs, one child process each and one a core. The run directories are the truth: a finished run is not
 * trained again, and in which order runs end changes no byte of any. One that fails does not stop the others.
 */
import { createOrOpenRun } from '../checkpoint/store.js';
import { gptConfigOf, runId } from '../config/names.js';
import type { RunConfig } from '../config/run-config.js';
import { errorMessage, UserError } from '../errors.js';
import { usableCores } from '../jobs/cores.js';
import { jobEntryPath } from '../jobs/entry-path.js';
import { startJob, type JobResult, type StopSignal } from '../jobs/start.js';
import { maxTokens } from '../listops/data-config.js';
import { parameterTable } from '../model/parameters.js';
import { EMPTY_PROGRESS, type TrainProgress } from '../train/pace.js';
import {
  jsonOf,
  parseAnswer,
  parseProgress,
  TRAIN_ENTRY,
  type TrainAnswer,
  type TrainJob,
} from '../train/train-job.js';
import { finishedOutcome } from '../train/train-run.js';

export interface TrainRunsOptions extends Omit<TrainJob['options'], 'threads' | 'out'> {
  readonly configs: readonly RunConfig[];
  /** directory of the run instead of `<root>/<run id>`; for a single configuration only */
  readonly out?: string | undefined;
  /** children at a time; default one a core */
  readonly parallel?: number | undefined;
  /** threads of each child's engine; default 1 */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TrainRunsProgress) => void) | undefined;
}

export type RunOutcome =
  | {
      readonly kind: 'finished';
      readonly run: string;
      readonly config: RunConfig;
      readonly outcome: TrainAnswer;
    }
  | {
      readonly kind: 'failed';
      readonly run: string;
      readonly config: RunConfig;
      readonly message: string;
      /** the input was bad: exit code 2 */ readonly userError: boolean;
    }
  | {
      readonly kind: 'interrupted';
      readonly run: string;
      readonly config: RunConfig;
      /** absent: stopped by the program, or not started */
      readonly signal?: StopSignal;
      /** ended before it could publish: it goes on from its last resume point, or from the start */
      readonly killed?: true;
    };

/**
 * How long a child may go on with its update after it was asked to stop: killing it in the middle would lose what it did
 * since its last resume point. A second signal ends it at once.
 */
const GRACE_MS = 600_000;

export const RUN_STATES = ['waiting', 'training', 'finished', 'failed', 'interrupted'] as const;
export type RunState = (typeof RUN_STATES)[number];

/** Where one run stands. */
export interface RunProgress extends TrainProgress {
  readonly run: string;
  readonly config: RunConfig;
  readonly state: RunState;
}

export interface TrainRunsProgress {
  /** every run, in the order of the configurations */
  readonly runs: readonly RunProgress[];
  /** the run this message is about */
  readonly current: RunProgress;
  /** runs that need no more work, failed ones included */
  readonly finished: number;
  /** share of all work that is done, in [0, 1], by an estimate of cost */
  readonly share: number;
  /** of the children now at work, together */
  readonly tokensPerSecond: number;
  /** undefined until something was trained */
  readonly etaMs?: number;
}

/**
 * @returns one outcome a distinct configuration, in the order given
 * @throws UserError when the input is bad before any run is started
 */
export async function trainRuns(options: TrainRunsOptions): Promise<RunOutcome[]> {
  const configs = [...new Map(options.configs.map((config) => [runId(config), config])).values()];
  if (options.out !== undefined && configs.length !== 1) {
    throw new UserError(
      `--out: found ${configs.length} runs, expected one. Leave --out away, or train one run.`,
    );
  }
  const board = new ProgressBoard(configs, options.onProgress);
  const outcomes = new Map<string, RunOutcome>();
  const queue: RunConfig[] = [];
  for (const config of configs) {
    const known = outcomeWithoutChild(config, options);
    if (known === undefined) queue.push(config);
    else {
      outcomes.set(runId(config), known);
      if (known.kind === 'finished') {
        board.set(config, 'finished', { step: config.training.steps, accuracy: known.outcome.accuracy });
      } else board.set(config, known.kind, {});
    }
  }
  // the longest first, so that the cores end together
  queue.sort((a, b) => costOf(b) - costOf(a));

  let stopped = options.signal?.aborted === true;
  const worker = async (): Promise<void> => {
    for (let config = queue.shift(); config !== undefined && !stopped; config = queue.shift()) {
      const outcome = await trainInChild(config, options, board);
      if (outcome.kind === 'interrupted') stopped = true;
      outcomes.set(runId(config), outcome);
    }
  };
  const parallel = Math.min(Math.max(1, options.parallel ?? usableCores()), queue.length);
  await Promise.all(Array.from({ length: parallel }, worker));
  return configs.map(
    (config) => outcomes.get(runId(config)) ?? { kind: 'interrupted', run: runId(config), config },
  );
}

/**
 * Looks before a child is started: the second start of many runs takes no time, and a directory that cannot be opened
 * fails its own run alone.
 */
function outcomeWithoutChild(config: RunConfig, options: TrainRunsOptions): RunOutcome | undefined {
  const { root, out } = options;
  const run = runId(config);
  try {
    const outcome = finishedOutcome(createOrOpenRun(root, config, out === undefined ? {} : { out }));
    if (outcome === undefined) return undefined;
    return { kind: 'finished', run, config, outcome: { ...outcome, peakRssBytes: 0 } };
  } catch (error) {
    const userError = error instanceof UserError;
    return { kind: 'failed', run, config, message: errorMessage(error), userError };
  }
}

async function trainInChild(
  config: RunConfig,
  options: TrainRunsOptions,
  board: ProgressBoard,
): Promise<RunOutcome> {
  const { root, out, engine, dataFile, initFrom, threads = 1, allowEngineChange } = options;
  const { resumeEveryMs, signal } = options;
  const job: TrainJob = {
    config,
    options: { root, out, engine, dataFile, initFrom, threads, allowEngineChange, resumeEveryMs },
  };
  board.set(config, 'training', {});
  const run = runId(config);
  let result: JobResult;
  try {
    result = await startJob({
      entry: jobEntryPath(TRAIN_ENTRY),
      job: jsonOf(job),
      graceMs: GRACE_MS,
      onMessage: (message) => {
        board.set(config, 'training', parseProgress(message));
      },
      ...(signal !== undefined && { signal }),
    }).done;
  } catch (error) {
    result = { kind: 'failed', message: errorMessage(error), userError: false };
  }
  const outcome = outcomeOf(run, config, result);
  if (outcome.kind === 'finished') {
    const { step, accuracy } = outcome.outcome;
    board.set(config, 'finished', { step, accuracy });
  } else board.set(config, outcome.kind, {});
  return outcome;
}

function outcomeOf(run: string, config: RunConfig, result: JobResult): RunOutcome {
  switch (result.kind) {
    case 'ok': {
      const outcome = parseAnswer(result.result);
      return outcome.reason === 'interrupted'
        ? { kind: 'interrupted', run, config }
        : { kind: 'finished', run, config, outcome };
    }
    case 'interrupted':
      return {
        kind: 'interrupted',
        run,
        config,
        ...(result.signal !== undefined && { signal: result.signal }),
        ...(result.killed === true && { killed: true }),
      };
    case 'failed':
      return { kind: 'failed', run, config, message: result.message, userError: result.userError };
    case 'timeout':
      return { kind: 'failed', run, config, message: 'It took longer than allowed.', userError: false };
  }
}

/** Estimate of the work of a run in arbitrary units: parameters times tokens. */
export const costOf = (config: RunConfig): number => updateCost(config) * config.training.steps;

/** The same of one update. */
export function updateCost(config: RunConfig): number {
  const row = config.data.window ?? maxTokens(config.data);
  return parameterTable(gptConfigOf(config)).nParameters * row * config.training.batchSize;
}

/** Where all runs stand, and what is left. */
class ProgressBoard {
  private readonly runs: Map<string, RunProgress>;
  private readonly costs: Map<string, number>;
  private readonly totalCost: number;
  private readonly began = performance.now();
  /** cost that was done before this session */
  private readonly before = new Map<string, number>();

  constructor(
    configs: readonly RunConfig[],
    private readonly onProgress: TrainRunsOptions['onProgress'],
  ) {
    this.runs = new Map(
      configs.map((config) => {
        const run = runId(config);
        return [run, { run, config, state: 'waiting', ...EMPTY_PROGRESS, steps: config.training.steps }];
      }),
    );
    this.costs = new Map(configs.map((config) => [runId(config), costOf(config)]));
    this.totalCost = Math.max(
      1,
      [...this.costs.values()].reduce((sum, cost) => sum + cost, 0),
    );
  }

  set(config: RunConfig, state: RunState, progress: Partial<TrainProgress>): void {
    const run = runId(config);
    const previous = this.runs.get(run);
    if (previous === undefined) return;
    const rate = state === 'training' ? {} : { tokensPerSecond: 0, etaMs: 0 };
    const current: RunProgress = { ...previous, ...progress, ...rate, state };
    this.runs.set(run, current);
    // the first number of a run tells where it went on; what lies before it was done by another session
    const first = state === 'finished' || progress.step !== undefined;
    if (first && !this.before.has(run)) this.before.set(run, this.costDone(current));
    this.onProgress?.(this.summary(current));
  }

  private costDone(run: RunProgress): number {
    const isOver = run.state === 'finished' || run.state === 'failed';
    return (this.costs.get(run.run) ?? 0) * (isOver ? 1 : run.step / run.steps);
  }

  private summary(current: RunProgress): TrainRunsProgress {
    const runs = [...this.runs.values()];
    let done = 0;
    let before = 0;
    for (const run of runs) {
      done += this.costDone(run);
      before += this.before.get(run.run) ?? 0;
    }
    const rate = (done - before) / (performance.now() - this.began);
    return {
      runs,
      current,
      finished: runs.filter(({ state }) => state === 'finished' || state === 'failed').length,
      share: done / this.totalCost,
      tokensPerSecond: runs.reduce((sum, run) => sum + run.tokensPerSecond, 0),
      ...(rate > 0 && { etaMs: (this.totalCost - done) / rate }),
    };
  }
}
