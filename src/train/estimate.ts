/** How long a run will take on the slow reference engine, from a few updates of a model that is then thrown away. */
import { gptConfigOf } from '../config/names.js';
import type { RunConfig } from '../config/run-config.js';
import type { Batch, Engine } from '../engine/engine.js';

/** Timed after one that is not: the first compiles and allocates. */
const TIMED_UPDATES = 3;

/** Whether an engine is so slow that its time is said before it starts. */
export function isSlowEngine({ name }: Engine): boolean {
  return name.startsWith('tfjs:');
}

/**
 * Time of all updates from `step` to the end; evaluations and checkpoints are not in it.
 * @param batch - batch of an update, a pure function of its number
 * @param clock - monotonic milliseconds
 */
export function estimateTrainingMs(
  engine: Engine,
  config: RunConfig,
  batch: (step: number) => Batch,
  step: number,
  clock: () => number = () => performance.now(),
): number {
  const { steps } = config.training;
  const left = steps - step;
  if (left <= 0) return 0;
  const model = engine.createModel(gptConfigOf(config), { seed: config.seed }, 'train');
  try {
    const update = (i: number): void => {
      model.trainStep(batch(Math.min(step + i, steps - 1)), config.optimizer);
    };
    update(0);
    const begin = clock();
    for (let i = 1; i <= TIMED_UPDATES; i++) update(i);
    return ((clock() - begin) / TIMED_UPDATES) * left;
  } finally {
    model.dispose();
  }
}
