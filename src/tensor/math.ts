/**
 * Elementary functions from +, -, *, / alone. ECMAScript leaves the last bits of Math.log, exp and cos to the host, so
 * anything that reaches initial weights, data or a published number uses these. Accuracy against a 50-digit reference is
 * in test/tensor/math.test.ts.
 */

const LN2_HIGH = 6.9314718036912381649e-1;
const LN2_LOW = 1.90821492927058770002e-10;
const scratch = new DataView(new ArrayBuffer(8));

/** Natural logarithm; x > 0 finite. The atanh series in s = (m - 1) / (m + 1), m in [sqrt(1/2), sqrt 2). */
export function logDeterministic(x: number): number {
  if (Number.isNaN(x) || x < 0) return NaN;
  if (x === 0) return -Infinity;
  if (x === Infinity) return Infinity;
  let exponent = 0;
  let m = x;
  if (m < 2.2250738585072014e-308) {
    m *= 18014398509481984; // 2^54, out of the subnormals
    exponent -= 54;
  }
  scratch.setFloat64(0, m);
  exponent += ((scratch.getUint16(0) >>> 4) & 0x7ff) - 1023;
  scratch.setUint16(0, (scratch.getUint16(0) & 0x800f) | 0x3ff0);
  m = scratch.getFloat64(0);
  if (m > Math.SQRT2) {
    m /= 2;
    exponent++;
  }
  const f = m - 1;
  const s = f / (2 + f);
  const z = s * s;
  let series = 0;
  for (let k = 23; k >= 3; k -= 2) series = series * z + 1 / k;
  // log m = 2 s (1 + z/3 + z^2/5 + ...), and 2 s = f - f s exactly in real numbers, which keeps the leading bits
  return exponent * LN2_HIGH + (f - (s * f - (2 * s * z * series + exponent * LN2_LOW)));
}

/** e^x: x = k ln 2 + r, a Taylor series of degree 13 in r, |r| <= ln 2 / 2. */
export function expDeterministic(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (x > 709.782712893384) return Infinity;
  if (x < -745.1332191019412) return 0;
  const k = Math.round(x / Math.LN2);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = 0;
  for (let i = 13; i >= 1; i--) sum = ((sum + 1) * r) / i;
  const half = Math.trunc(k / 2);
  return (1 + sum) * powerOfTwo(half) * powerOfTwo(k - half);
}

/** 2^k for k in the normal range. */
function powerOfTwo(k: number): number {
  scratch.setUint32(0, (k + 1023) << 20);
  scratch.setUint32(4, 0);
  return scratch.getFloat64(0);
}

/** cos x for |x| up to about 1e5 (angles of this project are below 2 pi n): reduced to [-pi/4, pi/4]. */
export function cosDeterministic(x: number): number {
  const { quadrant, r, rest } = reduceAngle(x);
  switch (quadrant) {
    case 0:
      return cosSeries(r, rest);
    case 1:
      return -sinSeries(r, rest);
    case 2:
      return -cosSeries(r, rest);
    default:
      return sinSeries(r, rest);
  }
}

/** sin x, same range as cosDeterministic. */
export function sinDeterministic(x: number): number {
  const { quadrant, r, rest } = reduceAngle(x);
  switch (quadrant) {
    case 0:
      return sinSeries(r, rest);
    case 1:
      return cosSeries(r, rest);
    case 2:
      return -sinSeries(r, rest);
    default:
      return -cosSeries(r, rest);
  }
}

// pi/2 in three pieces of at most 33 bits, so that k * piece is exact for |k| < 2^20 (Cody and Waite)
const PIO2_1 = 1.57079632673412561417;
const PIO2_2 = 6.0771005063039659766e-11;
const PIO2_3 = 2.02226624879595063154e-21;

function reduceAngle(x: number): { quadrant: number; r: number; rest: number } {
  const k = Math.round(x / (Math.PI / 2));
  const first = x - k * PIO2_1;
  const second = k * PIO2_2;
  const high = first - second;
  const low = first - high - second - k * PIO2_3;
  const r = high + low;
  return { quadrant: ((k % 4) + 4) % 4, r, rest: high - r + low };
}

function sinSeries(r: number, rest: number): number {
  const z = r * r;
  let sum = 0;
  for (let i = 17; i >= 3; i -= 2) sum = ((1 + sum) * -z) / (i * (i - 1));
  return r + (r * sum + rest * (1 - z / 2));
}

function cosSeries(r: number, rest: number): number {
  const z = r * r;
  let sum = 0;
  for (let i = 18; i >= 4; i -= 2) sum = ((1 + sum) * -z) / (i * (i - 1));
  // 1 - z/2 rounded, plus what the rounding lost
  const half = z / 2;
  const head = 1 - half;
  return head + (1 - head - half - half * sum - r * rest);
}

/** Place of the greatest of `count` values from `start` on, 0 for the first; the first of equals. NaN never wins. */
export function argmax(values: ArrayLike<number>, start: number, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i++) if (values[start + i] > values[start + best]) best = i;
  return best;
}
