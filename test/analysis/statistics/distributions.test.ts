import { CLAIMS_LEVEL } from '../../../src/evidence/claims-file.js';
import { describe, expect, it } from 'vitest';
import * as d from '../../../src/analysis/statistics/distributions.js';
import {
  clopperPearsonInterval,
  meanInterval,
  welchInterval,
  wilsonInterval,
} from '../../../src/analysis/statistics/intervals.js';
import {
  exactStratifiedP,
  proportionDifference,
  type TwoByTwo,
} from '../../../src/analysis/statistics/proportions.js';
import { expectClose, fixtures } from '../fixtures.js';

const strataOf = (rows: [number, number, number, number][]): TwoByTwo[] =>
  rows.map(([k1, n1, k2, n2]) => ({ k1, n1, k2, n2 }));

describe('normalCdf and normalQuantile', () => {
  it('agree with scipy, far tails included', () => {
    for (const { z, cdf } of fixtures.normal) expectClose(d.normalCdf(z), cdf, { rtol: 2e-13 }, `z ${z}`);
    for (const { p, z } of fixtures.normalQuantile) {
      // near 1 the argument itself is rounded
      expectClose(d.normalQuantile(p), z, { rtol: 1e-12, atol: 1e-15 }, `p ${p}`);
    }
    expect(d.normalQuantile(0)).toBe(-Infinity);
    expect(d.normalCdf(NaN)).toBeNaN();
  });
});

describe('Student t', () => {
  it('agrees with scipy', () => {
    for (const { t, df, cdf } of fixtures.student) {
      // at 10,000 degrees of freedom the log gammas cancel five digits
      expectClose(d.studentCdf(t, df), cdf, { rtol: df > 1000 ? 1e-10 : 1e-12 }, `t ${t} df ${df}`);
    }
    for (const { p, df, t } of fixtures.studentQuantile) {
      expectClose(d.studentQuantile(p, df), t, { rtol: 1e-12 }, `p ${p} df ${df}`);
    }
  });
});

describe('studentQuantile', () => {
  it('is exact where a closed form exists: 2 degrees of freedom', () => {
    for (const p of [0.00415, 0.3, 0.6, 0.99585]) {
      expectClose(
        d.studentQuantile(p, 2),
        (2 * p - 1) / Math.sqrt(2 * p * (1 - p)),
        { rtol: 1e-13 },
        `p ${p}`,
      );
    }
  });
});

describe('beta, gamma and binomial', () => {
  it('agree with scipy', () => {
    for (const { x, value } of fixtures.logGamma) {
      expectClose(d.logGamma(x), value, { rtol: 1e-13, atol: 2e-15 }, `x ${x}`);
    }
    for (const { x, a, b, value } of fixtures.beta) {
      expectClose(d.incompleteBeta(x, a, b), value, { rtol: 1e-10, atol: 1e-16 }, `I_${x}(${a}, ${b})`);
    }
    for (const { p, a, b, x } of fixtures.betaQuantile) {
      expectClose(d.betaQuantile(p, a, b), x, { rtol: 1e-11 }, `p ${p} (${a}, ${b})`);
    }
    for (const { k, n, p, cdf } of fixtures.binomial) {
      expectClose(d.binomialCdf(k, n, p), cdf, { rtol: 1e-10, atol: 1e-15 }, `k ${k} n ${n}`);
    }
  });

  it('refuse what is not a probability', () => {
    expect(() => d.normalQuantile(1.1)).toThrow('probability: found 1.1, expected 0 to 1.');
    expect(() => d.betaQuantile(NaN, 1, 1)).toThrow('probability: found NaN, expected 0 to 1.');
  });
});

describe('intervals', () => {
  it('agree with scipy: t, Welch, Wilson, Clopper-Pearson', () => {
    const { a, level, bounds } = fixtures.meanInterval;
    const one = meanInterval(a, level);
    expectClose(one.low, bounds[0], { rtol: 1e-9 }, 'low');
    expectClose(one.high, bounds[1], { rtol: 1e-9 }, 'high');
    const welch = welchInterval(fixtures.welch.a, fixtures.welch.b, fixtures.welch.level);
    expectClose(welch.low, fixtures.welch.low, { rtol: 1e-9 }, 'Welch low');
    expectClose(welch.high, fixtures.welch.high, { rtol: 1e-9 }, 'Welch high');
    for (const { k, n, level: c, low, high } of fixtures.wilson) {
      const found = wilsonInterval(k, n, c);
      expectClose(found.low, low, { rtol: 1e-11, atol: 1e-15 }, `Wilson ${k}/${n}`);
      expectClose(found.high, high, { rtol: 1e-11 }, `Wilson ${k}/${n}`);
    }
    for (const { k, n, level: c, low, high } of fixtures.clopperPearson) {
      const found = clopperPearsonInterval(k, n, c);
      expectClose(found.low, low, { rtol: 1e-10, atol: 1e-15 }, `exact ${k}/${n}`);
      expectClose(found.high, high, { rtol: 1e-10 }, `exact ${k}/${n}`);
    }
  });

  it('bound nothing from one value nor from equal ones: an interval is never a point', () => {
    expect(meanInterval([3], CLAIMS_LEVEL)).toMatchObject({ estimate: 3, low: -Infinity, high: Infinity });
    expect(welchInterval([3], [1, 2], CLAIMS_LEVEL)).toMatchObject({
      estimate: 1.5,
      low: -Infinity,
      high: Infinity,
    });
    for (const value of [0, 1, 0.1, 1e9]) {
      expect(meanInterval([value, value, value], CLAIMS_LEVEL)).toMatchObject({
        low: -Infinity,
        high: Infinity,
      });
    }
    // equal but for the rounding of what made them
    expect(meanInterval([0.1 + 0.2, 0.3, 0.3], CLAIMS_LEVEL).low).toBe(-Infinity);
    expect(Number.isFinite(meanInterval([0.3, 0.3 + 1e-9], CLAIMS_LEVEL).low)).toBe(true);
    expect(welchInterval([1, 1], [0, 0], CLAIMS_LEVEL)).toMatchObject({
      estimate: 1,
      low: -Infinity,
      high: Infinity,
    });
    // spread on one side is enough: Satterthwaite's degrees of freedom are those of that side
    const one = welchInterval([1, 1, 1], [0, 0.2], CLAIMS_LEVEL);
    const half = meanInterval([0, 0.2], CLAIMS_LEVEL);
    expectClose(one.high - one.low, half.high - half.low, { rtol: 1e-12 }, 'width');
  });
});

describe('proportionDifference', () => {
  it('agrees with the closed-form Miettinen-Nurminen solution, plain and stratified', () => {
    for (const { strata, level, estimate, low, high } of fixtures.miettinenNurminen) {
      const found = proportionDifference(strataOf(strata), level);
      expectClose(found.estimate, estimate, { atol: 1e-14 }, 'estimate');
      expectClose(found.low, low, { atol: 1e-7 }, `low of ${JSON.stringify(strata)} at ${level}`);
      expectClose(found.high, high, { atol: 1e-7 }, `high of ${JSON.stringify(strata)} at ${level}`);
    }
  });

  it('turns round when the groups are exchanged', () => {
    const a = proportionDifference([{ k1: 5, n1: 6, k2: 1, n2: 7 }], CLAIMS_LEVEL);
    const b = proportionDifference([{ k1: 1, n1: 7, k2: 5, n2: 6 }], CLAIMS_LEVEL);
    expectClose(a.low, -b.high, { atol: 1e-12 }, 'bounds');
    expectClose(a.high, -b.low, { atol: 1e-12 }, 'bounds');
  });

  it('refuses counts that are not counts', () => {
    expect(() => proportionDifference([{ k1: 7, n1: 6, k2: 0, n2: 6 }], CLAIMS_LEVEL)).toThrow(
      /found 7 of 6/,
    );
    expect(() => proportionDifference([], CLAIMS_LEVEL)).toThrow(
      'strata: found none, expected at least one.',
    );
  });
});

describe('exactStratifiedP', () => {
  it('agrees with brute force over the hypergeometric supports', () => {
    for (const { strata, p } of fixtures.exactStratified) {
      expectClose(exactStratifiedP(strataOf(strata)), p, { rtol: 1e-10 }, JSON.stringify(strata));
    }
  });

  it("is Fisher's exact p for one stratum of equal groups", () => {
    const { strata, p } = fixtures.fisher;
    expectClose(exactStratifiedP(strataOf(strata)), p, { rtol: 1e-10 }, 'Fisher');
  });
});
