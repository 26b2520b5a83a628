/** What correlations are made of: the standardised sample, whose products with another are Pearson's, and ranks for Spearman's. */
import { RunError } from '../../errors.js';
import { mean, type NumberArray } from '../../tensor/sum.js';

/** @returns x minus its mean, scaled to length 1; throws RunError when all values are equal */
export function standardised(x: NumberArray, what: string): Float64Array {
  const centre = mean(x);
  const out = Float64Array.from(x, (value) => value - centre);
  let squares = 0;
  for (const value of out) squares += value * value;
  // rounding of the mean leaves residues of about eps |mean|
  if (squares <= (4 * Number.EPSILON * Math.abs(centre)) ** 2 * x.length) {
    throw new RunError(`${what}: all ${x.length} values are equal, so a correlation is not defined.`);
  }
  const scale = 1 / Math.sqrt(squares);
  for (let i = 0; i < out.length; i++) out[i] *= scale;
  return out;
}

/** @returns ranks from 1, ties averaged */
export function ranks(values: NumberArray): Float64Array {
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => values[a] - values[b]);
  const out = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end]] === values[order[start]]) end++;
    for (let i = start; i < end; i++) out[order[i]] = (start + 1 + end) / 2;
    start = end;
  }
  return out;
}
