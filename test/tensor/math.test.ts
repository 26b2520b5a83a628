import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  cosDeterministic,
  expDeterministic,
  logDeterministic,
  sinDeterministic,
} from '../../src/tensor/math.js';

type Row = [argument: number, nearest: number, ulp: number, rest: number];
const fixtures = JSON.parse(
  readFileSync(new URL('fixtures/fixtures.json', import.meta.url), 'utf8'),
) as Record<'log' | 'exp' | 'cos' | 'sin', Row[]>;

/** Largest distance from the true value (50 digits), in units in the last place, and where. */
function worst(f: (x: number) => number, rows: Row[]): { ulp: number; at: number } {
  let result = { ulp: 0, at: NaN };
  for (const [x, nearest, ulp, rest] of rows) {
    const error = Math.abs((f(x) - nearest) / ulp - rest);
    if (!(error <= result.ulp)) result = { ulp: error, at: x };
  }
  return result;
}

// measured maxima on these fixtures: log 0.627, exp 0.849, cos 0.605, sin 0.630
describe.each([
  ['logDeterministic', logDeterministic, fixtures.log, 1],
  ['expDeterministic', expDeterministic, fixtures.exp.filter(([x]) => x > -708), 1],
  ['cosDeterministic', cosDeterministic, fixtures.cos, 1],
  ['sinDeterministic', sinDeterministic, fixtures.sin, 1],
] as const)('%s', (_, f, rows, bound) => {
  it(`is within ${bound} ULP of the 50-digit value`, () => {
    const found = worst(f, [...rows]);
    expect(found.ulp, `at ${found.at}`).toBeLessThanOrEqual(bound);
  });
});

describe('expDeterministic', () => {
  it('underflows gradually: one rounding more among the subnormal numbers', () => {
    const found = worst(
      expDeterministic,
      fixtures.exp.filter(([x]) => x <= -708),
    );
    expect(found.ulp, `at ${found.at}`).toBeLessThanOrEqual(1.5);
  });

  it('is 0 and Infinity beyond the range, NaN for NaN', () => {
    expect([expDeterministic(-746), expDeterministic(710), expDeterministic(-Infinity)]).toEqual([
      0,
      Infinity,
      0,
    ]);
    expect(expDeterministic(Infinity)).toBe(Infinity);
    expect(expDeterministic(NaN)).toBeNaN();
  });
});

describe('logDeterministic', () => {
  it('is -Infinity at 0, NaN below, Infinity at Infinity, exactly 0 at 1', () => {
    expect(logDeterministic(0)).toBe(-Infinity);
    expect(logDeterministic(-1)).toBeNaN();
    expect(logDeterministic(NaN)).toBeNaN();
    expect(logDeterministic(Infinity)).toBe(Infinity);
    expect(logDeterministic(1)).toBe(0);
  });
});
