import { describe, expect, it } from 'vitest';
import { assertFinite, assertLength } from '../../src/tensor/shape.js';
import { dot, mean, standardDeviation, sum, variance } from '../../src/tensor/sum.js';

describe('sum', () => {
  it('keeps what a plain float64 sum loses', () => {
    expect(sum([1e16, 1, -1e16])).toBe(1);
    expect(sum([1, 1e100, 1, -1e100])).toBe(2);
    expect(sum(new Float32Array(0))).toBe(0);
  });

  it('adds float32 values in float64', () => {
    const values = new Float32Array(100_000).fill(0.1);
    expect(sum(values)).toBe(Math.fround(0.1) * 100_000);
  });

  it('passes on infinities and NaN', () => {
    expect(sum([1, Infinity])).toBe(Infinity);
    expect(sum([1, NaN])).toBeNaN();
  });
});

describe('mean and variance', () => {
  it('do not cancel when the mean is large beside the spread', () => {
    expect(variance([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16])).toBe(30);
    expect(mean([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16])).toBe(1e9 + 10);
    expect(standardDeviation([2, 4])).toBeCloseTo(Math.SQRT2, 15);
  });

  it('refuse too few values', () => {
    expect(() => mean([])).toThrow('mean: found no values, expected at least one.');
    expect(() => variance([1])).toThrow('variance: found 1 values, expected at least two.');
  });
});

describe('dot', () => {
  it('refuses unequal lengths', () => {
    expect(dot([1, 2], [3, 4])).toBe(11);
    expect(() => dot([1], [1, 2])).toThrow('dot: found lengths 1 and 2, expected equal lengths.');
  });
});

describe('assertLength and assertFinite', () => {
  it('name what is wrong, where', () => {
    expect(() => assertLength(new Float32Array(5), 6, 'probs [B,T,V]')).toThrow(
      'probs [B,T,V]: found 5 elements, expected 6.',
    );
    expect(() => assertFinite([0, NaN], 'x')).toThrow('x: found NaN at element 1, expected finite numbers.');
    assertLength([1], 1, 'x');
    assertFinite([1], 'x');
  });
});
