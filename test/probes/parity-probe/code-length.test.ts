/** A model set by hand that holds results one by one, and one before training: neither has parity as such. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parityProbe } from '../../../probes/parity-probe/index.js';
import { gptConfigOf } from '../../../src/config/gpt-config-of.js';
import { DEFAULT_RUN } from '../../../src/config/defaults.js';
import type { Engine } from '../../../src/engine/engine.js';
import { scopeText } from '../../../src/evidence/scope.js';
import { FIRST_NUMBER } from '../../../src/listops/language/tokenizer.js';
import { initialParameters } from '../../../src/model/init.js';
import { parameterTable, parameterView } from '../../../src/model/parameters.js';
import type { Probe } from '../../../probes/contract.js';
import type { ParityMeasurement } from '../../../probes/parity-probe/measure.js';
import { type Measurable, testEngine } from '../../helpers/measure-ablation.js';
import { measureModule } from '../../helpers/measure-module.js';
import { PLANTED, plantedPairTable } from '../../helpers/planted-models.js';

let engine: Engine;
beforeAll(async () => (engine = await testEngine()));
afterAll(() => engine.dispose());

/** Everything else of the module small. */
const FEW = {
  relabellings: 9,
  contextRelabellings: 9,
  valuePermutations: 9,
  prompts: 300,
  controlDraws: 1,
  codeStages: 100,
};

const measureOn = (model: Measurable, options: Readonly<Record<string, number>> = {}) =>
  measureModule(engine, parityProbe as unknown as Probe<ParityMeasurement>, model, { ...FEW, ...options });

/** The pair table, whose neurons also write parity of the result, strongly, to the last entry of the output. */
function withParity(): Measurable {
  const model = plantedPairTable();
  const out = parameterView(parameterTable(model.gpt), model.parameters, 'transformer.h.0.mlp.c_proj.weight');
  const { dModel: width, dMlp } = model.gpt;
  const first = width - PLANTED.V + FIRST_NUMBER;
  for (let neuron = 0; neuron < dMlp; neuron++) {
    for (let result = 0; result < PLANTED.MODULUS; result += 2)
      out[(width - 1) * dMlp + neuron] += 4 * out[(first + result) * dMlp + neuron];
  }
  return model;
}

it('results one by one: parity is no shorter than random labels; written beside them it is shorter', async () => {
  const table = await measureOn(plantedPairTable());
  const planted = await measureOn(withParity());
  const bits = ({ rows }: typeof table, labels: 'parity' | 'random'): number[] =>
    rows(`code-${labels}`).map(({ value }) => value);
  expect(table.rows('code-parity').map(({ scope }) => scopeText(scope))).toEqual([
    'embedding',
    'attention, layer 0',
    'feed-forward, layer 0',
  ]);
  // all labels of results are read equally well there, parity no better than random ones
  expect(bits(table, 'parity')[2]).toBeLessThan(0.95);
  const saved = ({ row }: typeof table): number => row('code-saved', {}).value;
  expect(saved(table)).toBeCloseTo(bits(table, 'random')[2] - bits(table, 'parity')[2], 8);
  // there are 100 pairs: the luck of one order of sending is about 0.1 bits either way (0.06 in this one)
  expect(Math.abs(saved(table))).toBeLessThan(0.15);
  expect(saved(planted)).toBeGreaterThan(0.3);
  // before the feed-forward layer both are the same model
  for (const labels of ['parity', 'random'] as const)
    expect(bits(planted, labels).slice(0, 2)).toEqual(bits(table, labels).slice(0, 2));
  // the arrow alone says nothing of what comes
  expect(bits(table, 'parity')[0]).toBeGreaterThan(0.95);
  expect(table.pictures.map(({ id }) => id)).toContain('parity-code');
}, 60_000);

it('before training nothing is saved; the last layer alone is looked at unless more is asked for', async () => {
  const gpt = gptConfigOf(DEFAULT_RUN);
  const untrained = { config: DEFAULT_RUN, gpt, parameters: initialParameters(gpt, 5) };
  const whole = await measureOn(untrained);
  const last = await measureOn(untrained, { codeStages: 1 });
  expect(whole.rows('code-parity')).toHaveLength(5);
  for (const { value } of whole.rows('code-parity')) expect(value).toBeGreaterThan(0.95);
  for (const id of ['code-saved', 'code-parity', 'code-random']) {
    expect(last.rows(id)).toHaveLength(1);
    expect(last.rows(id)).toEqual(whole.rows(id).slice(-1));
  }
  expect(last.pictures.map(({ id }) => id)).not.toContain('parity-code');
  const none = await measureOn(untrained, { codeStages: 0 });
  expect(none.observations.filter(({ statistic }) => statistic.includes('/code-'))).toEqual([]);
}, 60_000);
