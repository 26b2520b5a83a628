/** Numbers that are not finite are found before the update: parameters, moments and step count keep their bytes. */
import { describe, expect, it } from 'vitest';
import type { Batch, Model } from '../../src/engine/engine.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { parameterTable, parameterView } from '../../src/model/parameters.js';
import { expectSameBytes } from '../helpers/close.js';
import { ADAMW, describeConfig, randomBatch, randomParameters, VARIANTS } from './cases.js';
import { describeEngines } from './engines.js';

/** Takes a step that must diverge and checks that it leaves no trace. */
function expectDivergence(model: Model, batch: Batch, options = ADAMW): { quantity: string; value: number } {
  const before = model.getState();
  const result = model.trainStep(batch, options);
  if (result.kind !== 'diverged') throw new Error(`loss ${result.lossNats}: expected divergence to be found`);
  const after = model.getState();
  expect(after.step).toBe(before.step);
  for (const key of ['parameters', 'm', 'v'] as const) expectSameBytes(after[key], before[key], key);
  expect(Number.isFinite(result.value)).toBe(false);
  return result;
}

const config: GptConfig = {
  ...VARIANTS[4],
  dModel: 10,
  nHeads: 2,
  dMlp: 12,
  nLayers: 2,
  nCtx: 8,
  dVocab: 11,
  shareBlocks: false,
};
const batch = randomBatch(config, 1, [8, 3, 8, 1], 0.8);

function trained(model: Model): Model {
  for (let step = 0; step < 3; step++) expect(model.trainStep(batch, ADAMW).kind).toBe('updated');
  return model;
}

describeEngines('divergence', ({ create }) => {
  describe.each([
    config,
    {
      ...config,
      shareBlocks: true,
      tied: false,
      bias: true,
      qkvBias: true,
      unembeddingBias: true,
      activation: 'relu',
    },
  ] as const)('$activation, shared blocks $shareBlocks', (shape) => {
    const table = parameterTable(shape);

    it.each([NaN, Infinity, -Infinity])('%d in any tensor is found, and named', (bad) => {
      const model = trained(create(shape, randomParameters(shape, 2)));
      const good = model.getState();
      for (const spec of table.specs) {
        for (const index of [0, spec.size - 1]) {
          const parameters = good.parameters.slice();
          parameters[spec.offset + index] = bad;
          model.setState({ ...good, parameters });
          const { quantity } = expectDivergence(model, batch);
          expect(quantity).toBe(`parameter ${spec.name}`);
        }
      }
      model.setState(good);
      expect(model.trainStep(batch, ADAMW).kind).toBe('updated');
    });

    it.each(['m', 'v'] as const)('NaN or Inf in any tensor of %s is found, and named', (moment) => {
      const model = trained(create(shape, randomParameters(shape, 2)));
      const good = model.getState();
      for (const [i, spec] of table.specs.entries()) {
        const values = good[moment].slice();
        values[spec.offset + spec.size - 1] = i % 2 === 0 ? Infinity : NaN;
        model.setState({ ...good, [moment]: values });
        const { quantity } = expectDivergence(model, batch);
        expect(quantity).toBe(`${moment === 'm' ? 'first' : 'second'} moment of ${spec.name}`);
      }
    });
  });

  it('a gradient that overflows is found while loss and weights are finite', () => {
    const shape: GptConfig = { ...config, activation: 'relu', bias: true, tied: false };
    const parameters = randomParameters(shape, 3);
    const table = parameterTable(shape);
    // mlp.post is 3e38 everywhere, and its weights are small enough to bring it back to size
    parameterView(table, parameters, 'transformer.h.1.mlp.c_fc.weight').fill(0);
    parameterView(table, parameters, 'transformer.h.1.mlp.c_fc.bias').fill(3e38);
    const out = parameterView(table, parameters, 'transformer.h.1.mlp.c_proj.weight');
    out.forEach((x, i) => (out[i] = x * 1e-38));
    const head = parameterView(table, parameters, 'lm_head.weight');
    head.forEach((x, i) => (head[i] = x * 100));
    const model = create(shape, parameters);
    expect(Number.isFinite(model.forward(batch).lossNats)).toBe(true);
    const { quantity } = expectDivergence(model, batch, { ...ADAMW, clip: Infinity });
    expect(quantity).toBe('gradient norm');
    expectDivergence(model, batch, { ...ADAMW, clip: 1 });
  });

  it('a loss that overflows is found, while every weight is finite', () => {
    const shape: GptConfig = { ...config, tied: false };
    const parameters = randomParameters(shape, 3);
    const head = parameterView(parameterTable(shape), parameters, 'lm_head.weight');
    head.forEach((x, i) => (head[i] = Math.sign(x) * 3e38));
    const { quantity } = expectDivergence(create(shape, parameters), batch);
    expect(quantity).toBe('loss');
  });

  it.each([1e6, 1e12, 1e30])(
    'learning rate %d: no step starts from numbers that are not finite',
    (learningRate) => {
      for (const shape of VARIANTS.slice(0, 6)) {
        const model = create(shape, randomParameters(shape, 4));
        const own = randomBatch(shape, 4, [shape.nCtx, 1, shape.nCtx]);
        for (let step = 0; step < 60; step++) {
          const before = model.getState();
          const finite = before.parameters.every(Number.isFinite) && before.v.every(Number.isFinite);
          const result = model.trainStep(own, { ...ADAMW, learningRate });
          if (result.kind === 'updated') {
            expect(finite, `${describeConfig(shape)}, step ${step}`).toBe(true);
            expect(Number.isFinite(result.lossNats) && Number.isFinite(result.gradNorm)).toBe(true);
            continue;
          }
          const after = model.getState();
          expect(after.step).toBe(before.step);
          expectSameBytes(after.parameters, before.parameters, 'parameters');
          expectSameBytes(after.m, before.m, 'm');
          expectSameBytes(after.v, before.v, 'v');
          break;
        }
        model.dispose();
      }
    },
  );

  it('NaN reaches the logits, the losses and the mean of a forward pass, and generation refuses it', () => {
    for (const shape of VARIANTS.slice(0, 4)) {
      const parameters = randomParameters(shape, 5);
      parameterView(parameterTable(shape), parameters, 'transformer.ln_f.weight').fill(NaN);
      const model = create(shape, parameters, 'inference');
      const own = randomBatch(shape, 5, [shape.nCtx, 1]);
      const { logits, losses, lossNats } = model.forward(own);
      expect(logits.every(Number.isNaN)).toBe(true);
      expect(losses.every(Number.isNaN)).toBe(true);
      expect(lossNats).toBeNaN();
      expect(() => model.generate([Int32Array.of(0, 1)], { maxNewTokens: 1 })).toThrow(
        'Generation stopped: the model gives NaN logits for prompt 0. Its weights are not finite, or overflow.',
      );
    }
  });

  it('NaN in one position embedding reaches the sequences that have the position, and no other', () => {
    const parameters = randomParameters(config, 6);
    const wpe = parameterView(parameterTable(config), parameters, 'transformer.wpe.weight');
    wpe.fill(NaN, 4 * config.dModel, 5 * config.dModel);
    const lengths = [4, 8, 3, 1, 5];
    const mixed = randomBatch(config, 6, lengths);
    const { losses } = create(config, parameters, 'inference').forward(mixed);
    const clean = create(config, randomParameters(config, 6), 'inference').forward(mixed);
    lengths.forEach((length, s) => {
      const [from, to] = [mixed.offsets[s], mixed.offsets[s + 1]];
      // within the sequence 0 * NaN may reach earlier rows too, as in any product with a masked pattern
      if (length > 4) expect(losses.slice(from + 4, to).every(Number.isNaN), `sequence ${s}`).toBe(true);
      else expectSameBytes(losses.slice(from, to), clean.losses.slice(from, to), `sequence ${s}`);
    });
  });

  it('a state that is refused changes nothing', () => {
    const model = trained(create(config, randomParameters(config, 7)));
    const before = model.getState();
    const parameters = new Float32Array(before.parameters.length).fill(NaN);
    for (const name of ['m', 'v'] as const) {
      const refused = { ...before, parameters, [name]: new Float32Array(1) };
      expect(() => model.setState(refused)).toThrow(`state.${name} [arenaSize]: found 1 elements`);
    }
    for (const key of ['parameters', 'm', 'v'] as const) {
      expectSameBytes(model.getState()[key], before[key], key);
    }
  });

  it('an option that is not a number is named as what it is', () => {
    const model = create(config, randomParameters(config, 8));
    expect(() => model.trainStep(batch, { ...ADAMW, learningRate: NaN })).toThrow(
      'learningRate: found NaN, expected a number from 0 to 1e30.',
    );
    expect(() => model.trainStep(batch, { ...ADAMW, eps: Infinity })).toThrow(
      'eps: found Infinity, expected',
    );
  });
});
