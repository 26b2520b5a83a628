/** At which steps a run keeps a checkpoint for ever. */

const FIRST = 64;
const FACTOR = 4;

/**
 * 0, then log-spaced, then the last step: 0, 64, 256, 1024, 4096, 8000. The same early steps whatever the budget, so
 * that runs of different length can be compared along the way.
 * @param steps - the run's budget, at least 1
 * @param ends - steps at which a phase ends
 */
export function checkpointSteps(steps: number, ends: readonly number[] = []): number[] {
  if (!Number.isInteger(steps) || steps < 1)
    throw new RangeError(`steps: found ${steps}, expected at least 1.`);
  const result = [0];
  for (let step = FIRST; step < steps; step *= FACTOR) result.push(step);
  result.push(steps);
  return [...new Set([...result, ...ends])].sort((a, b) => a - b);
}
