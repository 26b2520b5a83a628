/** Fourier power over Z/n x Z/n against the double sum of its definition, and projections against their basis. */
import { describe, expect, it } from 'vitest';
import { PairFunctions, keyFrequencies, wavesOf } from '../../../src/analysis/geometry/pair-fourier.js';
import { Rng } from '../../../src/tensor/rng.js';

const SIZES = [4, 5, 9, 10];
const noise = (n: number, seed: number): Float64Array => {
  const rng = new Rng(seed, 'pair-fourier');
  return Float64Array.from({ length: n * n }, () => rng.normal());
};
const functionOf = (n: number, f: (a: number, b: number) => number): Float64Array =>
  Float64Array.from({ length: n * n }, (_, i) => f(Math.floor(i / n), i % n));
const wave = (n: number, k: number, s: number): number => Math.cos((2 * Math.PI * k * s) / n);

/** |F(k, l)|^2 by its definition, the mean taken out. */
function powers(n: number, f: Float64Array): number[][] {
  const mean = f.reduce((a, b) => a + b) / f.length;
  return Array.from({ length: n }, (_, k) =>
    Array.from({ length: n }, (_, l) => {
      let re = 0;
      let im = 0;
      for (let a = 0; a < n; a++) {
        for (let b = 0; b < n; b++) {
          const angle = (2 * Math.PI * (k * a + l * b)) / n;
          re += (f[a * n + b] - mean) * Math.cos(angle);
          im -= (f[a * n + b] - mean) * Math.sin(angle);
        }
      }
      return re * re + im * im;
    }),
  );
}

/** Cells (k, l) of one frequency, opposite signs together, each once. */
function cellsOf(n: number, k: number, pairs: readonly (readonly [number, number])[]): [number, number][] {
  const found = new Map<string, [number, number]>();
  for (const [x, y] of pairs) {
    for (const sign of [1, -1]) {
      const cell: [number, number] = [(sign * x * k + n) % n, (sign * y * k + n) % n];
      found.set(cell.join(), cell);
    }
  }
  return [...found.values()];
}

describe.each(SIZES)('functions of two numbers, n = %i', (n) => {
  const functions = [1, 2, 3].map((seed) => noise(n, seed).map((x) => seed * x + 5));
  const each = functions.map((f) => powers(n, f));
  const total = each.flat(2).reduce((a, b) => a + b);
  const half = Math.floor(n / 2);
  const sumOf = (own: number[][], cells: [number, number][]): number =>
    cells.reduce((part, [x, y]) => part + own[x][y], 0);

  it('shares are those of the double sum', () => {
    const found = new PairFunctions(n, functions).shares();
    const best = new Array<number>(half).fill(0);
    let one = 0;
    for (const own of each) {
      const blocks = Array.from({ length: half }, (_, k) =>
        sumOf(
          own,
          cellsOf(n, k + 1, [
            [1, 0],
            [0, 1],
            [1, 1],
            [1, -1],
          ]),
        ),
      );
      const most = Math.max(...blocks);
      one += most / total;
      best[blocks.indexOf(most)] += own.flat().reduce((a, b) => a + b) / total;
    }
    for (let k = 1; k <= half; k++) {
      const expected = each.reduce((part, own) => part + sumOf(own, cellsOf(n, k, [[1, 1]])), 0) / total;
      expect(found.byFrequency[k - 1]).toBeCloseTo(expected, 12);
      expect(found.best[k - 1]).toBeCloseTo(best[k - 1], 12);
    }
    expect(found.oneFrequency).toBeCloseTo(one, 12);
    expect(found.sum).toBeCloseTo(
      [...found.byFrequency].reduce((a, b) => a + b),
      12,
    );
  });

  it('other names of the numbers are those of the function', () => {
    const names = new Rng(4, 'names').permutation(n);
    const renamed = functions.map((f) => functionOf(n, (a, b) => f[names[a] * n + names[b]]));
    const found = new PairFunctions(n, functions).shares(names);
    const expected = new PairFunctions(n, renamed).shares();
    expect(found.sum).toBeCloseTo(expected.sum, 12);
    expect(found.oneFrequency).toBeCloseTo(expected.oneFrequency, 12);
  });

  it('the map holds everything once', () => {
    const map = new PairFunctions(n, functions).map();
    expect(map.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    for (let k = 0; k <= half; k++) {
      for (let l = 0; l < n; l++) {
        const times = k === 0 || 2 * k === n ? 1 : 2;
        const expected = (times * each.reduce((part, own) => part + own[k][l], 0)) / total;
        expect(map[k * n + l]).toBeCloseTo(expected, 12);
      }
    }
  });

  it('waves of a + b and of a - b are projections on their cosines and sines', () => {
    for (const of of [1, -1] as const) {
      const [f] = functions;
      const basis = [1, half].flatMap((k) =>
        [Math.cos, Math.sin].map((turn) =>
          functionOf(n, (a, b) => turn((2 * Math.PI * k * (a + of * b)) / n)),
        ),
      );
      const expected = new Float64Array(n * n);
      for (const own of basis) {
        const norm = own.reduce((part, x) => part + x * x, 0);
        if (norm < 1e-9) continue; // the sine at n / 2
        const along = own.reduce((part, x, i) => part + x * f[i], 0) / norm;
        own.forEach((x, i) => (expected[i] += along * x));
      }
      wavesOf(n, f, [1, half], of).forEach((x, i) => expect(x).toBeCloseTo(expected[i], 12));
    }
  });
});

describe('known functions', () => {
  const n = 10;
  it.each([1, 2, 3, 4, 5])('a wave of a + b at k = %i lies there alone', (k) => {
    const { sum, byFrequency, oneFrequency } = new PairFunctions(n, [
      functionOf(n, (a, b) => 3 + wave(n, k, a + b)),
    ]).shares();
    expect(sum).toBeCloseTo(1, 12);
    expect(byFrequency[k - 1]).toBeCloseTo(1, 12);
    expect(oneFrequency).toBeCloseTo(1, 12);
  });

  it('a wave of a - b, or of a alone, says nothing of a + b', () => {
    for (const f of [(a: number, b: number) => wave(n, 3, a - b), (a: number) => wave(n, 3, a)]) {
      const { sum, oneFrequency } = new PairFunctions(n, [functionOf(n, f)]).shares();
      expect(sum).toBeCloseTo(0, 12);
      expect(oneFrequency).toBeCloseTo(1, 12);
    }
  });

  it('one known pair has equal power everywhere', () => {
    const { byFrequency, oneFrequency } = new PairFunctions(n, [
      functionOf(n, (a, b) => Number(a === 2 && b === 7)),
    ]).shares();
    [2, 2, 2, 2, 1].forEach((cells, k) => expect(byFrequency[k]).toBeCloseTo(cells / 99, 12));
    expect(oneFrequency).toBeCloseTo(8 / 99, 12);
  });

  it('a random table gives 1 / (n + 1) to a + b', () => {
    const found = Array.from(
      { length: 300 },
      (_, seed) => new PairFunctions(n, [noise(n, seed)]).shares().sum,
    );
    // standard error 0.0026
    expect(found.reduce((a, b) => a + b) / found.length).toBeCloseTo(1 / 11, 1.8);
  });

  it('key frequencies are the fewest', () => {
    expect(keyFrequencies([0.1, 0.6, 0, 0.3, 0], 0.9)).toEqual([2, 4]);
    expect(keyFrequencies([0.1, 0.6, 0, 0.3, 0], 0.91)).toEqual([1, 2, 4]);
    expect(keyFrequencies([0, 0, 0], 0.9)).toEqual([]);
  });
});
