import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CurvePoint } from '../../../src/viewer/contract.js';
import { decimate } from '../../../src/viewer/disk/decimate.js';

describe('decimate', () => {
  it('leaves a short curve as it is', () => {
    const points: CurvePoint[] = [
      [1, 2],
      [2, null],
    ];
    expect(decimate(points, 500)).toBe(points);
  });

  it('keeps ends, order and extremes, invents nothing, and holds the limit', () => {
    const curve = fc.array(
      fc.option(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { nil: null, freq: 20 }),
      {
        minLength: 5,
        maxLength: 3000,
      },
    );
    fc.assert(
      fc.property(curve, fc.integer({ min: 4, max: 200 }), (values, most) => {
        const points = values.map((value, i): CurvePoint => [i * 3, value]);
        const kept = decimate(points, most);
        const numbers = (list: readonly CurvePoint[]): number[] =>
          list.flatMap(([, v]) => (v === null ? [] : [v]));
        expect(kept.length).toBeLessThanOrEqual(Math.max(most, 4));
        expect(kept[0]).toBe(points[0]);
        expect(kept.at(-1)).toBe(points.at(-1));
        expect(kept.every((point) => points.includes(point))).toBe(true);
        expect(kept.every((point, i) => i === 0 || point[0] > kept[i - 1][0])).toBe(true);
        if (!values.includes(null)) {
          expect(Math.max(...numbers(kept))).toBe(Math.max(...numbers(points)));
          expect(Math.min(...numbers(kept))).toBe(Math.min(...numbers(points)));
        }
      }),
      { numRuns: 200, seed: 7 },
    );
  });
});
