/** AdamW's moments over the course of a run: how many updates they are made of, and where they start again. */
import { phaseSpans } from '../config/phases.js';
import type { RunConfig } from '../config/run-config.js';
import type { Model } from '../engine/engine.js';

/**
 * Updates that the moments are made of after `step` updates of a run, which the bias correction counts: those of a kept
 * source before them, and none of phases before the last reset. At the end of a phase, the reset is still to come.
 */
export function momentUpdates(config: RunConfig, step: number): number {
  const { phaseOptimizer } = config.training;
  const starts = phaseOptimizer === 'reset' ? phaseSpans(config).map(({ from }) => from) : [0];
  const start = starts.filter((from) => from < step).at(-1) ?? 0;
  return step - start + (start === 0 ? (config.init?.optimizer?.updates ?? 0) : 0);
}

/** As at the first update of a run. */
export function resetMoments(model: Model): void {
  const { parameters, m, v } = model.getState();
  model.setState({ parameters, m: m.fill(0), v: v.fill(0), step: 0 });
}
