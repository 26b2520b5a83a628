/** Unequal frequencies of numbers: the distribution, the draws, and what is computed from them. */
import { describe, expect, it } from 'vitest';
import { createDigitDraw, digitShares } from '../../../src/listops/language/digits.js';
import { createGenerator } from '../../../src/listops/sampling/generate.js';
import { digitFrequencies, operationStatistics } from '../../../src/listops/sampling/statistics.js';
import { trainingCounts } from '../../../src/listops/sampling/training-counts.js';
import { Rng } from '../../../src/tensor/rng.js';
import { dataWith } from '../settings.js';

describe('digitShares', () => {
  it('is the power law by its definition', () => {
    for (const digitSkew of [0.3, 1, 2.5]) {
      const weights = Array.from({ length: 10 }, (_, k) => Math.pow(k + 1, -digitSkew));
      const total = weights.reduce((a, b) => a + b);
      digitShares({ modulus: 10, digitSkew }).forEach((share, k) => {
        expect(share).toBeCloseTo(weights[k] / total, 14);
      });
    }
    expect([...digitShares({ modulus: 4 })]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });
});

describe('createDigitDraw', () => {
  it('draws as often as the shares say', () => {
    const data = { modulus: 7, digitSkew: 1.2 };
    const draw = createDigitDraw(data);
    const rng = new Rng(3, 'test:digits');
    const counts = new Array<number>(7).fill(0);
    const n = 100_000;
    for (let i = 0; i < n; i++) counts[draw(rng)]++;
    const shares = digitShares(data);
    // chi-squared with 6 degrees of freedom: 22.5 is passed once in a thousand seeds, and this one is fixed
    const statistic = counts.reduce(
      (sum, count, k) => sum + (count - n * shares[k]) ** 2 / (n * shares[k]),
      0,
    );
    expect(statistic).toBeLessThan(22.5);
  });

  it('without a skew draws what older runs drew', () => {
    const draw = createDigitDraw({ modulus: 10 });
    const [a, b] = [new Rng(1, 'x'), new Rng(1, 'x')];
    for (let i = 0; i < 100; i++) expect(draw(a)).toBe(b.below(10));
  });
});

describe('data with digitSkew', () => {
  const data = dataWith({ tasks: ['SUM'], modulus: 10, operands: [2, 3], digitSkew: 1 });

  it('have operands in these shares, and examples that are a function of seed and step', () => {
    const shares = digitShares(data);
    const { operands } = digitFrequencies(data, 1, 8000);
    operands.forEach((share, k) => expect(Math.abs(share - shares[k])).toBeLessThan(0.015));
    const [a, b] = [createGenerator(data, 5), createGenerator(data, 5)];
    a.batch(0, 4);
    expect(a.batch(3, 4)).toEqual(b.batch(3, 4));
  });

  it('still hold out what the regime holds out', () => {
    const held = createGenerator(dataWith({ ...data, regime: 'pairs' }), 1);
    for (let i = 0; i < 500; i++) {
      const { tokens } = held.example(i);
      const operands = [...tokens.slice(3)].slice(0, tokens.slice(3).indexOf(5)).map((token) => token - 6);
      expect(held.holdout.isHeldOut(operands)).toBe(false);
    }
  });

  it('let one operand of SUM tell of the result, as brute force has it', () => {
    expect(
      operationStatistics(dataWith({ tasks: ['SUM'], operands: [2, 2] }))[0].mutualInformationNats[0],
    ).toBeLessThan(1e-12);
    const p = digitShares(data);
    // H(result) - H(result | operand) and H(result | operand) is the entropy of the other operand
    const entropy = (shares: readonly number[]): number =>
      -shares.reduce((sum, x) => sum + x * Math.log(x), 0);
    const results = new Array<number>(10).fill(0);
    p.forEach((a, i) => p.forEach((b, j) => (results[(i + j) % 10] += a * b)));
    const [row] = operationStatistics(dataWith({ ...data, operands: [2, 2] }));
    const expected = entropy(results) - entropy([...p]);
    expect(expected).toBeGreaterThan(0.01);
    expect(row.mutualInformationNats[0]).toBeCloseTo(expected, 12);
  });

  it('are counted by drawing them again, also from the middle of a run', () => {
    const counts = trainingCounts(data, 2, 300, 100);
    expect(counts.method).toBe('counted');
    const generator = createGenerator(data, 2);
    let zeros = 0;
    for (let i = 100; i < 400; i++) {
      const { tokens } = generator.example(i);
      if (tokens[3] === 6 && tokens[4] === 6 && tokens[5] === 5) zeros++;
    }
    expect(zeros).toBeGreaterThan(0);
    expect(counts.draws('SUM', { operands: [0, 0], nOrders: 1, orders: [[0, 0]] })).toBe(zeros);
  });

  it('are refused where they mean nothing', () => {
    expect(() => createGenerator(dataWith({ digitSkew: -1 }), 1)).toThrow(
      '--digit-skew: found -1, expected a number from 0 to 10.',
    );
  });
});
