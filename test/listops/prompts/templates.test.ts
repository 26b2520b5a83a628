import { describe, expect, it } from 'vitest';
import { DEFAULT_DATA, type DataConfig } from '../../../src/listops/data-config.js';
import { createOperationContext } from '../../../src/listops/language/operations.js';
import { createHoldout } from '../../../src/listops/sampling/regimes.js';
import {
  batteryTemplates,
  chooseDonors,
  fillTemplate,
  otherOperationBatch,
  siteRows,
  type TemplateBatch,
} from '../../../src/listops/prompts/templates.js';
import { decode, vocabulary } from '../../../src/listops/language/tokenizer.js';
import { Rng } from '../../../src/tensor/rng.js';

const context = createOperationContext(DEFAULT_DATA);
const rng = () => new Rng(3, 'test');

function filled(data: DataConfig, index: number, count = 40): TemplateBatch {
  const out = fillTemplate(batteryTemplates(data)[index], { context, data, count, rng: rng() });
  if (out === undefined) throw new Error('nothing filled');
  return out;
}

describe('batteryTemplates', () => {
  const ids = (data: Partial<DataConfig>) =>
    batteryTemplates({ ...DEFAULT_DATA, ...data }).map(({ id }) => id);

  it('has two flat templates an operation at depth 1, SUM first', () => {
    expect(ids({})).toEqual([
      '(SUM # #)',
      '(SUM # # #)',
      '(MAX # #)',
      '(MAX # # #)',
      '(MED # #)',
      '(MED # # #)',
    ]);
    expect(ids({ tasks: ['SUM'], operands: [2, 2] })).toEqual(['(SUM # #)']);
    expect(ids({ tasks: ['MAX', 'MED'] })[0]).toBe('(MAX # #)');
  });

  it('has eight pure SUM templates at depth 2, and eight of other and mixed operations', () => {
    const pure = batteryTemplates({ ...DEFAULT_DATA, depth: 2 }).filter(
      ({ operation }) => operation === 'SUM',
    );
    expect(pure.map(({ id }) => id)).toEqual([
      '(SUM # #)',
      '(SUM # # #)',
      '(SUM # (SUM # #))',
      '(SUM (SUM # #) #)',
      '(SUM # # (SUM # #))',
      '(SUM # (SUM # # #))',
      '(SUM # (SUM # #) #)',
      '(SUM (SUM # # #) #)',
    ]);
    const other = batteryTemplates({ ...DEFAULT_DATA, depth: 2 }).filter(
      ({ operation }) => operation !== 'SUM',
    );
    expect(other).toHaveLength(8);
    expect(other.filter(({ operation }) => operation === null).every(({ depth }) => depth === 2)).toBe(true);
  });

  it('reaches the depth of the run, and ignores depth without nesting', () => {
    const depths = batteryTemplates({ ...DEFAULT_DATA, tasks: ['SUM'], depth: 3 }).map(({ depth }) => depth);
    expect(new Set(depths)).toEqual(new Set([1, 2, 3]));
    expect(ids({ tasks: ['SUM'], depth: 3, nesting: 0 })).toEqual(['(SUM # #)', '(SUM # # #)']);
  });
});

describe('fillTemplate', () => {
  it('gives every sequence one length and one role at each position', () => {
    const data = { ...DEFAULT_DATA, depth: 2 };
    batteryTemplates(data).forEach((_, index) => {
      const { batch, length, nPrompts } = filled(data, index);
      for (let p = 0; p < nPrompts; p++) {
        expect(batch.offsets[p + 1] - batch.offsets[p]).toBe(length);
        for (let t = 0; t < length; t++) expect(batch.roles[p * length + t]).toBe(batch.roles[t]);
      }
    });
  });

  it('writes the whole chain of reductions', () => {
    const { batch, length, results } = filled({ ...DEFAULT_DATA, tasks: ['SUM'], depth: 2 }, 3, 1);
    const vocab = vocabulary(10);
    const text = decode([...batch.tokens.subarray(0, length), vocab.end], vocab);
    const match = /^s \(SUM \(SUM (\d) (\d)\) (\d)\) > \(SUM (\d) (\d)\) > (\d) e$/.exec(text);
    const [a, b, c, inner, again, outer] = (match ?? []).slice(1).map(Number);
    expect([inner, again, outer]).toEqual([(a + b) % 10, c, (a + b + c) % 10]);
    expect(results).toEqual([[inner, outer]]);
  });

  it('enumerates when there are no more prompts than asked for, each once', () => {
    const { numbers, nPrompts } = filled(DEFAULT_DATA, 0, 256);
    expect(nPrompts).toBe(100);
    expect(new Set(numbers.map((row) => row.join(' '))).size).toBe(100);
  });

  it('leaves out held-out operands at every reduction', () => {
    const data: DataConfig = { ...DEFAULT_DATA, tasks: ['SUM'], depth: 2, regime: 'pairs' };
    const holdout = createHoldout(data);
    const accept = (operands: readonly number[]): boolean => !holdout.isHeldOut(operands);
    for (const template of batteryTemplates(data)) {
      const out = fillTemplate(template, { context, data, count: 64, rng: rng(), accept });
      for (const [i, numbers] of (out?.numbers ?? []).entries()) {
        if (template.id === '(SUM (SUM # #) #)') {
          expect(holdout.isHeldOut(numbers.slice(0, 2))).toBe(false);
          expect(holdout.isHeldOut([out?.results[i][0] ?? -1, numbers[2]])).toBe(false);
        }
      }
      expect(out?.nPrompts).toBe(64);
    }
    const pairs = fillTemplate(batteryTemplates(data)[0], { context, data, count: 256, rng: rng(), accept });
    const ordered = holdout.sets.reduce((sum, [a, b]) => sum + (a === b ? 1 : 2), 0);
    expect(pairs?.nPrompts).toBe(100 - ordered);
  });
});

describe('chooseDonors', () => {
  it('is a derangement whose results all differ, for single results and chains', () => {
    for (const index of [0, 1, 5]) {
      const { results, nPrompts } = filled({ ...DEFAULT_DATA, tasks: ['SUM'], depth: 2 }, index, 256);
      const { donor, sameResult } = chooseDonors(results, rng());
      expect(sameResult).toBe(0);
      expect(new Set(donor).size).toBe(nPrompts);
      donor.forEach((d, p) => results[p].forEach((result, k) => expect(results[d][k]).not.toBe(result)));
    }
  });

  it('counts the prompts for which no other result exists', () => {
    // eight of ten results are equal: two donors can differ for four prompts at most
    const results = [...Array.from({ length: 8 }, () => [1]), [0], [2]];
    const { donor, sameResult } = chooseDonors(results, rng());
    expect(new Set(donor).size).toBe(10);
    expect(sameResult).toBeGreaterThanOrEqual(6);
  });

  it('does not prefer a donor near to the own result', () => {
    const { results } = filled({ ...DEFAULT_DATA, tasks: ['SUM'] }, 1, 1000);
    const { donor } = chooseDonors(results, rng());
    const counts = new Array<number>(10).fill(0);
    donor.forEach((d, p) => counts[(results[d][0] - results[p][0] + 10) % 10]++);
    // 1000 donors over nine differences: 111 each, sd about 10
    for (let difference = 1; difference < 10; difference++) {
      expect(Math.abs(counts[difference] - 1000 / 9)).toBeLessThan(45);
    }
  });
});

describe('otherOperationBatch', () => {
  it('keeps the numbers and changes the operation and the result', () => {
    const data: DataConfig = { ...DEFAULT_DATA };
    const own = filled(data, 1, 64);
    const other = otherOperationBatch(own, data.tasks, { context, data, rng: rng() });
    const { length, nPrompts } = own;
    let same = 0;
    for (let p = 0; p < nPrompts; p++) {
      const differing = Array.from({ length }, (_, t) => t).filter(
        (t) => own.batch.tokens[p * length + t] !== other?.batch.batch.tokens[p * length + t],
      );
      if (differing.length === 1) same++;
      else expect(differing).toEqual([2, length - 1]);
    }
    expect(other?.sameResult).toBe(same);
  });

  it('has none for nested templates and for one operation', () => {
    const options = { context, data: DEFAULT_DATA, rng: rng() };
    expect(
      otherOperationBatch(filled({ ...DEFAULT_DATA, depth: 2 }, 3), DEFAULT_DATA.tasks, options),
    ).toBeUndefined();
    expect(otherOperationBatch(filled(DEFAULT_DATA, 0), ['SUM'], options)).toBeUndefined();
  });
});

describe('siteRows', () => {
  it('finds the result-predicting positions and the operands and brackets of `s (SUM a b) > r`', () => {
    const own = filled(DEFAULT_DATA, 0, 2);
    expect(own.length).toBe(8);
    expect(siteRows(own, 'all positions', vocabulary(10))).toBeUndefined();
    expect([...(siteRows(own, 'result-predicting position', vocabulary(10)) ?? [])]).toEqual([6, 14]);
    expect([...(siteRows(own, 'operand and bracket positions', vocabulary(10)) ?? [])]).toEqual([
      1, 3, 4, 5, 9, 11, 12, 13,
    ]);
  });
});
