/**
 * A patching grid gives the bytes of one plain pass a cell and pair: what cells share, where they go on from the clean run,
 * and what is left out because it changes nothing, change no number.
 */
import { expect, it } from 'vitest';
import type { Intervention } from '../../src/engine/engine.js';
import { METRICS, type PatchCell, type PromptPair, headCells, positionCells } from '../../src/lens/patch.js';
import { logitsAt, rowOf } from '../../src/lens/run.js';
import { type ActivationName, activationName } from '../../src/model/activations.js';
import { Rng } from '../../src/tensor/rng.js';
import { SMALL, openSmall } from './setup.js';

it('has the bytes of one pass with everything computed, for cells of every kind', async () => {
  const under = await openSmall(SMALL);
  const { lens, gpt: config } = under;
  const rng = new Rng(3, 'test:patch');
  const expression = (count: number): string =>
    `(SUM ${Array.from({ length: count }, () => rng.below(10)).join(' ')})`;
  const pairs = Array.from({ length: 9 }, (_, i): PromptPair => {
    const count = 2 + (i % 2);
    return { clean: lens.prompt(expression(count)), corrupted: lens.prompt(expression(count)) };
  });
  const last = config.nLayers - 1;
  const cells: PatchCell[] = [
    [],
    ...positionCells(config, 'resid_pre', 6),
    ...positionCells(config, 'resid_post', 3),
    ...positionCells(config, 'attn_out', 3),
    ...headCells(config),
    ...headCells(config, 4),
    [{ at: activationName('mlp.post', last), neuron: 3 }],
    [{ at: activationName('mlp.post', 0), neuron: 1, position: 4 }],
    [{ at: activationName('attn.pattern', 0), head: 1 }],
    [{ at: activationName('attn.pattern', last) }],
    [{ at: 'embed', position: 3 }],
    [
      { at: activationName('attn.z', 0), head: 0 },
      { at: activationName('mlp_out', last), position: 5 },
    ],
  ];
  const found = lens.patch(pairs, cells).values;
  const names = [...new Set(cells.flat().map(({ at }) => at))];
  pairs.forEach((pair, p) => {
    const [clean, corrupted] = [pair.clean, pair.corrupted].map((prompt) =>
      lens.run([prompt], { capture: names }),
    );
    const valueOf = (at: ActivationName, neuron?: number): Float32Array => {
      const other = corrupted.activations.get(at) ?? new Float32Array();
      if (neuron === undefined) return other;
      const own = clean.activations.get(at) ?? new Float32Array();
      return own.map((x, i) => (i % config.dMlp === neuron ? other[i] : x));
    };
    cells.forEach((cell, c) => {
      const interventions = cell.map(({ at, position, head, neuron }): Intervention => ({
        at,
        op: 'set',
        value: valueOf(at, neuron),
        ...(position === undefined ? {} : { positions: Int32Array.of(position) }),
        ...(head === undefined ? {} : { heads: [head] }),
      }));
      // with every activation captured, all of it is computed by the analysis driver
      const plain = lens.run([pair.clean], { capture: names, interventions });
      const expected = METRICS['logit difference'](logitsAt(plain, rowOf(plain)), pair);
      expect(found[c][p], `cell ${JSON.stringify(cell)}, pair ${p}`).toBe(expected);
    });
  });
  under.dispose();
});
