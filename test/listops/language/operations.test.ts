import { describe, expect, it } from 'vitest';
import { enumerateInputs } from '../../../src/listops/sampling/inputs.js';
import {
  MEDIAN_OF_EVEN,
  OPERATIONS,
  OPERATION_NAMES,
  VOCABULARY_VERSIONS,
  oldestVocabulary,
  isCommutative,
  operationRow,
} from '../../../src/listops/language/operations.js';
import {
  isGroupIsotope,
  latinSquare,
  randomTable,
  relabelling,
} from '../../../src/listops/language/tables.js';
import { apply } from '../independent.js';
import { contextOf, settingsOf } from '../settings.js';

describe('OPERATIONS', () => {
  it('keeps its order, because token ids follow it', () => {
    expect(OPERATION_NAMES.slice(0, 13)).toEqual([
      'MAX',
      'MIN',
      'MED',
      'SUM',
      'PROD',
      'NADD',
      'FIRST',
      'MAXp',
      'MINp',
      'MEDp',
      'GSUM',
      'LATIN',
      'TABLE',
    ]);
  });

  const cases = OPERATION_NAMES.flatMap((name) =>
    [2, 3, 7, 10].flatMap((modulus) => MEDIAN_OF_EVEN.map((median) => ({ name, modulus, median }))),
  );
  it.each(cases)('$name modulo $modulus (median $median) equals brute force', ({ name, modulus, median }) => {
    const context = contextOf({ modulus, medianOfEven: median, tableSeed: 5 });
    const settings = settingsOf(context);
    for (const arity of modulus === 10 ? [2, 3] : [2, 3, 4]) {
      const inputs = enumerateInputs(arity, modulus);
      for (let at = 0; at < inputs.length; at += arity) {
        const operands = Array.from(inputs.subarray(at, at + arity));
        const expected = apply(name, operands, settings);
        const found = operationRow(name).evaluate(operands, context);
        if (found !== expected) {
          expect.fail(`${name} ${operands.join(' ')}: found ${found}, expected ${expected}`);
        }
      }
    }
  });

  it('states commutativity truly: every order agrees where it is claimed, some order differs where not', () => {
    const context = contextOf({ modulus: 7, tableSeed: 1 });
    for (const { name, evaluate } of OPERATIONS) {
      for (const arity of [2, 3]) {
        const inputs = enumerateInputs(arity, 7);
        let differs = false;
        for (let at = 0; at < inputs.length; at += arity) {
          const operands = Array.from(inputs.subarray(at, at + arity));
          const rotated = [...operands.slice(1), operands[0]];
          const swapped = [operands[1], operands[0], ...operands.slice(2)];
          const value = evaluate(operands, context);
          differs ||= value !== evaluate(rotated, context) || value !== evaluate(swapped, context);
        }
        expect(`${name}/${arity} ${!differs}`).toBe(`${name}/${arity} ${isCommutative(name, arity)}`);
      }
    }
  });

  it('changes no operand', () => {
    const context = contextOf();
    for (const { evaluate } of OPERATIONS) {
      const operands = [9, 1, 5, 0];
      evaluate(operands, context);
      expect(operands).toEqual([9, 1, 5, 0]);
    }
  });
});

describe('latinSquare', () => {
  it.each([2, 3, 5, 6, 7, 10, 11, 31, 32])('is symmetric and Latin of order %i', (n) => {
    for (const seed of [0, 1, 2]) {
      const square = latinSquare(seed, n);
      const all = Array.from({ length: n }, (_, i) => i);
      for (let a = 0; a < n; a++) {
        const row = Array.from(square.subarray(a * n, a * n + n));
        expect(row.toSorted((x, y) => x - y)).toEqual(all);
        for (let b = 0; b < n; b++) expect(square[a * n + b]).toBe(square[b * n + a]);
      }
    }
  });

  it('is not associative at modulus 10, and no renaming of rows, columns and symbols makes it a group', () => {
    for (let seed = 0; seed < 20; seed++) {
      const square = latinSquare(seed, 10);
      const op = (a: number, b: number): number => square[a * 10 + b];
      let associative = 0;
      for (let a = 0; a < 10; a++) {
        for (let b = 0; b < 10; b++) {
          for (let c = 0; c < 10; c++) if (op(op(a, b), c) === op(a, op(b, c))) associative++;
        }
      }
      expect(associative).toBeLessThan(500);
      expect(failsQuadrangle(square, 10)).toBe(true);
      expect(isGroupIsotope(square, 10)).toBe(false);
    }
  });

  it('calls shuffled addition a group', () => {
    const { forward } = relabelling(3, 10);
    const { forward: symbols } = relabelling(4, 10);
    const shuffled = Int32Array.from(
      { length: 100 },
      (_, i) => symbols[(forward[Math.floor(i / 10)] + forward[i % 10]) % 10],
    );
    expect(isGroupIsotope(shuffled, 10)).toBe(true);
    expect(failsQuadrangle(shuffled, 10)).toBe(false);
  });

  it('differs by seed', () => {
    const squares = new Set(Array.from({ length: 50 }, (_, seed) => latinSquare(seed, 10).join()));
    expect(squares.size).toBe(50);
  });
});

/** Quadrangle criterion: a Latin square comes from a group iff equal three corners force the fourth. */
function failsQuadrangle(square: Int32Array, n: number): boolean {
  const fourth = new Map<string, number>();
  for (let a = 0; a < n; a++) {
    for (let b = 0; b < n; b++) {
      for (let c = 0; c < n; c++) {
        for (let d = 0; d < n; d++) {
          const key = `${square[a * n + c]} ${square[a * n + d]} ${square[b * n + c]}`;
          const value = square[b * n + d];
          const known = fourth.get(key);
          if (known !== undefined && known !== value) return true;
          fourth.set(key, value);
        }
      }
    }
  }
  return false;
}

describe('relabelling and randomTable', () => {
  it('relabels by a bijection that is neither monotone nor affine', () => {
    for (let seed = 0; seed < 30; seed++) {
      const { forward, backward } = relabelling(seed, 10);
      expect(Array.from(forward, (rank) => backward[rank])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      const steps = new Set(Array.from(forward, (rank, i) => (forward[(i + 1) % 10] - rank + 10) % 10));
      expect(steps.size).toBeGreaterThan(1);
      expect(Array.from(forward)).not.toEqual(Array.from(forward).toSorted((a, b) => a - b));
    }
  });

  it('draws every table entry uniformly', () => {
    const counts = new Int32Array(10);
    for (let seed = 0; seed < 200; seed++) {
      const table = randomTable(seed, 10);
      for (let a = 0; a < 10; a++) for (let b = a; b < 10; b++) counts[table[a * 10 + b]]++;
    }
    const expected = (200 * 55) / 10;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(27.9); // 0.999 quantile, 9 degrees of freedom
  });
});

describe('oldestVocabulary', () => {
  it('holds the whole table in its last version', () => {
    expect(VOCABULARY_VERSIONS.at(-1)).toBe(OPERATION_NAMES.length);
    expect([...VOCABULARY_VERSIONS].sort((a, b) => a - b)).toEqual(VOCABULARY_VERSIONS);
    expect(VOCABULARY_VERSIONS[0]).toBe(13);
  });

  it('gives old tasks the old vocabulary when the table has grown', () => {
    const grown = [...OPERATION_NAMES, 'XOR', 'LAST'];
    const versions = [OPERATION_NAMES.length, grown.length];
    expect(oldestVocabulary(['SUM', 'TABLE'], grown, versions)).toEqual(OPERATION_NAMES);
    expect(oldestVocabulary(['SUM', 'XOR'], grown, versions)).toEqual(grown);
    expect(oldestVocabulary(['LAST'], grown, versions)).toEqual(grown);
  });
});
