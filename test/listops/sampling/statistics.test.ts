import { describe, expect, it } from 'vitest';
import { chanceLevel } from '../../../src/listops/sampling/chance.js';
import { mutualInformationNotes } from '../../../src/listops/sampling/data-notes.js';
import {
  enumeratedPrompts,
  promptBatch,
  seededPrompts,
} from '../../../src/listops/prompts/evaluation-prompts.js';
import { createGenerator } from '../../../src/listops/sampling/generate.js';
import { splitInputs } from '../../../src/listops/sampling/inputs.js';
import { OPERATION_NAMES } from '../../../src/listops/language/operations.js';
import { createHoldout } from '../../../src/listops/sampling/regimes.js';
import { digitFrequencies, operationStatistics } from '../../../src/listops/sampling/statistics.js';
import { decode, vocabulary } from '../../../src/listops/language/tokenizer.js';
import { apply, contains, readExample } from '../independent.js';
import { contextOf, dataWith, settingsOf } from '../settings.js';

const settings = settingsOf(contextOf());
const vocab = vocabulary(10);

describe('chanceLevel', () => {
  it.each([
    ['MAX', 2, 0.19],
    ['MAX', 3, 0.271],
    ['MIN', 2, 0.19],
    ['MIN', 3, 0.271],
    ['MED', 2, 0.19],
    ['MED', 3, 0.148],
    ['SUM', 2, 0.1],
    ['SUM', 3, 0.1],
    ['NADD', 3, 0.1],
    ['FIRST', 3, 0.1],
    ['GSUM', 3, 0.1],
    ['LATIN', 2, 0.1],
  ] as const)('%s of %i numbers at modulus 10: %f', (operation, arity, expected) => {
    expect(chanceLevel(dataWith({}), operation, arity)).toBeCloseTo(expected, 12);
  });

  it('counts trained and held-out inputs apart', () => {
    const data = dataWith({ regime: 'pairs' });
    const { sets } = createHoldout(data);
    const counts = { trained: new Int32Array(10), held: new Int32Array(10) };
    for (let a = 0; a < 10; a++) {
      for (let b = 0; b < 10; b++) {
        const part = sets.some((set) => contains([a, b], set)) ? 'held' : 'trained';
        counts[part][(a + b) % 10]++;
      }
    }
    for (const part of ['trained', 'held'] as const) {
      const total = counts[part].reduce((x, y) => x + y, 0);
      expect(chanceLevel(data, 'SUM', 2, part)).toBeCloseTo(Math.max(...counts[part]) / total, 12);
    }
  });
});

describe('operationStatistics', () => {
  it('gives SUM, GSUM, NADD and a Latin square exactly no information in the regime full', () => {
    const rows = operationStatistics(dataWith({ tasks: ['SUM', 'GSUM', 'NADD', 'LATIN'] }));
    expect(rows).toHaveLength(8);
    for (const row of rows) {
      expect(row.exact).toBe(true);
      for (const nats of row.mutualInformationNats) expect(Math.abs(nats)).toBeLessThan(1e-12);
    }
  });

  it('gives the entropy of a copied operand, and none of the other', () => {
    const [two] = operationStatistics(dataWith({ tasks: ['FIRST'] }));
    expect(two.mutualInformationNats[0]).toBeCloseTo(Math.log(10), 12);
    expect(two.mutualInformationNats[1]).toBeCloseTo(0, 12);
  });

  it('equals entropies computed from scratch, under a hold-out too', () => {
    const data = dataWith({ tasks: ['MAX', 'MED', 'SUM', 'TABLE'], regime: 'pairs', holdoutSeed: 2 });
    const { sets } = createHoldout(data);
    for (const row of operationStatistics(data).filter(({ arity }) => arity === 2)) {
      const pairs: [number, number][] = [];
      for (let a = 0; a < 10; a++) {
        for (let b = 0; b < 10; b++) {
          if (!sets.some((set) => contains([a, b], set)))
            pairs.push([a, apply(row.operation, [a, b], settings)]);
        }
      }
      expect(row.nTrained).toBe(pairs.length);
      expect(row.nHeld).toBe(100 - pairs.length);
      const entropy = (keys: string[]): number => {
        const counts = new Map<string, number>();
        for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
        return [...counts.values()].reduce((h, c) => h - (c / keys.length) * Math.log(c / keys.length), 0);
      };
      const expected =
        entropy(pairs.map(([a]) => String(a))) +
        entropy(pairs.map(([, r]) => String(r))) -
        entropy(pairs.map((pair) => pair.join()));
      expect(row.mutualInformationNats[0]).toBeCloseTo(expected, 10);
      if (row.operation === 'SUM') expect(expected).toBeGreaterThan(0.01);
    }
  });

  it('samples when there are too many inputs, and says so', () => {
    const [row] = operationStatistics(dataWith({ tasks: ['SUM'], modulus: 31, operands: [4, 4] }));
    expect(row.exact).toBe(false);
    expect(row.mutualInformationNats[0]).toBeLessThan(0.01);
  });
});

describe('digitFrequencies', () => {
  it('counts what an independent reader counts', () => {
    const data = dataWith({ depth: 2 });
    const { operands, results } = digitFrequencies(data, 3, 300);
    const counted = { operands: new Float64Array(10), results: new Float64Array(10) };
    const total = { operands: 0, results: 0 };
    const prompts = seededPrompts(data, { perCount: 1, mostReductions: 1 });
    expect(prompts).toHaveLength(1);
    for (const text of textsOf(data, 3, 300)) {
      for (const step of readExample(text, settings)) {
        for (const a of step.operands) counted.operands[a]++;
        counted.results[step.result]++;
        total.operands += step.operands.length;
        total.results++;
      }
    }
    operands.forEach((share, i) => expect(share).toBeCloseTo(counted.operands[i] / total.operands, 12));
    results.forEach((share, i) => expect(share).toBeCloseTo(counted.results[i] / total.results, 12));
  });
});

describe('mutualInformationNotes', () => {
  it('says 0 for SUM in the regime full', () => {
    expect(
      mutualInformationNotes([dataWith({ tasks: ['SUM'] }), dataWith({ tasks: ['SUM'], holdoutSeed: 3 })]),
    ).toEqual([
      'Regime full, SUM modulo 10: mutual information of one operand with the result, nats: 2 operands 0.0000; 3 operands 0.0000.',
    ]);
  });

  it('gives the range over hold-outs', () => {
    const group = [1, 2, 3].map((holdoutSeed) => dataWith({ tasks: ['SUM'], regime: 'pairs', holdoutSeed }));
    expect(mutualInformationNotes(group)).toHaveLength(1);
    expect(mutualInformationNotes(group)[0]).toMatch(
      /^Regime pairs, SUM modulo 10: .* over 3 hold-outs, nats: 2 operands 0\.0\d+ to 0\.\d+; 3 operands 0\.0\d+ to 0\.\d+\.$/,
    );
    expect(mutualInformationNotes([])).toEqual([]);
  });
});

describe('evaluation prompts', () => {
  it('enumerates every input once, with the right completion and hold-out', () => {
    const data = dataWith({ regime: 'pairs' });
    const { sets } = createHoldout(data);
    for (const operation of OPERATION_NAMES) {
      const { prompts, enumerated } = enumeratedPrompts(data, operation);
      expect(enumerated).toBe(true);
      expect(new Set(prompts.map((p) => p.operands.join())).size).toBe(1100);
      for (const p of prompts) {
        const text = decode([...p.prompt, ...p.completion], vocab);
        const [step] = readExample(text, settings);
        if (
          step.name !== operation ||
          step.operands.join() !== p.operands.join() ||
          step.result !== p.result ||
          p.held !== sets.some((set) => contains(p.operands, set)) ||
          p.level !== (p.held ? 'pair-closed' : 'trained')
        ) {
          expect.fail(text);
        }
      }
    }
    const batch = promptBatch(enumeratedPrompts(data, 'SUM').prompts, data);
    expect(batch.offsets).toHaveLength(1101);
    expect(batch.targets.filter((target) => target >= 0)).toHaveLength(2200);
  });

  it('samples 4,000 inputs of an operation with more than 20,000', () => {
    const data = dataWith({ modulus: 31 });
    const { prompts, enumerated } = enumeratedPrompts(data, 'SUM', 7);
    expect([prompts.length, enumerated]).toEqual([4000, false]);
    expect(enumeratedPrompts(data, 'SUM', 7).prompts[99]).toEqual(prompts[99]);
  });

  it('groups nested prompts by number of reductions', () => {
    const data = dataWith({ depth: 2, regime: 'triples' });
    const { sets } = createHoldout(data);
    const groups = seededPrompts(data, { perCount: 40, mostReductions: 4 });
    expect(groups.map(({ reductions }) => reductions)).toEqual([1, 2, 3, 4]);
    for (const { reductions, prompts } of groups) {
      expect(prompts).toHaveLength(40);
      for (const p of prompts) {
        const steps = readExample(decode([...p.prompt, ...p.completion], vocab), settings);
        expect(steps).toHaveLength(reductions);
        expect(p.held).toBe(steps.some(({ operands }) => sets.some((set) => contains(operands, set))));
        expect([p.operation, p.operands, p.result]).toEqual([
          steps.at(-1)?.name,
          steps.at(-1)?.operands,
          steps.at(-1)?.result,
        ]);
      }
    }
  });

  it('splits inputs without loss', () => {
    const { trained, held, exact } = splitInputs(dataWith({ regime: 'triples' }), 3);
    expect(exact).toBe(true);
    expect((trained.length + held.length) / 3).toBe(1000);
    expect(held.length).toBeGreaterThan(0);
  });
});

function textsOf(data: ReturnType<typeof dataWith>, seed: number, count: number): string[] {
  const generator = createGenerator(data, seed);
  return Array.from({ length: count }, (_, i) => decode(generator.example(i).tokens, vocab));
}
