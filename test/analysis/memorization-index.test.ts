/** Arithmetic of memorization against counting by hand and against brute force written another way. */
import { describe, expect, it } from 'vitest';
import { binomialCdf } from '../../src/analysis/statistics/distributions.js';
import {
  STRATA,
  cosetAccuracy,
  differenceShares,
  divisorsOf,
  isInStratum,
  luckyShareP,
  majorityRate,
  memorizationIndex,
  multisetAccuracy,
  type MultisetAnswers,
  orderAgreement,
  signedDifference,
} from '../../src/analysis/memorization-index.js';
import { Rng } from '../../src/tensor/rng.js';

const one = (operands: number[], answers: number[], result: number): MultisetAnswers => ({
  operands,
  answers,
  results: answers.map(() => result),
});

describe('luckyShareP', () => {
  it('is never below the exact binomial tail, and within a factor sqrt(2 pi N) or so of it', () => {
    for (const n of [5, 15, 30]) {
      for (const chance of [0.1, 0.5]) {
        for (let k = 0; k <= n; k++) {
          const exact = 1 - (k === 0 ? 0 : binomialCdf(k - 1, n, chance));
          const bound = luckyShareP(k / n, n, chance);
          expect(bound).toBeGreaterThanOrEqual(exact - 1e-12);
          if (k > n * chance) expect(bound).toBeLessThan(30 * exact + 1e-12);
        }
      }
    }
  });

  it('bounds answers that count in part: a hundred thousand draws of two orders each', () => {
    const rng = new Rng(1, 'lucky');
    const [questions, draws] = [5, 100_000];
    const reached = new Map([0.3, 0.5, 0.7].map((share) => [share, 0]));
    for (let draw = 0; draw < draws; draw++) {
      let right = 0;
      for (let order = 0; order < 2 * questions; order++) if (rng.uniform() < 0.1) right++;
      const share = right / (2 * questions);
      for (const [at, count] of reached) if (share >= at - 1e-12) reached.set(at, count + 1);
    }
    for (const [share, count] of reached) {
      expect(count / draws).toBeLessThanOrEqual(luckyShareP(share, questions, 0.1));
    }
  });

  it('is 1 up to what is expected, and refuses what is no share', () => {
    expect(luckyShareP(0.1, 50, 0.1)).toBe(1);
    expect(luckyShareP(1, 2, 0.1)).toBeCloseTo(0.01, 12);
    expect(() => luckyShareP(1.2, 2, 0.1)).toThrow(/found share 1.2/);
  });
});

describe('memorizationIndex', () => {
  it('is 0 for an adder, 1 at the majority guess, and not cut off beyond', () => {
    expect(memorizationIndex(1, 1, 0.2)).toBe(0);
    expect(memorizationIndex(1, 0.2, 0.2)).toBe(1);
    expect(memorizationIndex(1, 0, 0.2)).toBeCloseTo(1.25, 12);
    expect(memorizationIndex(0.9, 1, 0.2)).toBeLessThan(0);
    expect(memorizationIndex(0.9, 0.55, 0.2)).toBeCloseTo(0.5, 12);
  });

  it('is not given when trained operands are not answered better than by one fixed answer', () => {
    expect(memorizationIndex(0.25, 0.1, 0.2)).toBeUndefined();
    expect(memorizationIndex(1, 1, 1)).toBeUndefined();
    expect(memorizationIndex(0.31, 0.2, 0.2)).toBeDefined();
  });
});

describe('multiset weights', () => {
  // {1,1} has one order and {1,2} two: by prompts 1 of 3 is right, by multisets one half of the second and all of the first
  const two = [one([1, 1], [2], 2), one([1, 2], [3, 0], 3)];

  it('count a multiset once whatever its number of orders', () => {
    expect(multisetAccuracy(two)).toBeCloseTo(0.75, 12);
    expect(multisetAccuracy([one([1, 1], [5], 2), two[1]])).toBeCloseTo(0.25, 12);
  });

  it('give the majority rate over multisets, results of different orders sharing the weight', () => {
    expect(majorityRate([...two, one([0, 3], [0, 0], 3)], 10)).toBeCloseTo(2 / 3, 12);
    const ordered: MultisetAnswers = { operands: [1, 2], answers: [0, 0], results: [1, 2] };
    expect(majorityRate([ordered], 10)).toBeCloseTo(0.5, 12);
    expect(majorityRate([ordered], 1)).toBeCloseTo(1, 12);
  });
});

describe('against brute force on random answers', () => {
  const n = 12;
  const rng = new Rng(5, 'test:memorization');
  const all: MultisetAnswers[] = Array.from({ length: 40 }, () => {
    const orders = 1 + rng.below(6);
    return {
      operands: [rng.below(n), rng.below(n)].sort((a, b) => a - b),
      answers: Array.from({ length: orders }, () => rng.below(n + 2) - 2).map((a) => Math.max(a, -1)),
      results: new Array<number>(orders).fill(rng.below(n)),
    };
  });
  /** every answer with the weight of its order */
  const flat = all.flatMap(({ answers, results }) =>
    Array.from(answers, (answer, i) => ({
      answer,
      result: results[i],
      weight: 1 / answers.length / all.length,
    })),
  );

  it.each([2, 3, 4, 6, 12])('answers right modulo %i', (divisor) => {
    let share = 0;
    for (const { answer, result, weight } of flat) {
      // by listing the coset instead of taking remainders
      const coset = new Set<number>();
      for (let x = 0; x < n; x++) if (Number.isInteger((x - result) / divisor)) coset.add(x);
      if (coset.has(answer)) share += weight;
    }
    expect(cosetAccuracy(all, divisor)).toBeCloseTo(share, 12);
  });

  it('answers by difference: shares and non-numbers together are 1, and difference 0 is the accuracy', () => {
    const { shares, outside } = differenceShares(all, n);
    for (let difference = 0; difference < n; difference++) {
      const own = flat.filter(
        ({ answer, result }) =>
          answer >= 0 && [result + difference, result + difference - n].includes(answer),
      );
      expect(shares[difference]).toBeCloseTo(
        own.reduce((sum, { weight }) => sum + weight, 0),
        12,
      );
    }
    expect(outside).toBeGreaterThan(0);
    expect(shares.reduce((a, b) => a + b, outside)).toBeCloseTo(1, 12);
    expect(shares[0]).toBeCloseTo(multisetAccuracy(all), 12);
  });

  it('agreement of orders over all pairs of orders, and of different multisets', () => {
    const several = all.filter(({ answers }) => answers.length > 1);
    const agree = (a: ArrayLike<number>, b: ArrayLike<number>, isSame: boolean): number => {
      let same = 0;
      let pairs = 0;
      for (let i = 0; i < a.length; i++) {
        for (let j = 0; j < b.length; j++) {
          if (isSame && i === j) continue;
          pairs++;
          if (a[i] === b[j]) same++;
        }
      }
      return same / pairs;
    };
    let own = 0;
    let cross = 0;
    several.forEach(({ answers }, i) => {
      own += agree(answers, answers, true) / several.length;
      several.forEach((other, j) => {
        if (i !== j) cross += agree(answers, other.answers, false) / several.length / (several.length - 1);
      });
    });
    const found = orderAgreement(all);
    expect(found.multisets).toBe(several.length);
    expect(found.agreement).toBeCloseTo(own, 12);
    expect(found.byChance).toBeCloseTo(cross, 12);
  });
});

describe('order agreement at the ends', () => {
  it('is 1 for a symmetric model, right or wrong, and 0 when both orders always differ', () => {
    expect(orderAgreement([one([1, 2], [7, 7], 3), one([1, 3], [4, 4], 4)])).toMatchObject({
      agreement: 1,
      byChance: 0,
    });
    expect(orderAgreement([one([1, 2], [7, 6], 3), one([1, 3], [4, 5], 4)]).agreement).toBe(0);
  });

  it('is by chance 1 for a model that always answers the same', () => {
    expect(orderAgreement([one([1, 2], [7, 7], 3), one([1, 3], [7, 7], 4)]).byChance).toBe(1);
  });

  it('is not a number without two orders', () => {
    expect(orderAgreement([one([1, 1], [2], 2)]).agreement).toBeNaN();
    expect(orderAgreement([]).agreement).toBeNaN();
  });
});

describe('small helpers', () => {
  it('divisors: all above 1 with n, only n for a prime', () => {
    expect(divisorsOf(10)).toEqual([2, 5, 10]);
    expect(divisorsOf(12)).toEqual([2, 3, 4, 6, 12]);
    expect(divisorsOf(7)).toEqual([7]);
    expect(divisorsOf(2)).toEqual([2]);
  });

  it('every multiset is in one of each two strata', () => {
    for (const operands of [
      [0, 0],
      [0, 4],
      [4, 4],
      [1, 4],
      [0, 2, 2],
      [1, 2, 3],
    ]) {
      const own = STRATA.filter((stratum) => isInStratum(operands, stratum));
      expect(own).toHaveLength(2);
      expect(own.includes('repeated')).toBe(new Set(operands).size < operands.length);
      expect(own.includes('with 0')).toBe(operands.includes(0));
    }
  });

  it('differences around the circle, the half turn positive', () => {
    expect(Array.from({ length: 10 }, (_, d) => signedDifference(d, 10))).toEqual([
      0, 1, 2, 3, 4, 5, -4, -3, -2, -1,
    ]);
    expect(Array.from({ length: 5 }, (_, d) => signedDifference(d, 5))).toEqual([0, 1, 2, -2, -1]);
  });

  it('differences of nothing are not numbers', () => {
    expect(differenceShares([], 3).outside).toBeNaN();
    expect([...differenceShares([], 3).shares]).toEqual([NaN, NaN, NaN]);
  });
});
