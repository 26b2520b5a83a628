/** Attention of models whose patterns are known in closed form, against the float64 reference, and heads in any order. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attention } from '../../../probes/attention/index.js';
import { matchedHeads } from '../../../probes/attention/heads.js';
import { type AttentionMeasurement, numbersOf, READ } from '../../../probes/attention/measure.js';
import { resultPrompts } from '../../../probes/result-prompts.js';
import { DEFAULT_RUN } from '../../../src/config/defaults.js';
import { gptConfigOf } from '../../../src/config/gpt-config-of.js';
import type { Engine } from '../../../src/engine/engine.js';
import { initialParameters } from '../../../src/model/init.js';
import { Rng } from '../../../src/tensor/rng.js';
import { referenceActivations, strongWeights } from '../../lens/setup.js';
import { subjectFor, testEngine } from '../../helpers/measure-ablation.js';
import { measureModule } from '../../helpers/measure-module.js';
import { plantedCopier, plantedLookup, plantedPairTable } from '../../helpers/planted-models.js';

let engine: Engine;
beforeAll(async () => (engine = await testEngine()));
afterAll(() => engine.dispose());

const CONFIG = {
  ...DEFAULT_RUN,
  data: { ...DEFAULT_RUN.data, tasks: ['SUM', 'MED'] as const, regime: 'full' as const },
  model: { ...DEFAULT_RUN.model, nHeads: 4 },
};

describe('planted patterns', () => {
  it('one operand is read: all of the weight, no entropy', async () => {
    const found = await measureModule(engine, attention, plantedCopier());
    const scope = { operation: 'FIRST', layer: 0 };
    expect(found.row('operand-weight', scope).value).toBeCloseTo(1, 6);
    expect(found.row('entropy', scope).value).toBeCloseTo(0, 6);
    expect(found.pictures).toHaveLength(3);
  });

  it('two operands are read alike: ln 2', async () => {
    const found = await measureModule(engine, attention, plantedPairTable());
    const scope = { operation: 'SUM', layer: 0 };
    expect(found.row('operand-weight', scope).value).toBeCloseTo(1, 6);
    expect(found.row('entropy', scope).value).toBeCloseTo(Math.LN2, 6);
    // `s ( SUM # # ) >`
    expect(found.row('entropy-share', scope).value).toBeCloseTo(Math.LN2 / Math.log(7), 6);
    expect(found.row('operand-weight', scope).null?.mean).toBeCloseTo(2 / 7, 8);
  });

  it('attention without weights is uniform: what chance is', async () => {
    const found = await measureModule(engine, attention, plantedLookup());
    expect(found.row('entropy-share', { operation: 'SUM', layer: 0 }).value).toBeCloseTo(1, 6);
    const rows = [...found.rows('weight'), ...found.rows('entropy'), ...found.rows('operand-weight')];
    expect(rows.length).toBe(READ.length + 2);
    for (const { value, null: chance } of rows) expect(value).toBeCloseTo(chance?.mean ?? NaN, 6);
  });
});

it('an untrained model reads about evenly, and is its own control', async () => {
  const gpt = gptConfigOf(CONFIG);
  const untrained = { config: CONFIG, gpt, parameters: initialParameters(gpt, CONFIG.seed) };
  const found = await measureModule(engine, attention, untrained, { promptsPerTemplate: 20 });
  for (const { value, control } of found.observations) expect(value).toBe(control);
  for (const { value } of found.rows('entropy-share')) expect(value).toBeGreaterThan(0.99);
});

it('has the numbers of the float64 reference, head by head', async () => {
  const gpt = gptConfigOf(CONFIG);
  const parameters = strongWeights(gpt);
  const made = { config: CONFIG, gpt, parameters };
  const { measurement } = await measureModule(engine, attention, made, { promptsPerTemplate: 8 });
  const model = engine.createModel(gpt, { parameters }, 'inference');
  const rng = (index = 0): Rng => new Rng(CONFIG.seed, 'probe:attention', index);
  const asked = resultPrompts({ config: CONFIG }, 8, { model, rng });
  model.dispose();
  asked.forEach(({ prompts }, o) => {
    const expected = Array.from({ length: gpt.nLayers }, () =>
      Array.from({ length: gpt.nHeads }, () => ({ operands: 0, brackets: 0, entropy: 0 })),
    );
    for (const prompt of prompts) {
      const activations = referenceActivations({ gpt, parameters }, [prompt]);
      const T = prompt.tokens.length;
      expected.forEach((heads, layer) =>
        heads.forEach((sums, h) => {
          const all = activations.get(`blocks.${layer}.attn.pattern`) ?? new Float64Array();
          const row = all.subarray((h + 1) * T * T - T, (h + 1) * T * T);
          // s ( SUM # # .. ) >
          for (let t = 3; t < T - 2; t++) sums.operands += row[t] / prompts.length;
          sums.brackets += (row[1] + row[T - 2]) / prompts.length;
          row.forEach((w) => (sums.entropy -= (w * Math.log(w)) / prompts.length));
        }),
      );
    }
    expected.forEach((heads, layer) =>
      heads.forEach((sums, h) => {
        const { weights, entropyNats } = measurement.operations[o].trained[layer][h];
        expect(weights[READ.indexOf('operands')]).toBeCloseTo(sums.operands, 5);
        expect(weights[READ.indexOf('brackets')]).toBeCloseTo(sums.brackets, 5);
        expect(entropyNats).toBeCloseTo(sums.entropy, 5);
        expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 6);
      }),
    );
  });
});

it('heads of a second run stand where the same heads of the first do, whatever their numbers', async () => {
  const gpt = gptConfigOf(CONFIG);
  const made = { config: CONFIG, gpt, parameters: strongWeights(gpt) };
  const { measurement } = await measureModule(engine, attention, made, { promptsPerTemplate: 8 });
  const shuffled: AttentionMeasurement = {
    ...measurement,
    operations: measurement.operations.map((one) => ({
      ...one,
      trained: one.trained.map((heads) => [2, 0, 3, 1].map((head) => heads[head])),
      untrained: one.untrained.map((heads) => [1, 2, 3, 0].map((head) => heads[head])),
    })),
  };
  const measured = [measurement, shuffled].map((own, i) => ({
    subject: subjectFor(CONFIG, `run-${i}`),
    config: CONFIG,
    measurement: own,
  }));
  const rows = matchedHeads(measured, measured);
  const of = (run: number): unknown[] =>
    rows.filter(({ subject }) => subject === `run-${run}@0`).map(({ subject: _, ...row }) => row);
  expect(of(0)).toHaveLength(2 * gpt.nLayers * 4 * (READ.length + 1));
  expect(of(1)).toEqual(of(0));
  const operands = rows.filter(
    ({ subject, scope }) =>
      subject === 'run-0@0' &&
      scope.operation === 'SUM' &&
      scope.position === 'operands' &&
      scope.layer === 0,
  );
  expect(operands.map(({ scope }) => scope.part)).toEqual(['head 1', 'head 2', 'head 3', 'head 4']);
  const values = operands.map(({ value }) => value);
  expect(values).toEqual(values.toSorted((a, b) => b - a));
});

it('one row of a pattern: groups, entropy', () => {
  const kinds = ['start', 'open', 'operation', 'number', 'number', 'close', 'arrow'] as const;
  const { weights, entropyNats } = numbersOf([0.25, 0, 0.25, 0.25, 0, 0.125, 0.125], kinds);
  expect(weights).toEqual([0.25, 0.25, 0.125, 0.25, 0.125]);
  expect(entropyNats).toBeCloseTo(0.75 * Math.log(4) + 0.25 * Math.log(8), 12);
});
