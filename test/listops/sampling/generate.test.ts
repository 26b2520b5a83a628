import { describe, expect, it } from 'vitest';
import { ROLES } from '../../../src/listops/language/expression.js';
import { createGenerator } from '../../../src/listops/sampling/generate.js';
import { OPERATION_NAMES } from '../../../src/listops/language/operations.js';
import { decode, vocabulary } from '../../../src/listops/language/tokenizer.js';
import { readExample, rolesOf } from '../independent.js';
import { contextOf, dataWith, settingsOf } from '../settings.js';

const vocab = vocabulary(10);

describe('createGenerator', () => {
  it('writes reductions that an independent reader agrees with, every operation, roles included', () => {
    const data = dataWith({ tasks: OPERATION_NAMES, depth: 3, operands: [2, 4], nesting: 0.3 });
    const generator = createGenerator(data, 11);
    const settings = settingsOf(contextOf());
    const seen = new Set<string>();
    for (let i = 0; i < 2000; i++) {
      const example = generator.example(i);
      const text = decode(example.tokens, vocab);
      const steps = readExample(text, settings);
      steps.forEach(({ name }) => seen.add(name));
      const roles = Array.from(example.roles.subarray(example.promptLength), (role) => ROLES[role]);
      expect(roles).toEqual(rolesOf(text));
      expect(Array.from(example.roles.subarray(0, example.promptLength)).every((role) => role === -1)).toBe(
        true,
      );
      const results = Array.from(example.roles.keys()).filter((t) => example.roles[t] === 0);
      expect(
        results.map((t) => ({
          name: OPERATION_NAMES[example.operations[t]],
          arity: example.arities[t],
          result: vocab.numberOf(example.tokens[t]),
          index: example.reductions[t],
        })),
      ).toEqual(
        steps.map(({ name, operands, result }, index) => ({ name, arity: operands.length, result, index })),
      );
    }
    expect(seen.size).toBe(OPERATION_NAMES.length);
  });

  it('writes the format direct with the right answer', () => {
    const generator = createGenerator(dataWith({ depth: 2, format: 'direct' }), 4);
    const settings = settingsOf(contextOf());
    for (let i = 0; i < 500; i++) {
      const { tokens, roles } = generator.example(i);
      const text = decode(tokens, vocab);
      expect(text).toContain(' = ');
      readExample(text, settings);
      expect(Array.from(roles.subarray(-3))).toEqual([-1, 0, 2]);
    }
  });

  it('makes batch(t) whatever was made before, and the same examples for any batch size', () => {
    const data = dataWith({ depth: 2, regime: 'pairs' });
    const one = createGenerator(data, 5);
    const other = createGenerator(data, 5);
    const late = one.batch(70, 16);
    for (let step = 0; step < 20; step++) other.batch(step, 3);
    other.example(9);
    expect(other.batch(70, 16)).toEqual(late);
    // examples 0..63 as one batch of 64 and as four of 16
    const whole = createGenerator(data, 5).batch(0, 64);
    const parts = [0, 1, 2, 3].map((step) => createGenerator(data, 5).batch(step, 16));
    for (const key of ['tokens', 'targets', 'roles', 'operations', 'arities', 'reductions'] as const) {
      expect(parts.flatMap((part) => Array.from(part[key]))).toEqual(Array.from(whole[key]));
    }
    const { tokens } = one.example(70 * 16);
    expect(late.tokens.slice(0, late.offsets[1])).toEqual(tokens.slice(0, -1));
  });

  it('gives a batch its own arrays', () => {
    const generator = createGenerator(dataWith({}), 5);
    const first = generator.batch(0, 8);
    const copy = structuredClone(first);
    generator.batch(1, 8);
    expect(first).toEqual(copy);
  });

  it('differs by seed and by step, and does not depend on the order of tasks', () => {
    const batchText = (seed: number, step: number, tasks = dataWith({}).tasks): string =>
      createGenerator(dataWith({ tasks }), seed).batch(step, 8).tokens.join();
    expect(new Set([batchText(0, 0), batchText(1, 0), batchText(0, 1)]).size).toBe(3);
    expect(batchText(0, 0, ['SUM', 'MED', 'MAX'])).toBe(batchText(0, 0, ['MAX', 'MED', 'SUM']));
  });

  it('sets targets on the completion only, or on every token', () => {
    const completion = createGenerator(dataWith({ depth: 2 }), 2).batch(0, 32);
    const all = createGenerator(dataWith({ depth: 2, loss: 'all' }), 2).batch(0, 32);
    expect(all.tokens).toEqual(completion.tokens);
    const generator = createGenerator(dataWith({ depth: 2 }), 2);
    for (let s = 0; s < 32; s++) {
      const { tokens, roles, promptLength } = generator.example(s);
      const at = completion.offsets[s];
      expect(completion.offsets[s + 1] - at).toBe(tokens.length - 1);
      for (let t = 0; t + 1 < tokens.length; t++) {
        expect(all.targets[at + t]).toBe(tokens[t + 1]);
        expect(completion.targets[at + t]).toBe(t + 1 < promptLength ? -1 : tokens[t + 1]);
        expect(completion.roles[at + t]).toBe(roles[t + 1]);
      }
    }
  });

  it('repeats a set of fixed size', () => {
    const fixed = createGenerator(dataWith({ fixedSize: 10 }), 2);
    const free = createGenerator(dataWith({}), 2);
    const texts = new Set<string>();
    for (let i = 0; i < 40; i++) {
      expect(fixed.example(i).tokens).toEqual(free.example(i % 10).tokens);
      texts.add(fixed.example(i).tokens.join());
    }
    expect(texts.size).toBeLessThanOrEqual(10);
  });

  it.each(['full', 'pairs', 'triples'] as const)(
    'draws tasks, operand counts and nesting as stated (%s)',
    (regime) => {
      const data = dataWith({ tasks: ['MAX', 'MED', 'SUM', 'FIRST'], depth: 2, regime, nesting: 0.4 });
      const generator = createGenerator(data, 8);
      const n = 8000;
      const roots = new Map<string, number>();
      let operands = 0;
      let calls = 0;
      for (let i = 0; i < n; i++) {
        const { tokens, promptLength } = generator.example(i);
        let depth = 0;
        let arity = 0;
        for (const token of tokens.subarray(1, promptLength - 1)) {
          if (token === vocab.open) {
            if (depth === 1) calls++;
            if (depth++ === 1) arity++;
          } else if (token === vocab.close) depth--;
          else if (depth === 1 && vocab.numberOf(token) !== undefined) arity++;
        }
        operands += arity;
        const key = `${vocab.tokens[tokens[2]]} ${arity}`;
        roots.set(key, (roots.get(key) ?? 0) + 1);
      }
      expect(roots.size).toBe(8);
      const chiSquare = [...roots.values()].reduce((sum, count) => sum + (count - n / 8) ** 2 / (n / 8), 0);
      expect(chiSquare).toBeLessThan(24.3); // 0.999 quantile, 7 degrees of freedom
      const nested = calls / operands;
      expect(Math.abs(nested - 0.4)).toBeLessThan(4 * Math.sqrt(0.24 / operands));
    },
  );

  it('draws uniform operands when nothing is held out', () => {
    const generator = createGenerator(dataWith({ tasks: ['SUM'], operands: [2, 2] }), 1);
    const counts = new Int32Array(100);
    const n = 20_000;
    for (let i = 0; i < n; i++) {
      const { tokens } = generator.example(i);
      counts[10 * (vocab.numberOf(tokens[3]) ?? -1) + (vocab.numberOf(tokens[4]) ?? -1)]++;
    }
    const chiSquare = counts.reduce((sum, count) => sum + (count - n / 100) ** 2 / (n / 100), 0);
    expect(chiSquare).toBeLessThan(148.2); // 0.999 quantile, 99 degrees of freedom
  });
});
