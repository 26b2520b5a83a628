/**
 * The operations of the model as TensorFlow.js operations, with gradients by its autodiff (rules: gradients.ts). Two
 * have a gradient of their own, with the reason beside them. Letters: N rows, C width.
 */
import { LAYER_NORM_EPS } from '../../model/gpt-config.js';
import { erfSlope } from './gradients.js';
import type { Tensor, TensorFlow } from './tensorflow.js';

/**
 * Rows of x in any order, as often as wanted. The gradient of tf.gather is UnsortedSegmentSum, which the wasm back end
 * does not have, and a product with a one-hot matrix would spread a NaN over all rows: so the rows are copied here.
 * @param x - [R, C]
 * @param index - [n] rows of x
 * @returns [n, C]
 */
export function gatherRows(tf: TensorFlow, x: Tensor, index: Int32Array): Tensor {
  const [nRows, width] = x.shape;
  return tf.customGrad((source) => ({
    value: tf.tensor(copyRows(source.dataSync(), index, width), [index.length, width]),
    gradFunc: (dy) => tf.tensor(addRows(dy.dataSync(), index, width, nRows), [nRows, width]),
  }))(x);
}

function copyRows(x: Float32Array, index: Int32Array, width: number): Float32Array {
  const out = new Float32Array(index.length * width);
  for (let i = 0; i < index.length; i++) {
    const from = index[i] * width;
    for (let c = 0; c < width; c++) out[i * width + c] = x[from + c];
  }
  return out;
}

/** Row i of dy is added to row index[i] of the result, in order. */
function addRows(dy: Float32Array, index: Int32Array, width: number, nRows: number): Float32Array {
  const out = new Float32Array(nRows * width);
  for (let i = 0; i < index.length; i++) {
    const to = index[i] * width;
    for (let c = 0; c < width; c++) out[to + c] += dy[i * width + c];
  }
  return out;
}

/** x [N, in] times the transpose of weight [out, in], plus bias [out]. */
export function linear(tf: TensorFlow, x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  // as in gradients.ts: plain products are the fast ones on wasm
  const product = tf.matMul(x, tf.transpose(weight));
  return bias === undefined ? product : tf.add(product, bias);
}

/** Over the last axis: (x - mean) / sqrt(variance + eps) * weight + bias. @param x - [N, C] */
export function layerNorm(tf: TensorFlow, x: Tensor, weight: Tensor, bias: Tensor | undefined): Tensor {
  // the mean's own rounding, divided by sqrt(eps) in a row of equal values, would show in the fifth digit: taken off again
  const rough = tf.sub(x, tf.mean(x, -1, true));
  const centred = tf.sub(rough, tf.mean(rough, -1, true));
  const variance = tf.mean(tf.mul(centred, centred), -1, true);
  const scaled = tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, LAYER_NORM_EPS))), weight);
  return bias === undefined ? scaled : tf.add(scaled, bias);
}

/** x Phi(x), exact form: 0.5 x (1 + erf(x / sqrt 2)). @param exactErf - the back end's own erf is good enough */
export function gelu(tf: TensorFlow, x: Tensor, exactErf: boolean): Tensor {
  const scaled = tf.mul(x, Math.SQRT1_2);
  const error = exactErf ? tf.erf(scaled) : erfOnHost(tf, scaled);
  return tf.mul(tf.mul(x, 0.5), tf.add(error, 1));
}

/**
 * erf by the series below, rounded once. The cpu back end's polynomial (Abramowitz and Stegun 7.1.26) is off by up to
 * 1.7e-7, five times the rounding of float32, and by 1.7e-5 of the value near 0; wasm and tensorflow are within 1 ULP.
 */
function erfOnHost(tf: TensorFlow, x: Tensor): Tensor {
  return tf.customGrad((input, save) => {
    save([input]);
    return {
      value: tf.tensor(Float32Array.from(input.dataSync(), erf), input.shape),
      gradFunc: (dy, [z]) => tf.mul(dy, erfSlope(tf, z)),
    };
  })(x);
}

/** 2 / sqrt(pi) e^(-x^2) sum over n of 2^n x^(2n+1) / (2n+1)!!, all terms of one sign; 1 - erf(4) is 1.5e-8. */
export function erf(x: number): number {
  if (!(Math.abs(x) < 4)) return Number.isNaN(x) ? NaN : Math.sign(x);
  const square = 2 * x * x;
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-10 * Math.abs(total); n++) {
    term *= square / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

/**
 * Cross-entropy of each row in nats: log sum exp(l - max) - (l[target] - max).
 * @param logits - [n, V]
 * @param targets - [n]
 * @returns [n, 1]
 */
export function crossEntropy(tf: TensorFlow, logits: Tensor, targets: Int32Array): Tensor {
  const [n, dVocab] = logits.shape;
  // the maximum cancels, so that no gradient goes through it
  const greatest = tf.tensor(tf.max(logits, -1, true).dataSync().slice(), [n, 1]);
  const shifted = tf.sub(logits, greatest);
  const logSum = tf.log(tf.sum(tf.exp(shifted), -1, true));
  const chosen = targets.map((target, i) => i * dVocab + target);
  return tf.sub(logSum, gatherRows(tf, tf.reshape(shifted, [n * dVocab, 1]), chosen));
}
