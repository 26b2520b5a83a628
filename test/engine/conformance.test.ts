/**
 * THE conformance suite: every engine, and the kernels in float64, against the reference engine on TensorFlow.js. Kernel
 * by kernel along the table of activations, then the whole model: logits, losses, gradients, ten steps, interventions,
 * generation. The reference itself is held against PyTorch (pytorch.test.ts) and plain float64 (naive.test.ts).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine, Intervention, Model } from '../../src/engine/engine.js';
import { patternSize } from '../../src/engine/kernels/interventions.js';
import { openEngine } from '../../src/engine/registry.js';
import { type ActivationName, activationNames, parseActivationName } from '../../src/model/activations.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { parameterTable } from '../../src/model/parameters.js';
import { Rng } from '../../src/tensor/rng.js';
import type { Gauge } from '../helpers/tolerances.js';
import { ADAMW, describeConfig, randomBatch, randomParameters } from './cases.js';
import { CONFORMANCE_CONFIGS, CONFORMANCE_LENGTHS, REFERENCE_ENGINE } from './conformance.js';
import { describeNeeding } from '../helpers/needs.js';
import { describeDouble, describeEngines, isAvailable, isRequired, missingEngine } from './engines.js';
import { keyBiases } from './fixtures.js';

const STEPS = 10;

type Reals = Float32Array | Float64Array;
/** What the contract's model and the double build have in common. */
type AnyModel = Pick<Model, 'trainStep' | 'generate' | 'dispose'> & {
  forward(
    batch: Parameters<Model['forward']>[0],
    options?: { readonly capture?: readonly ActivationName[] },
  ): {
    readonly logits: Reals;
    readonly losses: Reals;
    readonly lossNats: number;
    readonly activations: ReadonlyMap<ActivationName, Reals>;
  };
  computeGradients(batch: Parameters<Model['forward']>[0]): {
    readonly lossNats: number;
    readonly gradients: Reals;
  };
  getParameters(): Reals;
};

if (!isAvailable(REFERENCE_ENGINE) && isRequired(REFERENCE_ENGINE)) {
  it(`conformance: the reference ${REFERENCE_ENGINE} is available, as REQUIRE_ENGINES asks`, async () => {
    await openEngine(REFERENCE_ENGINE, { threads: 1 });
  });
}

/** Entries of `values` where no key bias is. */
function withoutKeyBiases(config: GptConfig, values: Reals): Float64Array {
  const keys = keyBiases(config);
  return Float64Array.from(values).filter((_, i) => keys[i] === 0);
}

function cases(): {
  readonly config: GptConfig;
  readonly title: string;
  readonly parameters: Float32Array;
  readonly batch: Parameters<Model['forward']>[0];
}[] {
  return CONFORMANCE_CONFIGS.map((config, index) => ({
    config,
    title: describeConfig(config),
    parameters: randomParameters(config, 40 + index),
    batch: randomBatch(config, 40 + index, CONFORMANCE_LENGTHS, index % 2 === 0 ? 1 : 0.5),
  }));
}

/** The reference's model of each case, opened before the tests and closed after them. */
function useReference(): (config: GptConfig, parameters: Float32Array) => Model {
  let engine: Engine | undefined;
  beforeAll(async () => {
    ({ engine } = await openEngine(REFERENCE_ENGINE, { threads: 1 }));
  });
  afterAll(() => engine?.dispose());
  return (config, parameters) => {
    if (engine === undefined) throw new Error('The reference is opened before the tests run.');
    return engine.createModel(config, { parameters }, 'train');
  };
}

/** Whole-model comparisons, the same for every engine and for the double build. */
function agrees(
  create: (config: GptConfig, parameters: Float32Array) => AnyModel,
  reference: (config: GptConfig, parameters: Float32Array) => Model,
  gauge: Gauge,
): void {
  describe.each(cases())('$title', ({ config, parameters, batch }) => {
    const names = activationNames(config);

    it('logits, losses and every activation', () => {
      const found = create(config, parameters).forward(batch, { capture: names });
      const expected = reference(config, parameters).forward(batch, { capture: names });
      gauge.expect('conformance', found.logits, expected.logits, 'logits', [-1, config.dVocab]);
      gauge.expect('conformance', found.losses, expected.losses, 'losses');
      gauge.expect('conformance', [found.lossNats], [expected.lossNats], 'mean loss');
      expect([...found.activations.keys()]).toEqual(names);
      for (const name of names) {
        const own = found.activations.get(name) ?? [];
        gauge.expect('conformance', own, expected.activations.get(name) ?? [], name);
      }
    });

    it('the gradient of every tensor; that of a key bias is nothing but rounding', () => {
      const found = create(config, parameters).computeGradients(batch);
      const expected = reference(config, parameters).computeGradients(batch);
      gauge.expect('conformance', [found.lossNats], [expected.lossNats], 'mean loss');
      const keys = keyBiases(config);
      for (const { name, offset, size } of parameterTable(config).specs) {
        const part = (all: Reals): Float64Array =>
          Float64Array.from(all.subarray(offset, offset + size)).filter((_, i) => keys[offset + i] === 0);
        gauge.expect('conformance, gradients', part(found.gradients), part(expected.gradients), name);
      }
      const noise = Float64Array.from(found.gradients).filter((_, i) => keys[i] === 1);
      expect(noise.length).toBe(config.bias && config.qkvBias ? keys.filter((key) => key === 1).length : 0);
      gauge.expect('gradients of key biases', noise, new Float64Array(noise.length), 'key biases');
    });

    it(`${STEPS} steps: losses, gradient norms and parameters`, () => {
      const [own, other] = [create(config, parameters), reference(config, parameters)];
      for (let step = 0; step < STEPS; step++) {
        const next = randomBatch(config, 100 + step, CONFORMANCE_LENGTHS, 0.8);
        const [found, expected] = [own.trainStep(next, ADAMW), other.trainStep(next, ADAMW)];
        if (found.kind !== 'updated' || expected.kind !== 'updated') throw new Error(`diverged at ${step}`);
        gauge.expect('conformance, ten steps', [found.lossNats], [expected.lossNats], `loss ${step}`);
        gauge.expect('conformance, ten steps', [found.gradNorm], [expected.gradNorm], `norm ${step}`);
      }
      const after = [own, other].map((model) => withoutKeyBiases(config, model.getParameters()));
      gauge.expect('conformance, ten steps', after[0], after[1], 'parameters');
      const before = withoutKeyBiases(config, parameters);
      expect(before.filter((value, i) => Math.abs(value - after[1][i]) > 1e-3).length).toBeGreaterThan(100);
    });

    it('greedy generation', () => {
      const prompts = [1, 4, 8].map((length) => batch.tokens.slice(0, length));
      const options = { maxNewTokens: 5, stopToken: 0 };
      const expected = reference(config, parameters).generate(prompts, options);
      expect(create(config, parameters).generate(prompts, options)).toEqual(expected);
      expect(expected.some((made) => made.length > 1)).toBe(true);
    });
  });
}

describeNeeding(missingEngine(REFERENCE_ENGINE), `against ${REFERENCE_ENGINE}`, () => {
  describeEngines('conformance', ({ create, gauge, name: engine }) => {
    const reference = useReference();
    agrees(create, reference, gauge);

    describe.each(cases())('$title', ({ config, parameters, batch }) => {
      const names = activationNames(config);

      it('each kernel by itself: everything before it is set to the reference, and one activation read', () => {
        const expected = reference(config, parameters).forward(batch, { capture: names }).activations;
        const model = create(config, parameters, 'inference');
        const settings = names.map((at): Intervention => {
          const value = expected.get(at);
          if (value === undefined) throw new Error(`The reference has no ${at}.`);
          return { at, op: 'set', value };
        });
        names.forEach((name, index) => {
          const { activations } = model.forward(batch, {
            interventions: settings.slice(0, index),
            capture: [name],
          });
          gauge.expect(
            'conformance, one kernel',
            activations.get(name) ?? [],
            expected.get(name) ?? [],
            `${name} of ${engine}`,
          );
        });
      });

      it('interventions at every activation, of some rows and heads', () => {
        const [own, other] = [create(config, parameters), reference(config, parameters)];
        const positions = Int32Array.from([0, 3, 7, batch.tokens.length - 1]);
        for (const at of names) {
          const { row } = parseActivationName(config, at);
          const hasHeads = row.layout.kind === 'pattern' || /^attn\.[qkvz]$/.test(row.name);
          const changes: Intervention[] = [
            { at, op: 'add', value: -0.4, positions },
            { at, op: 'scale', value: 1.5, ...(hasHeads && { heads: [1] }) },
          ];
          // no number alone: LayerNorm of a row of equal values is rounding divided by its epsilon
          const rng = new Rng(1, `test:set:${at}`);
          const value = Float32Array.from(
            { length: row.layout.kind === 'rows' ? row.layout.width(config) : patternSize(config, batch) },
            () => 0.5 * rng.normal(),
          );
          for (const list of [[{ at, op: 'set' as const, value }], changes]) {
            const found = own.forward(batch, { interventions: list });
            const expected = other.forward(batch, { interventions: list });
            gauge.expect(
              'conformance',
              found.logits,
              expected.logits,
              `logits after ${list.length} at ${at}`,
            );
          }
        }
      });
    });
  });
});

await describeDouble('conformance', (create, gauge) => {
  describeNeeding(missingEngine(REFERENCE_ENGINE), `against ${REFERENCE_ENGINE}`, () => {
    const reference = useReference();
    agrees((config, parameters) => create(config, Float64Array.from(parameters)), reference, gauge);
  });
});
