/** Learning rate of each update: linear warm-up, then a cosine. A pure function of the step; no state. */
import type { RunConfig } from '../config/run-config.js';
import { cosDeterministic } from '../tensor/math.js';

/** What the schedule reads of a run's configuration. */
export interface ScheduleConfig {
  /** peak */
  readonly learningRate: number;
  readonly warmupSteps: number;
  /** the last update uses this fraction of the peak */
  readonly finalFraction: number;
  /** number of updates of the whole run */
  readonly steps: number;
}

/** The schedule's part of a run configuration. */
export function scheduleOf(config: RunConfig): ScheduleConfig {
  const { learningRate, warmupSteps, finalFraction } = config.optimizer;
  return { learningRate, warmupSteps, finalFraction, steps: config.training.steps };
}

/**
 * Learning rate of update `step`.
 *
 * step <= warmup: peak step / warmup; after it: peak (f + (1 - f) (1 + cos(pi x)) / 2), x = (step - warmup) / (steps - warmup)
 *
 * @param step - 1 for the first update, `steps` for the last
 */
export function learningRateAt(schedule: ScheduleConfig, step: number): number {
  const { learningRate, warmupSteps, finalFraction, steps } = schedule;
  if (step <= warmupSteps) return (learningRate * step) / warmupSteps;
  if (step >= steps) return learningRate * finalFraction;
  const progress = (step - warmupSteps) / (steps - warmupSteps);
  const cosine = (1 + cosDeterministic(Math.PI * progress)) / 2;
  return learningRate * (finalFraction + (1 - finalFraction) * cosine);
}
