import { describe, expect, it } from 'vitest';
import { resolveRunConfig } from '../../src/config/parse.js';
import {
  accuracyByOperation,
  divisorAccuracy,
  hasLearned,
  isNested,
  isSolved,
  operationAccuracy,
} from '../../src/train/learned.js';
import { lastTwoAtStep } from '../../src/train/read-training.js';
import type { EvalCell, EvalRow } from '../../src/train/metrics.js';
import { madeConfig } from '../helpers/made-subject.js';

function cell(operation: string, correct: number, total: number, held = false, arity = 2): EvalCell {
  return {
    operation,
    arity,
    held,
    enumerated: true,
    total,
    multisets: total,
    correct,
    exact: correct,
    lossNats: 0,
    divisors: { '2': correct, '5': total },
  };
}

const row = (step: number, ...cells: EvalCell[]): EvalRow => ({ kind: 'eval', step, cells });

describe('operationAccuracy', () => {
  const evaluation = row(1, cell('SUM', 90, 90), cell('SUM', 500, 1000, false, 3), cell('SUM', 0, 10, true));

  it('pools arities by number of prompts and leaves held-out prompts to their own scope', () => {
    expect(operationAccuracy(evaluation, 'SUM')).toBeCloseTo(590 / 1090, 12);
    expect(operationAccuracy(evaluation, 'SUM', 'held')).toBe(0);
    expect(operationAccuracy(evaluation, 'SUM', 'all')).toBeCloseTo(590 / 1100, 12);
    expect(operationAccuracy(evaluation, 'MAX')).toBeUndefined();
  });

  it('gives one accuracy an operation, and the divisors of one', () => {
    expect(accuracyByOperation(row(1, cell('MAX', 1, 4), cell('SUM', 3, 4)))).toEqual({
      MAX: 0.25,
      SUM: 0.75,
    });
    expect(divisorAccuracy(row(1, cell('SUM', 1, 4)), 'SUM')).toEqual({ '2': 0.25, '5': 1 });
  });
});

describe('hasLearned', () => {
  const at = (step: number, correct: number): EvalRow => row(step, cell('SUM', correct, 100));

  it('needs 0.95 at the last two evaluations at or before the budget', () => {
    const rows = [at(100, 99), at(200, 95), at(300, 95), at(400, 94)];
    expect(hasLearned(rows, 'SUM')).toBe(false);
    expect(hasLearned(rows, 'SUM', { budget: 300 })).toBe(true);
    expect(hasLearned(rows, 'SUM', { budget: 399 })).toBe(true);
    expect(hasLearned(rows, 'SUM', { budget: 300, accuracy: 0.99 })).toBe(false);
  });

  it('is not satisfied by one evaluation, nor by an operation that was not asked', () => {
    expect(hasLearned([at(100, 100)], 'SUM')).toBe(false);
    expect(hasLearned([at(100, 100), at(200, 100)], 'MAX')).toBe(false);
  });

  it('does not let held-out prompts count against what was trained, unless asked', () => {
    const memorizer = (step: number): EvalRow => row(step, cell('SUM', 90, 90), cell('SUM', 0, 10, true));
    expect(hasLearned([memorizer(1), memorizer(2)], 'SUM')).toBe(true);
    expect(hasLearned([memorizer(1), memorizer(2)], 'SUM', { scope: 'all' })).toBe(false);
  });
});

describe('hasLearned where expressions nest', () => {
  const chains = { total: 10, exact: 9, roles: {}, results: [] };
  const at = (step: number, flat: number, inside?: number): EvalRow => ({
    ...row(step, cell('SUM', flat, 100)),
    nested: {
      ...chains,
      ...(inside === undefined ? {} : { inside: [{ operation: 'SUM', total: 200, correct: inside }] }),
    },
  });
  const options = { nested: true };

  it('asks for 0.95 inside nested expressions at the same two evaluations', () => {
    expect(hasLearned([at(1, 100, 190), at(2, 100, 190)], 'SUM', options)).toBe(true);
    // flat 1.00 and chains that fail: a trial run had 0.52
    expect(hasLearned([at(1, 100, 104), at(2, 100, 200)], 'SUM', options)).toBe(false);
    expect(hasLearned([at(1, 100, 200), at(2, 100, 189)], 'SUM', options)).toBe(false);
    expect(hasLearned([at(1, 94, 200), at(2, 100, 200)], 'SUM', options)).toBe(false);
    expect(hasLearned([at(1, 100, 104), at(2, 100, 200)], 'SUM')).toBe(true);
  });

  it('is unknown, and never learned, where older rows do not tell', () => {
    expect(hasLearned([at(1, 100), at(2, 100)], 'SUM', options)).toBeNull();
    expect(hasLearned([at(1, 100), at(2, 100, 200)], 'SUM', options)).toBeNull();
    // what is known to fail has not learned
    expect(hasLearned([at(1, 100), at(2, 100, 100)], 'SUM', options)).toBe(false);
    expect(hasLearned([at(1, 90), at(2, 100)], 'SUM', options)).toBe(false);
    expect(hasLearned([at(2, 100, 200)], 'SUM', options)).toBe(false);
    // rows of another operation do not tell either
    const other = [at(1, 100, 200), at(2, 100, 200)].map((one) => ({
      ...one,
      cells: [cell('MAX', 100, 100)],
    }));
    expect(hasLearned(other, 'MAX', options)).toBeNull();
  });

  it('reads the same off stored rows, with what is not known left out', () => {
    const [flat, deep] = [1, 2].map((depth) => madeConfig({ depth, steps: 200 }));
    const stored = [at(100, 100, 198), at(200, 97, 200)];
    expect(lastTwoAtStep(stored, 200, deep)).toEqual({ SUM: 0.97 });
    expect(lastTwoAtStep([at(100, 100, 150), at(200, 100, 200)], 200, deep)).toEqual({ SUM: 0.75 });
    expect(lastTwoAtStep([at(100, 100, 150), at(200, 100, 200)], 200, flat)).toEqual({ SUM: 1 });
    expect(lastTwoAtStep([at(100, 100), at(200, 100)], 200, deep)).toEqual({});
    expect(lastTwoAtStep(stored, 150, deep)).toBeUndefined();
  });

  it('does not take whole expressions of what a phase does not train for those of what it does', () => {
    const phases = 'MAX+MED:100,SUM:100' as never;
    const config = resolveRunConfig({ data: { depth: 2 }, model: { nCtx: 256 }, training: { phases } });
    const also = (one: EvalRow): EvalRow => {
      const { nested = { ...chains, inside: [] } } = one;
      return {
        ...one,
        nested: {
          ...nested,
          inside: [...(nested.inside ?? []), { operation: 'MAX', total: 200, correct: 30 }],
        },
      };
    };
    const rows = [at(150, 100, 198), at(200, 100, 196)];
    expect(lastTwoAtStep(rows, 200, config)).toEqual({ SUM: 0.98 });
    // as older versions asked: unknown, and not "not learned"
    expect(lastTwoAtStep([at(150, 100, 60), at(200, 100, 60)].map(also), 200, config)).toEqual({});
    // where the phase trains MAX too, it counts
    const both = resolveRunConfig({ data: { depth: 2, tasks: ['MAX', 'SUM'] }, model: { nCtx: 256 } });
    expect(lastTwoAtStep([at(150, 100, 60), at(200, 100, 60)].map(also), 200, both)).toEqual({ SUM: 0.3 });
  });

  it('nests from depth 2 on, where operands may be expressions', () => {
    expect(isNested({ depth: 2, nesting: 0.4 })).toBe(true);
    expect(isNested({ depth: 1, nesting: 0.4 })).toBe(false);
    expect(isNested({ depth: 3, nesting: 0 })).toBe(false);
  });
});

describe('isSolved', () => {
  const perfect = (step: number): EvalRow => row(step, cell('MAX', 5, 5), cell('SUM', 9, 9, true));

  it('needs two perfect evaluations in a row, held-out prompts and whole chains included', () => {
    expect(isSolved([perfect(1)])).toBe(false);
    expect(isSolved([perfect(1), perfect(2)])).toBe(true);
    expect(isSolved([perfect(1), row(2, cell('MAX', 4, 5)), perfect(3)])).toBe(false);
    const chain = { ...perfect(2), nested: { total: 10, exact: 9, roles: {}, results: [] } };
    expect(isSolved([perfect(1), chain])).toBe(false);
  });
});
