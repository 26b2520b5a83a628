import { describe, expect, it } from 'vitest';
import {
  addToSketch,
  SKETCH_SIZE,
  sketchDistance,
  sketchSeed,
} from '../../../src/workflows/verify/count-sketch.js';
import { Rng } from '../../../src/tensor/rng.js';

const vector = (seed: number, n: number): Float32Array => {
  const rng = new Rng(seed, 'test:count-sketch');
  return Float32Array.from({ length: n }, () => rng.normal());
};

function sketchOf(parts: Readonly<Record<string, Float32Array>>): Float64Array {
  const sketch = new Float64Array(SKETCH_SIZE);
  for (const [name, values] of Object.entries(parts)) addToSketch(sketch, values, sketchSeed(name));
  return sketch;
}

const exact = (a: Float32Array, b: Float32Array): number =>
  Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]) ** 2, 0));

describe('a sketch', () => {
  it.each([10, 1000, 50_000])('keeps distances of vectors of %i numbers within four deviations', (n) => {
    for (let seed = 0; seed < (n > 1000 ? 4 : 20); seed++) {
      const [a, b] = [vector(seed, n), vector(seed + 100, n)];
      const found = sketchDistance(sketchOf({ w: a }), sketchOf({ w: b }));
      // a squared distance deviates by sqrt(2 / 1024) = 4.4 %
      expect(Math.abs((found / exact(a, b)) ** 2 - 1)).toBeLessThan(4 * Math.sqrt(2 / SKETCH_SIZE));
    }
  });

  it('keeps the distance of vectors that differ in one number exactly, and is 0 for equal ones', () => {
    const a = vector(1, 3000);
    const b = a.slice();
    b[1234] += 2;
    expect(sketchDistance(sketchOf({ w: a }), sketchOf({ w: b }))).toBeCloseTo(2, 5);
    expect(sketchDistance(sketchOf({ w: a }), sketchOf({ w: a.slice() }))).toBe(0);
  });

  it('tells the same numbers apart under another name, or in another order', () => {
    const [a, b] = [vector(1, 3000), vector(2, 3000)];
    const [here, there] = [sketchOf({ u: a, v: b }), sketchOf({ u: b, v: a })];
    expect(Math.abs(sketchDistance(here, there) / (Math.SQRT2 * exact(a, b)) - 1)).toBeLessThan(0.1);
  });
});
