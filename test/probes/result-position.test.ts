/**
 * The modules that look at the position before the result, on a model of one block applied three times, in the authors' notation;
 * and their pictures, which compile without a warning from several runs, from one and from none.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attention } from '../../probes/attention/index.js';
import { attribution } from '../../probes/attribution/index.js';
import { logitLens } from '../../probes/logit-lens/index.js';
import type { Measured, Probe } from '../../probes/contract.js';
import { resultPrompts } from '../../probes/result-prompts.js';
import { gptConfigOf } from '../../src/config/gpt-config-of.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import { AUTHORS } from '../../src/config/presets.js';
import type { Engine } from '../../src/engine/engine.js';
import { infoOf } from '../../src/evidence/statistic.js';
import { evidenceOf } from '../../src/evidence/evidence.js';
import type { Json } from '../../src/io/json.js';
import { decode, vocabularyOf } from '../../src/listops/language/tokenizer.js';
import { createHoldout } from '../../src/listops/sampling/regimes.js';
import { combineMeasurements } from '../../src/workflows/probing/combine-measurements.js';
import { checkPlainJson } from '../../src/workflows/probing/probe-plan.js';
import { Rng } from '../../src/tensor/rng.js';
import { strongWeights } from '../lens/setup.js';
import { subjectFor, testEngine } from '../helpers/measure-ablation.js';
import { measureModule } from '../helpers/measure-module.js';
import { compileWarnings } from '../report/compile.js';

const PASSES = 3;
const shared = resolveRunConfig({
  ...AUTHORS,
  data: { ...AUTHORS.data, tasks: ['MAX', 'SUM'], modulus: 8, depth: 1, regime: 'full', window: 24 },
  model: { ...AUTHORS.model, nLayers: PASSES, dModel: 16, nCtx: 32 },
});
const plain = resolveRunConfig({ data: { tasks: ['SUM', 'MAX'], regime: 'pairs' }, model: { nHeads: 2 } });
const MODULES = [logitLens, attribution, attention] as unknown as readonly Probe[];
const FEW = { promptsPerTemplate: 12 };

let engine: Engine;
beforeAll(async () => (engine = await testEngine()));
afterAll(() => engine.dispose());

const made = (config: typeof plain, seed: number) => {
  const gpt = gptConfigOf(config);
  return { config, gpt, parameters: strongWeights(gpt, seed) };
};

it('asks whole flat expressions up to where the result comes next, and none that is held out', () => {
  for (const config of [plain, shared]) {
    const gpt = gptConfigOf(config);
    const model = engine.createModel(gpt, { seed: 1 }, 'inference');
    const rng = (index = 0): Rng => new Rng(1, 'prompts', index);
    const asked = resultPrompts({ config }, 200, { model, rng });
    model.dispose();
    const vocab = vocabularyOf(config.data, config.vocabulary);
    const holdout = createHoldout(config.data);
    expect(asked.map(({ operation }) => operation)).toEqual(['SUM', 'MAX']);
    for (const { operation, prompts, results } of asked) {
      prompts.forEach(({ tokens, words, kinds }, p) => {
        expect([vocab.arrow, vocab.equals]).toContain(tokens[tokens.length - 1]);
        const numbers = words.filter((_, t) => kinds[t] === 'number').map(Number);
        expect(holdout.isHeldOut(numbers), decode(tokens, vocab)).toBe(false);
        const right =
          operation === 'SUM' ? numbers.reduce((a, b) => a + b) % config.data.modulus : Math.max(...numbers);
        expect(results[p], decode(tokens, vocab)).toBe(right);
      });
      expect(new Set(prompts.map(({ words }) => words.join(' '))).size).toBe(prompts.length);
    }
  }
});

describe.each(MODULES)('$name', (probe) => {
  it('names passes of a shared block as passes, and reads the notation of the run', async () => {
    const found = await measureModule(engine, probe, made(shared, 1), FEW);
    const layers = found.observations.filter(({ scope }) => scope.layer !== undefined);
    expect(new Set(layers.map(({ scope }) => scope.layer))).toEqual(new Set([0, 1, 2]));
    for (const { scope } of layers) expect(scope.part).toMatch(/ pass$/);
    for (const { value } of found.rows('sum-error')) expect(value).toBeLessThan(1e-4);
  });

  it('pictures compile without a warning for several runs, one run and none', async () => {
    const runs: Measured<Json>[] = [];
    for (const seed of [1, 2]) {
      const config = { ...plain, seed };
      const { measurement } = await measureModule(engine, probe, made(config, seed), FEW);
      checkPlainJson(measurement, 'measurement');
      runs.push({ subject: subjectFor(config, `run-${seed}`), config, measurement });
    }
    for (const measured of [runs, runs.slice(0, 1)]) {
      const { charts } = combineMeasurements(probe, FEW, measured);
      expect(charts.length).toBeLessThanOrEqual(3);
      for (const chart of charts) {
        expect(compileWarnings(chart.spec, ['SUM+MAX, pairs']), chart.id).toEqual([]);
        expect(chart.summary.length, chart.id).toBeGreaterThan(10);
      }
      const telling = charts.flatMap(({ table }) => table.rows);
      expect(telling.length).toBeGreaterThan(0);
    }
    const infos = probe.statistics.map((one) => [`${probe.name}/${one.id}`, infoOf(one)] as const);
    const nothing = { measured: [], last: [], options: FEW, evidence: evidenceOf([], [], new Map(infos)) };
    for (const chart of probe.combine?.(nothing).pictures ?? [])
      expect(compileWarnings(chart.spec), chart.id).toEqual([]);
  });

  it('gives the same bytes again', async () => {
    const [a, b] = [
      await measureModule(engine, probe, made(plain, 1), FEW),
      await measureModule(engine, probe, made(plain, 1), FEW),
    ];
    expect(JSON.stringify(a.measurement)).toBe(JSON.stringify(b.measurement));
  });
});
