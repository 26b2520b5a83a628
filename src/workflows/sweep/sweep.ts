/**
 * A sweep: trains what its plan says and results.jsonl lacks, and appends one line a finished run. What is in that file is
 * done, on whatever machine it was trained; everything else goes on from its run directory.
 */
import { dirname, join } from 'node:path';
import { runId } from '../../config/names.js';
import type { RunConfig } from '../../config/run-config.js';
import { RunError, UserError } from '../../errors.js';
import { takeLock, releaseLock } from '../../io/lock.js';
import { exists, isDirectory, makeDirectory, publishDirectory } from '../../io/files.js';
import type { TrainProgress } from '../../train/pace.js';
import type { EngineChoice } from '../../train/train-run.js';
import { type LearnedTable, learnedBySize, SweepBoard, type SweepProgress } from './board.js';
import { attemptInChild } from './child.js';
import { configOf, type SweepRun } from './plan/expand.js';
import { finalWeights, type Keep, thinOut } from './keep.js';
import { outlineOf, writeOutline } from './plan/outline.js';
import { type Attempt, type FailedRun, runPool } from './pool.js';
import type { ResultLine } from './results/result-line.js';
import { appendResult, repairResults, RESULTS_FILE } from './results/results-file.js';
import {
  collectLocked,
  LOCK_FILE,
  readAllResults,
  runsOfShard,
  type Shard,
  shardFile,
  SHARDS,
} from './results/shards.js';

/** Trains one run somewhere. @param config - as it is trained, see configOf */
export type SweepAttempt = (
  run: SweepRun,
  config: RunConfig,
  onProgress: (progress: TrainProgress) => void,
) => Promise<Attempt>;

export interface SweepOptions {
  /** name of the folder of the results below reportsDir */
  readonly name: string;
  readonly runs: readonly SweepRun[];
  readonly checkpointsDir: string;
  readonly reportsDir: string;
  readonly engine: EngineChoice;
  /** trains this part of the runs alone, and writes their results into a file of their own */
  readonly shard?: Shard | undefined;
  /** runs at a time */
  readonly parallel: number;
  /** attempts after the first of a run that fails */
  readonly retries: number;
  readonly keep: Keep;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: SweepProgress, tables: () => readonly LearnedTable[]) => void;
  readonly onResult?: (run: SweepRun, line: ResultLine, progress: SweepProgress) => void;
  /** a sentence worth a line that stays */
  readonly onNote?: (text: string) => void;
  /** trains one run; default: in a child process here */
  readonly attempt?: SweepAttempt;
}

export interface SweepOutcome {
  readonly resultsPath: string;
  /** by the runs' ids in the plan */
  readonly results: ReadonlyMap<string, ResultLine>;
  readonly failed: readonly FailedRun[];
  readonly interrupted: boolean;
}

/** Which operation the table of sizes is about. */
export const SHOWN_OPERATION = 'SUM';

/**
 * Results of an earlier start, those of shards too.
 * @throws UserError when the folder holds something else, or a line is none of ours
 */
export function sweepResults(reportsDir: string, name: string): Map<string, ResultLine> {
  const folder = join(reportsDir, name);
  // a sweep writes its own report beside its results
  if (exists(join(folder, 'report.json')) && !exists(join(folder, RESULTS_FILE))) {
    throw new UserError(`${folder}: holds a report. Choose another --name for the results of the sweep.`);
  }
  return readAllResults(folder);
}

/** The results of a plan's runs, by their ids in the plan. @param all - by the ids of the runs */
export function resultsOfPlan(
  runs: readonly SweepRun[],
  all: ReadonlyMap<string, ResultLine>,
): Map<string, ResultLine> {
  const results = new Map<string, ResultLine>();
  // sources come first
  for (const run of runs) {
    const config = configOf(run, results);
    const line = config === undefined ? undefined : all.get(runId(config));
    if (line !== undefined) results.set(run.id, line);
  }
  return results;
}

/**
 * Runs the sweep to its end or to the signal.
 * @throws UserError before anything is started, LockedError when another process runs the same sweep here
 */
export async function runSweep(options: SweepOptions): Promise<SweepOutcome> {
  const { name, reportsDir, shard } = options;
  const folder = join(reportsDir, name);
  sweepResults(reportsDir, name);
  if (!isDirectory(folder)) publishFolder(folder);
  if (shard !== undefined) makeDirectory(join(folder, SHARDS));
  const resultsPath = shard === undefined ? join(folder, RESULTS_FILE) : shardFile(folder, shard);
  const lock = shard === undefined ? join(folder, LOCK_FILE) : resultsPath.replace(/jsonl$/, 'lock');
  const held = takeLock(lock, `sweep ${name}`, { waitMs: 2000 });
  try {
    if (shard === undefined) {
      const collected = collectLocked(folder);
      if (collected > 0) options.onNote?.(`collected ${collected} results of shards`);
    }
    return await sweepLocked(
      shard === undefined ? options : { ...options, runs: runsOfShard(options.runs, shard) },
      resultsPath,
    );
  } finally {
    releaseLock(held);
  }
}

function publishFolder(folder: string): void {
  try {
    publishDirectory(folder, []);
  } catch (error) {
    // another process made it at the same moment
    if (!isDirectory(folder)) throw error;
  }
}

async function sweepLocked(options: SweepOptions, resultsPath: string): Promise<SweepOutcome> {
  const { name, runs, checkpointsDir: root, reportsDir, engine, parallel, retries, keep, signal } = options;
  const dropped = repairResults(resultsPath);
  if (dropped > 0) options.onNote?.(`${RESULTS_FILE}: dropped ${dropped} bytes of an unfinished last line`);
  const all = sweepResults(reportsDir, name);
  const results = resultsOfPlan(runs, all);
  const others = all.size - new Set([...results.values()].map(({ id }) => id)).size;
  if (others > 0) options.onNote?.(`${others} results of runs that are not in the plan are left alone`);

  if (options.shard === undefined) writeOutline(dirname(resultsPath), outlineOf(runs, parallel));
  const board = new SweepBoard(runs, results);
  const tell = (): void =>
    options.onProgress?.(board.progress(), () => learnedBySize(runs, results, SHOWN_OPERATION));
  const train =
    options.attempt ??
    ((run, config, onProgress) =>
      attemptInChild({ ...run, config }, { root, engine, sweep: name, signal, onProgress }));
  tell();
  const { failed, interrupted } = await runPool({
    runs,
    done: new Map(results),
    weightsOf: (run) => finalWeights(root, results.get(run.id)?.id ?? run.id, run.givesMoments),
    parallel,
    retries,
    signal,
    attempt: async (run) => {
      board.started(run);
      tell();
      const config = configOf(run, results);
      if (config === undefined) throw new RunError(`${run.id}: its source has no result yet.`);
      const end = await train(run, config, (progress) => {
        board.progressed(run, progress);
        tell();
      });
      if (end.kind === 'finished' && end.line.id !== runId(config)) {
        throw new RunError(`${runId(config)}: found the result of ${end.line.id}.`);
      }
      // a run that is trained again for its checkpoint alone counts already
      board.stopped(run, end.kind === 'finished' && !results.has(run.id) ? 'finished' : 'again');
      return end;
    },
    onResult: (run, line) => {
      appendResult(resultsPath, line);
      results.set(run.id, line);
      options.onResult?.(run, line, board.progress());
      tell();
    },
    onReleased: (run) => {
      const note = thinOut(root, results.get(run.id)?.id ?? run.id, keep, name);
      if (note !== undefined) options.onNote?.(note);
    },
    onRetry: (run, message) => options.onNote?.(`${run.id} failed and is tried again: ${message}`),
    onFailed: (run, message) => {
      board.stopped(run, 'failed');
      options.onNote?.(`${run.id} failed: ${message}`);
      tell();
    },
  });
  return { resultsPath, results, failed, interrupted };
}
