/** What the modules run by name say of models whose way of computing is known: a column of docs/zoo.md each. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Probe } from '../../probes/contract.js';
import { MODULES } from '../../probes/index.js';
import type { Engine } from '../../src/engine/engine.js';
import { openEngine } from '../../src/engine/registry.js';
import { measureModule } from '../helpers/measure-module.js';
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

  it('copier: no neurons, and nothing is said of them', async () => {
    const { rows } = await measured('neurons', 'copier', { permutations: 99 });
    expect([...rows('one-frequency'), ...rows('best-frequency')]).toEqual([]);
  });
});
