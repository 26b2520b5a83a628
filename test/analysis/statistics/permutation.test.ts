import { describe, expect, it } from 'vitest';
import { binomialCdf } from '../../../src/analysis/statistics/distributions.js';
import { benjaminiHochberg, stouffer } from '../../../src/analysis/statistics/multiple-testing.js';
import { permutationTest, twoSamplePermutation } from '../../../src/analysis/statistics/permutation.js';
import { Rng } from '../../../src/tensor/rng.js';
import { expectAllClose, expectClose, fixtures } from '../fixtures.js';

describe('permutationTest', () => {
  it('enumerates when there are few: the p of an ordered sample of five is 1/120', () => {
    const seen = new Set<string>();
    const test = permutationTest(
      5,
      (permutation) => {
        seen.add(permutation.join(''));
        return permutation.reduce((total, value, i) => total + value * i, 0);
      },
      { rng: new Rng(1, 'test') },
    );
    expect(seen.size).toBe(120);
    expect(test).toMatchObject({ exact: true, permutations: 120, observed: 30 });
    expectClose(test.p, 1 / 120, { rtol: 1e-15 }, 'p');
  });

  it('samples otherwise, never reports 0, and repeats itself for the same seed', () => {
    const run = (seed: number): unknown =>
      permutationTest(10, (p) => p.reduce((total, value, i) => total + value * i, 0), {
        rng: new Rng(seed, 'test'),
        count: 999,
      });
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
    expect(run(1)).toMatchObject({ exact: false, p: 1 / 1000, permutations: 999 });
  });

  it('has p at most a in a share a of null data, within binomial bounds', () => {
    const rng = new Rng(7, 'null');
    const p = Array.from({ length: 500 }, (_, i) => {
      const values = Float64Array.from({ length: 10 }, () => rng.normal());
      return permutationTest(10, (perm) => perm.reduce((t, at, j) => t + values[at] * j, 0), {
        rng: new Rng(i, 'test'),
        count: 199,
      }).p;
    });
    for (const level of [0.05, 0.1, 0.2, 0.5]) {
      const reached = p.filter((value) => value <= level).length;
      // exact test: reached is binomial(500, level); outside these bounds once in 1,000 at each side
      expect(binomialCdf(reached, 500, level)).toBeGreaterThan(0.001);
      expect(1 - binomialCdf(reached - 1, 500, level)).toBeGreaterThan(0.001);
    }
  });
});

describe('twoSamplePermutation', () => {
  it('agrees with scipy over all splits', () => {
    const { a, b, p } = fixtures.twoSample;
    const test = twoSamplePermutation(a, b, { rng: new Rng(1, 'test') });
    expect(test).toMatchObject({ exact: true, arrangements: 126 });
    expectClose(test.p, p, { rtol: 1e-12 }, 'p');
  });

  it('samples large groups near the exact p', () => {
    const rng = new Rng(2, 'test');
    const a = Float64Array.from({ length: 20 }, () => rng.normal() + 0.5);
    const b = Float64Array.from({ length: 20 }, () => rng.normal());
    const test = twoSamplePermutation(a, b, { rng, count: 2000 });
    expect(test.exact).toBe(false);
    expect(test.p).toBeGreaterThan(0);
    expect(test.p).toBeLessThan(1);
  });
});

describe('mid-p', () => {
  it('has mean 1/2 over all arrangements, ties or not, where p has more', () => {
    // one statistic of an arrangement of 4 with many ties; every arrangement is the observed one in turn
    const value = (order: readonly number[]): number => Math.abs(order[0] - order[1]);
    const all: number[][] = [];
    for (let i = 0; i < 256; i++) {
      const order = [i % 4, (i >> 2) % 4, (i >> 4) % 4, i >> 6];
      if (new Set(order).size === 4) all.push(order);
    }
    const tests = all.map((order) =>
      permutationTest(4, (q) => value(Array.from(q, (at) => order[at])), { rng: new Rng(1, 'x'), count: 24 }),
    );
    const average = (of: (test: (typeof tests)[number]) => number): number =>
      tests.reduce((sum, test) => sum + of(test), 0) / tests.length;
    expect(average(({ midP }) => midP)).toBeCloseTo(0.5, 12);
    expect(average(({ p }) => p)).toBeGreaterThan(0.6);
  });

  it('of samples counts the observed arrangement as one of the ties', () => {
    const test = permutationTest(10, () => 0, { rng: new Rng(1, 'x'), count: 9 });
    expect(test).toMatchObject({ p: 1, midP: 0.5 });
  });
});

describe('multiple testing', () => {
  it('adjusts as the definitions in numpy do', () => {
    const { p, bh } = fixtures.multiple;
    expectAllClose(benjaminiHochberg(p), bh, { rtol: 1e-14 }, 'Benjamini-Hochberg');
    expect(Array.from(benjaminiHochberg([]))).toEqual([]);
    expect(() => benjaminiHochberg([0.1, 1.2])).toThrow('p value 1: found 1.2, expected 0 to 1.');
  });

  it('combines by Stouffer as scipy does', () => {
    const { p, stoufferZ, stoufferP } = fixtures.multiple;
    expectClose(stouffer(p).z, stoufferZ, { rtol: 1e-12 }, 'z');
    expectClose(stouffer(p).p, stoufferP, { rtol: 1e-11 }, 'p');
  });
});
