/**
 * Every module on a small trained model of one block applied three times, in the authors' notation: what is measured at a
 * pass is that pass, "all attention" is every pass at once, and numbers are the vocabulary's, wherever their ids lie.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { embeddingPca } from '../../probes/embedding-pca/index.js';
import { STREAM } from '../../probes/ablation/measure.js';
import { askResults } from '../../probes/memorization/ask.js';
import { memorization } from '../../probes/memorization/index.js';
import type { ProbeSubject } from '../../probes/contract.js';
import { gptConfigOf } from '../../src/config/gpt-config-of.js';
import { AUTHORS } from '../../src/config/presets.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import type { Engine, Model } from '../../src/engine/engine.js';
import { RESULT } from '../../src/listops/language/expression.js';
import { createGenerator } from '../../src/listops/sampling/generate.js';
import { OPERATION_NAMES, createOperationContext } from '../../src/listops/language/operations.js';
import { batteryTemplates, chooseDonors, fillTemplate } from '../../src/listops/prompts/templates.js';
import { authorsVocabulary, decode, encode } from '../../src/listops/language/tokenizer.js';
import { initialParameters } from '../../src/model/init.js';
import { TOKEN_EMBEDDING, parameterTable, parameterView } from '../../src/model/parameters.js';
import { createEvaluationSet } from '../../src/train/evaluation-set.js';
import { evaluate } from '../../src/train/evaluate.js';
import { Rng } from '../../src/tensor/rng.js';
import { type MeasuredAblation, measureOn, subjectFor, testEngine } from '../helpers/measure-ablation.js';
import { measureParity } from '../helpers/measure-parity.js';
import { rowsOf, valueOf } from '../helpers/rows.js';
import { type Edit, naiveForward } from '../helpers/naive-gpt.js';

const PASSES = 3;
const N = 8;
const config = resolveRunConfig({
  ...AUTHORS,
  data: {
    ...AUTHORS.data,
    tasks: ['MAX', 'SUM'],
    modulus: N,
    depth: 1,
    regime: 'full',
    fixedSize: 400,
    window: 24,
  },
  model: { ...AUTHORS.model, nLayers: PASSES, dModel: 16, nCtx: 32 },
  optimizer: { ...AUTHORS.optimizer, learningRate: 4e-3 },
  training: { steps: 250, batchSize: 24 },
  seed: 3,
});
const gpt = gptConfigOf(config);
const vocab = authorsVocabulary(N);
const PROMPTS = 64;

let engine: Engine;
let model: Model;
let parameters: Float32Array;
let subject: ProbeSubject;

beforeAll(async () => {
  engine = await testEngine();
  const trained = engine.createModel(gpt, { seed: config.seed }, 'train');
  const generator = createGenerator(config.data, config.seed);
  for (let step = 0; step < config.training.steps; step++) {
    trained.trainStep(generator.batch(step, config.training.batchSize), config.optimizer);
  }
  parameters = trained.getParameters().slice();
  trained.dispose();
  model = engine.createModel(gpt, { parameters }, 'inference');
  subject = {
    subject: subjectFor(config),
    config,
    parameters,
    untrainedParameters: initialParameters(gpt, config.seed),
  };
}, 60_000);

const context = (name: string) => ({
  engine,
  model,
  rng: (index = 0) => new Rng(config.seed, `probe:${name}`, index),
  progress: () => undefined,
});

/** The battery of the ablation module with its donors, from the same random streams. */
function battery() {
  const operations = createOperationContext(config.data);
  return batteryTemplates(config.data).flatMap((template, index) => {
    const rng = (stream: number) => new Rng(config.seed, 'probe:ablation', stream + index);
    const options = { context: operations, data: config.data, count: PROMPTS, rng: rng(STREAM.prompts) };
    const filled = fillTemplate(template, options);
    return filled === undefined
      ? []
      : [{ filled, donor: chooseDonors(filled.results, rng(STREAM.donors)).donor }];
  });
}

/** Rise of SUM's result loss when the writes at `names` are those of the donor at the same place, by the plain float64 model. */
function naiveDrop(names: readonly string[]): number {
  let [rise, count] = [0, 0];
  for (const { filled, donor } of battery()) {
    const { batch, length } = filled;
    const clean = naiveForward(gpt, parameters, batch);
    const edit: Edit = (name, values) => {
      const x = clean.activations.get(name);
      if (x === undefined || !names.includes(name)) return;
      const row = length * gpt.dModel;
      donor.forEach((from, to) => values.set(x.subarray(from * row, (from + 1) * row), to * row));
    };
    const changed = naiveForward(gpt, parameters, batch, edit);
    let target = 0;
    batch.targets.forEach((token, row) => {
      if (token < 0) return;
      const i = target++;
      if (batch.roles[row] !== RESULT || OPERATION_NAMES[batch.operations[row]] !== 'SUM') return;
      rise += changed.losses[i] - clean.losses[i];
      count++;
    });
  }
  return rise / count;
}

describe('ablation', () => {
  let m: MeasuredAblation;
  const drop = (component: string): number => {
    const row = m.effects.findIndex(
      (key) =>
        key.component === component &&
        key.method === 'resample' &&
        key.site === 'all positions' &&
        key.effect === 'total',
    );
    return m.deltaNats[row * m.cells.length + m.cells.indexOf('SUM result')];
  };
  beforeAll(() => {
    m = measureOn(engine, { config, gpt, parameters }, PROMPTS);
  }, 60_000);

  it('has one component a kind and pass, and one block of parameters', () => {
    expect([...new Set(m.effects.map(({ component }) => component))].sort()).toEqual(
      [
        'attention',
        'feed-forward',
        ...[0, 1, 2].flatMap((pass) => [
          `attention pass ${pass}`,
          `feed-forward pass ${pass}`,
          `head pass ${pass}.0`,
        ]),
      ].sort(),
    );
    const blocks = parameterTable(gpt).specs.map(({ name }) => /h\.(\d)/.exec(name)?.[1]);
    expect(new Set(blocks)).toEqual(new Set([undefined, '0']));
  });

  it('takes donors at the same pass, and a kind as all its passes at once', () => {
    for (const kind of ['attention', 'feed-forward']) {
      const write = kind === 'attention' ? 'attn_out' : 'mlp_out';
      const sites = [0, 1, 2].map((pass) => `blocks.${pass}.${write}`);
      sites.forEach((site, pass) => expect(drop(`${kind} pass ${pass}`)).toBeCloseTo(naiveDrop([site]), 4));
      const whole = naiveDrop(sites);
      expect(drop(kind)).toBeCloseTo(whole, 4);
      // no sum of single passes: that is another number (the comparisons above are right to 5e-5)
      const sum = sites.reduce((total, site) => total + naiveDrop([site]), 0);
      expect(Math.abs(sum - whole)).toBeGreaterThan(3e-4);
    }
  });

  it('is compared with an unshared model in kinds only', () => {
    const unshared = resolveRunConfig({ ...config, model: { ...config.model, shareBlocks: false } });
    const other = gptConfigOf(unshared);
    const own = measureOn(
      engine,
      { config: unshared, gpt: other, parameters: initialParameters(other, 1) },
      16,
    );
    const names = (of: MeasuredAblation) => new Set(of.effects.map(({ component }) => component));
    expect([...names(own)].filter((name) => names(m).has(name))).toEqual(['attention', 'feed-forward']);
    const places = (of: MeasuredAblation) =>
      rowsOf(of, 'norm-ratio').map(({ scope }) => scope?.part ?? scope?.layer);
    expect([places(m), places(own)]).toEqual([
      ['pass 0', 'pass 1', 'pass 2'],
      [0, 1, 2],
    ]);
    // never a pair of one claim: they differ in more than their tasks
    const matches = [config, unshared].map((one) => subjectFor(one).design.match);
    expect(new Set(matches).size).toBe(2);
  });
});

describe('number embeddings', () => {
  /** The rows of the tokens "0" .. "7", found by their text. */
  const rows = (): Float32Array[] =>
    Array.from({ length: N }, (_, i) => {
      const [id] = encode(String(i), vocab);
      const all = parameterView(parameterTable(gpt), parameters, TOKEN_EMBEDDING);
      return all.subarray(id * gpt.dModel, (id + 1) * gpt.dModel);
    });

  it('of the PCA are those of the digit tokens', () => {
    const measurement = embeddingPca.measure(
      subject,
      { permutations: 20, nullDraws: 20, alignmentDraws: 1, ckaPermutations: 1 },
      context('embedding-pca'),
    );
    if (measurement instanceof Promise) throw new Error('measures synchronously');
    const own = rows();
    const centre = own[0].map((_, k) => own.reduce((sum, row) => sum + row[k], 0) / N);
    const centred = own.map((row) => row.map((x, k) => x - centre[k]));
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, k) => sum + x * b[k], 0);
    const { data } = measurement.cosine;
    centred
      .flatMap((a) => centred.map((b) => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))))
      .forEach((value, i) => expect(Number(data[i])).toBeCloseTo(value, 5));
    const norm = Math.sqrt(centred.reduce((sum, row) => sum + dot(row, row), 0));
    expect(valueOf(measurement, 'norm')).toBeCloseTo(norm, 5);
  });
});

describe('parity', () => {
  it('reads every pass, and moves the number tokens alone', () => {
    const options = {
      relabellings: 35,
      contextRelabellings: 35,
      valuePermutations: 20,
      prompts: 64,
      controlDraws: 2,
      codeStages: 1,
      codeLabellings: 2,
    };
    const measurement = measureParity(subject, options, context('parity-probe'));
    expect(measurement.context?.stages).toEqual([
      'embedding',
      ...[0, 1, 2].flatMap((pass) => [`attention pass ${pass}`, `feed-forward pass ${pass}`]),
    ]);
    expect(measurement.context?.positions.map(({ name }) => name)).toContain('=');
    // the digit tokens carry the operands: moving them matters, and the answer intact is the model's own
    const { causal } = measurement;
    expect(causal?.random?.lossNats).not.toBe(causal?.intact?.lossNats);
  });
});

describe('memorization', () => {
  it('asks in the notation of the run', () => {
    const lists = Array.from({ length: N * N }, (_, i) => [Math.floor(i / N), i % N]);
    const data = config.data;
    const asked = askResults({ model, data, context: createOperationContext(data) }, 'MAX', lists);
    const prompts = lists.map(([a, b]) => encode(`<eos> max_${N} ( ${a} ${b} ) =`, vocab));
    const answers = model.generate(prompts, { maxNewTokens: 1, stopToken: vocab.end });
    answers.forEach(([token], i) => expect(asked.answers[i]).toBe(vocab.numberOf(token) ?? -1));
    lists.forEach(([a, b], i) => expect(asked.results[i]).toBe(Math.max(a, b)));
  });

  it('measures the run, and refuses a hold-out of ordered triples', () => {
    const measurement = memorization.measure(
      subject,
      { beyondPrompts: 8, leakExamples: 50 },
      context('memorization'),
    );
    if (measurement instanceof Promise) throw new Error('measures synchronously');
    expect(rowsOf(measurement, 'accuracy').map(({ scope }) => `${scope?.operation} ${scope?.arity}`)).toEqual(
      ['MAX 2', 'MAX 3', 'SUM 2', 'SUM 3'],
    );
    const ordered = { ...config, data: { ...config.data, regime: 'ordered-triples' as const } };
    expect(memorization.isCompatible?.(ordered)).toContain('ordered triples');
    expect(memorization.isCompatible?.(config)).toBe(true);
  });
});

describe('evaluation during training', () => {
  it('counts what greedy generation answers to prompts in the notation', async () => {
    const set = createEvaluationSet(config.data, { chunkTokens: 512, final: true });
    const row = await evaluate(model, set, 1, () => Promise.resolve());
    let [exact, better] = [0, 0];
    for (const cell of row.cells.filter(({ arity }) => arity === 2)) {
      const name = cell.operation === 'MAX' ? 'max' : 'add';
      let right = 0;
      for (let a = 0; a < N; a++) {
        for (let b = 0; b < N; b++) {
          const prompt = encode(`<eos> ${name}_${N} ( ${a} ${b} ) =`, vocab);
          const [answer] = model.generate([prompt], { maxNewTokens: 2, stopToken: vocab.end });
          const result = name === 'max' ? Math.max(a, b) : (a + b) % N;
          if (vocab.numberOf(answer[0]) === result) right++;
          if (decode(answer, vocab) === `${result} <eos>`) exact++;
        }
      }
      expect(cell.correct).toBe(right);
      exact -= cell.exact;
      better += right;
    }
    expect(exact).toBe(0);
    // it has learned something: the comparison is not of zeros
    expect(better).toBeGreaterThan(20);
  });
});
