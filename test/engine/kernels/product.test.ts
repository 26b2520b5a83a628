/** The matrix product: sizes of 1, odd, and not multiples of a tile; every mode and layout; rows of limited length. */
import { expect, it } from 'vitest';
import { Rng } from '../../../src/tensor/rng.js';
import { expectClose, expectSameBytes } from '../../helpers/close.js';
import { TOLERANCES } from '../../helpers/tolerances.js';
import { type Bench, describeKernels, type Reals } from './single.js';

/** Modes of gemm.h. */
const MODES = ['store', 'accumulate', 'add', 'multiply'] as const;

interface Product {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly mode: (typeof MODES)[number];
  readonly transposed: boolean;
  readonly isPadded: boolean;
  readonly bias: boolean;
  /** row i sums over kFirst[i] <= k < kLast[i] */
  readonly kFirst?: readonly number[];
  readonly kLast?: readonly number[];
}

const SIZES = [
  [1, 1, 1],
  [1, 8, 3],
  [7, 1, 5],
  [5, 7, 3],
  [6, 16, 16],
  [6, 17, 9],
  [13, 24, 33],
  [4, 9, 1],
  [3, 40, 2],
  [31, 15, 64],
  [12, 33, 257],
] as const;

function random(length: number, seed: number): Float32Array {
  const rng = new Rng(seed, 'test:product');
  return Float32Array.from({ length }, () => rng.normal());
}

/** The kernel's answer as it lies in memory and without padding, and the plain one, [m, n]. */
interface Answer {
  readonly found: Float64Array;
  readonly expected: Float64Array;
  readonly raw: Reals;
}

function run(
  bench: Bench,
  p: Product,
  a: Float32Array,
  b: Float32Array,
  c: Float32Array,
  bias: Float32Array,
): Answer {
  const { m, n, k, mode, transposed } = p;
  const inA = (i: number, x: number): number => a[transposed ? x * m + i : i * k + x];
  const expected = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let x = p.kFirst?.[i] ?? 0; x < (p.kLast?.[i] ?? k); x++) sum += inA(i, x) * b[x * n + j];
      const start = c[i * n + j];
      const product = sum + (p.bias && mode !== 'accumulate' ? bias[j] : 0);
      expected[i * n + j] =
        mode === 'store' ? product : mode === 'multiply' ? start * product : start + product;
    }
  }
  const packed = bench.zeros(k * bench.padded(n));
  bench.call('pack_rows', packed, bench.reals(b), k, n, n);
  const out = bench.reals(p.isPadded ? bench.padRows(c, m, n) : c);
  const biasBlock = new Float32Array(bench.padded(n));
  if (p.bias) biasBlock.set(bias);
  bench.call(
    'matrix_product',
    out,
    bench.reals(a),
    bench.reals(packed.values),
    p.bias ? bench.reals(biasBlock) : undefined,
    m,
    n,
    k,
    Number(transposed),
    Number(p.isPadded),
    MODES.indexOf(mode),
    p.kFirst === undefined ? undefined : bench.ints(p.kFirst),
    p.kLast === undefined ? undefined : bench.ints(p.kLast),
  );
  const found = p.isPadded ? bench.unpadRows(out.values, m, n) : Float64Array.from(out.values);
  return { found, expected, raw: out.values };
}

for (const real of ['float', 'double'] as const) {
  await describeKernels('matrix product', real, (bench) => {
    const tolerance = real === 'float' ? TOLERANCES.kernels : { rtol: 1e-13, atol: 1e-13 };

    it.each(SIZES)('%d x %d over %d: every mode and layout', (m, n, k) => {
      const a = random(m * k, 1);
      // outputs of about 1, as a model's weights give
      const b = random(k * n, 2).map((x) => x / Math.sqrt(k));
      const c = random(m * n, 3);
      const bias = random(n, 4);
      for (const mode of MODES) {
        for (const transposed of [false, true]) {
          for (const isPadded of [false, true]) {
            for (const withBias of mode === 'accumulate' ? [false] : [false, true]) {
              const p: Product = { m, n, k, mode, transposed, isPadded, bias: withBias };
              const { found, expected, raw } = run(bench, p, a, b, c, bias);
              expectClose(found, expected, tolerance, JSON.stringify(p), [m, n]);
              if (!isPadded || withBias) continue;
              const padding = bench.padRows(new Float32Array(m * n).fill(1), m, n);
              expect(
                raw.every((x, i) => padding[i] === 1 || x === 0),
                'padding stays 0',
              ).toBe(true);
            }
          }
        }
      }
    });

    it('a causal matrix: rows that end at the diagonal, and columns that begin there', () => {
      for (const T of [1, 5, 6, 7, 13, 40]) {
        const b = random(T * 9, 6);
        const c = random(T * 9, 7);
        const lower = random(T * T, 5).map((x, at) => (at % T <= Math.floor(at / T) ? x : 0));
        const steps = Array.from({ length: T }, (_, i) => i);
        const shape = { m: T, n: 9, k: T, mode: 'store', isPadded: false, bias: false } as const;
        const kLast = steps.map((i) => i + 1);
        const rows = run(bench, { ...shape, transposed: false, kLast }, lower, b, c, c);
        expectClose(rows.found, rows.expected, tolerance, 'rows');
        const columns = run(bench, { ...shape, transposed: true, kFirst: steps }, lower, b, c, c);
        expectClose(columns.found, columns.expected, tolerance, 'columns');
      }
    });

    it('a row has the same bytes alone as among others, and k in two pieces as in one', () => {
      const [m, n, k] = [13, 17, 21];
      const [a, b, c] = [random(m * k, 1), random(k * n, 2), new Float32Array(m * n)];
      const shape = { n, transposed: false, isPadded: false, bias: false } as const;
      const whole = run(bench, { ...shape, m, k, mode: 'store' }, a, b, c, c).raw;
      for (let i = 0; i < m; i++) {
        const one = run(
          bench,
          { ...shape, m: 1, k, mode: 'store' },
          a.slice(i * k, (i + 1) * k),
          b,
          c.slice(0, n),
          c,
        );
        expectSameBytes(one.raw, whole.slice(i * n, (i + 1) * n), `row ${i}`);
      }
      const part = (from: number, to: number, start: Reals): Reals => {
        const columns = Float32Array.from({ length: m * (to - from) }, (_, at) => {
          const width = to - from;
          return a[Math.floor(at / width) * k + from + (at % width)];
        });
        const piece = { ...shape, m, k: to - from, mode: 'accumulate' } as const;
        return run(bench, piece, columns, b.slice(from * n, to * n), Float32Array.from(start), c).raw;
      };
      // in float64 the numbers in between would be rounded to float32 by this test
      if (real === 'float') expectSameBytes(part(8, k, part(0, 8, c)), whole, 'two pieces');
    });

    it('packing by rows and by transposed rows gives the same panels', () => {
      for (const [n, k] of [
        [1, 1],
        [9, 3],
        [16, 5],
        [23, 7],
      ]) {
        const w = random(n * k, 8);
        const across = Float32Array.from({ length: n * k }, (_, at) => w[(at % n) * k + Math.floor(at / n)]);
        const [a, b] = [bench.zeros(k * bench.padded(n)), bench.zeros(k * bench.padded(n))];
        bench.call('pack_transposed', a, bench.reals(w), n, k);
        bench.call('pack_rows', b, bench.reals(across), k, n, n);
        expectSameBytes(a.values, b.values, `${n} x ${k}`);
      }
    });

    it('NaN and Infinity reach their own row and column only', () => {
      const [m, n, k] = [9, 10, 6];
      const a = random(m * k, 1);
      a[3 * k + 2] = NaN;
      a[7 * k] = Infinity;
      const p: Product = { m, n, k, mode: 'store', transposed: false, isPadded: true, bias: false };
      const { found, expected } = run(bench, p, a, random(k * n, 2), new Float32Array(m * n), a);
      expectClose(found, expected, tolerance, 'product', [m, n]);
      expect(found.filter((x) => Number.isNaN(x)).length).toBe(n);
    });
  });
}
