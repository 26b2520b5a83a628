/** What the modules run by name say of models whose way of computing is known: a column of docs/zoo.md each. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Probe } from '../../probes/contract.js';
import { MODULES } from '../../probes/index.js';
import type { Engine } from '../../src/engine/engine.js';
import { openEngine } from '../../src/engine/registry.js';
import { measureModule } from '../helpers/measure-module.js';
import { layerNormSd, PLANTED } from '../helpers/planted-models.js';
import { ZOO, ZOO_NAMES, type ZooName } from '../helpers/zoo.js';

let engine: Engine;
beforeAll(async () => {
  ({ engine } = await openEngine('wasm', { threads: 1 }));
});
afterAll(() => engine.dispose());

const measured = (
  module: keyof typeof MODULES,
  name: ZooName,
  options: Readonly<Record<string, number>> = {},
) => measureModule(engine, MODULES[module] as unknown as Probe, ZOO[name](), options);

const operationOf = (name: ZooName): string => (name === 'copier' ? 'FIRST' : 'SUM');
/** One layer: 1/2 is after its attention, 1 after its feed-forward layer. */
const READ_FROM: Readonly<Record<ZooName, number>> = {
  copier: 0.5,
  'pair table': 1,
  'clock, k = 1': 1,
  'clock, k = 3': 1,
  line: 1,
};
/** Nats: one operand a head, or both alike. */
const ENTROPY: Readonly<Record<ZooName, number>> = {
  copier: 0,
  'pair table': Math.log(2),
  'clock, k = 1': 0,
  'clock, k = 3': 0,
  line: Math.log(2),
};

describe.each(ZOO_NAMES)('%s', (name) => {
  const operation = operationOf(name);

  it('logit lens: the result is read after what writes it', async () => {
    const { row, rows } = await measured('logit-lens', name, { promptsPerTemplate: 60 });
    expect(row('read-from', { operation }).value).toBe(READ_FROM[name]);
    for (const { control } of rows('read-from')) expect(control).toBeUndefined();
  });

  it('attention: all of it on operands, one a head or both alike', async () => {
    const { row } = await measured('attention', name, { promptsPerTemplate: 60 });
    const scope = { operation, layer: 0 };
    expect(row('operand-weight', scope).value).toBeCloseTo(1, 3);
    expect(row('entropy', scope).value).toBeCloseTo(ENTROPY[name], 2);
  });

  it('patching: the change arrives by attention, and what writes the answer tells the logits', async () => {
    const { rows } = await measured('patching', name, { pairs: 40 });
    const only = (statistic: string, within: { readonly part?: string; readonly layer?: number }): number => {
      const found = rows(statistic, { operation, ...within });
      expect(found).toHaveLength(1);
      return found[0].value;
    };
    expect(only('arrived', { layer: 0 })).toBeCloseTo(1, 2);
    const [writes, silent] =
      name === 'copier' ? ['attention 0', 'feed-forward 0'] : ['feed-forward 0', 'attention 0'];
    expect(only('direct', { part: writes })).toBeCloseTo(1, 1);
    expect(only('direct', { part: silent })).toBeCloseTo(0, 2);
  });
});

describe('neurons', () => {
  it.each([1, 3] as const)('clock, k = %i: every neuron turns at k', async (k) => {
    const { row } = await measured('neurons', `clock, k = ${k}`, { permutations: 99 });
    expect(row('best-frequency', { operation: 'SUM', frequency: k }).value).toBeCloseTo(1, 6);
    expect(row('one-frequency', { operation: 'SUM' }).value).toBeGreaterThan(0.8);
  });

  it('pair table: a neuron for a pair has all frequencies, 8 / 99 of its variance at the best', async () => {
    const { row } = await measured('neurons', 'pair table', { permutations: 99 });
    // those of two different numbers are the sum of two such pairs: up to twice as much
    const { value } = row('one-frequency', { operation: 'SUM' });
    expect(value).toBeGreaterThan(8 / 99);
    expect(value).toBeLessThan(0.25);
  });

  it('line: corners on the way to 18 follow a + b only until it passes ten, as a plain transform of them says', async () => {
    const { row } = await measured('neurons', 'line', { permutations: 99 });
    const { oneFrequency, sum, atOne } = cornersOfTheLine();
    // the head does not weigh both operands quite alike, as LayerNorm makes keys of middle numbers larger: places differ by up to 0.06
    const within = (statistic: string, expected: number, frequency?: number): void => {
      const scope = { operation: 'SUM', ...(frequency === undefined ? {} : { frequency }) };
      expect(Math.abs(row(statistic, scope).value - expected), statistic).toBeLessThan(0.02);
    };
    within('one-frequency', oneFrequency);
    within('sum-share', sum);
    within('best-frequency', atOne, 1);
    expect(oneFrequency).toBeLessThan(0.8);
  });

  it('copier: no neurons, and nothing is said of them', async () => {
    const { rows } = await measured('neurons', 'copier', { permutations: 99 });
    expect([...rows('one-frequency'), ...rows('best-frequency')]).toEqual([]);
  });
});

/**
 * Shares of max(0, a + b - c), c = -1..19, by a transform written out, pooled over the functions. LayerNorm divides the place
 * of the sum by a little more at both ends of the line: `>` and its position, +-10, and the place itself twice.
 */
function cornersOfTheLine(): { oneFrequency: number; sum: number; atOne: number } {
  const n = 10;
  const numbers = Array.from({ length: n }, (_, i) => i);
  const pairs = numbers.flatMap((a) => numbers.map((b) => [a, b] as const));
  let [total, best, ofSums, whoseBestIsOne] = [0, 0, 0, 0];
  const width = PLANTED.V + 42;
  const read = layerNormSd(width, 1, 201);
  const placeOfSum = (sum: number): number => {
    const place = -2 + (2 / 9) * sum;
    return (place * read) / layerNormSd(width, 2, 202 + 2 * place ** 2);
  };
  for (let corner = -1; corner <= 19; corner++) {
    const power = (k: number, l: number): number => {
      const phase = (a: number, b: number): number => (2 * Math.PI * (k * a + l * b)) / n;
      const value = (a: number, b: number): number => Math.max(0, placeOfSum(a + b) + 2 - (2 / 9) * corner);
      const re = pairs.reduce((sum, [a, b]) => sum + value(a, b) * Math.cos(phase(a, b)), 0);
      const im = pairs.reduce((sum, [a, b]) => sum + value(a, b) * Math.sin(phase(a, b)), 0);
      return re * re + im * im;
    };
    const own = pairs.reduce((sum, [k, l]) => sum + (k + l === 0 ? 0 : power(k, l)), 0);
    const blocks = [1, 2, 3, 4, 5].map((k) => {
      const places = [k, n - k].flatMap((one) => [
        `${one} 0`,
        `0 ${one}`,
        `${one} ${one}`,
        `${one} ${n - one}`,
      ]);
      return [...new Set(places)].reduce((sum, at) => {
        const [p, q] = at.split(' ').map(Number);
        return sum + power(p, q);
      }, 0);
    });
    total += own;
    best += Math.max(...blocks);
    ofSums += numbers.slice(1).reduce((sum, k) => sum + power(k, k), 0);
    if (blocks[0] === Math.max(...blocks)) whoseBestIsOne += own;
  }
  return { oneFrequency: best / total, sum: ofSums / total, atOne: whoseBestIsOne / total };
}
