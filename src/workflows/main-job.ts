/** The main job: train every run of a preset, probe the final checkpoints, write the report, sum it up. */
import { join } from 'node:path';
import { LEARNED_ACCURACY } from '../evidence/claims-file.js';
import { openRun } from '../checkpoint/store.js';
import type { Preset } from '../config/presets.js';
import { errorMessage, RunError } from '../errors.js';
import type { StopSignal } from '../jobs/start.js';
import type { EngineChoice } from '../train/train-run.js';
import type { Probe } from '../../probes/contract.js';
import type { Report } from '../report/schema.js';
import { readPlanVerdicts } from './plan-verdicts.js';
import { probeAndReport, type ProbeJobResult } from './probing/probe-job.js';
import type { ProbeProgress } from './probing/probe-checkpoints.js';
import { type CheckpointRef, checkpointRef } from './probing/probe-plan.js';
import { type DamagedSubject, passedOverOf } from './probing/subjects.js';
import { trainRuns, type TrainRunsProgress } from './train-runs.js';

export interface MainJobOptions {
  readonly name: string;
  /** default: `sumlens <name>` */
  readonly title?: string | undefined;
  /** what readers of the report are told beside the title */
  readonly notes?: string | undefined;
  /** the command line that makes the report */
  readonly command?: string | undefined;
  /** name of a plan below reportsDir whose verdicts stand beside those of the runs, where it is there */
  readonly beside?: string | undefined;
  readonly preset: Preset;
  readonly probes: readonly Probe[];
  readonly engine: EngineChoice;
  /** runs trained, and checkpoints probed, at a time */
  readonly parallel: number;
  readonly checkpointsDir: string;
  readonly reportsDir: string;
  readonly version: string;
  readonly signal?: AbortSignal;
  readonly onTraining?: (progress: TrainRunsProgress) => void;
  readonly onProbing?: (progress: ProbeProgress) => void;
}

export interface MainJobResult extends ProbeJobResult {
  /** runs that could not be trained or read, with the reason; the report is of the others */
  readonly failed: readonly FailedRun[];
  /** damaged checkpoints in whose place an earlier one of the same run was probed */
  readonly passedOver: readonly DamagedSubject[];
}

export interface FailedRun {
  readonly run: string;
  readonly reason: string;
}

/** No run of the preset could be trained: there is nothing to report on. */
export class NothingTrainedError extends RunError {
  override readonly name = 'NothingTrainedError';
  constructor(readonly failed: readonly FailedRun[]) {
    super(`None of ${failed.length} runs could be trained. ${failed[0]?.reason ?? ''}`.trim());
  }
}

/**
 * @throws NothingTrainedError with the reason of every run when all of them failed, InterruptedRunError
 */
export async function mainJob(options: MainJobOptions): Promise<MainJobResult> {
  const { preset, engine, parallel, checkpointsDir, signal } = options;
  const outcomes = await trainRuns({
    configs: preset.runs,
    root: checkpointsDir,
    engine,
    parallel,
    ...(signal === undefined ? {} : { signal }),
    ...(options.onTraining === undefined ? {} : { onProgress: options.onTraining }),
  });
  const interrupted = outcomes.find((outcome) => outcome.kind === 'interrupted');
  if (interrupted !== undefined) throw new InterruptedRunError(interrupted.signal ?? 'SIGINT');
  const failed: FailedRun[] = [];
  const passedOver: DamagedSubject[] = [];
  const refs: CheckpointRef[] = [];
  for (const outcome of outcomes) {
    const { run } = outcome;
    if (outcome.kind === 'failed') failed.push({ run, reason: outcome.message });
    if (outcome.kind !== 'finished') continue;
    try {
      const store = openRun(join(checkpointsDir, run));
      const last = store.loadStep('last');
      refs.push(checkpointRef(store, last.step));
      passedOver.push(...passedOverOf(store, last));
    } catch (error) {
      failed.push({ run, reason: errorMessage(error) });
    }
  }
  if (refs.length === 0) throw new NothingTrainedError(failed);
  const beside =
    options.beside === undefined ? undefined : readPlanVerdicts(options.reportsDir, options.beside);
  const result = await probeAndReport({
    kind: 'claims',
    title: options.title ?? `sumlens ${options.name}`,
    notes: options.notes,
    command: options.command,
    ...(beside === undefined ? {} : { beside }),
    name: options.name,
    refs,
    damaged: passedOver,
    probes: options.probes.map((probe) => ({ probe })),
    engine,
    parallel,
    reportsDir: options.reportsDir,
    version: options.version,
    ...(signal === undefined ? {} : { signal }),
    ...(options.onProbing === undefined ? {} : { onProgress: options.onProbing }),
  });
  return { ...result, failed, passedOver };
}

/** The main job was asked to stop; what was trained so far is kept and goes on at the next start. */
export class InterruptedRunError extends RunError {
  override readonly name = 'AbortError';
  constructor(readonly signal: StopSignal) {
    super('Interrupted. Start again to go on from here.');
  }
}

/** One line of the summary table. */
export interface SummaryRow {
  readonly condition: string;
  readonly parameters: number;
  readonly seeds: number;
  /** by operation: seeds that learned it, mean accuracy over seeds on trained prompts, and on held-out prompts */
  readonly operations: Readonly<
    Record<string, { readonly learned: number; readonly accuracy: number; readonly held?: number }>
  >;
}

/** Conditions of a report in order, with what their seeds learned. */
export function summarize(report: Report): SummaryRow[] {
  // the main job has one checkpoint a run
  const accuracies = new Map(report.subjects.map(({ run, learned }) => [run, learned]));
  const learned = (run: string, operation: string): boolean =>
    (accuracies.get(run)?.[operation] ?? 0) >= LEARNED_ACCURACY;
  const groups = new Map<string, Report['training'][number][]>();
  for (const record of report.training)
    groups.set(record.label, [...(groups.get(record.label) ?? []), record]);
  return [...groups].map(([condition, records]) => {
    const operations: Record<string, { learned: number; accuracy: number; held?: number }> = {};
    for (const operation of new Set(
      records.flatMap((record) => record.final.map((cell) => cell.operation)),
    )) {
      const accuracy = (held: boolean): number | undefined => {
        const rates = records.flatMap((record) => {
          const cells = record.final.filter((cell) => cell.operation === operation && cell.held === held);
          const total = cells.reduce((sum, cell) => sum + cell.total, 0);
          return total === 0 ? [] : [cells.reduce((sum, cell) => sum + cell.correct, 0) / total];
        });
        return rates.length === 0 ? undefined : rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
      };
      const held = accuracy(true);
      operations[operation] = {
        learned: records.filter((record) => learned(record.run, operation)).length,
        accuracy: accuracy(false) ?? 0,
        ...(held === undefined ? {} : { held }),
      };
    }
    return { condition, parameters: records[0].parameters, seeds: records.length, operations };
  });
}
