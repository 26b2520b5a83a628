/**
 * A pass leaves out what nothing depends on any more: what a replacement as a whole makes needless, and in the last block
 * rows without a target. Capturing every activation has all of it computed, and must give the same bytes.
 */
import { expect, it } from 'vitest';
import type { Intervention } from '../../src/engine/engine.js';
import { neededActivations } from '../../src/engine/kernels/needed.js';
import { type ActivationName, activationName, activationNames } from '../../src/model/activations.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { Rng } from '../../src/tensor/rng.js';
import { expectSameBytes } from '../helpers/close.js';
import { randomBatch, randomLengths, randomParameters, VARIANTS } from './cases.js';
import { describeEngines, KERNEL_ENGINES } from './engines.js';

const CONFIGS: readonly GptConfig[] = [
  { ...VARIANTS[0], dModel: 16, nHeads: 2, dMlp: 64, nLayers: 3, nCtx: 12 },
  { ...VARIANTS[0], dModel: 10, nHeads: 2, dMlp: 11, nLayers: 2, nCtx: 9 },
  { ...VARIANTS[0], dModel: 64, nHeads: 1, dMlp: 32, nLayers: 1, nCtx: 9 },
];

describeEngines(
  'interventions at several activations',
  ({ create }) => {
    it.each(CONFIGS.map((config) => [`d=${config.dModel}, ${config.nLayers} blocks`, config] as const))(
      '%s: the bytes of a pass that computes everything',
      (_, config) => {
        const model = create(config, randomParameters(config, 2), 'inference');
        const names = activationNames(config);
        const rng = new Rng(4, 'test:needed');
        for (let draw = 0; draw < 60; draw++) {
          const batch = randomBatch(config, draw, randomLengths(config, draw, 5), 0.3);
          const clean = model.forward(batch, { capture: names }).activations;
          const interventions = Array.from({ length: 1 + rng.below(4) }, (): Intervention => {
            const at = names[rng.below(names.length)];
            const value = (clean.get(at) ?? new Float32Array()).map((x) => x + rng.normal());
            const op = (['set', 'set', 'add', 'scale'] as const)[rng.below(4)];
            const some = Int32Array.from(batch.tokens.keys()).filter(() => rng.below(2) === 0);
            return { at, op, value, ...(rng.below(3) === 0 ? { positions: some } : {}) };
          });
          const found = model.forward(batch, { interventions });
          const all = model.forward(batch, { interventions, capture: names });
          expectSameBytes(found.logits, all.logits, `logits of draw ${draw}`);
          expectSameBytes(found.losses, all.losses, `losses of draw ${draw}`);
          // and each activation asked for by itself has all its rows
          const name = names[(7 * draw) % names.length];
          const alone = model.forward(batch, { interventions, capture: [name] }).activations.get(name);
          expectSameBytes(
            alone ?? new Float32Array(),
            all.activations.get(name) ?? new Float32Array(),
            `${name} alone, draw ${draw}`,
          );
        }
        model.dispose();
      },
    );

    it.each(CONFIGS.map((config) => [`d=${config.dModel}, ${config.nLayers} blocks`, config] as const))(
      '%s: rows with a target alone are those rows of a capture of all',
      (_, config) => {
        const model = create(config, randomParameters(config, 3), 'inference');
        const names = activationNames(config);
        const withRows = names.filter((name) => !/attn_scores|pattern/.test(name));
        const rng = new Rng(5, 'test:needed');
        for (let draw = 0; draw < 60; draw++) {
          const batch = randomBatch(config, draw, randomLengths(config, draw, 5), draw % 5 === 0 ? 1 : 0.3);
          const clean = model.forward(batch, { capture: names }).activations;
          const interventions = Array.from({ length: rng.below(4) }, (): Intervention => {
            // nearly always what the fused driver can do, else the analysis driver
            const among = rng.below(8) === 0 ? names : withRows;
            const at = among[rng.below(among.length)];
            const all = (clean.get(at) ?? new Float32Array()).map((x) => x + rng.normal());
            const width = all.length / batch.tokens.length;
            const value = [all, all, rng.normal(), among === names ? all : all.slice(0, width)][rng.below(4)];
            const some = Int32Array.from(batch.tokens.keys()).filter(() => rng.below(2) === 0);
            const op = rng.below(8) === 0 ? 'add' : 'set';
            return { at, op, value, ...(rng.below(2) === 0 ? { positions: some.reverse() } : {}) };
          });
          const capture = withRows.filter(() => draw % 3 === 0 || rng.below(6) === 0);
          const found = model.forward(batch, { capture, captureRows: 'targets', interventions });
          const all = model.forward(batch, { capture: names, interventions });
          const rows = [...batch.targets.keys()].filter((row) => batch.targets[row] >= 0);
          expectSameBytes(found.logits, all.logits, `logits of draw ${draw}`);
          expectSameBytes(found.losses, all.losses, `losses of draw ${draw}`);
          expect([...found.activations.keys()]).toEqual(capture);
          for (const name of capture) {
            const x = all.activations.get(name) ?? new Float32Array();
            const width = x.length / batch.tokens.length;
            const picked = rows.flatMap((row) => [...x.subarray(row * width, (row + 1) * width)]);
            const kept = found.activations.get(name) ?? new Float32Array();
            expectSameBytes(kept, Float32Array.from(picked), `${name}, draw ${draw}`);
          }
        }
        model.dispose();
      },
    );

    it('has no rows with a target of what has no row a position', () => {
      const config = CONFIGS[0];
      const model = create(config, randomParameters(config, 3), 'inference');
      const batch = randomBatch(config, 1, randomLengths(config, 1, 2), 1);
      const capture = [activationName('attn.pattern', 0)];
      expect(() => model.forward(batch, { capture, captureRows: 'targets' })).toThrow(
        /capture.*one row a position/,
      );
      model.dispose();
    });
  },
  KERNEL_ENGINES,
);

it('computes nothing before a residual stream that is replaced, and nothing that only what is replaced would read', () => {
  const [config] = CONFIGS;
  const set = (at: ActivationName): Pick<Intervention, 'at' | 'op'> => ({ at, op: 'set' });
  const { computed, read } = neededActivations(config, new Set(), [
    set(activationName('resid_pre', 2)),
    set(activationName('attn_out', 2)),
  ]);
  expect([...computed].sort()).toEqual(
    [
      'ln_final.normalized',
      ...['resid_mid', 'ln2.normalized', 'mlp.pre', 'mlp.post', 'mlp_out', 'resid_post'].map(
        (name) => `blocks.2.${name}`,
      ),
    ].sort(),
  );
  expect([...read].filter((name) => !computed.has(name)).sort()).toEqual([
    'blocks.2.attn_out',
    'blocks.2.resid_pre',
  ]);
});
