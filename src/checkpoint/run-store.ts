/**
 * One run directory: publishing and loading checkpoints, the logs beside them and the lock on all of it. Nothing of
 * training is known here. A directory is read only through a manifest that verifies.
 */
import { basename, join } from 'node:path';
import { configSha256, gptConfigOf, runId } from '../config/names.js';
import type { RunConfig } from '../config/run-config.js';
import type { TrainingState } from '../engine/engine.js';
import { RunError, UserError, errorMessage, printable } from '../errors.js';
import { assertLocked, takeLock, releaseLock, type Lock } from '../io/lock.js';
import {
  exists,
  readText,
  recoverAllReplaced,
  removeStaleTemporaries,
  removeTree,
  writeFileDurably,
} from '../io/files.js';
import { appendLines, repairTail, syncFile, truncateFile, truncateLinesAfter } from '../io/log-files.js';
import { canonicalJson, parseJsonStrict, toJsonLine, type Json } from '../io/json.js';
import { sha256Hex } from '../io/sha256.js';
import { decodeSafetensors, encodeSafetensors } from './format.js';
import { publishWithManifest, readManifest, readVerified, type Manifest } from './manifest.js';
import { parametersToTensors, tensorsToParameters } from './parameters.js';
import * as files from './run-files.js';
import { problemsOf, verifyRun } from './verify.js';

export const MODEL = 'model.safetensors';
const OPTIMIZER = 'optimizer.safetensors';
const STATE = 'state.json';
// PyTorch's names of AdamW's moments
const FIRST_MOMENT = 'exp_avg.';
const SECOND_MOMENT = 'exp_avg_sq.';
// what tools of the safetensors world expect; nothing that differs between steps, so that equal weights hash equally
const METADATA = { format: 'pt' };
const RESUME_POINTS_KEPT = 2;

export interface LoadedStep {
  readonly step: number;
  /** [arenaSize] float32 in parameterTable layout */
  readonly parameters: Float32Array;
  /** SHA-256 of model.safetensors */
  readonly weightsSha256: string;
  /** later steps that are damaged, the last first; only of `last`, which stands in for them. Say so to the user */
  readonly passedOver: readonly PassedOver[];
}

/** A damaged step in whose place an earlier one was taken. */
export interface PassedOver {
  readonly step: number;
  readonly reason: string;
}

export interface ResumePoint {
  readonly step: number;
  readonly state: TrainingState;
  /** what the trainer stored with it */
  readonly extra: Json;
  /** length of metrics.jsonl then; undefined in points of older versions */
  readonly metricsBytes: number | undefined;
  /** SHA-256 of optimizer.safetensors */
  readonly momentsSha256: string;
  /** one sentence for each newer point that was damaged */
  readonly notes: readonly string[];
}

/** state.json of a resume point. */
interface StoredState {
  readonly extra: Json;
  /** length and hash of metrics.jsonl; absent in points of older versions */
  readonly metrics?: { readonly bytes: number; readonly sha256: string };
}

/** An opened run. Made by createOrOpenRun and openRun of open-run.ts. */
export class RunStore {
  /** content hash id; the directory has another name when it was made with --out */
  readonly id: string;
  /** sentences about damage that was found and worked around */
  readonly notes: string[] = [];
  /** full hash of the configuration */
  readonly configSha256: string;
  private held: Lock | undefined;

  constructor(
    readonly dir: string,
    readonly config: RunConfig,
  ) {
    this.id = runId(config);
    this.configSha256 = configSha256(config);
  }

  /** The directory's name, as in `<run>@64`. */
  get name(): string {
    return basename(this.dir);
  }

  /**
   * Makes this process the only writer, repairs torn logs and removes what a crash left. A holder that was killed a
   * moment ago is waited for. With `tidies: false` nothing but the lock is made.
   * @returns gives the lock up
   * @throws LockedError naming the live holder
   */
  lock(text = 'training', options: { readonly waitMs?: number; readonly tidies?: boolean } = {}): () => void {
    const lock = takeLock(join(this.dir, files.LOCK_FILE), text, { waitMs: options.waitMs ?? 2000 });
    this.held = lock;
    if (options.tidies !== false) {
      for (const log of [files.SESSIONS_FILE, files.METRICS_FILE, files.TIMING_FILE])
        repairTail(join(this.dir, log), files.isLogLine);
      this.sweep();
    }
    return () => {
      releaseLock(lock);
      if (this.held === lock) this.held = undefined;
    };
  }

  /** Removes what processes that have ended were writing, and puts back what they had moved aside. */
  sweep(): void {
    this.assertWritable();
    for (const part of ['.', 'steps', 'resume']) {
      removeStaleTemporaries(join(this.dir, part));
      recoverAllReplaced(join(this.dir, part));
    }
  }

  /** @throws RunError when the lock of this process was lost */
  assertWritable(): void {
    if (this.held !== undefined) assertLocked(this.held);
  }

  /** One line a start: engine, threads, versions, time. Durable. */
  appendSession(session: unknown): void {
    this.append(files.SESSIONS_FILE, session, true);
  }

  /** Deterministic fields only; made durable by the next publish. */
  appendMetrics(row: { readonly step: number; readonly [key: string]: unknown }): void {
    this.append(files.METRICS_FILE, row, false);
  }

  /** Wall clock figures, never compared. */
  appendTiming(row: { readonly step: number; readonly [key: string]: unknown }): void {
    this.append(files.TIMING_FILE, row, false);
  }

  private append(file: string, row: unknown, sync: boolean): void {
    this.assertWritable();
    appendLines(join(this.dir, file), [toJsonLine(row).slice(0, -1)], { sync });
  }

  /** @throws RunError when the file is not what the run ended with */
  readMetrics(): unknown[] {
    const path = join(this.dir, files.METRICS_FILE);
    files.checkMetrics(path, this.end());
    return files.readJsonLines(path);
  }

  readTiming(): unknown[] {
    return files.readJsonLines(join(this.dir, files.TIMING_FILE));
  }

  readSessions(): unknown[] {
    return files.readJsonLines(join(this.dir, files.SESSIONS_FILE));
  }

  /**
   * Drops rows of steps after `step` from metrics and timing: a resumed run writes them again. What a crash left behind
   * the last row that stays goes too.
   * @param metricsBytes - length of metrics.jsonl at that step, when it is known
   * @throws RunError when it is not known and a line before that row is damaged
   */
  dropMetricsAfter(step: number, metricsBytes?: number): void {
    const metrics = join(this.dir, files.METRICS_FILE);
    if (metricsBytes !== undefined) {
      if (exists(metrics)) truncateFile(metrics, metricsBytes);
    } else {
      const kept = files.readJsonLines(metrics, (row) => Number(row.step) <= step);
      let line = 0;
      truncateLinesAfter(metrics, () => line++ < kept.length);
    }
    // wall clock figures: of a damaged line and those behind it nothing is missed
    let last = 0;
    const isBefore = (line: string): boolean => {
      const at = files.stepOfLine(line);
      if (!(at >= last && at <= step)) return false;
      last = at;
      return true;
    };
    truncateLinesAfter(join(this.dir, files.TIMING_FILE), isBefore);
  }

  /**
   * Publishes the weights of a scheduled step, for ever. Publishing the same weights again changes nothing.
   * @param parameters - [arenaSize] float32
   * @throws RunError when other weights are there already
   */
  publishStep(step: number, parameters: Float32Array): void {
    this.assertWritable();
    const bytes = encodeSafetensors(parametersToTensors(gptConfigOf(this.config), parameters), METADATA);
    const directory = files.stepDirectory(this.dir, 'steps', step);
    const parent = this.parentOf(step);
    if (exists(directory) && !this.isMovedAside(step)) {
      const present = this.presentStep(step);
      if (present !== undefined && sameBytes(present, bytes)) return;
      if (present !== undefined) {
        throw new RunError(
          `${printable(directory, 300)} holds other weights than this run computed. Verify the run, or train it elsewhere with --out.`,
        );
      }
    }
    syncFile(join(this.dir, files.METRICS_FILE));
    publishWithManifest(
      directory,
      { kind: 'step', step, configSha256: this.configSha256, parent },
      [{ name: MODEL, bytes }],
      { replace: true },
    );
  }

  /** Model bytes of a step that verifies; undefined, and a note, when it is damaged. */
  private presentStep(step: number): Uint8Array | undefined {
    try {
      const { directory, manifest } = this.stepManifest(step);
      return readVerified(directory, manifest, MODEL);
    } catch (error) {
      this.notes.push(errorMessage(error));
      return undefined;
    }
  }

  /** Hash of the manifest of the last step before `step`, or null. */
  parentOf(step: number): string | null {
    const previous = this.stepBefore(step);
    if (previous === undefined) return null;
    return this.isMovedAside(previous)
      ? this.movedManifest(previous)
      : this.stepManifest(previous).manifest.sha256;
  }

  /** True for a step that was damaged and put into `.damaged/`; a mark stands in its place. */
  isMovedAside(step: number): boolean {
    return exists(join(files.stepDirectory(this.dir, 'steps', step), files.MOVED_FILE));
  }

  /** SHA-256 of the manifest of a step that was moved aside. */
  movedManifest(step: number): string {
    return readText(join(files.stepDirectory(this.dir, 'steps', step), files.MOVED_FILE), 100).trim();
  }

  /** The published step before, whose manifest is there even if its weights were given up. */
  private stepBefore(step: number): number | undefined {
    return files
      .listSteps(this.dir, 'steps')
      .filter((candidate) => candidate < step)
      .at(-1);
  }

  /** The published step after, whether or not its weights are there. */
  stepAfter(step: number): number | undefined {
    return files.listSteps(this.dir, 'steps').find((candidate) => candidate > step);
  }

  /** The verified manifest of a step. @throws RunError */
  stepManifest(step: number): { readonly directory: string; readonly manifest: Manifest } {
    const directory = files.stepDirectory(this.dir, 'steps', step);
    const manifest = readManifest(directory, { kind: 'step', step, configSha256: this.configSha256 });
    return { directory, manifest };
  }

  /**
   * Published steps, ascending; each is verified when it is loaded. Those given up by keepFinal, or moved aside by repair, are
   * not among them.
   */
  steps(): number[] {
    return files
      .listSteps(this.dir, 'steps')
      .filter(
        (step) =>
          !this.isMovedAside(step) &&
          !exists(join(files.stepDirectory(this.dir, 'steps', step), files.DROPPED_FILE)),
      );
  }

  /** The last published step, not verified; undefined when there is none. */
  get lastStep(): number | undefined {
    return this.steps().at(-1);
  }

  /**
   * Loads and verifies weights. `final`: the step at which the run ended; `last`: the last step that verifies (damaged
   * ones after it are named in `notes`).
   * @throws UserError when there is no such step, RunError when it is damaged
   */
  loadStep(which: number | 'final' | 'last'): LoadedStep {
    if (which === 'last') return this.loadLast();
    const steps = this.steps();
    const step = which === 'final' ? this.finalStep() : which;
    if (!steps.includes(step)) {
      throw new UserError(
        `${this.name}@${step}: found no such checkpoint, expected one of ${steps.join(', ') || 'none yet'}.`,
      );
    }
    const { directory, manifest } = this.stepManifest(step);
    if (manifest.parent !== this.parentOf(step)) {
      throw new RunError(
        `${printable(directory, 300)}: its manifest names another parent than step ${this.stepBefore(step) ?? 'none'}: one of them was changed.`,
      );
    }
    return { ...this.readStep(step, manifest), passedOver: [] };
  }

  /** Weights of a published step whose manifest was read. @throws RunError when they are damaged */
  readStep(step: number, manifest: Manifest): Omit<LoadedStep, 'passedOver'> {
    const directory = files.stepDirectory(this.dir, 'steps', step);
    const parameters = this.decodeModel(directory, manifest);
    return { step, parameters, weightsSha256: manifest.files.get(MODEL)?.sha256 ?? '' };
  }

  /** The step at which the run ended. @throws UserError when it has not ended */
  finalStep(): number {
    const end = this.end();
    if (end === undefined || end.reason === 'interrupted') {
      throw new UserError(
        `${this.name}@final: the run has not ended. Resume it, or leave @final out for its last checkpoint.`,
      );
    }
    return end.reason === 'diverged' ? (this.lastStep ?? end.step) : end.step;
  }

  private loadLast(): LoadedStep {
    const passedOver: PassedOver[] = [];
    for (const step of files.listSteps(this.dir, 'steps').reverse()) {
      if (this.isMovedAside(step)) {
        const directory = printable(files.stepDirectory(this.dir, 'steps', step), 300);
        passedOver.push({ step, reason: `${directory}: was damaged and moved aside by repair.` });
        continue;
      }
      if (exists(join(files.stepDirectory(this.dir, 'steps', step), files.DROPPED_FILE))) continue;
      try {
        const loaded = this.loadStep(step);
        this.notes.push(...passedOver.map(({ reason }) => reason));
        return { ...loaded, passedOver };
      } catch (error) {
        passedOver.push({ step, reason: errorMessage(error) });
      }
    }
    if (passedOver.length > 0)
      throw new RunError(`${this.name}: no checkpoint verifies. ${passedOver[0].reason}`);
    throw new UserError(`${this.name}: found no checkpoint, expected at least one. Train the run first.`);
  }

  private decodeModel(directory: string, manifest: Manifest): Float32Array {
    const path = join(directory, MODEL);
    const { tensors } = decodeSafetensors(readVerified(directory, manifest, MODEL), path);
    return tensorsToParameters(gptConfigOf(this.config), tensors, path);
  }

  /**
   * Publishes everything needed to go on from here; the newest two are kept.
   * @param extra - plain JSON of the trainer's own
   */
  publishResume(step: number, state: TrainingState, extra: Json): void {
    this.assertWritable();
    if (state.step !== step)
      throw new RangeError(`publishResume: step ${step}, but the state is of step ${state.step}.`);
    const gpt = gptConfigOf(this.config);
    const moments = [
      ...parametersToTensors(gpt, state.m, FIRST_MOMENT),
      ...parametersToTensors(gpt, state.v, SECOND_MOMENT),
    ];
    syncFile(join(this.dir, files.METRICS_FILE));
    syncFile(join(this.dir, files.TIMING_FILE));
    // rows that are lost or changed before this point are found when it is read
    const rows = files.logBytes(join(this.dir, files.METRICS_FILE));
    const metrics = { bytes: rows.length, sha256: sha256Hex(rows) };
    publishWithManifest(
      files.stepDirectory(this.dir, 'resume', step),
      { kind: 'resume', step, configSha256: this.configSha256, parent: null },
      [
        { name: MODEL, bytes: encodeSafetensors(parametersToTensors(gpt, state.parameters), METADATA) },
        { name: OPTIMIZER, bytes: encodeSafetensors(moments, METADATA) },
        { name: STATE, bytes: `${canonicalJson({ step, extra, metrics })}\n` },
      ],
      { replace: true },
    );
    // later ones are damaged or abandoned: this run has just not started from them
    const points = files.listSteps(this.dir, 'resume');
    const kept = points.filter((point) => point <= step).slice(-RESUME_POINTS_KEPT);
    for (const point of points) {
      if (!kept.includes(point)) removeTree(files.stepDirectory(this.dir, 'resume', point));
    }
  }

  /** The newest resume point that verifies; undefined when there is none (see `notes`: damaged ones are named there). */
  latestResume(): ResumePoint | undefined {
    const notes: string[] = [];
    for (const step of files.listSteps(this.dir, 'resume').reverse()) {
      try {
        return { ...this.loadResume(step), notes };
      } catch (error) {
        notes.push(errorMessage(error));
        this.notes.push(errorMessage(error));
      }
    }
    return undefined;
  }

  /** Steps of the resume points, ascending; each is verified when it is loaded. */
  resumeSteps(): number[] {
    return files.listSteps(this.dir, 'resume');
  }

  resumeDirectory(step: number): string {
    return files.stepDirectory(this.dir, 'resume', step);
  }

  /** @throws RunError when it is damaged */
  loadResume(step: number): Omit<ResumePoint, 'notes'> {
    const directory = files.stepDirectory(this.dir, 'resume', step);
    const manifest = readManifest(directory, { kind: 'resume', step, configSha256: this.configSha256 });
    const gpt = gptConfigOf(this.config);
    const parameters = this.decodeModel(directory, manifest);
    const path = join(directory, OPTIMIZER);
    const moments = decodeSafetensors(readVerified(directory, manifest, OPTIMIZER), path).tensors;
    const m = tensorsToParameters(gpt, moments, path, FIRST_MOMENT);
    const v = tensorsToParameters(gpt, moments, path, SECOND_MOMENT);
    const stored = parseJsonStrict(readVerified(directory, manifest, STATE), {
      where: join(directory, STATE),
      blame: 'file',
    });
    // the hash says that publishResume wrote it
    const { extra, metrics } = stored as StoredState;
    this.checkRows(directory, metrics);
    const momentsSha256 = manifest.files.get(OPTIMIZER)?.sha256 ?? '';
    return { step, state: { parameters, m, v, step }, extra, momentsSha256, metricsBytes: metrics?.bytes };
  }

  /** @throws RunError when the rows that were written before a resume point are no longer there */
  private checkRows(directory: string, metrics: StoredState['metrics']): void {
    if (metrics === undefined) return;
    const rows = files.logBytes(join(this.dir, files.METRICS_FILE)).subarray(0, metrics.bytes);
    if (rows.length === metrics.bytes && sha256Hex(rows) === metrics.sha256) return;
    throw new files.LostRowsError(
      `${printable(directory, 300)}: ${files.METRICS_FILE} no longer holds the rows that were written before it.`,
    );
  }

  /** How the run ended; undefined while it has not. */
  end(): files.RunEnd | undefined {
    return files.readEnd(this.dir);
  }

  writeEnd(end: files.RunEnd): void {
    this.assertWritable();
    for (const log of [files.METRICS_FILE, files.TIMING_FILE]) syncFile(join(this.dir, log));
    const metricsSha256 = sha256Hex(files.logBytes(join(this.dir, files.METRICS_FILE)));
    writeFileDurably(join(this.dir, files.END_FILE), `${canonicalJson({ ...end, metricsSha256 })}\n`);
  }

  /** An interrupted run goes on: its end is forgotten. */
  clearEnd(): void {
    removeTree(join(this.dir, files.END_FILE));
  }

  /**
   * Gives up the weights of all steps of a run that has ended but the last, and its resume points. The manifests stay, so
   * that the chain of hashes still verifies. Doing it again changes nothing.
   * @throws UserError when the run has not ended
   */
  keepFinal(): void {
    this.assertWritable();
    const final = this.finalStep();
    for (const step of files.listSteps(this.dir, 'steps')) {
      if (step === final) continue;
      const directory = files.stepDirectory(this.dir, 'steps', step);
      // first the mark: a crash in between leaves a step that is given up, never a damaged one
      writeFileDurably(join(directory, files.DROPPED_FILE), '');
      removeTree(join(directory, MODEL));
    }
    removeTree(join(this.dir, 'resume'));
  }

  /** Everything that is wrong with the directory, one sentence each; empty when all is well. */
  verify(): string[] {
    return problemsOf(verifyRun(this));
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
