/**
 * What the reference engine on TensorFlow.js promises besides the contract: it loads or says what is missing, leaves no
 * tensor behind, and its rules of differentiation hold one by one.
 */
import { describe, expect, it } from 'vitest';
import { openEngine } from '../../src/engine/registry.js';
import { openTfjsEngine } from '../../src/engine/tfjs/engine.js';
import { registerGradients } from '../../src/engine/tfjs/gradients.js';
import { type Importer, loadTensorFlow, TFJS_BACKENDS } from '../../src/engine/tfjs/load.js';
import { erf } from '../../src/engine/tfjs/operations.js';
import type { Tensor, TensorFlow } from '../../src/engine/tfjs/tensorflow.js';
import { UserError } from '../../src/errors.js';
import { activationNames } from '../../src/model/activations.js';
import { Rng } from '../../src/tensor/rng.js';
import { erf as naiveErf } from '../helpers/naive-gpt.js';
import { ADAMW, randomBatch, randomLengths, randomParameters, VARIANTS } from './cases.js';
import { describeNeeding } from '../helpers/needs.js';
import { missingEngine } from './engines.js';

/** As Node says it of a package that is not there. */
const absent: Importer = (name) =>
  Promise.reject(
    Object.assign(new Error(`Cannot find package '${name}' imported from /somewhere/load.js`), {
      code: 'ERR_MODULE_NOT_FOUND',
    }),
  );

describe('without the optional packages', () => {
  it.each([
    ['tfjs:wasm', '@tensorflow/tfjs-core', 'npm install --include=optional'],
    ['tfjs:cpu', '@tensorflow/tfjs-core', 'npm install --include=optional'],
    ['tfjs:tensorflow', '@tensorflow/tfjs-core', 'npm install --include=optional'],
    ['tfjs', '@tensorflow/tfjs-core', 'npm install --include=optional'],
  ] as const)('%s says which is missing and what to do', async (name, missing, remedy) => {
    const opened = openEngine(name, { threads: 1 }, absent);
    await expect(opened).rejects.toBeInstanceOf(UserError);
    await expect(opened).rejects.toThrow(
      `could not be loaded: the optional package ${missing} is not installed. Run "${remedy}", or pass --engine native or wasm.`,
    );
  });

  it('auto and our own engines ask for none of them', async () => {
    const asked: string[] = [];
    const record: Importer = (name) => {
      asked.push(name);
      return absent(name);
    };
    for (const name of ['auto', 'wasm'] as const) {
      const { engine } = await openEngine(name, { threads: 1 }, record);
      expect(engine.name).not.toMatch(/^tfjs/);
      engine.dispose();
    }
    expect(asked).toEqual([]);
  });
});

describeNeeding(missingEngine('tfjs:cpu'), 'with the small packages', () => {
  const importing =
    (without: Importer): Importer =>
    (name) =>
      name === '@tensorflow/tfjs-node' ? without(name) : import(name);

  it('tfjs:tensorflow tells "not installed" from "installed but broken"', async () => {
    await expect(openTfjsEngine('tensorflow', importing(absent))).rejects.toThrow(
      'engine "tfjs:tensorflow" could not be loaded: the optional package @tensorflow/tfjs-node is not installed. ' +
        'Run "npm run setup:tfjs-node", or pass --engine native or wasm.',
    );
    const broken = importing(() =>
      Promise.reject(
        new Error('The Node.js native addon module (tfjs_binding.node) can not be found\n  at ...'),
      ),
    );
    await expect(openTfjsEngine('tensorflow', broken)).rejects.toThrow(
      'engine "tfjs:tensorflow" could not be loaded: @tensorflow/tfjs-node is installed, but its native library does ' +
        'not load: The Node.js native addon module (tfjs_binding.node) can not be found. Run "npm run setup:tfjs-node"',
    );
    // something that the package needs is missing, and not the package
    const partial = importing(() =>
      Promise.reject(Object.assign(new Error("Cannot find module 'bindings'"), { code: 'MODULE_NOT_FOUND' })),
    );
    await expect(openTfjsEngine('tensorflow', partial)).rejects.toThrow(
      "load: Cannot find module 'bindings'.",
    );
  });

  it('tfjs takes the fastest that loads, and says why not a faster one', async () => {
    const { engine, note } = await openEngine('tfjs', { threads: 1 }, importing(absent));
    expect(engine.name).toBe('tfjs:wasm');
    expect(note).toMatch(
      /^engine tfjs:wasm, TensorFlow\.js 4\.22\.0 on WebAssembly \(its fastest here: .*tfjs-node/,
    );
    engine.dispose();
  });

  it('carries a hash that differs between back ends and stays the same', async () => {
    const hashes = await Promise.all(
      (['wasm', 'cpu', 'wasm'] as const).map(async (name) => (await openTfjsEngine(name)).kernelHash),
    );
    expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(hashes[2]).toBe(hashes[0]);
    expect(hashes[1]).not.toBe(hashes[0]);
  });
});

for (const name of TFJS_BACKENDS) {
  const reason = missingEngine(`tfjs:${name}`);
  describeNeeding(reason, `tfjs:${name}`, () => {
    it('no call leaves a tensor behind, and dispose takes the last', async () => {
      const { tf } = await loadTensorFlow(name);
      const engine = await openTfjsEngine(name);
      const config = { ...VARIANTS[0], nCtx: 9 };
      const before = tf.memory();
      const model = engine.createModel(config, { parameters: randomParameters(config, 1) }, 'train');
      const use = (i: number): void => {
        const batch = randomBatch(config, i, randomLengths(config, i, 1 + (i % 4)), 0.7);
        model.forward(batch);
        model.forward(batch, { capture: activationNames(config) });
        model.forward(batch, {
          interventions: activationNames(config).map((at) => ({ at, op: 'scale', value: 2 })),
        });
        model.forward({ ...batch, targets: batch.targets.map(() => -1) });
        model.computeGradients(batch);
        model.trainStep(batch, ADAMW);
        model.generate([batch.tokens.slice(0, 1)], { maxNewTokens: 4 });
        model.setState(model.getState());
      };
      use(0);
      const after = tf.memory();
      expect(after.numTensors).toBeGreaterThan(before.numTensors);
      for (let i = 1; i < 12; i++) use(i);
      expect(tf.memory()).toMatchObject({ numTensors: after.numTensors, numBytes: after.numBytes });
      model.dispose();
      expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
      engine.dispose();
    });

    it('each rule of differentiation agrees with differences of its forward line', async () => {
      const { tf } = await loadTensorFlow(name);
      registerGradients(tf);
      const rng = new Rng(1, 'test:rules');
      const random = (shape: readonly number[]): Tensor =>
        tf.tensor(
          Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.5 + rng.uniform()),
          shape,
        );
      const cases: readonly (readonly [string, readonly (readonly number[])[], Rule])[] = [
        ['add, broadcast over rows', [[3, 4], [4]], (a, b) => tf.add(a, b)],
        [
          'sub, broadcast over columns',
          [
            [3, 4],
            [3, 1],
          ],
          (a, b) => tf.sub(a, b),
        ],
        ['mul, broadcast over rows', [[3, 4], [4]], (a, b) => tf.mul(a, b)],
        [
          'product of matrices',
          [
            [3, 4],
            [4, 2],
          ],
          (a, b) => tf.matMul(a, b),
        ],
        [
          'product of stacks',
          [
            [2, 3, 4],
            [2, 4, 2],
          ],
          (a, b) => tf.matMul(a, b),
        ],
        [
          'product of stacks, transposed',
          [
            [2, 3, 4],
            [2, 5, 4],
          ],
          (a, b) => tf.matMul(a, b, false, true),
        ],
        ['transpose', [[3, 4]], (a) => tf.transpose(a)],
        ['reshape', [[3, 4]], (a) => tf.reshape(a, [2, 6])],
        [
          'concat',
          [
            [2, 3],
            [4, 3],
          ],
          (a, b) => tf.concat([a, b], 0),
        ],
        ['split', [[4, 6]], (a) => tf.mul(tf.split(a, [2, 4], 1)[1], 3)],
        ['exp', [[3, 4]], (a) => tf.exp(a)],
        ['log', [[3, 4]], (a) => tf.log(a)],
        ['erf', [[3, 4]], (a) => tf.erf(a)],
        ['rsqrt', [[3, 4]], (a) => tf.rsqrt(a)],
        ['relu', [[3, 4]], (a) => tf.relu(tf.mul(a, tf.tensor(Float32Array.of(1, -1, 1, -1), [4])))],
        ['softmax', [[3, 4]], (a) => tf.softmax(a)],
        ['sum of all', [[3, 4]], (a) => tf.sum(a)],
        ['sum of rows', [[3, 4]], (a) => tf.sum(a, -1, true)],
        ['mean of rows', [[3, 4]], (a) => tf.mean(a, -1, true)],
        [
          'where',
          [
            [2, 2],
            [2, 2],
          ],
          (a, b) => tf.where(tf.tensor(Uint8Array.of(1, 0, 0, 1), [2, 2], 'bool'), a, b),
        ],
      ];
      for (const [title, shapes, forward] of cases) {
        const inputs = shapes.map(random);
        const weights = random(forward(inputs[0], inputs[1]).shape);
        const total = (...given: Tensor[]): Tensor => tf.sum(tf.mul(forward(given[0], given[1]), weights));
        const { grads } = tf.valueAndGrads(total)(inputs);
        inputs.forEach((input, at) => {
          const found = grads[at].dataSync();
          input.dataSync().forEach((_, i) => {
            const slope = differenceOf(tf, total, inputs, at, i);
            expect(Math.abs(found[i] - slope), `${title}, input ${at} [${i}]`).toBeLessThan(2e-3);
          });
        });
      }
    });
  });

  type Rule = (a: Tensor, b: Tensor) => Tensor;

  /** (f(x + e) - f(x - e)) / 2e in float32, e = 1/64 */
  function differenceOf(
    tf: TensorFlow,
    total: (...inputs: Tensor[]) => Tensor,
    inputs: readonly Tensor[],
    at: number,
    element: number,
  ): number {
    const shifted = (by: number): number => {
      const values = inputs[at].dataSync().slice();
      values[element] += by;
      const changed = inputs.map((input, i) => (i === at ? tf.tensor(values, input.shape) : input));
      return total(...changed).dataSync()[0];
    };
    return (shifted(1 / 64) - shifted(-1 / 64)) * 32;
  }

  it('erf of the cpu back end is the series to half a unit in the last place', () => {
    for (let i = -6000; i <= 6000; i++) {
      const x = i / 1000;
      expect(Math.abs(erf(x) - naiveErf(x))).toBeLessThan(
        Math.abs(x) < 4 ? 1e-9 * Math.abs(naiveErf(x)) + 1e-30 : 2e-8,
      );
    }
    expect([erf(NaN), erf(Infinity), erf(-Infinity), erf(0)]).toEqual([NaN, 1, -1, 0]);
  });
}
