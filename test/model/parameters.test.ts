/** The table of parameters: counts by formula, which tensors have a bias, initial spread; what checkGptConfig refuses. */
import { describe, expect, it } from 'vitest';
import { checkGptConfig, type GptConfig } from '../../src/model/gpt-config.js';
import { initialParameters } from '../../src/model/init.js';
import { parameterTable, parameterView } from '../../src/model/parameters.js';

const config: GptConfig = {
  dVocab: 20,
  nCtx: 128,
  dModel: 24,
  nLayers: 5,
  nHeads: 1,
  dMlp: 96,
  activation: 'relu',
  bias: true,
  qkvBias: false,
  tied: false,
  unembeddingBias: true,
  shareBlocks: true,
  residualInit: 'plain',
};

describe('parameterTable', () => {
  it.each([8, 24, 48, 128])('counts 12 d^2 + 180 d + 20 with one block, no bias for q, k, v, d = %d', (d) => {
    const shape = { ...config, dModel: d, dMlp: 4 * d };
    expect(parameterTable(shape).nParameters).toBe(12 * d * d + 180 * d + 20);
  });

  it.each([
    [{ qkvBias: false, unembeddingBias: false }, ['attn.c_proj', 'mlp.c_fc', 'mlp.c_proj']],
    [{ qkvBias: true, unembeddingBias: false }, ['attn.c_attn', 'attn.c_proj', 'mlp.c_fc', 'mlp.c_proj']],
    [{ qkvBias: false, unembeddingBias: true }, ['attn.c_proj', 'mlp.c_fc', 'mlp.c_proj', 'lm_head']],
    [{ bias: false, qkvBias: false, unembeddingBias: true }, ['lm_head']],
  ])('gives biases of linear layers as told: %j', (change, layers) => {
    const specs = parameterTable({ ...config, ...change }).specs.filter(
      (spec) => spec.name.endsWith('.bias') && !spec.name.includes('ln_'),
    );
    expect(specs.map((spec) => spec.name.replace('transformer.h.0.', '').replace('.bias', ''))).toEqual(
      layers,
    );
    expect(specs.every((spec) => !spec.decays)).toBe(true);
  });

  it('puts the bias of the unembedding last, so that nothing before it moves', () => {
    const without = parameterTable({ ...config, unembeddingBias: false });
    const table = parameterTable(config);
    expect(table.specs.slice(0, -1)).toEqual(without.specs);
    expect(table.specs.at(-1)).toMatchObject({ name: 'lm_head.bias', shape: [20], decays: false });
  });
});

describe('initialParameters', () => {
  const spread = (residualInit: GptConfig['residualInit'], name: string): number => {
    const shape = { ...config, dModel: 64, dMlp: 256, residualInit };
    const values = parameterView(parameterTable(shape), initialParameters(shape, 1), name);
    return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
  };

  it('scales what writes to the residual stream by 1 / sqrt(2 nLayers), or does not', () => {
    for (const name of ['transformer.h.0.attn.c_proj.weight', 'transformer.h.0.mlp.c_proj.weight']) {
      expect(spread('plain', name) / 0.02).toBeCloseTo(1, 1);
      expect((spread('scaled', name) / 0.02) * Math.sqrt(10)).toBeCloseTo(1, 1);
    }
    expect(spread('scaled', 'lm_head.weight')).toBe(spread('plain', 'lm_head.weight'));
  });
});

describe('checkGptConfig', () => {
  it('accepts the configuration above', () => {
    expect(() => checkGptConfig(config)).not.toThrow();
  });

  it.each([
    [{ bias: false, qkvBias: true }, /^qkvBias: found true, expected false where bias is false/],
    [{ tied: true }, /^unembeddingBias: found true, expected false where tied is true/],
    [{ residualInit: 'orthogonal' }, /^residualInit: found "orthogonal", expected scaled or plain/],
  ])('refuses %j', (change, message) => {
    expect(() => checkGptConfig({ ...config, ...change } as GptConfig)).toThrow(message);
  });
});
