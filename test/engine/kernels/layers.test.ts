/** LayerNorm, softmax, attention, cross-entropy, embeddings and sums one by one against plain float64. */
import { expect, it } from 'vitest';
import { Rng } from '../../../src/tensor/rng.js';
import { expectClose, expectSameBytes } from '../../helpers/close.js';
import { Gauge } from '../../helpers/tolerances.js';
import { type Bench, describeKernels } from './single.js';
import { attention, crossEntropy, layerNorm, softmax } from './plain.js';

function random(length: number, seed: number, spread = 1, centre = 0): Float32Array {
  const rng = new Rng(seed, 'test:layers');
  return Float32Array.from({ length }, () => centre + spread * rng.normal());
}

function normalized(
  bench: Bench,
  x: Float32Array,
  w: Float32Array,
  b: Float32Array,
  n: number,
): Float64Array {
  const C = w.length;
  const y = bench.zeros(n * bench.rowStride(C));
  bench.call(
    'layernorm_forward',
    y,
    undefined,
    undefined,
    bench.reals(bench.padRows(x, n, C)),
    bench.reals(bench.padRows(w, 1, C)),
    bench.reals(bench.padRows(b, 1, C)),
    n,
    C,
  );
  return bench.unpadRows(y.values, n, C);
}

function softmaxRow(bench: Bench, scores: ArrayLike<number>, scale = 1): Float64Array {
  const count = scores.length;
  const p = bench.reals(bench.padRows(scores, 1, count));
  bench.call('softmax_row', p, count, bench.padded(count), scale);
  expect(p.values.subarray(count).every((x) => x === 0)).toBe(true);
  return Float64Array.from(p.values.subarray(0, count));
}

function attend(
  bench: Bench,
  q: Float32Array,
  k: Float32Array,
  v: Float32Array,
  position: number[],
  HS: number,
) {
  const T = k.length / HS;
  const nq = position.length;
  const [p, z] = [bench.zeros(nq * bench.padded(T)), bench.zeros(nq * HS)];
  const scratch = bench.zeros((nq + HS) * bench.padded(T));
  const last = position.map((t) => t + 1);
  const [inQ, inK, inV] = [bench.reals(q), bench.reals(k), bench.reals(v)];
  const [at, end] = [bench.ints(position), bench.ints(last)];
  bench.call('attention_forward', p, z, inQ, inK, inV, HS, at, end, nq, T, HS, scratch);
  return { pattern: bench.unpadRows(p.values, nq, T, bench.padded(T)), z: Float64Array.from(z.values) };
}

function entropies(bench: Bench, logits: Float32Array, targets: number[], V: number, scale: number) {
  const n = targets.length;
  const rows = bench.reals(bench.padRows(logits, n, V));
  const [losses, d] = [bench.zeros(n), bench.zeros(n * bench.rowStride(V))];
  bench.call(
    'cross_entropy',
    losses,
    d,
    rows,
    bench.rowStride(V),
    bench.ints(targets),
    n,
    V,
    scale,
    bench.zeros(bench.padded(V)),
  );
  return { losses: losses.values, gradient: bench.unpadRows(d.values, n, V) };
}

await describeKernels('layers', 'float', (bench) => {
  const gauge = new Gauge('native');
  const WIDTHS = [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100];

  it.each(WIDTHS)('LayerNorm of width %d', (C) => {
    const [w, b] = [random(C, 1, 0.3, 1), random(C, 2)];
    for (const [spread, centre] of [
      [1, 0],
      [1e-4, 0],
      [1e4, 0],
      [1, 100],
    ]) {
      const x = random(5 * C, 3, spread, centre);
      const found = normalized(bench, x, w, b, 5);
      // a row far from 0 is known to float32 precision of its centre only, divided by its spread
      if (centre === 0) gauge.expect('kernels', found, layerNorm(x, w, b), `spread ${spread}`, [5, C]);
      else expectClose(found, layerNorm(x, w, b), { rtol: 1e-5, atol: 2e-4 }, 'far from 0', [5, C]);
    }
  });

  it('LayerNorm of equal values, zeros of both signs and huge gaps', () => {
    for (const C of [2, 5, 8, 17]) {
      const [w, b] = [random(C, 1, 0.3, 1), random(C, 2)];
      // powers of two: their sum over any C and the mean are exact but for C's division
      const rows = [0, -0, 1, -4, 1024].flatMap((value) => Array.from({ length: C }, () => value));
      const equal = normalized(bench, Float32Array.from(rows), w, b, 5);
      expectClose(equal, layerNorm(Float32Array.from(rows), w, b), { rtol: 0, atol: 1e-2 }, 'equal values');
      expectClose(equal.slice(0, 2 * C), [...b, ...b], { rtol: 0, atol: 0 }, 'zeros give the bias');
      const gaps = Float32Array.from({ length: C }, (_, j) => (j === 0 ? 1e15 : j * 1e-15));
      gauge.expect('kernels', normalized(bench, gaps, w, b, 1), layerNorm(gaps, w, b), 'huge gap');
    }
  });

  it('LayerNorm keeps NaN in its row', () => {
    const x = random(4 * 9, 1);
    x[2 * 9 + 8] = NaN;
    const found = normalized(bench, x, random(9, 1), random(9, 2), 4);
    found.forEach((y, i) => expect(Number.isNaN(y)).toBe(Math.floor(i / 9) === 2));
  });

  it.each([1, 2, 7, 8, 9, 15, 16, 17, 100, 4099])('softmax of %d scores', (count) => {
    for (const spread of [0.01, 1, 30]) {
      const scores = random(count, count, spread);
      const p = softmaxRow(bench, scores, 0.5);
      gauge.expect('kernels', p, softmax(scores.map((s) => s * 0.5)), `spread ${spread}`);
      expect(Math.abs(p.reduce((a, b) => a + b, 0) - 1)).toBeLessThan(2e-6);
    }
  });

  it('softmax of equal scores is uniform, of a huge gap one-hot, and of NaN is NaN', () => {
    for (const value of [0, -0, 3e38, -3e38, 1e-40]) {
      const p = softmaxRow(bench, new Float32Array(11).fill(value));
      expect(new Set(p).size).toBe(1);
      expect(p[0]).toBeCloseTo(1 / 11, 7);
    }
    expect([...softmaxRow(bench, [-3e38, 3e38, 0])]).toEqual([0, 1, 0]);
    expect([...softmaxRow(bench, [5, -Infinity, 5])]).toEqual([0.5, 0, 0.5]);
    for (let at = 0; at < 20; at++) {
      const scores = random(20, 1);
      scores[at] = NaN;
      expect(softmaxRow(bench, scores).every(Number.isNaN), `NaN at ${at}`).toBe(true);
    }
  });

  it.each([
    [1, 1],
    [5, 3],
    [9, 8],
    [17, 5],
    [33, 16],
    [1, 700],
  ])('attention over %d positions with heads of width %d', (T, HS) => {
    const [q, k, v] = [random(T * HS, 1), random(T * HS, 2), random(T * HS, 3)];
    const all = Array.from({ length: T }, (_, t) => t);
    const full = attend(bench, q, k, v, all, HS);
    const plain = attention(q, k, v, all, HS);
    gauge.expect('kernels', full.pattern, plain.pattern, 'pattern', [T, T]);
    gauge.expect('kernels', full.z, plain.z, 'z', [T, HS]);
    const some = all.filter((t) => t % 3 === 1 || t === T - 1);
    const ownQ = Float32Array.from(some.flatMap((t) => [...q.subarray(t * HS, (t + 1) * HS)]));
    const part = attend(bench, ownQ, k, v, some, HS);
    const expected = some.flatMap((t) => [...full.z.subarray(t * HS, (t + 1) * HS)]);
    expectSameBytes(part.z, Float64Array.from(expected), 'z of some queries');
  });

  it('attention of one query over a row of 5000', () => {
    const [T, HS] = [5000, 4];
    const [q, k, v] = [random(HS, 1), random(T * HS, 2), random(T * HS, 3)];
    const found = attend(bench, q, k, v, [T - 1], HS);
    const plain = attention(q, k, v, [T - 1], HS);
    gauge.expect('kernels', found.z, plain.z, 'z');
    gauge.expect('kernels', found.pattern, plain.pattern, 'pattern');
  });

  it.each([2, 3, 7, 8, 9, 45, 100])('cross-entropy over a vocabulary of %d', (V) => {
    const targets = [0, V - 1, 1, V >> 1];
    for (const spread of [0.01, 1, 10]) {
      const logits = random(4 * V, V, spread);
      const { losses, gradient } = entropies(bench, logits, targets, V, 0.25);
      const plain = crossEntropy(logits, targets, V, 0.25);
      gauge.expect('kernels', losses, plain.losses, 'losses');
      gauge.expect('kernels', gradient, plain.gradient, 'gradient', [4, V]);
      for (let i = 0; i < 4; i++) {
        expect(Math.abs(gradient.subarray(i * V, (i + 1) * V).reduce((a, b) => a + b, 0))).toBeLessThan(1e-6);
      }
    }
  });

  it('cross-entropy of equal logits is log V, of a sure answer 0, of a huge gap the gap', () => {
    const of = (logits: number[], target: number): number =>
      entropies(bench, Float32Array.from(logits), [target], logits.length, 1).losses[0];
    for (const V of [2, 10, 45]) expect(of(Array(V).fill(-7) as number[], 1)).toBeCloseTo(Math.log(V), 6);
    expect(of([200, 0, 0], 0)).toBe(0);
    expect(of([1e30, 0], 1)).toBe(Math.fround(1e30));
    expect(of([-0, -0], 0)).toBeCloseTo(Math.LN2, 7);
    expect(of([NaN, 0, 0], 1)).toBeNaN();
    expect(of([0, 0, NaN], 1)).toBeNaN();
    expect(of([Infinity, 0], 1)).toBeNaN();
  });

  it('embeddings are gathered as they are, and their gradient is added in order', () => {
    const C = 5;
    const table = random(7 * C, 1);
    const ids = [3, 0, 3, 6, 3];
    const out = bench.zeros(5 * bench.rowStride(C));
    bench.call('gather_embedding', out, bench.reals(table), bench.ints(ids), 5, C);
    const rows = ids.flatMap((id) => [...table.subarray(id * C, (id + 1) * C)]);
    expect([...bench.unpadRows(out.values, 5, C)]).toEqual(rows);
    const gradient = bench.reals(table);
    const d = random(5 * C, 2);
    bench.call('scatter_embedding', gradient, bench.reals(bench.padRows(d, 5, C)), bench.ints(ids), 5, C);
    const expected = table.slice();
    ids.forEach((id, i) => {
      for (let j = 0; j < C; j++) expected[id * C + j] += d[i * C + j];
    });
    expectSameBytes(Float32Array.from(gradient.values), expected, 'scattered');
  });

  it('column sums are added in the order of rows', () => {
    for (const [n, C] of [
      [1, 1],
      [9, 7],
      [33, 13],
      [4, 16],
    ]) {
      const x = random(n * C, 1);
      const sums = bench.reals(bench.padRows(random(C, 2), 1, C));
      const expected = Float32Array.from(sums.values);
      bench.call('column_sums', sums, bench.reals(bench.padRows(x, n, C)), bench.rowStride(C), n, C);
      for (let i = 0; i < n; i++) for (let j = 0; j < C; j++) expected[j] += x[i * C + j];
      expectSameBytes(Float32Array.from(sums.values.subarray(0, C)), expected.slice(0, C), `${n} x ${C}`);
    }
  });

  it('errors are not three times what is recorded', () => gauge.check());
});
