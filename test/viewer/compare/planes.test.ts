/** The planes of the page of comparison: against a turn that is known, and against every turn of a grid. */
import { describe, expect, it } from 'vitest';
import { type Matrix, matrix } from '../../../src/analysis/matrix.js';
import { Rng } from '../../../src/tensor/rng.js';
import { planeOfRun, turnedTogether } from '../../../src/viewer/compare/planes.js';

const N = 10;
const D = 6;

/** A ring with noise in D dimensions. */
function ring(rng: Rng, size = 1): Matrix {
  const data = Array.from({ length: N * D }, (_, i) => {
    const turn = (2 * Math.PI * Math.floor(i / D)) / N;
    const signal = [Math.cos(turn), 0.7 * Math.sin(turn)][i % D] ?? 0;
    return size * (signal + 0.1 * (rng.uniform() - 0.5));
  });
  return matrix(N, D, data);
}

/** Rows turned by plane rotations of two columns each, and moved. */
function turned(x: Matrix, angle: number): Matrix {
  const data = Float64Array.from(x.data);
  for (let a = 0; a < D; a++) {
    for (let b = a + 1; b < D; b++) {
      const [cos, sin] = [Math.cos(angle * (a + 1)), Math.sin(angle * (a + 1))];
      for (let i = 0; i < N; i++) {
        const [u, v] = [data[i * D + a], data[i * D + b]];
        data[i * D + a] = cos * u - sin * v;
        data[i * D + b] = sin * u + cos * v;
      }
    }
  }
  return matrix(
    N,
    D,
    data.map((value, i) => value + (i % D)),
  );
}

const flat = (points: readonly (readonly [number, number])[]): number[] => points.flat();

describe('planeOfRun', () => {
  it('draws a step that is the last one turned, moved and shrunk exactly as the last one', () => {
    const last = ring(new Rng(1, 'plane'));
    const small = turned(last, 0.7);
    small.data.forEach((value, i) => (small.data[i] = value / 4));
    const { steps, share } = planeOfRun([
      { step: 64, rows: small },
      { step: 128, rows: last },
    ]);
    const [first, second] = steps.map(({ points }) => flat(points));
    first.forEach((value, i) => expect(value).toBeCloseTo(second[i], 4));
    expect(steps[0].size).toBeCloseTo(0.25, 6);
    expect(steps[1].size).toBe(1);
    expect(share).toBeGreaterThan(0.9);
  });

  it('has the distances that the last step has in its two widest directions, in units of its size', () => {
    const last = ring(new Rng(2, 'plane'));
    const [{ points }] = planeOfRun([{ step: 1, rows: last }]).steps;
    const total = points.flat().reduce((sum, value) => sum + value * value, 0);
    // what lies in the plane is its share of a configuration of norm 1
    expect(total).toBeCloseTo(planeOfRun([{ step: 1, rows: last }]).share, 3);
  });

  it('refuses a last step in which all numbers lie at one place', () => {
    expect(() => planeOfRun([{ step: 1, rows: matrix(3, 2, [1, 1, 1, 1, 1, 1]) }])).toThrow(
      /all rows are equal/,
    );
  });
});

describe('turnedTogether', () => {
  const plane = (seed: number) => planeOfRun([{ step: 1, rows: turned(ring(new Rng(seed, 'plane')), seed) }]);
  const distance = (
    a: readonly (readonly [number, number])[],
    b: readonly (readonly [number, number])[],
  ): number => a.reduce((sum, [x, y], i) => sum + (x - b[i][0]) ** 2 + (y - b[i][1]) ** 2, 0);

  it('turns or reflects each plane so that no turn of a fine grid lies nearer to the first', () => {
    const [first, second] = [plane(3), plane(4)];
    const [a, b] = turnedTogether([first, second]).map(({ steps }) => steps[0].points);
    expect(a).toEqual(first.steps[0].points);
    const best = distance(a, b);
    for (let k = 0; k < 720; k++) {
      const [cos, sin] = [Math.cos((k * Math.PI) / 360), Math.sin((k * Math.PI) / 360)];
      for (const sign of [1, -1]) {
        const other = second.steps[0].points.map(([x, y]): [number, number] => [
          cos * x - sin * sign * y,
          sin * x + cos * sign * y,
        ]);
        expect(distance(a, other)).toBeGreaterThan(best - 1e-6);
      }
    }
  });

  it('leaves the distances within a plane as they are', () => {
    const before = plane(5);
    const after = turnedTogether([plane(3), before])[1];
    const [p, q] = [before.steps[0].points, after.steps[0].points];
    for (let i = 1; i < N; i++) {
      const length = (points: typeof p): number =>
        Math.hypot(points[i][0] - points[0][0], points[i][1] - points[0][1]);
      expect(length(q)).toBeCloseTo(length(p), 3);
    }
  });
});
