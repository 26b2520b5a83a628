/** Learning rate of each update: linear warm-up, then a decay. A pure function of the step; no state. */
import { phaseAt, phaseSpans } from '../config/phases.js';
import type { RunConfig } from '../config/run-config.js';
import type { Schedule } from '../config/settings.js';
import { cosDeterministic, expDeterministic, logDeterministic } from '../tensor/math.js';

/** What the schedule reads of a run's configuration. */
export interface ScheduleConfig {
  /** peak */
  readonly learningRate: number;
  readonly warmupSteps: number;
  /** default cosine */
  readonly schedule?: Schedule;
  /** where the decay ends, as a fraction of the peak */
  readonly finalFraction: number;
  /** number of updates of the whole run */
  readonly steps: number;
}

/** The schedule's part of a run configuration. */
export function scheduleOf(config: RunConfig): ScheduleConfig {
  const { learningRate, warmupSteps, schedule, finalFraction } = config.optimizer;
  return { learningRate, warmupSteps, schedule, finalFraction, steps: config.training.steps };
}

/** Learning rate of each update of a run, counted from 1: one curve, or with `re-warmed` one in each phase. */
export function learningRates(config: RunConfig): (step: number) => number {
  const whole = scheduleOf(config);
  if (config.training.phaseSchedule !== 're-warmed') return (step) => learningRateAt(whole, step);
  const spans = phaseSpans(config);
  return (step) => {
    const { from, to } = phaseAt(spans, step - 1);
    return learningRateAt({ ...whole, steps: to - from }, step - from);
  };
}

/**
 * Learning rate of update `step`.
 *
 * step <= warmup: peak step / warmup. After it, x = (step - warmup) / (steps - warmup):
 * cosine: peak (f + (1 - f) (1 + cos(pi x)) / 2), which reaches the fraction f at the last update;
 * exponential: peak f^x' with x' of the update before, as a scheduler that acts after every update, so that the first
 * update has the peak and f would come one update after the last.
 *
 * @param step - 1 for the first update, `steps` for the last
 */
export function learningRateAt(schedule: ScheduleConfig, step: number): number {
  const { learningRate, warmupSteps, finalFraction, steps } = schedule;
  if (step <= warmupSteps) return (learningRate * step) / warmupSteps;
  if (schedule.schedule === 'exponential') {
    const done = (step - 1 - warmupSteps) / (steps - warmupSteps);
    return learningRate * expDeterministic(done * logDeterministic(finalFraction));
  }
  if (step >= steps) return learningRate * finalFraction;
  const progress = (step - warmupSteps) / (steps - warmupSteps);
  const cosine = (1 + cosDeterministic(Math.PI * progress)) / 2;
  return learningRate * (finalFraction + (1 - finalFraction) * cosine);
}
