/** Logits of rows of the residual stream: the kernels' bytes are those of plain code, and the last stage gives the model's own. */
import { expect, it } from 'vitest';
import { readoutRows } from '../../src/engine/tfjs/readout.js';
import { activationName } from '../../src/model/activations.js';
import { Rng } from '../../src/tensor/rng.js';
import { expectSameBytes } from '../helpers/close.js';
import { describeConfig, randomBatch, randomLengths, randomParameters, VARIANTS } from './cases.js';
import { describeEngines, KERNEL_ENGINES } from './engines.js';

describeEngines(
  'readout',
  ({ create }) => {
    it.each(VARIANTS.map((config, index) => [describeConfig(config), config, index] as const))(
      '%s: the bytes of plain code, and the logits of the forward pass',
      (_, config, index) => {
        const parameters = randomParameters(config, index);
        const model = create(config, parameters, 'inference');
        const rng = new Rng(index, 'test:readout');
        for (const rows of [0, 1, 7, 8, 21]) {
          const stream = Float32Array.from({ length: rows * config.dModel }, () => 3 * rng.normal());
          expectSameBytes(model.readout(stream), readoutRows(config, parameters, stream), `${rows} rows`);
        }
        const batch = randomBatch(config, index, randomLengths(config, index, 4), 1);
        const last = activationName('resid_post', config.nLayers - 1);
        const { logits, activations } = model.forward(batch, { capture: [last] });
        const read = model.readout(activations.get(last) ?? new Float32Array());
        expect(read.length).toBe(logits.length);
        let most = 0;
        read.forEach((x, i) => (most = Math.max(most, Math.abs(x - logits[i]) / Math.max(1, Math.abs(x)))));
        expect(most).toBeLessThan(2e-5);
        model.dispose();
      },
    );

    it('refuses what is no whole number of rows', () => {
      const config = VARIANTS[0];
      const model = create(config, randomParameters(config, 1), 'inference');
      expect(() => model.readout(new Float32Array(config.dModel + 1))).toThrow(/stream.*rows of/);
      model.dispose();
    });
  },
  KERNEL_ENGINES,
);
