import { describe, expect, it } from 'vitest';
import { AUTHORS } from '../../src/config/presets.js';
import { resolveRunConfig } from '../../src/config/parse.js';
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

describe('the exponential schedule', () => {
  it("is the authors': multiplied by the same factor after every update, from 5e-4 towards 1e-5", () => {
    const { optimizer } = resolveRunConfig({ optimizer: AUTHORS.optimizer });
    const schedule = { ...optimizer, steps: 20_000 };
    const factor = (1e-5 / 5e-4) ** (1 / 20_000);
    let rate = 5e-4;
    for (let step = 1; step <= 20_000; step++) {
      expect(Math.abs(learningRateAt(schedule, step) / rate - 1)).toBeLessThan(1e-9);
      rate *= factor;
    }
    expect(rate).toBeCloseTo(1e-5, 12);
  });

  it('starts after the warm-up', () => {
    const schedule = {
      learningRate: 1,
      warmupSteps: 4,
      finalFraction: 0.25,
      steps: 8,
      schedule: 'exponential',
    } as const;
    const rates = Array.from({ length: 8 }, (_, i) => learningRateAt(schedule, i + 1));
    [0.25, 0.5, 0.75, 1, 1, 0.25 ** 0.25, 0.5, 0.25 ** 0.75].forEach((rate, i) =>
      expect(rates[i]).toBeCloseTo(rate, 12),
    );
  });
});
