/** The time said before a slow engine starts, with a clock that is passed in. */
import { expect, it } from 'vitest';
import { resolveRunConfig } from '../../src/config/parse.js';
import { openEngine } from '../../src/engine/registry.js';
import { createGenerator } from '../../src/listops/sampling/generate.js';
import { estimateTrainingMs, isSlowEngine } from '../../src/train/estimate.js';

const config = resolveRunConfig({
  data: { tasks: ['SUM'] },
  model: { dModel: 8 },
  training: { steps: 40, batchSize: 4 },
});

it('is the time of an update, the first left out, times the updates that are left', async () => {
  const { engine } = await openEngine('wasm', { threads: 1 });
  const generator = createGenerator(config.data, config.seed);
  const asked: number[] = [];
  const batch = (step: number): ReturnType<typeof generator.batch> => {
    asked.push(step);
    return generator.batch(step, 4);
  };
  const times = [100, 130];
  const clock = (): number => times.shift() ?? NaN;
  // three timed updates took 30 ms: 10 ms each, 30 of 40 are left
  expect(estimateTrainingMs(engine, config, batch, 10, clock)).toBe(300);
  expect(asked).toEqual([10, 11, 12, 13]);
  expect(estimateTrainingMs(engine, config, batch, 40, clock)).toBe(0);
  expect(isSlowEngine(engine)).toBe(false);
  expect(isSlowEngine({ ...engine, name: 'tfjs:wasm' })).toBe(true);
  engine.dispose();
});
