/**
 * The training loop, and nothing else: batch, update, rows, evaluation, checkpoints. Opening engines and run
 * directories, and deciding where to start, is train-run.ts.
 */
import { phaseSpans } from '../config/phases.js';
import { checkpointSteps } from '../config/checkpoint-steps.js';
import type { RunConfig } from '../config/run-config.js';
import type { Batch, Model } from '../engine/engine.js';
import { accuracyByOperation, isSolved } from './learned.js';
import { type EvalRow, LossWindow, type MetricRow, TRAIN_ROW_EVERY, metricNumber } from './metrics.js';
import type { WindowState } from './metrics.js';
import { resetMoments } from './moments.js';
import type { Pace, TrainProgress } from './pace.js';
import { learningRates } from './schedule.js';

/** Where the loop writes. A run directory (train-run.ts) or an array (tests). */
export interface TrainLog {
  metrics(row: MetricRow): void;
  timing(step: number): void;
  /** keeps the parameters of a scheduled step for ever */
  publishStep(step: number): void;
  /** keeps everything needed to go on from `step` */
  publishResume(step: number, window: WindowState): void;
}

export interface LoopOptions {
  readonly config: RunConfig;
  /** mode `train`; holds the parameters and moments of `start.step` */
  readonly model: Model;
  /** batch of update `step` (from 0): a pure function of it */
  readonly batch: (step: number) => Batch;
  /** evaluation after `step` updates; must not change the model */
  readonly evaluate: (step: number, pause: () => Promise<void>) => Promise<EvalRow>;
  readonly log: TrainLog;
  readonly pace: Pace;
  /** where to go on; step 0: from the start */
  readonly start: {
    readonly step: number;
    readonly window?: WindowState | undefined;
    /** evaluation rows up to and including `step` */
    readonly evaluations: readonly EvalRow[];
  };
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: TrainProgress) => void) | undefined;
}

export interface LoopEnd {
  readonly reason: 'budget' | 'solved' | 'diverged' | 'interrupted';
  /** updates done and kept */
  readonly step: number;
  readonly divergence?: { readonly quantity: string; readonly value: number };
}

/** Trains until the budget, the stop rule, a non-finite number or the signal. */
export async function trainLoop(options: LoopOptions): Promise<LoopEnd> {
  const { config, model, log, pace, signal } = options;
  const { steps, evaluateEvery, stop } = config.training;
  const spans = phaseSpans(config);
  // where a phase ends; the last ends with the run
  const ends = spans.slice(0, -1).map(({ to }) => to);
  const scheduled = new Set(checkpointSteps(steps, ends));
  const rateOf = learningRates(config);
  const window = new LossWindow(options.start.window);
  const evaluations = [...options.start.evaluations];
  let step = options.start.step;

  for (;;) {
    const isDue = step % evaluateEvery === 0 || step === steps || ends.includes(step);
    if (step > 0 && isDue && evaluations.at(-1)?.step !== step) {
      const row = await evaluateUnlessStopped(options, step);
      if (row !== undefined) {
        evaluations.push(row);
        log.metrics(row);
        pace.accuracy = accuracyByOperation(row);
      }
    }
    const solved = stop === 'solved' && isSolved(evaluations) && evaluations.at(-1)?.step === step;
    const ended = (step === steps && evaluations.at(-1)?.step === step) || solved;
    const saves = ended || signal.aborted || pace.resumeIsDue();
    // an update may itself overflow: such weights are never published, and the next update finds them
    const bad = saves || scheduled.has(step) ? nonFinite(model.getParameters()) : undefined;
    if (bad !== undefined && ended) {
      const divergence = { quantity: 'a parameter', value: bad };
      log.metrics({ kind: 'diverged', step, quantity: divergence.quantity, value: metricNumber(bad) });
      return { reason: 'diverged', step, divergence };
    }
    if ((scheduled.has(step) || ended) && bad === undefined) log.publishStep(step);
    if (saves) {
      if (bad === undefined) log.publishResume(step, window.state());
      if (ended) return { reason: solved ? 'solved' : 'budget', step };
      if (signal.aborted) return { reason: 'interrupted', step };
    }

    // a resume point is written before this, and does it again
    if (config.training.phaseOptimizer === 'reset' && ends.includes(step)) resetMoments(model);
    const batch = options.batch(step);
    const learningRate = rateOf(step + 1);
    const result = model.trainStep(batch, { ...config.optimizer, learningRate });
    if (result.kind === 'diverged') {
      // nothing was updated: the parameters are still those of `step`
      const { quantity, value } = result;
      log.metrics({ kind: 'diverged', step: step + 1, quantity, value: metricNumber(value) });
      return { reason: 'diverged', step, divergence: { quantity, value } };
    }
    step++;

    window.add(result.lossNats, result.lossByRole, countTargets(batch));
    if (step === 1 || step % TRAIN_ROW_EVERY === 0 || step === steps) {
      const gradNorm = metricNumber(result.gradNorm);
      log.metrics({ kind: 'train', step, ...window.take(), gradNorm, learningRate });
    }
    pace.update(step, batch.tokens.length, result.lossNats);
    if (pace.reportIsDue()) {
      log.timing(step);
      options.onProgress?.(pace.progress());
    }
    await pace.breathe();
  }
}

/** @returns undefined when the signal came in the middle: the evaluation is then repeated at the next start */
async function evaluateUnlessStopped(options: LoopOptions, step: number): Promise<EvalRow | undefined> {
  const { signal, pace } = options;
  try {
    return await options.evaluate(step, async () => {
      await pace.breathe();
      signal.throwIfAborted();
    });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** The first value that is NaN or infinite. */
function nonFinite(values: Float32Array): number | undefined {
  return values.find((value) => !Number.isFinite(value));
}

function countTargets({ targets }: Batch): number {
  let count = 0;
  for (const target of targets) if (target >= 0) count++;
  return count;
}
