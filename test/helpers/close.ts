/** Comparison of arrays within atol + rtol |expected|, and of bytes. NaN and each infinity equal only themselves. */

export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

type Numbers = ArrayLike<number>;

export interface Closeness {
  /** greatest error as a fraction of its tolerance; above 1: not close */
  readonly worst: number;
  /** greatest absolute error among finite numbers */
  readonly largest: number;
  /** index of `worst` */
  readonly index: number;
}

/** Measures how far `actual` is from `expected`. Throws where lengths differ. */
export function closeness(actual: Numbers, expected: Numbers, { rtol, atol }: Tolerance): Closeness {
  if (actual.length !== expected.length) {
    throw new Error(`${actual.length} numbers, expected ${expected.length}.`);
  }
  let worst = 0;
  let largest = 0;
  let index = 0;
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i], expected[i]];
    if (Object.is(a, e) || a === e) continue;
    const error = Math.abs(a - e);
    const fraction = Number.isFinite(error) ? error / (atol + rtol * Math.abs(e)) : Infinity;
    if (Number.isFinite(error)) largest = Math.max(largest, error);
    if (fraction > worst) {
      worst = fraction;
      index = i;
    }
  }
  return { worst, largest, index };
}

/** @param shape - of the arrays, to name the place of an error; default: flat */
export function expectClose(
  actual: Numbers,
  expected: Numbers,
  tolerance: Tolerance,
  name: string,
  shape: readonly number[] = [],
): Closeness {
  const found = closeness(actual, expected, tolerance);
  if (!(found.worst <= 1)) {
    const place = indices(found.index, shape).join(', ');
    throw new Error(
      `${name} [${place}]: found ${actual[found.index]}, expected ${expected[found.index]}, ` +
        `error ${found.worst.toPrecision(3)} times the tolerance ${tolerance.atol} + ${tolerance.rtol} |expected|.`,
    );
  }
  return found;
}

function indices(flat: number, shape: readonly number[]): number[] {
  const place: number[] = [];
  let rest = flat;
  for (const size of shape.slice(1).toReversed()) {
    place.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  place.unshift(rest);
  return place;
}

/** Throws unless both hold the same bytes (so that -0 is not 0, and each NaN is itself). */
export function expectSameBytes(
  actual: Float32Array | Float64Array,
  expected: Float32Array | Float64Array,
  name: string,
): void {
  const bytes = (x: Float32Array | Float64Array): Uint8Array =>
    new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
  const [a, e] = [bytes(actual), bytes(expected)];
  if (a.length !== e.length)
    throw new Error(`${name}: ${actual.length} numbers, expected ${expected.length}.`);
  const at = a.findIndex((byte, i) => byte !== e[i]);
  if (at < 0) return;
  const i = Math.floor(at / actual.BYTES_PER_ELEMENT);
  throw new Error(`${name} [${i}]: found ${actual[i]}, expected the same bytes as ${expected[i]}.`);
}
