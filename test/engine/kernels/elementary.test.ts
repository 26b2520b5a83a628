/**
 * exp, log and the normal distribution of the float build over the whole range of float32, against Math in float64. The
 * greatest errors asserted are the measured ones, rounded up. No kernel has a tanh, and 1 / sqrt is the processor's.
 */
import { expect, it } from 'vitest';
import { expectClose } from '../../helpers/close.js';
import { type Bench, describeKernels, floatGrid, normalDistribution, ulps } from './single.js';

/** Applies a kernel of one input and one output; x is filled up to whole vectors. */
function apply(bench: Bench, name: 'vector_exp' | 'scalar_log', x: Float32Array): Float32Array {
  const input = bench.reals(new Float32Array(bench.padded(x.length)).fill(1));
  input.values.set(x);
  const out = bench.zeros(input.values.length);
  bench.call(name, out, input, input.values.length);
  return Float32Array.from(out.values).slice(0, x.length);
}

function normal(bench: Bench, x: Float32Array): { phi: Float32Array; density: Float32Array } {
  const input = bench.reals(new Float32Array(bench.padded(x.length)));
  input.values.set(x);
  const phi = bench.zeros(input.values.length);
  const density = bench.zeros(input.values.length);
  bench.call('vector_normal', phi, density, input, input.values.length);
  const cut = (all: ArrayLike<number>): Float32Array => Float32Array.from(all).slice(0, x.length);
  return { phi: cut(phi.values), density: cut(density.values) };
}

function linear(from: number, to: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));
}

function worst(x: Float32Array, found: Float32Array, error: (found: number, x: number) => number): number {
  let most = 0;
  x.forEach((value, i) => (most = Math.max(most, error(found[i], value))));
  if (process.env.MEASURE !== undefined) process.stderr.write(`measured: elementary ${most}\n`);
  return most;
}

await describeKernels('elementary functions', 'float', (bench) => {
  it('e^x for x <= 0 is within 1 ULP wherever it is a normal number', () => {
    const x = linear(-87.33, 0, 400_001);
    const small = floatGrid(64).filter((value) => value <= 0 && value > -87);
    const error = (found: number, value: number): number => ulps(found, Math.exp(value));
    expect(worst(x, apply(bench, 'vector_exp', x), error)).toBeLessThanOrEqual(1);
    expect(worst(small, apply(bench, 'vector_exp', small), error)).toBeLessThanOrEqual(1);
  });

  it('e^x of special values: 1 at both zeros, 0 beyond the range, NaN stays NaN', () => {
    const x = Float32Array.of(0, -0, -Infinity, NaN, -1e30, -87.4, -1e-45);
    const found = apply(bench, 'vector_exp', x);
    expect([...found]).toEqual([1, 1, 0, NaN, 0, 0, 1]);
  });

  it('log x is within 1 ULP over all normal numbers, and exact at 1', () => {
    const x = floatGrid(500).filter((value) => value > 0 && value < Infinity);
    const near = linear(0.5, 2, 100_001);
    const error = (found: number, value: number): number => ulps(found, Math.log(value));
    expect(worst(x, apply(bench, 'scalar_log', x), error)).toBeLessThanOrEqual(1);
    expect(worst(near, apply(bench, 'scalar_log', near), error)).toBeLessThanOrEqual(1);
    const special = apply(bench, 'scalar_log', Float32Array.of(1, NaN, Infinity));
    expect([...special]).toEqual([0, NaN, Infinity]);
  });

  it('the normal distribution is within 2.1e-7, and within 4.1e-6 relative in its lower tail', () => {
    const x = linear(-12, 12, 400_001);
    const { phi, density } = normal(bench, x);
    const absolute = (found: number, value: number): number => Math.abs(found - normalDistribution(value));
    expect(worst(x, phi, absolute)).toBeLessThan(2.1e-7);
    const relative = (found: number, value: number): number =>
      value < 0 ? Math.abs(found / normalDistribution(value) - 1) : 0;
    expect(worst(x, phi, relative)).toBeLessThan(4.1e-6);
    const exact = (found: number, value: number): number =>
      Math.abs(found / Math.exp(-0.5 * value * value) - 1);
    expect(worst(x, density, exact)).toBeLessThan(4.1e-6);
  });

  it('the normal distribution of special values, and over the whole range of floats', () => {
    const special = normal(bench, Float32Array.of(0, -0, Infinity, -Infinity, NaN));
    expectClose(special.phi, [0.5, 0.5, 1, 0, NaN], { rtol: 0, atol: 2.1e-7 }, 'phi');
    expect([...special.density]).toEqual([1, 1, 0, 0, NaN]);
    const x = floatGrid(16).filter((value) => !Number.isNaN(value));
    expectClose(
      normal(bench, x).phi,
      Float64Array.from(x, normalDistribution),
      { rtol: 0, atol: 2.1e-7 },
      'phi',
    );
  });

  it('gelu and its slope follow from it', () => {
    const x = linear(-10, 10, 100_000);
    const [post, slope] = [bench.zeros(x.length), bench.zeros(x.length)];
    bench.call('activation_forward', post, slope, bench.reals(x), 1, x.length, 0);
    const gelu = Float64Array.from(x, (value) => value * normalDistribution(value));
    const derivative = Float64Array.from(
      x,
      (value) =>
        normalDistribution(value) + (value * Math.exp(-0.5 * value * value)) / Math.sqrt(2 * Math.PI),
    );
    const found = [
      expectClose(post.values, gelu, { rtol: 1.3e-6, atol: 1e-6 }, 'gelu'),
      expectClose(slope.values, derivative, { rtol: 1.3e-6, atol: 1e-6 }, 'slope of gelu'),
    ];
    for (const { largest } of found) expect(largest).toBeLessThan(1e-6);
  });

  it('relu keeps NaN, gives 0 for negative numbers, and slope 1 only above 0', () => {
    const x = [0, -0, 1, -1, 1e38, -Infinity, Infinity, NaN];
    const [post, slope] = [bench.zeros(bench.padded(8)), bench.zeros(bench.padded(8))];
    bench.call('activation_forward', post, slope, bench.reals(bench.padRows(x, 1, 8)), 1, 8, 1);
    expect([...post.values.subarray(0, 8)].map((value) => value + 0)).toEqual(
      [0, 0, 1, 0, 1e38, 0, Infinity, NaN].map(Math.fround),
    );
    expect([...slope.values.subarray(0, 8)]).toEqual([0, 0, 1, 0, 1, 0, 1, 0]);
  });
});
