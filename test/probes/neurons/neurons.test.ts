/** Clocks and a table set by hand, synthetic logits whose losses are known, and models before training. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { neurons } from '../../../probes/neurons/index.js';
import { type NeuronMeasurement, pairNumbers } from '../../../probes/neurons/measure.js';
import { DEFAULT_RUN } from '../../../src/config/defaults.js';
import { gptConfigOf } from '../../../src/config/gpt-config-of.js';
import type { Engine } from '../../../src/engine/engine.js';
import { evidenceOf } from '../../../src/evidence/evidence.js';
import { observe } from '../../../src/evidence/statistic.js';
import { FIRST_NUMBER } from '../../../src/listops/language/tokenizer.js';
import { initialParameters } from '../../../src/model/init.js';
import { parameterTable, parameterView } from '../../../src/model/parameters.js';
import { Rng } from '../../../src/tensor/rng.js';
import { type Measurable, subjectFor, testEngine } from '../../helpers/measure-ablation.js';
import { PLANTED, plantedCopier, plantedPairTable } from '../../helpers/planted-models.js';

let engine: Engine;
beforeAll(async () => (engine = await testEngine()));
afterAll(() => engine.dispose());

const N = PLANTED.MODULUS;

async function measureOn({ config, gpt, parameters }: Measurable, permutations = 199) {
  const model = engine.createModel(gpt, { parameters }, 'inference');
  const untrainedParameters = initialParameters(gpt, config.seed);
  const subject = { subject: subjectFor(config), config, parameters, untrainedParameters };
  const measured = await neurons.measure(
    subject,
    { permutations },
    {
      engine,
      model,
      rng: (index = 0) => new Rng(config.seed, 'probe:neurons', index),
      progress: () => undefined,
    },
  );
  model.dispose();
  return { measured, subject };
}

/**
 * The pair table with its neurons exchanged for clock hands: relu(cos(w a + p) + cos(w b + p)) at fifty phases p, which write
 * cos(w c + 2 p) to number c. Together they say |cos(w (a - b) / 2)| cos(w (a + b - c)): nothing where a and b are n/2 apart.
 */
function plantedClock(k: number): Measurable {
  const model = plantedPairTable();
  const table = parameterTable(model.gpt);
  const view = (name: string): Float32Array =>
    parameterView(table, model.parameters, `transformer.h.0.mlp.${name}`);
  const [into, bias, out] = [view('c_fc.weight'), view('c_fc.bias'), view('c_proj.weight')];
  for (const own of [into, bias, out]) own.fill(0);
  const { dModel: width, dMlp } = model.gpt;
  const operands = width - PLANTED.V - N;
  const w = (2 * Math.PI * k) / N;
  const phases = 50;
  for (let j = 0; j < phases; j++) {
    const phase = (2 * Math.PI * j) / phases;
    for (let i = 0; i < N; i++) {
      into[j * width + operands + i] = Math.cos(w * i + phase);
      out[(width - PLANTED.V + FIRST_NUMBER + i) * dMlp + j] = Math.cos(w * i + 2 * phase);
    }
  }
  return model;
}

const first = ({ operations: [own] }: NeuronMeasurement): NeuronMeasurement['operations'][number] => own;

describe('planted models', () => {
  it.each([1, 3])('a clock on k = %i is found, on that frequency', async (k) => {
    const own = first((await measureOn(plantedClock(k))).measured);
    expect(own.accuracy).toBeGreaterThanOrEqual(0.9);
    expect(own.keys).toEqual([k]);
    // the rest of a hand's power: the kink of relu, and the larger norm where both numbers are equal
    expect(own.neurons?.oneFrequency.value).toBeGreaterThan(0.8);
    expect(own.neurons?.oneFrequency.p).toBeLessThan(0.02);
    expect(own.neurons?.best[k - 1]).toBeGreaterThan(0.99);
    expect(own.neurons?.active).toBe(50);
    const { intact, restricted, excluded, differences } = own.loss;
    expect(excluded - intact).toBeGreaterThan(0.5);
    expect(Math.abs(differences - intact)).toBeLessThan(0.01);
    // how far a and b are apart scales these logits, which a + b alone does not hold
    expect(Math.abs(restricted - intact)).toBeLessThan((excluded - intact) / 3);
  });

  it('a table of pairs is none: no frequency of its own, and names do not matter', async () => {
    const own = first((await measureOn(plantedPairTable())).measured);
    expect(own.accuracy).toBe(1);
    expect(own.keys.length).toBeGreaterThanOrEqual(4);
    expect(own.neurons?.oneFrequency.value).toBeLessThan(0.3);
    // the same neurons in another order, whatever the names
    expect(own.neurons?.oneFrequency.p).toBe(1);
    expect(own.neurons?.sum.p).toBe(1);
    expect(own.logits?.sum).toBeGreaterThan(0.9);
  });

  it('without neurons nothing is said of them', async () => {
    const { measured } = await measureOn(plantedCopier());
    expect(first(measured).neurons).toBeNull();
    const rows = observe('neurons', neurons.statistics, 'x', measured);
    expect(rows.map(({ statistic }) => statistic)).not.toContain('neurons/one-frequency');
    expect(rows.find(({ statistic }) => statistic === 'neurons/pair-accuracy')?.value).toBe(1);
  });

  it('pictures of a report', async () => {
    const { measured, subject } = await measureOn(plantedClock(1), 19);
    const table = observe('neurons', neurons.statistics, subject.subject.id, measured);
    const infos = new Map(neurons.statistics.map(({ of: _, ...info }) => [`neurons/${info.id}`, info]));
    const evidence = evidenceOf([subject.subject], table, infos);
    const last = [{ subject: subject.subject, config: subject.config, measurement: measured }];
    const pictures = neurons.combine?.({ measured: last, last, options: {}, evidence }).pictures ?? [];
    expect(pictures.map(({ id }) => id)).toEqual(['neuron-shares', 'neuron-frequencies', 'neuron-map']);
    for (const { table: own } of pictures) expect(own.rows.length).toBeGreaterThan(1);
  });
});

describe('losses of logits that are known', () => {
  const pairs = (f: (a: number, b: number) => number): Float64Array =>
    Float64Array.from({ length: N * N }, (_, i) => f(Math.floor(i / N), i % N));
  const answersOf = (logit: (a: number, b: number, c: number) => number) => ({
    n: N,
    firstNumber: 0,
    neurons: [pairs((a) => a)],
    logits: Array.from({ length: N }, (_, c) => pairs((a, b) => logit(a, b, c))),
    right: Int32Array.from(pairs((a, b) => (a + b) % N)),
  });
  const wave = (k: number, s: number): number => Math.cos((2 * Math.PI * k * s) / N);
  const options = { rng: new Rng(1, 'losses'), count: 9 };

  it('waves of a + b at two frequencies: they are all, and without them the guess is uniform', () => {
    const found = pairNumbers(
      answersOf((a, b, c) => 4 * wave(1, a + b - c) + 3 * wave(4, a + b - c)),
      options,
    );
    expect(found.keys).toEqual([1, 4]);
    expect(found.accuracy).toBe(1);
    let rest = 0;
    for (let s = 0; s < N; s++) rest += Math.exp(4 * wave(1, s) + 3 * wave(4, s) - 7);
    expect(found.loss.intact).toBeCloseTo(Math.log(rest), 9);
    expect(found.loss.restricted).toBeCloseTo(found.loss.intact, 9);
    expect(found.loss.differences).toBeCloseTo(found.loss.intact, 9);
    expect(found.loss.excluded).toBeCloseTo(Math.log(N), 9);
    expect(found.logits?.sum).toBeCloseTo(1, 9);
  });

  it('logits of a - b have no key frequency', () => {
    const found = pairNumbers(
      answersOf((a, b, c) => wave(1, a - b - c)),
      options,
    );
    expect(found.logits?.sum).toBeCloseTo(0, 9);
  });
});

it('before training, p is what chance makes it', async () => {
  const config = { ...DEFAULT_RUN, data: { ...DEFAULT_RUN.data, tasks: ['SUM' as const] } };
  const gpt = gptConfigOf(config);
  const found = { one: 0, sum: 0 };
  const seeds = 25;
  for (let seed = 1; seed <= seeds; seed++) {
    const { measured } = await measureOn(
      { config: { ...config, seed }, gpt, parameters: initialParameters(gpt, seed) },
      19,
    );
    const own = first(measured).neurons;
    if (own !== null && own.oneFrequency.p <= 0.05) found.one++;
    if (own !== null && own.sum.p <= 0.05) found.sum++;
  }
  // 99.9 % of binomial(25, 0.05) is at most 6
  expect(found.one).toBeLessThanOrEqual(6);
  expect(found.sum).toBeLessThanOrEqual(6);
});

it('says which runs it cannot be asked of', () => {
  const { data } = DEFAULT_RUN;
  expect(neurons.isCompatible?.(DEFAULT_RUN)).toBe(true);
  expect(neurons.isCompatible?.({ ...DEFAULT_RUN, data: { ...data, operands: [3, 4] } })).toContain(
    '3 or more',
  );
});
