/** Tiny plans and results for tests of sweeps. */
import type { RunConfig } from '../../../src/config/run-config.js';
import { expandPlan, type SweepRun } from '../../../src/workflows/sweep/plan/expand.js';
import { parsePlan, type Plan } from '../../../src/workflows/sweep/plan/plan.js';
import type { ResultLine } from '../../../src/workflows/sweep/results/result-line.js';

/** 12 runs of 60 steps: two arms, three widths, two seeds. */
export const TINY_PLAN = `
name: tiny
base:
  data: { modulus: 4 }
  model: { nLayers: 1, nCtx: 16 }
  optimizer.warmupSteps: 10
  training: { steps: 60, batchSize: 8, evaluateEvery: 20 }
arms:
  sum: { data.tasks: [SUM] }
  joint: { data.tasks: [MAX, SUM] }
axes: { model.dModel: [4, 6, 8] }
seeds: 1..2
modules: [embedding-pca]
`;

export const tinyPlan = (): Plan => parsePlan(TINY_PLAN, 'tiny.yaml');

export const tinyRuns = (): SweepRun[] => expandPlan(tinyPlan());

/** A result as a run would have given it. */
export function resultFor(run: { readonly id: string; readonly config: RunConfig }, hash = 'a'): ResultLine {
  return {
    id: run.id,
    configuration: run.config,
    parameters: 100,
    end: { reason: 'budget', step: run.config.training.steps },
    evaluations: [{ step: 60, trained: { SUM: [9, 10] }, lossNats: { SUM: 0.5 } }],
    observations: [],
    leftOut: [],
    numberRows: [{ step: 0, norm: 0.25 }],
    weightsStep: run.config.training.steps,
    weightsSha256: hash.repeat(64).slice(0, 64),
    engine: 'test',
    seconds: 1.5,
  };
}
