/** Operand multisets, their orders, prompts for results, draws in training and prompts beyond it. */
import { describe, expect, it } from 'vitest';
import {
  MOST_EXPECTED_DRAWS,
  chainBatch,
  nestedChains,
  trainableLists,
  trainedPositions,
} from '../../../src/listops/prompts/beyond-training.js';
import type { DataConfig } from '../../../src/listops/data-config.js';
import { createGenerator } from '../../../src/listops/sampling/generate.js';
import {
  SAMPLED_MULTISETS,
  SAMPLED_ORDERS,
  allMultisets,
  countOrders,
  distinctOrders,
  operandMultisets,
} from '../../../src/listops/sampling/multisets.js';
import { createOperationContext } from '../../../src/listops/language/operations.js';
import { createHoldout } from '../../../src/listops/sampling/regimes.js';
import { promptTokens, resultBatch } from '../../../src/listops/prompts/result-prompts.js';
import { decode, vocabulary } from '../../../src/listops/language/tokenizer.js';
import { trainingCounts } from '../../../src/listops/sampling/training-counts.js';
import { Rng } from '../../../src/tensor/rng.js';
import { readExample } from '../independent.js';
import { contextOf, dataWith, settingsOf } from '../settings.js';

const rng = (): Rng => new Rng(1, 'test:multisets');
const key = (list: readonly number[]): string => [...list].sort((a, b) => a - b).join(' ');

describe('operandMultisets', () => {
  it.each([
    [10, 2, 55],
    [10, 3, 220],
    [10, 4, 715],
    [2, 2, 3],
    [7, 3, 84],
  ])('modulus %i, %i operands: %i multisets whose orders are all lists, each once', (n, arity, expected) => {
    const { multisets, complete } = operandMultisets(n, arity, rng());
    expect(complete).toBe(true);
    expect(multisets).toHaveLength(expected);
    const lists = multisets.flatMap(({ orders }) => orders.map((order) => order.join(' ')));
    expect(new Set(lists).size).toBe(n ** arity);
    expect(lists).toHaveLength(n ** arity);
    for (const { operands, orders, nOrders } of multisets) {
      expect(nOrders).toBe(orders.length);
      for (const order of orders) expect(key(order)).toBe(operands.join(' '));
    }
  });

  it('samples distinct multisets in a few distinct orders when the lists are too many', () => {
    const { multisets, complete } = operandMultisets(40, 4, rng());
    expect(complete).toBe(false);
    expect(multisets).toHaveLength(SAMPLED_MULTISETS);
    expect(new Set(multisets.map(({ operands }) => operands.join(' '))).size).toBe(SAMPLED_MULTISETS);
    for (const { operands, orders, nOrders } of multisets) {
      expect(orders.length).toBe(Math.min(nOrders, SAMPLED_ORDERS));
      expect(new Set(orders.map((order) => order.join(' '))).size).toBe(orders.length);
      expect(operands.every((value) => value >= 0 && value < 40)).toBe(true);
      for (const order of orders) expect(key(order)).toBe(operands.join(' '));
    }
    expect(operandMultisets(40, 4, rng())).toEqual(operandMultisets(40, 4, rng()));
  });

  it('draws a sample uniform over multisets: repeats as often as they are among all', () => {
    const n = 30;
    const { multisets } = operandMultisets(n, 3, rng());
    const isRepeated = (list: readonly number[]): boolean => new Set(list).size < list.length;
    const all = allMultisets(n, 3);
    const share = all.filter(isRepeated).length / all.length;
    const found = multisets.filter(({ operands }) => isRepeated(operands)).length / multisets.length;
    expect(Math.abs(found - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / multisets.length));
  });
});

describe('countOrders', () => {
  it('agrees with listing them', () => {
    for (const list of [...allMultisets(4, 3), ...allMultisets(3, 5), [0, 0, 0, 1, 1, 2]]) {
      expect(countOrders(list)).toBe(distinctOrders(list).length);
    }
  });
});

describe('resultBatch', () => {
  it.each([
    ['steps', 's (SUM 7 3) >'],
    ['direct', 's (SUM 7 3) ='],
  ] as const)('writes %s prompts with the result as the one target', (format, text) => {
    const context = contextOf();
    const { batch, results } = resultBatch(
      'SUM',
      [
        [7, 3],
        [9, 9],
      ],
      { data: dataWith({ format }), context },
    );
    const vocab = vocabulary(10);
    expect(decode(batch.tokens.subarray(0, batch.offsets[1]), vocab)).toBe(text);
    expect(batch.offsets[1]).toBe(promptTokens(2));
    expect([...results]).toEqual([0, 8]);
    expect([...batch.targets.filter((target) => target >= 0)]).toEqual([6, 14]);
    expect(batch.targets[promptTokens(2) - 1]).toBe(6);
  });
});

describe('trainingCounts', () => {
  /** Counts by reading finished examples as text, with a second implementation of the operations. */
  const countByReading = (data: DataConfig, seed: number, examples: number): Map<string, number> => {
    const generator = createGenerator(data, seed);
    const settings = settingsOf(createOperationContext(data));
    const vocab = vocabulary(data.modulus);
    const counts = new Map<string, number>();
    for (let i = 0; i < examples; i++) {
      for (const { name, operands } of readExample(decode(generator.example(i).tokens, vocab), settings)) {
        const place = `${name} ${key(operands)}`;
        counts.set(place, (counts.get(place) ?? 0) + 1);
      }
    }
    return counts;
  };
  const multiset = (operands: number[]) => ({ operands, orders: [operands], nOrders: countOrders(operands) });

  it('counts exactly on a set of fixed size, each example as often as it comes back', () => {
    const data = dataWith({ tasks: ['SUM', 'MAX'], depth: 2, regime: 'pairs', fixedSize: 60 });
    const counts = trainingCounts(data, 3, 180);
    const read = countByReading(data, 3, 60);
    expect(counts.method).toBe('counted');
    for (const operands of [...allMultisets(10, 2), ...allMultisets(10, 3)]) {
      for (const name of ['SUM', 'MAX'] as const) {
        expect(counts.draws(name, multiset(operands))).toBe(3 * (read.get(`${name} ${key(operands)}`) ?? 0));
      }
    }
  });

  it('expects at depth 1 what the generator draws, and never what is held out', () => {
    const data = dataWith({ tasks: ['SUM', 'MED'], regime: 'pairs', modulus: 5, holdoutSeed: 4 });
    const examples = 20_000;
    const counts = trainingCounts(data, 9, examples);
    const read = countByReading(data, 9, examples);
    const holdout = createHoldout(data);
    expect(counts.method).toBe('expected');
    let total = 0;
    let deviation = 0;
    const all = [...allMultisets(5, 2), ...allMultisets(5, 3)].flatMap((operands) =>
      (['SUM', 'MED'] as const).map((name) => ({ operands, name })),
    );
    for (const { operands, name } of all) {
      const expected = counts.draws(name, multiset(operands));
      const found = read.get(`${name} ${key(operands)}`) ?? 0;
      total += expected;
      if (holdout.isHeldOut(operands)) expect([expected, found]).toEqual([0, 0]);
      else deviation += (found - expected) ** 2 / expected;
    }
    expect(total).toBeCloseTo(examples, 6);
    // chi-square: mean about the number of cells, so this is far out only if the expectation is wrong
    expect(deviation).toBeLessThan(2 * all.length);
    expect(counts.draws('MAX', multiset([1, 2]))).toBe(0);
  });

  it('scales up from a sample when nested examples are many', () => {
    const data = dataWith({ tasks: ['SUM'], depth: 2 });
    const counts = trainingCounts(data, 1, 1_000_000);
    expect(counts.method).toBe('sampled');
    // one reduction of the outermost call an example, about half of two operands
    const pairs = allMultisets(10, 2).reduce(
      (sum, operands) => sum + counts.draws('SUM', multiset(operands)),
      0,
    );
    expect(pairs).toBeGreaterThan(500_000);
  });
});

describe('prompts beyond training', () => {
  const data = dataWith({ tasks: ['SUM'], regime: 'pairs', holdoutSeed: 2 });

  it('trained positions are those of the longest sequence without its last token', () => {
    // s ( SUM a b c ) > r e
    expect(trainedPositions(data)).toBe(9);
    const generator = createGenerator(data, 1);
    let longest = 0;
    for (let i = 0; i < 200; i++) longest = Math.max(longest, generator.example(i).tokens.length);
    expect(longest - 1).toBe(9);
  });

  it('longer lists never contain a held pair', () => {
    const lists = trainableLists(data, 4, 300, rng());
    const { sets } = createHoldout(data);
    expect(lists).toHaveLength(300);
    for (const list of lists) {
      for (const [a, b] of sets) {
        const rest = [...list];
        const at = rest.indexOf(a);
        if (at < 0) continue;
        rest.splice(at, 1);
        expect(rest.includes(b)).toBe(false);
      }
    }
  });

  it('nested chains have the depth asked for, fit, and reduce only what training may show', () => {
    const settings = settingsOf(createOperationContext(data));
    const chains = nestedChains(data, { depth: 2, count: 50, mostTokens: 40 });
    expect(chains.length).toBeGreaterThan(20);
    const holdout = createHoldout(data);
    for (const chain of chains) {
      const text = decode(chain.tokens, vocabulary(10));
      expect(chain.tokens.length - 1).toBeLessThanOrEqual(40);
      expect(text.slice(0, text.indexOf('>')).match(/\(/g)?.length).toBeGreaterThan(1);
      for (const { operands } of readExample(text, settings)) expect(holdout.isHeldOut(operands)).toBe(false);
    }
    const { tokens, offsets } = chainBatch(data, chains);
    expect(decode(tokens.subarray(0, offsets[1]), vocabulary(10))).toBe(
      decode(chains[0].tokens.slice(0, -1), vocabulary(10)),
    );
    expect(nestedChains(data, { depth: 2, count: 50, mostTokens: 10 })).toEqual([]);
  });

  it('new expressions are rarer than the limit: a training of that size does not repeat them', () => {
    const nested = dataWith({ tasks: ['SUM'], depth: 2, modulus: 5, operands: [2, 3] });
    const examples = 3000;
    const chains = nestedChains(nested, { depth: 2, count: 60, mostTokens: 64, unseenIn: examples });
    expect(chains.length).toBeGreaterThan(10);
    const text = (tokens: Int32Array): string => tokens.join(' ');
    const generator = createGenerator(nested, 8);
    const shown = new Set(Array.from({ length: examples }, (_, i) => text(generator.example(i).tokens)));
    // expected: at most 60 times 0.01
    expect(chains.filter(({ tokens }) => shown.has(text(tokens))).length).toBeLessThanOrEqual(
      Math.ceil(chains.length * MOST_EXPECTED_DRAWS) + 3,
    );
    expect(nestedChains(nested, { depth: 2, count: 60, mostTokens: 64, unseenIn: 1e12 })).toEqual([]);
  });

  it('shown expressions were drawn by nearly every training of that size', () => {
    const nested = dataWith({ tasks: ['SUM'], depth: 2, modulus: 5, operands: [2, 2] });
    const examples = 3000;
    const chains = nestedChains(nested, { depth: 2, count: 60, mostTokens: 64, shownIn: examples });
    expect(chains.length).toBeGreaterThan(10);
    const text = (tokens: Int32Array): string => tokens.join(' ');
    const generator = createGenerator(nested, 8);
    const shown = new Set(Array.from({ length: examples }, (_, i) => text(generator.example(i).tokens)));
    // missed with at most exp(-3) each
    expect(chains.filter(({ tokens }) => !shown.has(text(tokens))).length).toBeLessThan(0.2 * chains.length);
    expect(nestedChains(nested, { depth: 2, count: 60, mostTokens: 64, shownIn: 1 })).toEqual([]);
  });
});
