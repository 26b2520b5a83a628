/** The layers in float64, written as their definitions read. */
import { LAYER_NORM_EPS } from '../../../src/model/gpt-config.js';

type Numbers = ArrayLike<number>;

/** @param x - [n, C], w and b [C] */
export function layerNorm(x: Numbers, w: Numbers, b: Numbers): Float64Array {
  const C = w.length;
  const y = new Float64Array(x.length);
  for (let at = 0; at < x.length; at += C) {
    const row = Float64Array.from({ length: C }, (_, j) => x[at + j]);
    const mean = row.reduce((sum, value) => sum + value, 0) / C;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / C;
    row.forEach((value, j) => {
      y[at + j] = ((value - mean) / Math.sqrt(variance + LAYER_NORM_EPS)) * w[j] + b[j];
    });
  }
  return y;
}

export function softmax(scores: Numbers): Float64Array {
  const values = Float64Array.from(scores);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = values.map((value) => Math.exp(value - most));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

/** One head. q [nq, HS] at the given positions, k and v [T, HS]; pattern [nq, T], z [nq, HS] */
export function attention(
  q: Numbers,
  k: Numbers,
  v: Numbers,
  position: readonly number[],
  HS: number,
): { pattern: Float64Array; z: Float64Array } {
  const T = k.length / HS;
  const pattern = new Float64Array(position.length * T);
  const z = new Float64Array(position.length * HS);
  position.forEach((query, i) => {
    const scores = Float64Array.from({ length: query + 1 }, (_, t) => {
      let dot = 0;
      for (let c = 0; c < HS; c++) dot += q[i * HS + c] * k[t * HS + c];
      return dot / Math.sqrt(HS);
    });
    softmax(scores).forEach((p, t) => {
      pattern[i * T + t] = p;
      for (let c = 0; c < HS; c++) z[i * HS + c] += p * v[t * HS + c];
    });
  });
  return { pattern, z };
}

/** logits [n, V]; gradient: (softmax - one-hot) times scale */
export function crossEntropy(
  logits: Numbers,
  targets: readonly number[],
  V: number,
  scale: number,
): { losses: Float64Array; gradient: Float64Array } {
  const gradient = new Float64Array(targets.length * V);
  const losses = Float64Array.from(targets, (target, i) => {
    const row = Float64Array.from({ length: V }, (_, j) => logits[i * V + j]);
    const most = row.reduce((a, b) => Math.max(a, b), -Infinity);
    softmax(row).forEach((p, j) => (gradient[i * V + j] = (p - (j === target ? 1 : 0)) * scale));
    return most + Math.log(row.reduce((sum, x) => sum + Math.exp(x - most), 0)) - row[target];
  });
  return { losses, gradient };
}
