/**
 * Every engine against the plain float64 forward pass: logits, losses, every captured activation, and interventions of
 * every kind at every activation. The analysis driver gives the fused driver's bytes.
 */
import { describe, expect, it } from 'vitest';
import type { Batch, Intervention } from '../../src/engine/engine.js';
import { type ActivationName, activationNames, parseActivationName } from '../../src/model/activations.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { Rng } from '../../src/tensor/rng.js';
import { expectSameBytes } from '../helpers/close.js';
import { type Edit, editOf, naiveForward, sequences } from '../helpers/naive-gpt.js';
import { describeConfig, randomBatch, randomLengths, randomParameters, VARIANTS } from './cases.js';
import { describeEngines } from './engines.js';

const AT_REST = { learningRate: 0, beta1: 0.9, beta2: 0.99, eps: 1e-8, weightDecay: 0, clip: Infinity };

describeEngines('forward against plain float64', ({ create, gauge }) => {
  for (const [index, config] of VARIANTS.entries()) {
    const parameters = randomParameters(config, index);
    const batch = randomBatch(config, index, randomLengths(config, index, 6), index % 2 === 0 ? 1 : 0.4);

    it(`${describeConfig(config)}: logits, losses and every activation agree`, () => {
      const model = create(config, parameters, 'inference');
      const names = activationNames(config);
      const reference = naiveForward(config, parameters, batch);
      const found = model.forward(batch, { capture: names });
      gauge.expect('naive logits', found.logits, reference.logits, 'logits', [-1, config.dVocab]);
      gauge.expect('naive logits', found.losses, reference.losses, 'losses');
      expect(found.lossNats).toBeCloseTo(
        reference.losses.reduce((a, b) => a + b, 0) / found.losses.length,
        5,
      );
      expect([...found.activations.keys()]).toEqual(names);
      for (const name of names) {
        const expected = reference.activations.get(name);
        if (expected === undefined) throw new Error(`The reference has no ${name}.`);
        gauge.expect('naive activations', found.activations.get(name) ?? [], expected, name);
      }
      model.dispose();
    });

    it(`${describeConfig(config)}: the analysis driver gives the bytes of the fused driver`, () => {
      const model = create(config, parameters, 'train');
      const fused = model.forward(batch);
      const names = activationNames(config);
      for (const capture of [names, [names[0]]]) {
        const staged = model.forward(batch, { capture });
        expectSameBytes(staged.logits, fused.logits, 'logits');
        expectSameBytes(staged.losses, fused.losses, 'losses');
        expect(staged.lossNats).toBe(fused.lossNats);
        expect(staged.lossByRole).toEqual(fused.lossByRole);
      }
      expect(model.computeGradients(batch).lossNats).toBe(fused.lossNats);
      model.dispose();
    });
  }

  it('sums the losses of each role', () => {
    const config = VARIANTS[0];
    const batch = randomBatch(config, 5, [9, 4, 7], 0.7);
    const model = create(config, randomParameters(config, 5), 'train');
    const { losses, lossByRole } = model.forward(batch);
    const rows = [...batch.targets.keys()].filter((row) => batch.targets[row] >= 0);
    for (const [role, { sumNats, count }] of lossByRole.entries()) {
      const own = rows.flatMap((row, i) => (batch.roles[row] === role ? [losses[i]] : []));
      expect(count).toBe(own.length);
      expect(sumNats).toBe(own.reduce((a, b) => a + b, 0));
    }
    expect(lossByRole.reduce((sum, { count }) => sum + count, 0)).toBe(rows.length);
    const step = model.trainStep(batch, AT_REST);
    expect(step.kind === 'updated' && step.lossByRole).toEqual(lossByRole);
  });
});

/** Engines never touch what lies above the diagonal; the helper's edit of patterns does not know. */
function causalEdit(config: GptConfig, batch: Batch, interventions: readonly Intervention[]): Edit {
  const edit = editOf(config, batch, interventions);
  return (name, values) => {
    const before = values.slice();
    edit(name, values);
    if (parseActivationName(config, name).row.layout.kind !== 'pattern') return;
    let at = 0;
    for (const { length } of sequences(batch)) {
      for (let row = 0; row < config.nHeads * length; row++, at += length) {
        const query = row % length;
        values.set(before.subarray(at + query + 1, at + length), at + query + 1);
      }
    }
  };
}

/** Interventions at one activation: each op, each form of value, all and some rows, all and some heads. */
function interventionsAt(config: GptConfig, batch: Batch, at: ActivationName): Intervention[][] {
  const rng = new Rng(3, `test:interventions:${at}`);
  const normal = (length: number): Float32Array => Float32Array.from({ length }, () => 0.5 * rng.normal());
  const { row } = parseActivationName(config, at);
  const N = batch.tokens.length;
  const some = Int32Array.from({ length: N }, (_, i) => i).filter((i) => i % 3 === 1);
  const perHead = row.layout.kind === 'pattern' || /^attn\.[qkvz]$/.test(row.name);
  const full =
    row.layout.kind === 'rows'
      ? N * row.layout.width(config)
      : sequences(batch).reduce((sum, { length }) => sum + config.nHeads * length ** 2, 0);
  const lists: Intervention[][] = [];
  for (const op of ['set', 'add', 'scale'] as const) {
    const number: Intervention = { at, op, value: op === 'scale' ? -0.7 : 0.3 };
    lists.push([number], [{ ...number, positions: some }]);
    lists.push([{ at, op, value: normal(full) }], [{ at, op, value: normal(full), positions: some }]);
    if (row.layout.kind === 'rows') lists.push([{ at, op, value: normal(row.layout.width(config)) }]);
    if (perHead)
      lists.push([{ ...number, heads: [1] }], [{ at, op, value: normal(full), positions: some, heads: [0] }]);
  }
  // zero ablation, and two interventions one after the other
  lists.push([
    { at, op: 'set', value: 0, positions: some },
    { at, op: 'add', value: 0.25 },
  ]);
  return lists;
}

describeEngines('interventions against plain float64', ({ create, gauge }) => {
  const config: GptConfig = { ...VARIANTS[0], dModel: 10, nHeads: 2, dMlp: 11, nLayers: 2, nCtx: 8 };
  const batch = randomBatch(config, 1, [1, 8, 5], 0.6);
  const parameters = randomParameters(config, 1);
  const names = activationNames(config);
  const intactReference = naiveForward(config, parameters, batch);
  const unchanged = intactReference.logits;

  describe.each(names)('%s', (at) => {
    it('set, add and scale reach the logits and every later activation as in the reference, and no earlier one', () => {
      const model = create(config, parameters, 'inference');
      const lists = interventionsAt(config, batch, at);
      let changed = 0;
      for (const interventions of lists) {
        const reference = naiveForward(config, parameters, batch, causalEdit(config, batch, interventions));
        const found = model.forward(batch, { interventions, capture: names });
        const shown = JSON.stringify(interventions, (_, v: unknown) => (ArrayBuffer.isView(v) ? '[..]' : v));
        gauge.expect('naive after interventions', found.logits, reference.logits, `logits after ${shown}`);
        for (const [index, name] of names.entries()) {
          // what was computed before keeps its value
          const { activations } = index < names.indexOf(at) ? intactReference : reference;
          gauge.expect(
            'naive after interventions',
            found.activations.get(name) ?? [],
            activations.get(name) ?? [],
            `${name} after ${shown}`,
          );
        }
        const without = model.forward(batch, { interventions });
        expectSameBytes(without.logits, found.logits, 'logits without capturing');
        if (reference.logits.some((x, i) => Math.abs(x - unchanged[i]) > 1e-3)) changed++;
      }
      // adding one number to all scores of a query changes nothing, as it should
      expect(changed).toBeGreaterThan(lists.length / 2);
      const intact = model.forward(batch).logits;
      gauge.expect('naive logits', intact, unchanged, 'logits after all interventions');
      model.dispose();
    });
  });
});
