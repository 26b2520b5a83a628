/**
 * Capturing without interventions (capture.c), against the analysis driver that computes one activation at a time: equal
 * bytes at every size. Results belong to the caller, whatever the engine does afterwards.
 */
import { expect, it } from 'vitest';
import type { Batch, ForwardResult, Intervention, Model } from '../../src/engine/engine.js';
import { openEngine } from '../../src/engine/registry.js';
import { type ActivationName, activationName, activationNames } from '../../src/model/activations.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { expectSameBytes } from '../helpers/close.js';
import { describeConfig, randomBatch, randomLengths, randomParameters, VARIANTS } from './cases.js';
import { describeEngines, KERNEL_ENGINES } from './engines.js';

/** Changes no row, so that all there is to it is which driver runs. */
const NOTHING: Intervention = {
  at: activationName('embed'),
  op: 'set',
  value: 0,
  positions: Int32Array.of(),
};

/** Several megabytes a batch, of rows with and without padding: chunks, groups, and stores past the caches. */
const LARGE: readonly GptConfig[] = [
  { ...VARIANTS[0], dModel: 32, nHeads: 2, dMlp: 128, nLayers: 2, dVocab: 29, nCtx: 40 },
  { ...VARIANTS[3], dModel: 33, nHeads: 3, dMlp: 70, nLayers: 2, dVocab: 21, nCtx: 300 },
  { ...VARIANTS[9], dModel: 30, nHeads: 1, dMlp: 61, nLayers: 3, dVocab: 45, nCtx: 500 },
];

const captured = ({ activations }: ForwardResult, name: ActivationName): Float32Array => {
  const found = activations.get(name);
  if (found === undefined) throw new Error(`${name} was not captured.`);
  return found;
};

function expectSame(found: ForwardResult, expected: ForwardResult, names: readonly ActivationName[]): void {
  expectSameBytes(found.logits, expected.logits, 'logits');
  expectSameBytes(found.losses, expected.losses, 'losses');
  expect(found.lossNats).toBe(expected.lossNats);
  expect(found.lossByRole).toEqual(expected.lossByRole);
  expect([...found.activations.keys()]).toEqual(names);
  for (const name of names) expectSameBytes(captured(found, name), captured(expected, name), name);
}

const bytesOf = ({ activations }: ForwardResult): number =>
  [...activations.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);

const largeBatch = (config: GptConfig, count = 60): Batch =>
  randomBatch(config, 7, randomLengths(config, 7, count), 0.6);

describeEngines(
  'capture',
  ({ create, name: engineName }) => {
    const compare = (model: Model, batch: Batch, capture: readonly ActivationName[]): ForwardResult => {
      const found = model.forward(batch, { capture });
      expectSame(found, model.forward(batch, { capture, interventions: [NOTHING] }), capture);
      return found;
    };

    it.each(VARIANTS.map((config, index) => [describeConfig(config), config, index] as const))(
      '%s: the bytes of the analysis driver, all names and each alone',
      (_, config, index) => {
        const model = create(config, randomParameters(config, index), 'inference');
        const batch = randomBatch(config, index, randomLengths(config, index, 9), index % 2 === 0 ? 1 : 0.4);
        const names = activationNames(config);
        const all = compare(model, batch, names);
        for (const name of names) {
          const alone = model.forward(batch, { capture: [name] });
          expect([...alone.activations.keys()]).toEqual([name]);
          expectSameBytes(captured(alone, name), captured(all, name), name);
          expectSameBytes(alone.logits, all.logits, 'logits');
        }
        model.dispose();
      },
    );

    it.each(LARGE.map((config) => [describeConfig(config), config] as const))(
      '%s: the bytes of the analysis driver in large batches',
      (_, config) => {
        const model = create(config, randomParameters(config, 7), 'inference');
        const found = compare(model, largeBatch(config), activationNames(config));
        expect(bytesOf(found)).toBeGreaterThan(4 << 20);
        model.dispose();
      },
    );

    it('the order of the names asked for does not matter, nor naming one twice', () => {
      const config = VARIANTS[3];
      const model = create(config, randomParameters(config, 1), 'inference');
      const names = activationNames(config);
      const found = model.forward(largeBatch(config, 5), { capture: [...names].reverse().concat(names) });
      expect([...found.activations.keys()]).toEqual(names);
      model.dispose();
    });

    it('a name that is not there is refused with the nearest one', () => {
      const config = VARIANTS[0];
      const model = create(config, randomParameters(config, 1), 'inference');
      const capture = ['embad' as ActivationName];
      expect(() => model.forward(largeBatch(config, 2), { capture })).toThrow(/embad.*"embed"/);
      model.dispose();
    });

    it("results are the caller's own: whole buffers, untouched by what follows, fit to be handed to another thread", () => {
      const [config] = LARGE;
      const names = activationNames(config);
      const model = create(config, randomParameters(config, 1), 'inference');
      const batch = largeBatch(config);
      const first = model.forward(batch, { capture: names });
      const before = names.map((name) => captured(first, name).slice());
      for (let i = 0; i < 10; i++) model.forward(largeBatch(config, 40 + i), { capture: names });
      model.dispose();
      names.forEach((name, i) => {
        const result = captured(first, name);
        expect(result.byteOffset).toBe(0);
        expect(result.buffer.byteLength).toBe(result.byteLength);
        const moved = structuredClone(result, { transfer: [result.buffer as ArrayBuffer] });
        expectSameBytes(moved, before[i], name);
        expect(result.length).toBe(0);
      });
      expect(new Set(first.activations.values()).size).toBe(names.length);
    });

    it('captures whose results are dropped do not add up', async () => {
      const [config] = LARGE;
      const model = create(config, randomParameters(config, 1), 'inference');
      const batch = largeBatch(config, 200);
      const capture = activationNames(config);
      let bytesEach = 0;
      const rounds = async (count: number): Promise<number> => {
        for (let i = 0; i < count; i++) {
          bytesEach = bytesOf(model.forward(batch, { capture }));
          // the collector frees between tasks
          if (i % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
        }
        return process.memoryUsage().rss;
      };
      const warm = await rounds(30);
      const after = await rounds(100);
      expect(after - warm).toBeLessThan(20 * bytesEach);
      model.dispose();
    });

    // never on wasm, which has one thread
    // WebAssembly has one thread
    if (engineName === 'native') {
      it('gives the same bytes for any number of threads', async () => {
        for (const config of LARGE) {
          const names = activationNames(config);
          const results: ForwardResult[] = [];
          for (const threads of [1, 3]) {
            const { engine } = await openEngine(engineName, { threads });
            const model = engine.createModel(
              config,
              { parameters: randomParameters(config, 2) },
              'inference',
            );
            results.push(model.forward(largeBatch(config), { capture: names }));
            engine.dispose();
          }
          expectSame(results[1], results[0], names);
        }
      });
    }
  },
  KERNEL_ENGINES,
);
