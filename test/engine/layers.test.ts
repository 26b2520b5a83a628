/**
 * The forward kernels of every engine, by setting the activation before one and reading the one after: elementary
 * functions over the range of floats, extreme rows, and what NaN reaches. Backward and inner kernels: test/engine/kernels.
 */
import { expect, it } from 'vitest';
import type { Batch, Model } from '../../src/engine/engine.js';
import { activationName, type BlockActivation } from '../../src/model/activations.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { parameterTable, parameterView } from '../../src/model/parameters.js';
import { Rng } from '../../src/tensor/rng.js';
import { randomParameters, VARIANTS } from './cases.js';
import { describeEngines } from './engines.js';
import { attention, layerNorm, softmax } from './kernels/plain.js';
import { floatGrid, normalDistribution, ulps } from './kernels/single.js';

const BASE: GptConfig = {
  ...VARIANTS[0],
  nLayers: 1,
  nHeads: 1,
  bias: true,
  shareBlocks: false,
  tied: false,
};

/** Sequences of given lengths with a target at the last position of each. */
function batchOf(lengths: readonly number[]): Batch {
  const offsets = Int32Array.from([0, ...lengths]);
  for (let s = 1; s < offsets.length; s++) offsets[s] += offsets[s - 1];
  const tokens = new Int32Array(offsets[lengths.length]);
  const targets = new Int32Array(tokens.length).fill(-1);
  for (const end of offsets.subarray(1)) targets[end - 1] = 0;
  return { tokens, targets, roles: targets.slice(), offsets };
}

/** Sets activations of the only block and reads another. */
function through(
  model: Model,
  batch: Batch,
  set: Readonly<Partial<Record<BlockActivation, Float32Array>>>,
  read: BlockActivation,
): Float32Array {
  const interventions = Object.entries(set).map(([name, value]) => ({
    at: activationName(name as BlockActivation, 0),
    op: 'set' as const,
    value,
  }));
  const { activations } = model.forward(batch, { interventions, capture: [activationName(read, 0)] });
  return activations.get(activationName(read, 0)) ?? new Float32Array();
}

function random(length: number, seed: number, spread = 1): Float32Array {
  const rng = new Rng(seed, 'test:stages');
  return Float32Array.from({ length }, () => spread * rng.normal());
}

function greatest(errors: Iterable<number>, name: string): number {
  let most = 0;
  for (const error of errors) most = Math.max(most, error);
  if (process.env.MEASURE !== undefined) process.stderr.write(`measured: ${name} ${most}\n`);
  return most;
}

describeEngines('forward kernels', ({ name: engine, create, isExact }) => {
  it('gelu over the whole range of floats is within 1.3e-6 |x| and 1e-6, NaN stays NaN', () => {
    const config = { ...BASE, dMlp: 4096, nCtx: 32 };
    const count = 32 * config.dMlp;
    const grid = floatGrid(120).filter((x) => Math.abs(x) < 1e19);
    const x = Float32Array.from({ length: count }, (_, i) =>
      i < grid.length ? grid[i] : -12 + (24 * (i - grid.length)) / (count - grid.length),
    );
    const model = create(config, randomParameters(config, 1), 'inference');
    const post = through(model, batchOf([32]), { 'mlp.pre': x }, 'mlp.post');
    const errors = [...post.keys()].map((i) => {
      if (Number.isNaN(x[i])) return Number.isNaN(post[i]) ? 0 : Infinity;
      const expected = x[i] * normalDistribution(x[i]);
      return Math.abs(post[i] - expected) / (1e-6 + 1.3e-6 * Math.abs(x[i]));
    });
    expect(greatest(errors, `gelu ${engine}`)).toBeLessThan(1);
  });

  it('relu is exact', () => {
    const config: GptConfig = { ...BASE, dMlp: 4096, activation: 'relu' };
    const x = floatGrid(9).slice(0, 4096);
    const model = create(config, randomParameters(config, 1), 'inference');
    const post = through(model, batchOf([1]), { 'mlp.pre': x }, 'mlp.post');
    post.forEach((y, i) => expect(y + 0).toBe(Number.isNaN(x[i]) ? NaN : Math.max(0, x[i]) + 0));
  });

  it('e^x, as the ratio of two entries of the pattern, is within 3 ULP over its range', () => {
    const config = { ...BASE, nCtx: 2 };
    const S = 8000;
    const scores = new Float32Array(4 * S);
    const x = Float32Array.from({ length: S }, (_, s) => (-86 * s) / (S - 1));
    x.forEach((value, s) => scores.set([0, -Infinity, value, 0], 4 * s));
    const model = create(config, randomParameters(config, 1), 'inference');
    const batch = batchOf(Array<number>(S).fill(2));
    const pattern = through(model, batch, { 'attn.attn_scores': scores }, 'attn.pattern');
    const errors = [...x].map((value, s) => ulps(pattern[4 * s + 2] / pattern[4 * s + 3], Math.exp(value)));
    expect(greatest(errors, `exp ${engine}`)).toBeLessThan(3);
  });

  it('1 / sqrt, as LayerNorm of two numbers, is within 4 ULP from 1e-15 to 1e18', () => {
    const config = { ...BASE, dModel: 2, nCtx: 1 };
    const S = 2000;
    const size = Array.from({ length: S }, (_, s) => Math.fround(10 ** (-15 + (33 * s) / S)));
    const parameters = randomParameters(config, 1);
    const table = parameterTable(config);
    parameterView(table, parameters, 'transformer.h.0.ln_1.weight').fill(1);
    parameterView(table, parameters, 'transformer.h.0.ln_1.bias').fill(0);
    const model = create(config, parameters, 'inference');
    const rows = Float32Array.from(size.flatMap((value) => [value, -value]));
    const batch = batchOf(Array<number>(S).fill(1));
    const found = through(model, batch, { resid_pre: rows }, 'ln1.normalized');
    const errors = size.map((value, s) => ulps(found[2 * s], value / Math.sqrt(value * value + 1e-5)));
    expect(greatest(errors, `rsqrt ${engine}`)).toBeLessThan(4);
    size.forEach((_, s) => expect(found[2 * s + 1]).toBe(-found[2 * s]));
  });

  it('log, as the loss of equal logits, is within 1 ULP of log V', () => {
    for (const dVocab of [2, 3, 7, 8, 10, 45, 1000, 65536]) {
      const config = { ...BASE, dVocab, nCtx: 1 };
      const parameters = randomParameters(config, 1);
      parameterView(parameterTable(config), parameters, 'lm_head.weight').fill(0);
      const { losses } = create(config, parameters, 'inference').forward(batchOf([1]));
      expect(ulps(losses[0], Math.log(dVocab))).toBeLessThanOrEqual(1);
    }
  });

  it('LayerNorm of equal values, of zeros of both signs, of a huge gap, and far from 0', () => {
    for (const dModel of [5, 8, 17]) {
      const config = { ...BASE, dModel, nCtx: 8 };
      const parameters = randomParameters(config, 2);
      const table = parameterTable(config);
      const weight = parameterView(table, parameters, 'transformer.h.0.ln_1.weight');
      const bias = parameterView(table, parameters, 'transformer.h.0.ln_1.bias');
      const row = (make: (j: number) => number): number[] =>
        Array.from({ length: dModel }, (_, j) => make(j));
      const rows = Float32Array.from([
        ...row(() => 0),
        ...row(() => -0),
        ...row((j) => (j % 2 === 0 ? 0 : -0)),
        ...row(() => 1024),
        ...row((j) => (j === 1 ? 1e15 : 1e-15)),
        ...row((j) => 4096 + j),
        ...row((j) => (j - 2) * 1e-3),
        ...row((j) => (j === 2 ? NaN : j)),
      ]);
      const model = create(config, parameters, 'inference');
      const found = through(model, batchOf([8]), { resid_pre: rows }, 'ln1.normalized');
      const expected = layerNorm(rows, weight, bias);
      found.forEach((y, i) => {
        const text = `row ${Math.floor(i / dModel)}`;
        if (i < 3 * dModel) expect(y, text).toBe(bias[i % dModel]);
        else if (i >= 7 * dModel) expect(y, text).toBeNaN();
        else expect(Math.abs(y - expected[i]), text).toBeLessThan(i < 4 * dModel ? 1e-2 : 1e-5);
      });
    }
  });

  it('softmax of one long row, of equal scores, of a huge gap, of NaN', () => {
    const T = 600;
    const config = { ...BASE, nCtx: T };
    const scores = new Float32Array(T * T).fill(-Infinity);
    for (let i = 0; i < T; i++) {
      const row =
        i === T - 1
          ? random(T, 3, 5)
          : Float32Array.from({ length: i + 1 }, (_, j) => (i % 2 ? 7 : j === 0 ? 3e38 : -3e38));
      if (i === 400) row[123] = NaN;
      scores.set(row, i * T);
    }
    const model = create(config, randomParameters(config, 1), 'inference');
    const pattern = through(model, batchOf([T]), { 'attn.attn_scores': scores }, 'attn.pattern');
    const row = (i: number): Float32Array => pattern.subarray(i * T, i * T + i + 1);
    for (let i = 0; i < T - 1; i++) {
      if (i === 400) expect(row(i).every(Number.isNaN)).toBe(true);
      else if (i % 2 === 1) expect(row(i).every((p) => Math.abs(p * (i + 1) - 1) < 1e-6)).toBe(true);
      // libtensorflow multiplies by a reciprocal: 1 less one unit in the last place
      else
        expect(row(i).every((p, j) => (j === 0 ? p > (isExact ? 0.99999999 : 0.9999999) : p === 0))).toBe(
          true,
        );
    }
    const long = softmax(scores.subarray((T - 1) * T));
    row(T - 1).forEach((p, j) => expect(Math.abs(p - long[j])).toBeLessThan(1e-7 + 2e-6 * long[j]));
  });

  it('attention of every position of a long sequence, from queries, keys and values', () => {
    const [T, dModel] = [211, 6];
    const config = { ...BASE, dModel, nCtx: T };
    const [q, k, v] = [random(T * dModel, 1), random(T * dModel, 2), random(T * dModel, 3)];
    const model = create(config, randomParameters(config, 1), 'inference');
    const set = { 'attn.q': q, 'attn.k': k, 'attn.v': v };
    const batch = batchOf([T]);
    const positions = Array.from({ length: T }, (_, t) => t);
    const plain = attention(q, k, v, positions, dModel);
    const found = [through(model, batch, set, 'attn.pattern'), through(model, batch, set, 'attn.z')];
    for (const [i, expected] of [plain.pattern, plain.z].entries()) {
      const errors = [...found[i].keys()].map((at) => Math.abs(found[i][at] - expected[at]));
      expect(greatest(errors, `attention ${engine}`)).toBeLessThan(1e-5);
    }
  });

  it('ties of greedy generation go to the smallest id', () => {
    const config = { ...BASE, nCtx: 6 };
    const parameters = randomParameters(config, 1);
    const head = parameterView(parameterTable(config), parameters, 'lm_head.weight');
    head.fill(0);
    const model = create(config, parameters, 'inference');
    expect([...model.generate([Int32Array.of(3)], { maxNewTokens: 3 })[0]]).toEqual([0, 0, 0]);
    // ids 5 and 9 tie above all others or below them, whatever the sign of their one weight's input
    for (const id of [5, 9]) head[id * config.dModel] = 1;
    for (const id of [4, 11]) head[id * config.dModel] = -1;
    model.setParameters(parameters);
    for (const token of model.generate([Int32Array.of(3)], { maxNewTokens: 5 })[0])
      expect([4, 5]).toContain(token);
  });
});
