import { describe, expect, it } from 'vitest';
import { learningRateAt } from '../../src/train/schedule.js';

describe('learningRateAt', () => {
  const schedule = { learningRate: 2e-3, warmupSteps: 100, finalFraction: 0.1, steps: 1100 };

  it('rises in a straight line from 0 to the peak', () => {
    expect(learningRateAt(schedule, 1)).toBeCloseTo(2e-5, 15);
    expect(learningRateAt(schedule, 50)).toBeCloseTo(1e-3, 15);
    expect(learningRateAt(schedule, 100)).toBe(2e-3);
  });

  it('is at the middle of peak and end half-way through the decay, and at the end exactly', () => {
    expect(learningRateAt(schedule, 600)).toBeCloseTo((2e-3 + 2e-4) / 2, 15);
    expect(learningRateAt(schedule, 1100)).toBe(2e-3 * 0.1);
  });

  it('follows the closed form of a cosine to 1e-15 at every step', () => {
    for (let step = 101; step <= 1100; step++) {
      const x = (step - 100) / 1000;
      const expected = 2e-4 + (2e-3 - 2e-4) * Math.cos((Math.PI * x) / 2) ** 2;
      expect(Math.abs(learningRateAt(schedule, step) - expected)).toBeLessThan(1e-15);
    }
  });

  it('never rises after the warm-up', () => {
    for (let step = 101; step <= 1100; step++) {
      expect(learningRateAt(schedule, step)).toBeLessThanOrEqual(learningRateAt(schedule, step - 1));
    }
  });

  it('starts at the peak without warm-up, and stays finite when the warm-up is longer than the run', () => {
    expect(learningRateAt({ ...schedule, warmupSteps: 0 }, 1)).toBeCloseTo(2e-3, 7);
    expect(learningRateAt({ ...schedule, warmupSteps: 5000 }, 1100)).toBeCloseTo((2e-3 * 1100) / 5000, 15);
    expect(learningRateAt({ ...schedule, warmupSteps: 1, steps: 1 }, 1)).toBe(2e-3);
  });
});
