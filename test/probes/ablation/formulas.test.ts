/** The formulas of ablations: what an activation is replaced by, sizes of writes, dose curves. */
import { describe, expect, it } from 'vitest';
import { addWrites, emptyWriteSums, writeRatios } from '../../../probes/ablation/norms.js';
import { donorRows, leaveOneOutMean, randomOfEqualNorm, unitDirections } from '../../../src/lens/values.js';
import {
  bestConstantLossNats,
  byKind,
  DOSES,
  feedForwardShare,
  halfLossDose,
  lostShare,
  LOW_DOSES,
  summarizeDose,
} from '../../../probes/ablation/dose.js';
import { Rng } from '../../../src/tensor/rng.js';
import { expectClose } from '../../analysis/fixtures.js';

describe('leaveOneOutMean', () => {
  it('is the mean of the other rows', () => {
    const x = Float32Array.from([1, 10, 2, 20, 6, 60]);
    expect([...leaveOneOutMean(x, 3)]).toEqual([4, 40, 3.5, 35, 1.5, 15]);
  });
  it('refuses a single prompt', () => {
    expect(() => leaveOneOutMean(new Float32Array(4), 1)).toThrow(/found 1 prompts, expected at least 2/);
  });
});

describe('donorRows', () => {
  it("gives every prompt its donor's row", () => {
    expect([...donorRows(Float32Array.from([1, 2, 3, 4, 5, 6]), Int32Array.from([2, 0, 1]))]).toEqual([
      5, 6, 1, 2, 3, 4,
    ]);
  });
});

describe('randomOfEqualNorm', () => {
  it('has the length of the replacement at every row and no preferred direction', () => {
    const width = 8;
    const rows = 4000;
    const rng = new Rng(1, 'test');
    const x = Float32Array.from({ length: rows * width }, () => rng.normal());
    const r = Float32Array.from({ length: rows * width }, () => rng.normal());
    const out = randomOfEqualNorm(x, r, width, unitDirections(512, width, rng), rng);
    const mean = new Float64Array(width);
    for (let row = 0; row < rows; row++) {
      let wanted = 0;
      let found = 0;
      for (let c = row * width; c < (row + 1) * width; c++) {
        wanted += (r[c] - x[c]) ** 2;
        found += out[c] ** 2;
      }
      for (let c = 0; c < width; c++) mean[c] += out[row * width + c] / Math.sqrt(wanted) / rows;
      expect(Math.abs(found - wanted)).toBeLessThan(1e-4 * wanted);
    }
    // a unit vector's entry has sd 1 / sqrt(8); 512 directions: 0.016
    for (const entry of mean) expect(Math.abs(entry)).toBeLessThan(0.1);
  });
  it('is zero where the replacement changes nothing', () => {
    const x = Float32Array.from([1, 2, 3, 4]);
    const rng = new Rng(1, 'test');
    expect([...randomOfEqualNorm(x, x, 2, unitDirections(4, 2, rng), rng)].map(Math.abs)).toEqual([
      0, 0, 0, 0,
    ]);
  });
});

describe('writeRatios', () => {
  it('tells variation over prompts from a constant write', () => {
    // attention: constant 10 and varying by +-1; feed-forward: varying by +-2, no constant
    const attention = Float32Array.from([11, 0, 9, 0]);
    const mlp = Float32Array.from([-2, 0, 2, 0]);
    const sums = emptyWriteSums();
    addWrites(sums, attention, mlp, Int32Array.from([0, 1]), 2);
    const ratios = writeRatios(sums);
    expect(ratios.logRatio).toBeCloseTo(Math.log(1 / 2), 12);
    expect(ratios.rawLogRatio).toBeCloseTo(0.5 * Math.log((121 + 81) / 8), 12);
    expect(ratios.variationCosine).toBeCloseTo(-1, 12);
    expect(ratios.cosine).toBeCloseTo(0, 12);
  });
});

describe('halfLossDose', () => {
  const full = (from: number): number[] => Array.from({ length: 8 }, (_, i) => (i >= from ? 1 : 0));
  it('interpolates between the doses around the crossing', () => {
    expect(LOW_DOSES).toEqual([1 / 64, 1 / 32, 1 / 16]);
    // 0 at 1/16, 1 at 1/8; 0.2 at 1/32, 0.8 at 1/16; all at the smallest
    expect(halfLossDose([0, 0, 0], full(0))).toBeCloseTo(3 / 32, 12);
    expect(halfLossDose([0, 0.2, 0.8], full(0))).toBeCloseTo(3 / 64, 12);
    expect(halfLossDose([1, 1, 1], full(0))).toBeCloseTo(1 / 128, 12);
    expect(halfLossDose([0, 0, 0], full(4))).toBeCloseTo(9 / 16, 12);
  });
  it('is undefined when less than half is ever lost', () => {
    expect(halfLossDose([0, 0, 0], full(8))).toBeUndefined();
  });
});

describe('summarizeDose', () => {
  const flat = (nats: number): number[] => new Array<number>(8).fill(nats);
  it('reads areas, share and Shapley value off the three curves', () => {
    const summary = summarizeDose({ attention: flat(1.5), 'feed-forward': flat(1), both: flat(9) }, 0.5, 2.5);
    expect(summary?.area).toEqual({ attention: 0.5, 'feed-forward': 0.25, both: 1 });
    expect(summary?.share).toBeCloseTo(0.26 / 0.77, 12);
    expect(summary?.shapley).toBeCloseTo((0.25 + 1 - 0.5) / 2, 12);
  });
  it('counts a gain as 0', () => {
    expect(
      summarizeDose({ attention: flat(0), 'feed-forward': flat(1), both: flat(1) }, 0.5, 2.5)?.area.attention,
    ).toBe(0);
  });
  it('has nothing to say of a model no better than a constant', () => {
    expect(
      summarizeDose({ attention: flat(3), 'feed-forward': flat(3), both: flat(3) }, 2.5, 2.3),
    ).toBeUndefined();
  });
});

describe('dose curves', () => {
  it('clip the lost share to 0..1 and average it over eight doses', () => {
    expect(DOSES).toHaveLength(8);
    expect(DOSES[0]).toBe(0.125);
    expect(lostShare(1.2, 0.2, 2.2)).toBe(0.5);
    expect(lostShare(9, 0.2, 2.2)).toBe(1);
    expect(lostShare(0.1, 0.2, 2.2)).toBe(0);
    expect(() => lostShare(1, 2.2, 2.2)).toThrow(/nothing to lose/);
    expect(() => lostShare(NaN, 0, 1)).toThrow(/NaN/);
    const eights = byKind(() => [0, 0, 0, 0, 0.5, 1, 1, 1]);
    expectClose(summarizeDose(eights, 0, 1)?.area.attention ?? NaN, 3.5 / 8, {}, 'area');
  });

  it('share between the parts: one half when neither matters, near 0 or 1 when one does', () => {
    expect(feedForwardShare(0, 0)).toBe(0.5);
    expectClose(feedForwardShare(1, 0), 1.01 / 1.02, {}, 'feed-forward only');
    expectClose(feedForwardShare(0, 1), 0.01 / 1.02, {}, 'attention only');
    const full = { 'feed-forward': [0.2], attention: [0.9], both: [1] };
    expectClose(summarizeDose(full, 0, 1)?.shapley ?? NaN, 0.15, {}, 'Shapley');
  });

  it('take the constant of each operation and arity: log n for uniform results', () => {
    expectClose(bestConstantLossNats([new Float64Array(10).fill(7)]), Math.log(10), {}, 'uniform');
    expectClose(
      bestConstantLossNats([
        [4, 0],
        [2, 2],
        [0, 0],
      ]),
      Math.LN2 / 2,
      {},
      'two groups',
    );
    expect(() => bestConstantLossNats([])).toThrow(/found no counts/);
  });
});
