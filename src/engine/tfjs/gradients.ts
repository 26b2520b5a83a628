/**
 * Gradients of the TensorFlow.js operations that the model is made of, one rule each. The tape is TensorFlow.js's; its own
 * rules are in files of @tensorflow/tfjs-core that only a bundler can load, so that in Node the package alone has none.
 */
import type { GradientRule, Tensor, TensorFlow } from './tensorflow.js';

/** Makes the rules below those in force; tfjs-node, where it has been loaded, has brought others. */
export function registerGradients(tf: TensorFlow): void {
  for (const rule of gradientRules(tf)) tf.registerGradient(rule);
}

const rulesOf = new WeakMap<TensorFlow, readonly GradientRule[]>();

function gradientRules(tf: TensorFlow): readonly GradientRule[] {
  const known = rulesOf.get(tf);
  if (known !== undefined) return known;
  const rules = createRules(tf);
  rulesOf.set(tf, rules);
  return rules;
}

/** y = op(a, b) below; the comment above a rule is its forward line */
function createRules(tf: TensorFlow): readonly GradientRule[] {
  const one = (
    kernelName: string,
    saves: Pick<GradientRule, 'inputsToSave' | 'outputsToSave'>,
    gradient: (dy: Tensor, saved: Tensor, attributes: Readonly<Record<string, unknown>>) => Tensor,
  ): GradientRule => ({
    kernelName,
    ...saves,
    gradFunc: (dy, [saved], attributes) => ({ x: () => gradient(single(dy), saved, attributes) }),
  });
  const INPUT = { inputsToSave: ['x'] };
  const OUTPUT = { outputsToSave: [true] };
  const pair = (
    kernelName: string,
    gradient: (dy: Tensor, a: Tensor, b: Tensor) => { readonly a: () => Tensor; readonly b: () => Tensor },
  ): GradientRule => ({
    kernelName,
    inputsToSave: ['a', 'b'],
    gradFunc: (dy, [a, b]) => {
      const found = gradient(single(dy), a, b);
      return { a: () => sumTo(tf, found.a(), a.shape), b: () => sumTo(tf, found.b(), b.shape) };
    },
  });
  const spread = (dy: Tensor, x: Tensor, axes: readonly number[]): Tensor => {
    const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    return tf.add(tf.reshape(dy, kept), tf.zeros(x.shape));
  };
  return [
    // y = a + b
    pair('Add', (dy) => ({ a: () => dy, b: () => dy })),
    // y = a - b
    pair('Sub', (dy) => ({ a: () => dy, b: () => tf.mul(dy, -1) })),
    // y = a b
    pair('Multiply', (dy, a, b) => ({ a: () => tf.mul(dy, b), b: () => tf.mul(dy, a) })),
    {
      // y = a b or y = a b^T, matrices or stacks of them
      kernelName: 'BatchMatMul',
      inputsToSave: ['a', 'b'],
      gradFunc: (dys, [a, b], { transposeB }) => {
        const dy = single(dys);
        // the wasm back end multiplies two plain matrices twice as fast as with a flag
        if (a.shape.length === 2) {
          return {
            a: () => tf.matMul(dy, tf.transpose(b)),
            b: () => tf.matMul(tf.transpose(a), dy),
          };
        }
        return transposeB === true
          ? { a: () => tf.matMul(dy, b), b: () => tf.matMul(dy, a, true, false) }
          : { a: () => tf.matMul(dy, b, false, true), b: () => tf.matMul(a, dy, true, false) };
      },
    },
    // y = x^T
    one('Transpose', {}, (dy) => tf.transpose(dy)),
    // y = x: tf.where clones what needs no broadcasting
    one('Identity', {}, (dy) => dy),
    one('Reshape', INPUT, (dy, x) => tf.reshape(dy, x.shape)),
    {
      // along the first axis; inputs are named by their number
      kernelName: 'Concat',
      saveAllInputs: true,
      gradFunc: (dy, inputs) => {
        const parts = tf.split(
          single(dy),
          inputs.map((input) => input.shape[0]),
          0,
        );
        return Object.fromEntries(parts.map((part, i) => [i, () => part]));
      },
    },
    {
      kernelName: 'SplitV',
      gradFunc: (dy, _, { axis }) => ({
        x: () => (Array.isArray(dy) ? tf.concat(dy as readonly Tensor[], Number(axis)) : single(dy)),
      }),
    },
    {
      // y = condition ? t : e
      kernelName: 'Select',
      inputsToSave: ['condition'],
      gradFunc: (dys, [condition]) => {
        const dy = single(dys);
        return {
          t: () => tf.where(condition, dy, tf.zeros(dy.shape)),
          e: () => tf.where(condition, tf.zeros(dy.shape), dy),
        };
      },
    },
    // y = e^x
    one('Exp', OUTPUT, (dy, y) => tf.mul(dy, y)),
    // y = log x
    one('Log', INPUT, (dy, x) => tf.div(dy, x)),
    // y = erf x, dy/dx = 2 / sqrt(pi) e^(-x^2)
    one('Erf', INPUT, (dy, x) => tf.mul(dy, erfSlope(tf, x))),
    // y = x^(-1/2), dy/dx = -y^3 / 2
    one('Rsqrt', OUTPUT, (dy, y) => tf.mul(dy, tf.mul(tf.mul(y, tf.mul(y, y)), -0.5))),
    // y = max(0, x)
    one('Relu', INPUT, (dy, x) => tf.where(tf.greater(x, 0), dy, tf.zeros(dy.shape))),
    {
      // y = softmax(x) over the last axis: dx = y (dy - sum(dy y))
      kernelName: 'Softmax',
      ...OUTPUT,
      gradFunc: (dys, [y]) => {
        const dy = single(dys);
        return { logits: () => tf.mul(y, tf.sub(dy, tf.sum(tf.mul(dy, y), -1, true))) };
      },
    },
    // y = sum of x over axes
    one('Sum', INPUT, (dy, x, { axis }) => spread(dy, x, axesOf(x, axis))),
    // y = mean of x over axes
    one('Mean', INPUT, (dy, x, { axis }) => {
      const axes = axesOf(x, axis);
      return spread(tf.mul(dy, 1 / axes.reduce((count, i) => count * x.shape[i], 1)), x, axes);
    }),
  ];
}

/** 2 / sqrt(pi) e^(-x^2) */
export function erfSlope(tf: TensorFlow, x: Tensor): Tensor {
  return tf.mul(tf.exp(tf.mul(tf.mul(x, x), -1)), 2 / Math.sqrt(Math.PI));
}

function single(dy: Tensor | readonly Tensor[]): Tensor {
  if ('shape' in dy) return dy;
  return dy[0];
}

/** The axes that an operation ran over: as given, counted from the front; all where none were. */
function axesOf(x: Tensor, axis: unknown): number[] {
  const given = Array.isArray(axis) ? (axis as number[]) : typeof axis === 'number' ? [axis] : undefined;
  return (given ?? [...x.shape.keys()]).map((i) => (i < 0 ? i + x.shape.length : i));
}

/** Sums what broadcasting has repeated, so that dy gets `shape`. */
function sumTo(tf: TensorFlow, dy: Tensor, shape: readonly number[]): Tensor {
  const missing = dy.shape.length - shape.length;
  const axes = [...dy.shape.keys()].filter(
    (axis) => axis < missing || (shape[axis - missing] === 1 && dy.shape[axis] !== 1),
  );
  return axes.length === 0 ? dy : tf.reshape(tf.sum(dy, axes), shape);
}
