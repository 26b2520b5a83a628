/**
 * What an ablated activation is replaced by: the mean over the other prompts of its template, a donor's value, or its own
 * value moved in a random direction by an equal norm. Pure; all sequences of a template have one length, so that an
 * activation is a matrix [P, W], a prompt a row. Running the model is template-run.ts.
 */
import type { Rng } from '../tensor/rng.js';
import { assertLength } from '../tensor/shape.js';

/** Fewer prompts than this give no mean: one prompt would weigh too much. */
export const MIN_PROMPTS_FOR_MEAN = 64;

/**
 * Mean over the other prompts, for every prompt: (sum - x_i) / (P - 1), sums in float64.
 * @param x - [P, W] float32, row-major, P >= 2; not changed
 * @returns [P, W] float32
 */
export function leaveOneOutMean(x: Float32Array, nPrompts: number): Float32Array {
  if (nPrompts < 2) throw new RangeError(`leaveOneOutMean: found ${nPrompts} prompts, expected at least 2.`);
  const width = x.length / nPrompts;
  const total = columnSums(x, nPrompts);
  const out = new Float32Array(x.length);
  for (let p = 0; p < nPrompts; p++) {
    for (let w = 0; w < width; w++) {
      const at = p * width + w;
      out[at] = (total[w] - x[at]) / (nPrompts - 1);
    }
  }
  return out;
}

/**
 * Every prompt takes its donor's row.
 * @param x - [P, W]; @param donor - [P]
 * @returns [P, W]
 */
export function donorRows(x: Float32Array, donor: Int32Array): Float32Array {
  const width = x.length / donor.length;
  const out = new Float32Array(x.length);
  donor.forEach((from, p) => {
    out.set(x.subarray(from * width, (from + 1) * width), p * width);
  });
  return out;
}

/** Isotropic unit vectors, drawn once and picked from: drawing one for every site would cost more than the model. */
export function unitDirections(count: number, width: number, rng: Rng): Float32Array {
  const out = new Float32Array(count * width);
  for (let i = 0; i < count; i++) {
    const row = Float64Array.from({ length: width }, () => rng.normal());
    const norm = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0));
    for (let w = 0; w < width; w++) out[i * width + w] = row[w] / norm;
  }
  return out;
}

/**
 * Random vectors as long as (r - x), one for every group of `width` neighbouring columns (a row of the residual stream, or
 * one head's part of it).
 * @param x - [N, width] clean values; @param r - [N, width] their replacements
 * @param directions - [K, width] unit vectors
 * @returns [N, width], to be added to x
 */
export function randomOfEqualNorm(
  x: Float32Array,
  r: Float32Array,
  width: number,
  directions: Float32Array,
  rng: Rng,
): Float32Array {
  assertLength(r, x.length, 'r [N, width]');
  const nDirections = directions.length / width;
  const out = new Float32Array(x.length);
  for (let start = 0; start < x.length; start += width) {
    let squares = 0;
    for (let w = 0; w < width; w++) squares += (r[start + w] - x[start + w]) ** 2;
    const norm = Math.sqrt(squares);
    const direction = rng.below(nDirections) * width;
    for (let w = 0; w < width; w++) out[start + w] = norm * directions[direction + w];
  }
  return out;
}

/** Column sums [W] of x [P, W], float64. */
function columnSums(x: Float32Array, nPrompts: number): Float64Array {
  const width = x.length / nPrompts;
  const total = new Float64Array(width);
  for (let p = 0; p < nPrompts; p++) for (let w = 0; w < width; w++) total[w] += x[p * width + w];
  return total;
}
