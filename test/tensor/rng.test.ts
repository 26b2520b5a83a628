import { describe, expect, it } from 'vitest';
import { normalCdf } from '../../src/analysis/statistics/distributions.js';
import { philox, Rng } from '../../src/tensor/rng.js';

const hex = (out: Uint32Array): string[] => Array.from(out, (v) => v.toString(16).padStart(8, '0'));

describe('philox', () => {
  // known-answer vectors published with Random123 (kat_vectors, philox 4x32 10)
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8'],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      ['408f276d', '41c83b0e', 'a20bc7c6', '6d5451fd'],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      ['d16cfe09', '94fdcceb', '5001e420', '24126ea1'],
    ],
  ] as const)('gives the known answer for counter %j', (counter, key, answer) => {
    const out = new Uint32Array(4);
    philox(counter, key, out);
    expect(hex(out)).toEqual(answer);
  });
});

describe('Rng', () => {
  it('gives the same draws for the same seed, stream and index, others for any change of them', () => {
    const draws = (seed: number, stream: string, index: number): number[] => {
      const rng = new Rng(seed, stream, index);
      return [rng.uint32(), rng.uint32(), rng.uint32()];
    };
    expect(draws(7, 'data', 3)).toEqual(draws(7, 'data', 3));
    const others = [
      draws(8, 'data', 3),
      draws(7, 'init', 3),
      draws(7, 'data', 4),
      draws(7 + 2 ** 32, 'data', 3),
      draws(7, 'data', 3 + 2 ** 32),
    ];
    const all = [draws(7, 'data', 3), ...others].map((d) => d.join());
    expect(new Set(all).size).toBe(6);
  });

  it('refuses a seed or index that is not a non-negative safe integer', () => {
    expect(() => new Rng(-1, 'x')).toThrow(/seed must be a non-negative safe integer, found -1/);
    expect(() => new Rng(1, 'x', 0.5)).toThrow(/index must be a non-negative safe integer, found 0.5/);
  });

  it('is uniform: chi-squared of 100 cells over 100,000 draws inside its 99.9 % limits', () => {
    const rng = new Rng(1, 'test');
    const cells = new Float64Array(100);
    for (let i = 0; i < 100_000; i++) cells[Math.floor(rng.uniform() * 100)]++;
    const chi2 = cells.reduce((sum, c) => sum + (c - 1000) ** 2 / 1000, 0);
    // 99 degrees of freedom: 0.05 % and 99.95 % quantiles
    expect(chi2).toBeGreaterThan(56);
    expect(chi2).toBeLessThan(152);
  });

  it('draws normal numbers: Kolmogorov-Smirnov against the normal distribution below its 99.9 % limit', () => {
    const rng = new Rng(2, 'test');
    const values = Float64Array.from({ length: 20_000 }, () => rng.normal()).sort();
    let d = 0;
    values.forEach((v, i) => {
      const cdf = normalCdf(v);
      d = Math.max(d, Math.abs(cdf - i / values.length), Math.abs(cdf - (i + 1) / values.length));
    });
    expect(d).toBeLessThan(1.95 / Math.sqrt(values.length));
  });

  it('draws below(n) without bias and refuses other bounds', () => {
    const rng = new Rng(3, 'test');
    const counts = new Float64Array(7);
    for (let i = 0; i < 70_000; i++) counts[rng.below(7)]++;
    const chi2 = counts.reduce((sum, c) => sum + (c - 10_000) ** 2 / 10_000, 0);
    expect(chi2).toBeLessThan(22.46); // 6 degrees of freedom, 99.9 %
    expect(rng.below(1)).toBe(0);
    expect(rng.below(4294967296)).toBeLessThan(4294967296);
    expect(() => rng.below(0)).toThrow(/from 1 to 2\^32, found 0/);
  });

  it('permutes: every arrangement of four equally often', () => {
    const rng = new Rng(4, 'test');
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const key = rng.permutation(4).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const chi2 = [...counts.values()].reduce((sum, c) => sum + (c - 1000) ** 2 / 1000, 0);
    expect(chi2).toBeLessThan(49.7); // 23 degrees of freedom, 99.9 %
  });
});
