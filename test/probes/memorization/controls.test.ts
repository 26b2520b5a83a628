/** The commands that probes/memorization/controls.ts recommends. */
import { Command } from 'commander';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { controlCommands, controlConfigs } from '../../../probes/memorization/controls.js';
import { addRunFlags, runConfigOf } from '../../../src/cli/flags/flags.js';
import { type DeepPartial, resolveRunConfig } from '../../../src/config/parse.js';
import type { RunConfig } from '../../../src/config/run-config.js';

/** What the command line makes of a command. */
function parsed(command: string): RunConfig {
  const words = command.split(' ');
  expect(words.slice(0, 2)).toEqual(['sumlens', 'train']);
  const program = addRunFlags(new Command('train')).exitOverride();
  program.parse(words.slice(2), { from: 'user' });
  return runConfigOf(program.opts(), {});
}

const SUM_ONLY: DeepPartial<RunConfig> = { data: { tasks: ['SUM'], regime: 'pairs' } };

it('names the fields that were once left out', () => {
  const [latin] = controlCommands(
    resolveRunConfig({
      data: { tasks: ['SUM'], regime: 'pairs', tableSeed: 7 },
      optimizer: { clip: 0.5, beta1: 0.8, eps: 1e-7 },
      training: { stop: 'solved', evaluateEvery: 100 },
      seed: 5,
    }),
  );
  expect(latin).toBe(
    'sumlens train --tasks LATIN --regime pairs --table-seed 7 --beta1 0.8 --eps 1e-7 --clip 0.5 ' +
      '--evaluate-every 100 --stop solved --seed 1',
  );
});

it('gives back the configuration when the command is parsed, whatever the run', () => {
  const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
    fc.option(value, { nil: undefined });
  const small = fc.double({ min: 1e-6, max: 0.99, noNaN: true });
  const fields = fc.record({
    data: fc.record({
      modulus: maybe(fc.integer({ min: 5, max: 40 })),
      operands: maybe(fc.constantFrom([2, 2] as const, [2, 4] as const, [3, 3] as const)),
      format: maybe(fc.constantFrom('steps' as const, 'direct' as const)),
      loss: maybe(fc.constantFrom('all' as const, 'completion' as const)),
      medianOfEven: maybe(fc.constantFrom('upper' as const, 'mean-truncated' as const)),
      tableSeed: maybe(fc.nat()),
      digitSkew: maybe(small),
      fixedSize: maybe(fc.integer({ min: 1, max: 5000 })),
    }),
    model: fc.record({
      dModel: maybe(fc.constantFrom(8, 24, 48)),
      nHeads: maybe(fc.constantFrom(1, 4)),
      dMlp: maybe(fc.integer({ min: 1, max: 200 })),
      activation: maybe(fc.constant('relu' as const)),
      tied: maybe(fc.boolean()),
      bias: fc.constantFrom(true, false, undefined),
      shareBlocks: maybe(fc.boolean()),
      residualInit: maybe(fc.constant('plain' as const)),
      embeddingInit: maybe(small),
      positionInit: maybe(small),
      nCtx: maybe(fc.integer({ min: 20, max: 100 })),
    }),
    optimizer: fc.record({
      learningRate: maybe(small),
      beta1: maybe(small),
      beta2: maybe(small),
      eps: maybe(small),
      weightDecay: maybe(small),
      clip: maybe(small),
      warmupSteps: maybe(fc.nat(1000)),
      schedule: maybe(fc.constant('exponential' as const)),
      finalFraction: maybe(small),
    }),
    training: fc.record({
      steps: maybe(fc.integer({ min: 1, max: 100_000 })),
      batchSize: maybe(fc.integer({ min: 1, max: 256 })),
      evaluateEvery: maybe(fc.integer({ min: 1, max: 1000 })),
      stop: maybe(fc.constant('solved' as const)),
    }),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(fields, (given) => {
      const sumOnly = resolveRunConfig({ ...given, data: { ...given.data, ...SUM_ONLY.data } });
      expect(controlCommands(sumOnly).map(parsed)).toEqual(controlConfigs(sumOnly));
    }),
    { numRuns: 300 },
  );
});

it('changes nothing of the SUM-only runs but operation, seeds and what follows from them', () => {
  const sumOnly = resolveRunConfig({ ...SUM_ONLY, model: { qkvBias: false }, seed: 9 });
  for (const config of controlConfigs(sumOnly)) {
    expect({
      ...config,
      data: { ...config.data, tasks: ['SUM'], holdoutSeed: 9 },
      seed: 9,
    }).toEqual(sumOnly);
  }
});
