/** What must hold for any weights: causality, rows that sum to 1, order and company of sequences, generation. */
import { expect, it } from 'vitest';
import type { Batch, Model } from '../../src/engine/engine.js';
import { activationName } from '../../src/model/activations.js';
import { type GptConfig } from '../../src/model/gpt-config.js';
import { parameterTable } from '../../src/model/parameters.js';
import { Rng } from '../../src/tensor/rng.js';
import { expectSameBytes } from '../helpers/close.js';
import { sequences } from '../helpers/naive-gpt.js';
import { describeConfig, randomBatch, randomLengths, randomParameters, VARIANTS } from './cases.js';
import { describeEngines } from './engines.js';

/** The given sequences of a batch, in the given order. */
function select(batch: Batch, order: readonly number[]): Batch {
  const rows = order.flatMap((s) =>
    Array.from({ length: batch.offsets[s + 1] - batch.offsets[s] }, (_, t) => batch.offsets[s] + t),
  );
  const pick = (all: Int32Array): Int32Array => Int32Array.from(rows, (row) => all[row]);
  const offsets = new Int32Array(order.length + 1);
  order.forEach((s, i) => (offsets[i + 1] = offsets[i] + batch.offsets[s + 1] - batch.offsets[s]));
  return { tokens: pick(batch.tokens), targets: pick(batch.targets), roles: pick(batch.roles), offsets };
}

/** Logits of each sequence, for batches with a target at every position. */
function logitsOf(model: Model, batch: Batch, s: number): Float32Array {
  const { dVocab } = model.config;
  return model.forward(batch).logits.slice(batch.offsets[s] * dVocab, batch.offsets[s + 1] * dVocab);
}

describeEngines('invariants', ({ create, gauge, isExact, variants }) => {
  for (const [index, config] of variants) {
    const parameters = randomParameters(config, 100 + index);
    const batch = randomBatch(config, 100 + index, randomLengths(config, index, 7));

    it(`${describeConfig(config)}: rows of the pattern sum to 1, with nothing above the diagonal`, () => {
      const model = create(config, parameters, 'inference');
      for (let layer = 0; layer < config.nLayers; layer++) {
        const [scoresName, patternName] = (['attn.attn_scores', 'attn.pattern'] as const).map((name) =>
          activationName(name, layer),
        );
        const { activations } = model.forward(batch, { capture: [scoresName, patternName] });
        const pattern = activations.get(patternName) ?? new Float32Array();
        const scores = activations.get(scoresName) ?? new Float32Array();
        let at = 0;
        for (const { length } of sequences(batch)) {
          for (let row = 0; row < config.nHeads * length; row++, at += length) {
            const query = row % length;
            const own = pattern.subarray(at, at + length);
            expect(Math.abs(own.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(1e-6);
            expect(own.every((p) => p >= 0 && p <= 1)).toBe(true);
            expect(own.subarray(query + 1).every((p) => Object.is(p, 0))).toBe(true);
            const masked = scores.subarray(at + query + 1, at + length);
            expect(masked.every((x) => x === -Infinity)).toBe(true);
          }
        }
        expect(at).toBe(pattern.length);
      }
      model.dispose();
    });

    it(`${describeConfig(config)}: changing a later token leaves the bytes of earlier logits`, () => {
      const model = create(config, parameters, 'inference');
      const full = randomBatch(config, index, [config.nCtx, config.nCtx]);
      const before = model.forward(full).logits;
      for (let change = 1; change < config.nCtx; change++) {
        const tokens = full.tokens.slice();
        tokens[change] = (tokens[change] + 1) % config.dVocab;
        const after = model.forward({ ...full, tokens }).logits;
        expectSameBytes(
          after.slice(0, change * config.dVocab),
          before.slice(0, change * config.dVocab),
          `logits before position ${change}`,
        );
        const second = config.nCtx * config.dVocab;
        expectSameBytes(after.slice(second), before.slice(second), 'logits of the other sequence');
        const own = (all: Float32Array): Float32Array =>
          all.slice(change * config.dVocab, (change + 1) * config.dVocab);
        // with one number a row LayerNorm forgets its input
        if (config.dModel > 1) expect(own(after)).not.toEqual(own(before));
      }
      model.dispose();
    });

    it(`${describeConfig(config)}: a sequence gives the same bytes alone, in company and in any order`, () => {
      const model = create(config, parameters, 'inference');
      const S = batch.offsets.length - 1;
      const order = [...new Rng(index, 'test:order').permutation(S)];
      const shuffled = select(batch, order);
      for (let s = 0; s < S; s++) {
        const inCompany = logitsOf(model, batch, s);
        const alone = logitsOf(model, select(batch, [s]), 0);
        const elsewhere = logitsOf(model, shuffled, order.indexOf(s));
        if (isExact) {
          expectSameBytes(alone, inCompany, `sequence ${s} alone`);
          expectSameBytes(elsewhere, inCompany, `sequence ${s} elsewhere`);
        } else {
          gauge.expect('a sequence in other company', alone, inCompany, `sequence ${s} alone`);
          gauge.expect('a sequence in other company', elsewhere, inCompany, `sequence ${s} elsewhere`);
        }
      }
      model.dispose();
    });

    it(`${describeConfig(config)}: leaving targets out does not change the bytes of the others`, () => {
      const model = create(config, parameters, 'inference');
      const all = model.forward(batch).logits;
      const targets = batch.targets.map((target, row) => (row % 3 === 0 ? target : -1));
      const some = model.forward({ ...batch, targets }).logits;
      const kept = [...targets.keys()].filter((row) => targets[row] >= 0);
      const expected = kept.flatMap((row) => [
        ...all.subarray(row * config.dVocab, (row + 1) * config.dVocab),
      ]);
      expectSameBytes(some, Float32Array.from(expected), 'logits of the rows with a target');
      model.dispose();
    });

    it(`${describeConfig(config)}: greedy generation is what recomputing the whole sequence gives`, () => {
      const model = create(config, parameters, 'inference');
      const rng = new Rng(index, 'test:prompts');
      const prompts = Array.from({ length: 9 }, (_, i) =>
        Int32Array.from({ length: i === 0 ? config.nCtx : 1 + rng.below(config.nCtx) }, () =>
          rng.below(config.dVocab),
        ),
      );
      const options = { maxNewTokens: 6, stopToken: config.dVocab - 1 };
      const found = model.generate(prompts, options).map((made) => [...made]);
      expect(found).toEqual(prompts.map((prompt) => recompute(model, prompt, options)));
      expect(found[0]).toEqual([]);
      model.dispose();
    });
  }

  it('gradients of rows of the softmax sum to 0: over the vocabulary, each row of the loss', () => {
    const config: GptConfig = { ...VARIANTS[0], tied: false };
    const model = create(config, randomParameters(config, 1));
    const { gradients } = model.computeGradients(randomBatch(config, 1, [9, 5]));
    const spec = parameterTable(config).byName.get('lm_head.weight');
    if (spec === undefined) throw new Error('An untied model has a head.');
    const head = gradients.subarray(spec.offset, spec.offset + spec.size);
    expect(head.some((g) => Math.abs(g) > 1e-3)).toBe(true);
    for (let c = 0; c < config.dModel; c++) {
      let sum = 0;
      for (let v = 0; v < config.dVocab; v++) sum += head[v * config.dModel + c];
      expect(Math.abs(sum)).toBeLessThan(1e-6);
    }
  });

  it('gradients of tokens and positions that do not occur are exactly 0, and so are the gaps', () => {
    const config: GptConfig = { ...VARIANTS[2], tied: false, dVocab: 30, nCtx: 17 };
    const batch = randomBatch({ ...config, dVocab: 11 }, 1, [4, 6, 2]);
    const model = create(config, randomParameters(config, 1));
    const { gradients } = model.computeGradients(batch);
    const table = parameterTable(config);
    const used = new Uint8Array(table.arenaSize);
    for (const spec of table.specs) used.fill(1, spec.offset, spec.offset + spec.size);
    const clear = (name: string, from: number): void => {
      const spec = table.byName.get(name);
      if (spec !== undefined) used.fill(0, spec.offset + from * config.dModel, spec.offset + spec.size);
    };
    clear('transformer.wte.weight', 11);
    clear('transformer.wpe.weight', 6);
    expect(gradients.every((g, i) => used[i] === 1 || Object.is(g, 0))).toBe(true);
  });
});

/** Greedy decoding by forward passes of the whole sequence; ties go to the smallest id. */
function recompute(
  model: Model,
  prompt: Int32Array,
  { maxNewTokens, stopToken }: { readonly maxNewTokens: number; readonly stopToken: number },
): number[] {
  const tokens = [...prompt];
  const made: number[] = [];
  while (made.length < maxNewTokens && tokens.length < model.config.nCtx && made.at(-1) !== stopToken) {
    const targets = new Int32Array(tokens.length).fill(-1);
    targets[tokens.length - 1] = 0;
    const { logits } = model.forward({
      tokens: Int32Array.from(tokens),
      targets,
      roles: new Int32Array(tokens.length).fill(-1),
      offsets: Int32Array.of(0, tokens.length),
    });
    const next = logits.indexOf(Math.max(...logits));
    tokens.push(next);
    made.push(next);
  }
  return made;
}
