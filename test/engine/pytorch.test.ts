/** Every engine, and the kernels in float64, against PyTorch: logits, loss, every gradient, ten AdamW steps. */
import { expect, it } from 'vitest';
import type { AdamWOptions, Batch, TrainStepResult } from '../../src/engine/engine.js';
import { learningRateAt } from '../../src/train/schedule.js';
import { expectClose } from '../helpers/close.js';
import type { Gauge } from '../helpers/tolerances.js';
import { describeDouble, describeEngines } from './engines.js';
import { type Fixture, keyBiases, readFixtures } from './fixtures.js';

type Reals = Float32Array | Float64Array;

/** What both the contract's model and the double build offer. */
interface AnyModel {
  forward(batch: Batch): { readonly logits: Reals; readonly losses: Reals; readonly lossNats: number };
  computeGradients(batch: Batch): { readonly lossNats: number; readonly gradients: Reals };
  trainStep(batch: Batch, options: AdamWOptions): TrainStepResult;
  getParameters(): Reals;
}

const fixtures = readFixtures();
const STEPS = 10;

/** Entries where `mask` is 0, the others replaced by 0. */
function without(values: ArrayLike<number>, mask: Uint8Array): Float64Array {
  return Float64Array.from(values, (value, i) => (mask[i] === 1 ? 0 : value));
}

function conforms(fixture: Fixture, create: () => AnyModel, gauge: Gauge): void {
  const { config, table, optimizer, batches } = fixture;
  const keys = keyBiases(config);

  it(`${fixture.name}: gives PyTorch's logits and loss`, () => {
    const { logits, lossNats } = create().forward(batches[0]);
    gauge.expect('pytorch logits', logits, fixture.logits, 'logits', [-1, config.dVocab]);
    gauge.expect('pytorch losses of ten steps', [lossNats], [fixture.loss], 'loss');
  });

  it(`${fixture.name}: gives PyTorch's gradient of every parameter`, () => {
    const { lossNats, gradients } = create().computeGradients(batches[0]);
    gauge.expect('pytorch losses of ten steps', [lossNats], [fixture.loss], 'loss');
    expect(gradients.length).toBe(table.arenaSize);
    for (const spec of table.specs) {
      const part = (all: ArrayLike<number>): Float64Array =>
        without(all, keys).slice(spec.offset, spec.offset + spec.size);
      expect(
        part(fixture.gradients).some((g) => g !== 0),
        spec.name,
      ).toBe(true);
      gauge.expect('pytorch gradients', part(gradients), part(fixture.gradients), spec.name, spec.shape);
    }
    const noise = Float64Array.from(gradients).filter((_, i) => keys[i] === 1);
    gauge.expect('gradients of key biases', noise, new Float64Array(noise.length), 'key biases');
  });

  it(`${fixture.name}: takes PyTorch's ten AdamW steps`, () => {
    const model = create();
    const results = Array.from({ length: STEPS }, (_, i) => {
      const learningRate = learningRateAt({ ...optimizer, steps: STEPS }, i + 1);
      const result = model.trainStep(batches[i % batches.length], { ...optimizer, learningRate });
      if (result.kind !== 'updated') throw new Error(`step ${i + 1} diverged: ${result.quantity}`);
      return result;
    });
    const losses = results.map((result) => result.lossNats);
    const norms = results.map((result) => result.gradNorm);
    gauge.expect('pytorch losses of ten steps', losses, fixture.losses, 'loss of step');
    gauge.expect('pytorch gradient norms', norms, fixture.gradientNorms, 'gradient norm of step');
    const after = model.getParameters();
    const moved = fixture.final.filter((value, i) => value !== fixture.initial[i]).length;
    expect(moved).toBeGreaterThan(table.nParameters * 0.8);
    gauge.expect(
      'pytorch parameters after ten steps',
      without(after, keys),
      without(fixture.final, keys),
      'parameter',
    );
  });
}

describeEngines('PyTorch fixtures', ({ create, gauge }) => {
  for (const fixture of fixtures) {
    conforms(fixture, () => create(fixture.config, fixture.initial), gauge);
  }
});

await describeDouble('PyTorch fixtures', (create, gauge) => {
  for (const fixture of fixtures) {
    const fresh = (): AnyModel => create(fixture.config, Float64Array.from(fixture.initial));
    conforms(fixture, fresh, gauge);

    it(`${fixture.name}: is PyTorch in float64 to 12 digits, so that float32 differences are rounding`, () => {
      const { logits } = fresh().forward(fixture.batches[0]);
      const { gradients } = fresh().computeGradients(fixture.batches[0]);
      const tight = { rtol: 1e-12, atol: 1e-12 };
      expectClose(logits, fixture.logits, tight, 'logits');
      expectClose(gradients, fixture.gradients, tight, 'gradient');
    });
  }
});
