/**
 * Every module tells its progress at least once a second. The clock is processor time, which other work on the machine does
 * not move as it moves the wall clock; how often it is passed on is tested with a clock that the test sets.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MORE_PROBES, PROBES } from '../../probes/index.js';
import { gptConfigOf } from '../../src/config/gpt-config-of.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { Engine } from '../../src/engine/engine.js';
import { openEngine } from '../../src/engine/registry.js';
import { initialParameters } from '../../src/model/init.js';
import { Rng } from '../../src/tensor/rng.js';
import { paced, PROGRESS_EVERY_MS } from '../../src/workflows/probing/measure-one.js';
import { resolveOptions } from '../../src/workflows/probing/probe-plan.js';
import { subjectFor } from '../helpers/measure-ablation.js';

/** The longest silence of any module was 0.24 s when this was set. */
const MOST_MS = 1000;

let engine: Engine;
beforeAll(async () => {
  ({ engine } = await openEngine('auto', { threads: 1 }));
});
afterAll(() => engine.dispose());

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

describe('progress', () => {
  // modulus 32 and width 64: the tables of most modules grow with the square of the modulus
  it.each([...PROBES, ...MORE_PROBES].map((probe) => [probe.name, probe] as const))(
    'of %s comes at least once a second',
    async (name, probe) => {
      const config = resolveRunConfig({
        data: { tasks: ['MAX', 'SUM'], modulus: 32, regime: 'pairs', operands: [2, 2] },
        model: { dModel: 64 },
      });
      const gpt = gptConfigOf(config);
      const parameters = initialParameters(gpt, config.seed);
      const model = engine.createModel(gpt, { parameters }, 'inference');
      const subject = { subject: subjectFor(config), config, parameters, untrainedParameters: parameters };
      // fewer draws, each as long as ever
      const options = resolveOptions(probe, {}, true);
      let last = cpuMs();
      let longest = { ms: 0, before: '' };
      let told = -1;
      const note = (before: string): void => {
        const now = cpuMs();
        if (now - last > longest.ms) longest = { ms: now - last, before };
        last = now;
      };
      await probe.measure(subject, options, {
        engine,
        model,
        rng: (index = 0) => new Rng(config.seed, `probe:${name}`, index),
        progress: (done, total) => {
          note(`${done} of ${total}`);
          expect(done / total).toBeGreaterThanOrEqual(told);
          expect(done).toBeLessThanOrEqual(total);
          told = done / total;
        },
      });
      note('the end');
      model.dispose();
      expect(longest.ms, `silent before ${longest.before}`).toBeLessThan(MOST_MS);
    },
    300_000,
  );

  it('is passed on ten times a second, whatever a module tells, and its end always', () => {
    let now = 0;
    const passed: number[] = [];
    const progress = paced(
      (done) => passed.push(done),
      () => now,
    );
    // a module that tells every 7 ms for 10 s
    const total = 1429;
    for (let done = 1; done <= total; done++, now += 7) progress(done, total);
    const times = passed.map((done) => (done - 1) * 7);
    const gaps = times.slice(1).map((time, i) => time - times[i]);
    expect(times[0]).toBe(0);
    expect(passed.at(-1)).toBe(total);
    expect(Math.max(...gaps)).toBeLessThan(PROGRESS_EVERY_MS + 7);
    expect(Math.min(...gaps.slice(0, -1))).toBeGreaterThanOrEqual(PROGRESS_EVERY_MS);
    // and one that tells once a second loses nothing
    passed.length = 0;
    now += MOST_MS;
    for (let done = 1; done <= 5; done++, now += MOST_MS) progress(done, 10);
    expect(passed).toEqual([1, 2, 3, 4, 5]);
  });
});
