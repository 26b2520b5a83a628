/** The logit lens on models whose stages are known in closed form, and against the float64 reference. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logitLens } from '../../../probes/logit-lens/index.js';
import { likeliestClass } from '../../../probes/logit-lens/measure.js';
import { chanceHigh, readFrom } from '../../../probes/logit-lens/statistics.js';
import { resultPrompts } from '../../../probes/result-prompts.js';
import { DEFAULT_RUN } from '../../../src/config/defaults.js';
import { gptConfigOf } from '../../../src/config/gpt-config-of.js';
import type { Engine } from '../../../src/engine/engine.js';
import { vocabularyOf } from '../../../src/listops/language/tokenizer.js';
import { initialParameters } from '../../../src/model/init.js';
import { Rng } from '../../../src/tensor/rng.js';
import { reference, referenceActivations, strongWeights } from '../../lens/setup.js';
import { testEngine } from '../../helpers/measure-ablation.js';
import { measureModule } from '../../helpers/measure-module.js';
import {
  PLANTED,
  layerNormSd,
  logitPerUnit,
  plantedCopier,
  plantedPairTable,
} from '../../helpers/planted-models.js';

const { V, G, MODULUS } = PLANTED;
let engine: Engine;
beforeAll(async () => (engine = await testEngine()));
afterAll(() => engine.dispose());

/** Probability of a token whose logit stands so far above those of all others. */
const alone = (gap: number): number => Math.exp(gap) / (Math.exp(gap) + V - 1);

describe('a table of pairs in the feed-forward layer', () => {
  it('is read after it, result and residues alike, and at chance before', async () => {
    const planted = plantedPairTable();
    const found = await measureModule(engine, logitLens, planted);
    expect(found.row('read-from', { operation: 'SUM' }).value).toBe(1);
    expect(found.row('read-from', { operation: 'SUM', divisor: 2 }).value).toBe(1);
    expect(found.row('read-from', { operation: 'SUM', divisor: 5 }).value).toBe(1);
    // before, all logits are equal and 0 is answered: right for 10 of the 100 pairs
    for (const stage of [{ part: 'embedding' }, { part: 'attention', layer: 0 }]) {
      const { value, null: chance } = found.row('accuracy', { operation: 'SUM', ...stage });
      expect(value).toBe(0.1);
      expect(chance?.mean).toBe(0.1);
      expect(found.row('accuracy', { operation: 'SUM', divisor: 2, ...stage }).value).toBe(0.5);
      expect(found.row('probability', { operation: 'SUM', ...stage }).value).toBeCloseTo(1 / V, 6);
    }
    const width = planted.gpt.dModel;
    const gapOf = (rest: { sum: number; squares: number }): number => G * logitPerUnit(width, rest, [G]);
    const expected = 0.9 * alone(gapOf(planted.differentOperands)) + 0.1 * alone(gapOf(planted.sameOperands));
    const last = { operation: 'SUM', part: 'feed-forward', layer: 0 };
    expect(found.row('probability', last).value).toBeCloseTo(expected, 5);
    expect(found.row('accuracy', last).value).toBe(1);
    expect(found.pictures).toHaveLength(3);
  });
});

describe('attention that copies the first operand', () => {
  it('is read after half a layer', async () => {
    const planted = plantedCopier();
    const found = await measureModule(engine, logitLens, planted);
    expect(found.row('read-from', { operation: 'FIRST' }).value).toBe(0.5);
    const gap = G / layerNormSd(planted.gpt.dModel, 2 + G, 2 + G * G);
    for (const part of ['attention', 'feed-forward']) {
      const scope = { operation: 'FIRST', part, layer: 0 };
      expect(found.row('accuracy', scope).value).toBe(1);
      expect(found.row('probability', scope).value).toBeCloseTo(alone(gap), 5);
    }
  });
});

describe('an untrained model', () => {
  it('reads nothing, and is its own control', async () => {
    const config = { ...DEFAULT_RUN, data: { ...DEFAULT_RUN.data, tasks: ['SUM', 'MAX'] as const } };
    const gpt = gptConfigOf(config);
    const untrained = { config, gpt, parameters: initialParameters(gpt, config.seed) };
    const found = await measureModule(engine, logitLens, untrained, { promptsPerTemplate: 40 });
    expect(found.rows('read-from')).toEqual([]);
    const rows = found.rows('accuracy', { operation: 'SUM' });
    expect(rows).toHaveLength(3 * (1 + 2 * gpt.nLayers));
    for (const { value, control } of found.observations) expect(value).toBe(control);
    // 40 sums of ten: at most a few by luck (the binomial 99.99 % of 80 prompts at 0.1)
    for (const { scope, value } of rows) if (scope.divisor === undefined) expect(value).toBeLessThan(0.27);
  });
});

it('has the numbers of the float64 reference', async () => {
  const config = {
    ...DEFAULT_RUN,
    data: { ...DEFAULT_RUN.data, tasks: ['SUM', 'MED'] as const, regime: 'full' as const },
  };
  const gpt = gptConfigOf(config);
  const parameters = strongWeights(gpt);
  const { measurement } = await measureModule(
    engine,
    logitLens,
    { config, gpt, parameters },
    { promptsPerTemplate: 12 },
  );
  const model = engine.createModel(gpt, { parameters }, 'inference');
  const rng = (index = 0): Rng => new Rng(config.seed, 'probe:logit-lens', index);
  const asked = resultPrompts({ config }, 12, { model, rng });
  model.dispose();
  expect(asked.map(({ operation }) => operation)).toEqual(['SUM', 'MED']);
  const { firstNumber } = vocabularyOf(config.data);
  const last = `blocks.${gpt.nLayers - 1}.resid_post`;
  asked.forEach(({ prompts, results }, o) => {
    const activations = referenceActivations({ gpt, parameters }, prompts);
    ['blocks.0.resid_pre', 'blocks.0.resid_mid', last].forEach((stage) => {
      const s = stage === last ? 2 * gpt.nLayers : stage.endsWith('mid') ? 1 : 0;
      const logits = reference({ gpt, parameters }, prompts, (name, x) => {
        if (name === last) x.set(activations.get(stage) ?? []);
      });
      let end = 0;
      let probability = 0;
      const right = [0, 0, 0];
      prompts.forEach(({ tokens }, p) => {
        end += tokens.length;
        const row = Array.from(logits.subarray((end - 1) * gpt.dVocab, end * gpt.dVocab), Math.exp);
        const total = row.reduce((a, b) => a + b);
        probability += row[firstNumber + results[p]] / total / prompts.length;
        [MODULUS, 2, 5].forEach((m, i) => {
          const sums = Array.from({ length: m }, (_, r) =>
            row.reduce((sum, x, t) => {
              const number = t - firstNumber;
              return number >= 0 && number < MODULUS && number % m === r ? sum + x : sum;
            }, 0),
          );
          if (sums.indexOf(Math.max(...sums)) === results[p] % m) right[i] += 1 / prompts.length;
        });
      });
      const own = measurement.operations[o].trained;
      expect(own.probability[s]).toBeCloseTo(probability, 5);
      right.forEach((value, i) => expect(own.accuracy[i][s]).toBeCloseTo(value, 8));
    });
  });
});

describe('definitions', () => {
  it('read from: the first stage from which it stays, nothing where it does not or where guessing does', () => {
    expect(readFrom([0.1, 0.96, 0.9, 0.95, 1], 0.1)).toBe(1.5);
    expect(readFrom([1, 1, 1], 0.1)).toBe(0);
    expect(readFrom([0.1, 1, 0.94], 0.1)).toBeUndefined();
    expect(readFrom([1, 1, 1], 0.95)).toBeUndefined();
  });

  it('classes add up probabilities; ties go to the smallest', () => {
    expect(likeliestClass(Float64Array.of(0.2, 0.3, 0.15, 0, 0.2, 0.1), 2)).toBe(0);
    expect(likeliestClass(Float64Array.of(0.2, 0.3, 0.15, 0, 0.2, 0.1), 6)).toBe(1);
    expect(likeliestClass(Float64Array.of(0.25, 0.25, 0.25, 0.25), 2)).toBe(0);
  });

  it('the limit of chance is that of the binomial distribution (scipy.stats.binom.ppf(0.95, 55, 0.1) = 9)', () => {
    expect(chanceHigh(0.1, 55)).toBe(9 / 55);
  });
});
