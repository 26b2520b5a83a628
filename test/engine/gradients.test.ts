/**
 * Gradients against central differences (eps 1e-6) with the kernels in float64: whole-model directions and every tensor
 * by itself, in every configuration. The float32 engines are held against the same differences.
 */
import { expect, it } from 'vitest';
import type { Batch } from '../../src/engine/engine.js';
import { KernelModel } from '../../src/engine/kernels/model.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { parameterTable } from '../../src/model/parameters.js';
import { Rng } from '../../src/tensor/rng.js';
import { closeness } from '../helpers/close.js';
import { TOLERANCES } from '../helpers/tolerances.js';
import { describeConfig, randomBatch, randomLengths, randomParameters, VARIANTS } from './cases.js';
import { describeNeeding } from '../helpers/needs.js';
import { describeDouble, describeEngines, type DoubleModel, openDoubleBuild } from './engines.js';

const EPS = 1e-6;
// a relu whose input changes sign within eps would show as an error: the seeds below have none
const DIRECTIONS = 3;

interface Direction {
  readonly name: string;
  /** [arenaSize] */
  readonly values: Float64Array;
}

/** Random directions over all parameters, then over each tensor alone; gaps stay 0. */
function directions(config: GptConfig): Direction[] {
  const table = parameterTable(config);
  const make = (name: string, index: number, only?: string): Direction => {
    const rng = new Rng(index, `test:direction:${name}`);
    const values = new Float64Array(table.arenaSize);
    for (const spec of table.specs) {
      if (only !== undefined && spec.name !== only) continue;
      for (let i = 0; i < spec.size; i++) values[spec.offset + i] = rng.normal();
    }
    return { name, values };
  };
  const repeat = Array.from({ length: DIRECTIONS }, (_, index) => index);
  return [
    ...repeat.map((index) => make('all parameters', index)),
    ...table.specs.flatMap((spec) => repeat.map((index) => make(spec.name, index, spec.name))),
  ];
}

function dot(a: ArrayLike<number>, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < b.length; i++) sum += a[i] * b[i];
  return sum;
}

/** (loss(p + eps u) - loss(p - eps u)) / (2 eps) for each direction u */
function differences(
  model: DoubleModel,
  parameters: Float64Array,
  batch: Batch,
  all: readonly Direction[],
): number[] {
  const lossAt = (scale: number, u: Float64Array): number => {
    model.setParameters(parameters.map((p, i) => p + scale * u[i]));
    return model.forward(batch).lossNats;
  };
  const found = all.map(({ values }) => (lossAt(EPS, values) - lossAt(-EPS, values)) / (2 * EPS));
  model.setParameters(parameters);
  return found;
}

const cases = VARIANTS.map((config, index) => ({
  config,
  title: describeConfig(config),
  parameters: randomParameters(config, 300 + index),
  batch: randomBatch(config, 300 + index, randomLengths(config, index, 5), index % 3 === 0 ? 1 : 0.4),
}));

await describeDouble('gradients against finite differences', (create, gauge) => {
  for (const { config, title, parameters, batch } of cases) {
    it(`${title}: along ${DIRECTIONS} directions of the model and of each tensor`, () => {
      const exact = Float64Array.from(parameters);
      const model = create(config, exact);
      const { gradients, lossNats } = model.computeGradients(batch);
      expect(model.forward(batch).lossNats).toBe(lossNats);
      const all = directions(config);
      const expected = differences(model, exact, batch, all);
      const slopes = all.map(({ values }) => dot(gradients, values));
      all.forEach(({ name }, i) => {
        gauge.expect('finite differences', [slopes[i]], [expected[i]], name);
      });
      // the comparison would notice a gradient 1 % too large
      if (config.dModel > 1) {
        const wrong = slopes.map((slope) => slope * 1.01);
        expect(closeness(wrong, expected, TOLERANCES['finite differences']).worst).toBeGreaterThan(1);
      }
    });
  }

  it('each element of each tensor of one model', () => {
    const config: GptConfig = {
      ...VARIANTS[2],
      dModel: 4,
      nHeads: 2,
      dMlp: 5,
      nLayers: 2,
      dVocab: 5,
      nCtx: 6,
    };
    const parameters = Float64Array.from(randomParameters(config, 9));
    const batch = randomBatch(config, 9, [6, 1, 4], 0.7);
    const model = create(config, parameters);
    const { gradients } = model.computeGradients(batch);
    const all = [...parameters.keys()].map((i): Direction => {
      const values = new Float64Array(parameters.length);
      values[i] = 1;
      return { name: `element ${i}`, values };
    });
    const expected = differences(model, parameters, batch, all);
    gauge.expect('finite differences', gradients, expected, 'arena');
    expect(expected.filter((slope) => Math.abs(slope) > 1e-4).length).toBeGreaterThan(100);
  });

  it('the mean loss over targets, whichever sequences they are in', () => {
    const { config, parameters } = cases[0];
    const batch = randomBatch(config, 3, [9, 3, 7, 1], 0.3);
    const model = create(config, Float64Array.from(parameters));
    const { losses, lossNats } = model.forward(batch);
    expect(lossNats).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / losses.length, 12);
    expect(losses.length).toBe(batch.targets.filter((target) => target >= 0).length);
  });
});

const double = await openDoubleBuild();

describeEngines('float32 gradients against finite differences in float64', ({ create, gauge }) => {
  // describeDouble fails where it must be there
  describeNeeding(typeof double === 'string' ? double : undefined, 'by the double build', () => {
    for (const { config, title, parameters, batch } of cases) {
      it(title, () => {
        if (typeof double === 'string') throw new Error(double);
        const exact = Float64Array.from(parameters);
        const reference = new KernelModel(double, config, { parameters: exact }, 'train');
        const model = create(config, parameters);
        const { gradients } = model.computeGradients(batch);
        const all = directions(config);
        const expected = differences(reference, exact, batch, all);
        all.forEach(({ name, values }, i) => {
          gauge.expect('finite differences, float32', [dot(gradients, values)], [expected[i]], name);
        });
        reference.dispose();
        model.dispose();
      });
    }
  });
});
