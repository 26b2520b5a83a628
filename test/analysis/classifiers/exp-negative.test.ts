/** The exponential of the probes against the platform's, at random arguments, at the seams of its reduction and far out. */
import { describe, expect, it } from 'vitest';
import { expOfNegative } from '../../../src/analysis/classifiers/exp-negative.js';
import { Rng } from '../../../src/tensor/rng.js';

describe('expOfNegative', () => {
  it('agrees with Math.exp to a relative 4e-16 wherever that is a normal number', () => {
    const rng = new Rng(1, 'exp');
    const seams = Array.from({ length: 1020 }, (_, k) => -(k + 0.5) * Math.LN2);
    const near = Array.from({ length: 4000 }, () => -5 * rng.uniform());
    const far = Array.from({ length: 4000 }, () => -707 * rng.uniform());
    for (const x of [-0, 0, -1e-300, -1e-9, ...seams, ...near, ...far]) {
      const expected = Math.exp(x);
      expect(Math.abs(expOfNegative(x) - expected), `exp(${x})`).toBeLessThanOrEqual(4e-16 * expected);
    }
  });

  it('is 1 at 0, 0 far out and NaN of NaN', () => {
    expect(expOfNegative(0)).toBe(1);
    expect(expOfNegative(-800)).toBe(0);
    expect(expOfNegative(-Infinity)).toBe(0);
    expect(expOfNegative(NaN)).toBeNaN();
  });
});
