/** The interval of a median: its level against all sign patterns, its coverage by enumerating every sample of small distributions. */
import { describe, expect, it } from 'vitest';
import { medianInterval } from '../../../src/analysis/statistics/intervals.js';

/** Share of the 2^n ways to lie below or above the median in which fewer than r values lie on either side. */
function outside(n: number, r: number): number {
  let count = 0;
  for (let way = 0; way < 2 ** n; way++) {
    const below = way.toString(2).replaceAll('0', '').length;
    if (below < r || n - below < r) count++;
  }
  return count / 2 ** n;
}

/** Every sample of n values, with its probability. */
function* samples(probabilities: readonly number[], n: number): Generator<[number[], number]> {
  if (n === 0) {
    yield [[], 1];
    return;
  }
  for (const [rest, p] of samples(probabilities, n - 1))
    for (const [value, q] of probabilities.entries()) if (q > 0) yield [[...rest, value], p * q];
}

describe('medianInterval', () => {
  it('has the level that counting every pattern of signs gives', () => {
    for (let n = 1; n <= 14; n++) {
      const values = Array.from({ length: n }, (_, i) => i + 1);
      const { low, high, level } = medianInterval(values, values, 0.95);
      expect(high, `n ${n}`).toBe(n + 1 - low);
      expect(level).toBeCloseTo(1 - outside(n, low), 12);
      // the narrowest that keeps 95 %; the range where none does
      if (n >= 6) expect(level).toBeGreaterThanOrEqual(0.95);
      else expect(low).toBe(1);
      if (2 * (low + 1) <= n + 1) expect(1 - outside(n, low + 1)).toBeLessThan(0.95);
    }
  });

  it.each([
    ['even', [0.25, 0.25, 0.25, 0.25]],
    ['skewed', [0.6, 0.2, 0.1, 0.1]],
    ['two medians', [0.1, 0.4, 0, 0.5]],
    ['half at one place', [0.05, 0.5, 0.4, 0.05]],
  ])('covers the median as often as it says, censored or not: %s', (_name, probabilities) => {
    const cumulative = probabilities.map((_, i) => probabilities.slice(0, i + 1).reduce((a, b) => a + b, 0));
    const medians = probabilities.flatMap((_, i) =>
      cumulative[i] >= 0.5 - 1e-12 && (cumulative[i - 1] ?? 0) <= 0.5 + 1e-12 ? [i] : [],
    );
    for (const n of [2, 3, 5, 6]) {
      // the places are grid steps 0, 1, 2 and "later than 2"; a value is known to lie above the place before
      const bounds = (values: readonly number[]) =>
        [values.map((value) => value - 1), values.map((value) => (value < 3 ? value : Infinity))] as const;
      let stated = 0;
      const covered = new Map(medians.map((median) => [median, 0]));
      for (const [values, p] of samples(probabilities, n)) {
        const { low, high, level } = medianInterval(...bounds(values), 0.95);
        stated = level;
        for (const median of medians)
          if (low < median && median <= high) covered.set(median, (covered.get(median) ?? 0) + p);
      }
      for (const [median, p] of covered) expect(p, `n ${n}, median ${median}`).toBeGreaterThan(stated - 1e-9);
    }
  });

  it('is open where the seeds that were not seen reach the interval, and says so in its median', () => {
    expect(medianInterval([64, 1024, 4096], [256, 4096, Infinity], 0.95)).toMatchObject({
      estimate: 4096,
      low: 64,
      high: Infinity,
      level: expect.closeTo(0.75, 12) as number,
    });
    expect(medianInterval([64, 64, 0, 16], [256, 256, Infinity, Infinity], 0.95).estimate).toBe(256);
    expect(medianInterval([64, 9, 9], [256, Infinity, Infinity], 0.95).estimate).toBe(Infinity);
    expect(medianInterval([1], [2], 0.95).level).toBe(0);
    expect(() => medianInterval([], [], 0.95)).toThrow('medianInterval: found 0 and 0 bounds');
  });
});
