import { describe, expect, it } from 'vitest';
import { sampleCommand } from '../../../src/cli/sample/sample.js';
import { resolveRunConfig } from '../../../src/config/parse.js';
import { AUTHORS } from '../../../src/config/presets.js';
import { readExample, rolesOf } from '../../listops/independent.js';
import { contextOf, dataWith, settingsOf } from '../../listops/settings.js';

const settings = settingsOf(contextOf());

describe('sampleCommand', () => {
  it('shows examples with roles under their tokens, reductions and what the data gives away', () => {
    const text = sampleCommand(dataWith({ depth: 2, regime: 'pairs' }), { count: 5, seed: 1, json: false });
    const lines = text.split('\n');
    expect(lines[0]).toBe(
      'MAX+MED+SUM modulo 10, depth 2, 2..3 operands, format steps, regime pairs, seed 1; longest sequence 61 tokens',
    );
    const examples = lines.filter((line) => /^ +\d+ {2}s \(/.test(line));
    expect(examples).toHaveLength(5);
    for (const line of examples) {
      const at = lines.indexOf(line);
      const example = line.replace(/^ +\d+ {2}/, '');
      const steps = readExample(example, settings);
      const letters = lines[at + 2].trim().split(/ +/);
      const completion = letters.slice(letters.length - rolesOf(example).length);
      const names = { R: 'result', c: 'copy', f: 'format' } as const;
      expect(completion.map((letter) => names[letter as keyof typeof names])).toEqual(rolesOf(example));
      // each letter stands where its token starts
      const places = [...lines[at + 1].matchAll(/\S+/g)].map((match) => match.index);
      expect([...lines[at + 2].matchAll(/\S/g)].map((match) => match.index)).toEqual(places);
      expect(lines.slice(at + 3, at + 3 + steps.length)).toEqual(
        steps.map(
          ({ name, operands, result }) =>
            `     ${name} of ${operands.length}: ${operands.join(' ')} = ${result}`,
        ),
      );
    }
    expect(text).toMatch(
      /Held out in any order, at every reduction \(level pair-closed\): (\{\d \d\} ?){5}\n/,
    );
    expect(text).toMatch(
      /\nLeaks: 0 of 10000 examples with \d+ reductions show a held-out set in any order\. /,
    );
    expect(text).not.toMatch(/NaN|undefined/);
  });

  it('names the operands of a direct example only where they are written', () => {
    const data = dataWith({ depth: 2, format: 'direct', tasks: ['SUM'] });
    const { examples } = JSON.parse(sampleCommand(data, { count: 60, seed: 2, json: true })) as {
      examples: { text: string; reductions: { operands: number[]; result: number }[] }[];
    };
    const nested = examples.filter(({ text }) => text.split('(').length > 2);
    expect(nested.length).toBeGreaterThan(10);
    expect(examples.length - nested.length).toBeGreaterThan(10);
    for (const example of examples) {
      const [{ operands, result }, ...more] = example.reductions;
      expect(more).toEqual([]);
      if (nested.includes(example)) expect(operands, example.text).toEqual([]);
      else expect(operands.reduce((a, b) => a + b) % 10, example.text).toBe(result);
    }
  });

  it('prints one JSON document with the same facts', () => {
    const text = sampleCommand(dataWith({ depth: 2, format: 'direct' }), { count: 3, seed: 2, json: true });
    const document = JSON.parse(text) as {
      examples: { text: string; tokens: string[]; roles: (string | null)[] }[];
      operations: { operation: string; arity: number; chanceTrained: number; chanceHeld: string }[];
      leaks: { leaks: number };
    };
    expect(document.examples).toHaveLength(3);
    for (const { text: example, tokens, roles } of document.examples) {
      readExample(example, settings);
      expect(roles).toHaveLength(tokens.length);
      expect(roles.slice(-2)).toEqual(['result', 'format']);
    }
    expect(document.operations[0]).toMatchObject({
      operation: 'MAX',
      arity: 2,
      chanceTrained: 0.19,
      chanceHeld: 'NaN',
    });
    expect(document.leaks.leaks).toBe(0);
  });

  it('is a pure function of data and seed', () => {
    const options = { count: 3, seed: 4, json: false };
    expect(sampleCommand(dataWith({}), options)).toBe(sampleCommand(dataWith({}), options));
  });
});

describe("sampleCommand in the authors' notation", () => {
  const data = resolveRunConfig({
    ...AUTHORS,
    data: { ...AUTHORS.data, regime: 'ordered-triples' },
    model: { ...AUTHORS.model, dModel: 8 },
  }).data;

  it('prints their samples, with each reduction named as everywhere', () => {
    const lines = sampleCommand(data, { count: 20, seed: 1, json: false }).split('\n');
    const samples = lines.filter((line) => /^ +\d+ {2}<eos> /.test(line));
    expect(samples).toHaveLength(20);
    for (const sample of samples) {
      expect(sample).toMatch(/^ +\d+ {2}<eos> (max|median|add)_10 \( [^=]+ \) = .*\d <eos>$/);
      const at = lines.indexOf(sample);
      expect(lines[at + 3]).toMatch(/^ {5}(MAX|MED|SUM) of [23]: \d \d( \d)? = \d$/);
    }
  });

  it('says what the ordered hold-out lets through', () => {
    const text = sampleCommand(data, { count: 1, seed: 1, json: false });
    expect(text).toMatch(/^Held out in the written order only, .*\(level ordered-triple\): \d \d \d, /m);
    expect(text).not.toContain('Balance:');
    const counts =
      /^Leaks: 0 of 10000 .* But (\d+) of (\d+) ordered triples held out are present in another order/m.exec(
        text,
      );
    expect(counts?.[1]).toBe(counts?.[2]);
    expect(Number(counts?.[1])).toBeGreaterThan(44);
    const json = JSON.parse(sampleCommand(data, { count: 1, seed: 1, json: true })) as {
      vocabulary: string[];
      holdout: object;
      examples: { tokens: string[] }[];
    };
    expect(json.vocabulary).toHaveLength(20);
    expect(json.holdout).not.toHaveProperty('signalRatio');
    expect(json.examples[0].tokens[0]).toBe('<eos>');
  });
});
