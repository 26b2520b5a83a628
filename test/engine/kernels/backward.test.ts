/**
 * Every backward kernel against central differences of its forward kernel, both compiled in float64: eps 1e-6,
 * three directions for each input.
 */
import { expect, it } from 'vitest';
import { Rng } from '../../../src/tensor/rng.js';
import { Gauge } from '../../helpers/tolerances.js';
import { describeKernels } from './single.js';

const EPS = 1e-6;

function random(length: number, seed: number, centre = 0): Float64Array {
  const rng = new Rng(seed, 'test:backward');
  return Float64Array.from({ length }, () => centre + rng.normal());
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += a[i] * b[i];
  return sum;
}

await describeKernels('backward kernels', 'double', (bench) => {
  const gauge = new Gauge('double');

  /** Compares gradient . u with the difference of f along u, for three directions u. */
  function check(
    name: string,
    f: (x: Float64Array) => number,
    x: Float64Array,
    gradient: ArrayLike<number>,
  ): void {
    expect(gradient.length).toBe(x.length);
    for (let index = 0; index < 3; index++) {
      const u = random(x.length, 1000 + index);
      const at = (scale: number): number => f(x.map((value, i) => value + scale * u[i]));
      gauge.expect(
        'finite differences',
        [dot(gradient, u)],
        [(at(EPS) - at(-EPS)) / (2 * EPS)],
        `${name}, direction ${index}`,
      );
    }
  }

  it.each([1, 2, 5, 8, 13, 16, 33])('LayerNorm of width %d: input, weight and bias', (C) => {
    const n = 4;
    const [x, w, b, dy] = [random(n * C, 1), random(C, 2, 1), random(C, 3), random(n * C, 4)];
    const forward = (inX: Float64Array, inW: Float64Array, inB: Float64Array) => {
      const [y, xhat, rstd] = [
        bench.zeros(n * bench.rowStride(C)),
        bench.zeros(n * bench.rowStride(C)),
        bench.zeros(n),
      ];
      const [bx, bw, bb] = [bench.padRows(inX, n, C), bench.padRows(inW, 1, C), bench.padRows(inB, 1, C)].map(
        (all) => bench.reals(all),
      );
      bench.call('layernorm_forward', y, xhat, rstd, bx, bw, bb, n, C);
      return { y: bench.unpadRows(y.values, n, C), xhat: xhat.values, rstd: rstd.values };
    };
    const { xhat, rstd } = forward(x, w, b);
    const dx = bench.zeros(n * bench.rowStride(C));
    const [inDy, inXhat, inRstd] = [bench.padRows(dy, n, C), xhat, rstd].map((all) => bench.reals(all));
    bench.call(
      'layernorm_backward',
      dx,
      undefined,
      inDy,
      inXhat,
      inRstd,
      bench.reals(bench.padRows(w, 1, C)),
      n,
      C,
    );
    check('x', (changed) => dot(forward(changed, w, b).y, dy), x, bench.unpadRows(dx.values, n, C));

    const residual = bench.padRows(random(n * C, 5), n, C);
    const added = bench.zeros(n * bench.rowStride(C));
    const [again, hat, root] = [bench.padRows(dy, n, C), xhat, rstd].map((all) => bench.reals(all));
    const scale = bench.reals(bench.padRows(w, 1, C));
    bench.call('layernorm_backward', added, bench.reals(residual), again, hat, root, scale, n, C);
    added.values.forEach((value, i) => expect(value).toBe(residual[i] + dx.values[i]));

    const [dw, db] = [bench.zeros(bench.padded(C)), bench.zeros(bench.padded(C))];
    const [d, h] = [bench.padRows(dy, n, C), xhat].map((all) => bench.reals(all));
    bench.call('layernorm_parameters', dw, db, d, h, n, C);
    check('w', (changed) => dot(forward(x, changed, b).y, dy), w, bench.unpadRows(dw.values, 1, C));
    check('b', (changed) => dot(forward(x, w, changed).y, dy), b, bench.unpadRows(db.values, 1, C));
  });

  it.each([
    ['gelu', 0],
    ['relu', 1],
  ])('%s: the slope', (_, relu) => {
    const x = random(64, 6);
    const dy = random(64, 7);
    const post = (inX: Float64Array) => {
      const [y, slope] = [bench.zeros(bench.rowStride(64)), bench.zeros(bench.rowStride(64))];
      bench.call('activation_forward', y, slope, bench.reals(inX), 1, 64, relu);
      return { y: y.values.subarray(0, 64), slope: slope.values.subarray(0, 64) };
    };
    const gradient = Float64Array.from(post(x).slope, (slope, i) => slope * dy[i]);
    check('pre', (changed) => dot(post(changed).y, dy), x, gradient);
  });

  it.each([
    [1, 1, 1],
    [5, 3, 1],
    [9, 8, 1],
    [17, 5, 3],
    [20, 7, 2],
    [33, 16, 5],
  ])('attention over %d positions, heads of width %d, every %d-th a query: q, k and v', (T, HS, every) => {
    const position = Array.from({ length: T }, (_, t) => t).filter(
      (t) => t % every === every - 1 || t === T - 1,
    );
    const nq = position.length;
    const last = position.map((t) => t + 1);
    const first = Array.from({ length: T }, (_, t) => position.findIndex((query) => query >= t));
    const [q, k, v, dz] = [random(nq * HS, 1), random(T * HS, 2), random(T * HS, 3), random(nq * HS, 4)];
    const scratch = () => bench.zeros((nq + HS) * bench.padded(T) + 16);
    const forward = (inQ: Float64Array, inK: Float64Array, inV: Float64Array) => {
      const [p, z] = [bench.zeros(nq * bench.padded(T)), bench.zeros(nq * HS)];
      const [bq, bk, bv] = [inQ, inK, inV].map((all) => bench.reals(all));
      const [at, end] = [bench.ints(position), bench.ints(last)];
      bench.call('attention_forward', p, z, bq, bk, bv, HS, at, end, nq, T, HS, scratch());
      return { p: p.values, z: z.values };
    };
    const { p } = forward(q, k, v);
    const [dq, dk, dv] = [bench.zeros(nq * HS), bench.zeros(T * HS), bench.zeros(T * HS)];
    const [bdz, bq, bk, bv, bp] = [dz, q, k, v, p].map((all) => bench.reals(all));
    const [at, end, begin] = [position, last, first].map((all) => bench.ints(all));
    bench.call(
      'attention_gradient',
      ...[bdz, bq, bk, bv, dq, dk, dv, HS, bp, at, end, begin, nq, T, HS, scratch()],
    );
    check('q', (changed) => dot(forward(changed, k, v).z, dz), q, dq.values);
    check('k', (changed) => dot(forward(q, changed, v).z, dz), k, dk.values);
    check('v', (changed) => dot(forward(q, k, changed).z, dz), v, dv.values);
  });

  it.each([2, 3, 8, 13, 45])('cross-entropy over a vocabulary of %d: logits', (V) => {
    const targets = [0, V - 1, V >> 1];
    const logits = random(3 * V, 1).map((x) => 2 * x);
    const losses = (inLogits: Float64Array, d?: ReturnType<typeof bench.zeros>) => {
      const out = bench.zeros(3);
      const rows = bench.reals(bench.padRows(inLogits, 3, V));
      const scratch = bench.zeros(bench.padded(V));
      bench.call('cross_entropy', out, d, rows, bench.rowStride(V), bench.ints(targets), 3, V, 0.7, scratch);
      return out.values;
    };
    const d = bench.zeros(3 * bench.rowStride(V));
    losses(logits, d);
    const total = (changed: Float64Array): number => 0.7 * dot(losses(changed), [1, 1, 1]);
    check('logits', total, logits, bench.unpadRows(d.values, 3, V));
  });

  it('errors are not three times what is recorded', () => gauge.check());
});
