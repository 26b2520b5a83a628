/**
 * The engines that the conformance suite runs over. REQUIRE_ENGINES (a comma list, set in continuous integration) makes a
 * missing one fail; otherwise it is skipped with its reason. Also the double build of the kernels.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { ENGINE_NAMES, type Engine, type EngineName, type Model } from '../../src/engine/engine.js';
import { KernelModel } from '../../src/engine/kernels/model.js';
import type { KernelModule } from '../../src/engine/kernels/module.js';
import { nativeModule, widestSet } from '../../src/engine/native/engine.js';
import { loadAddon } from '../../src/engine/native/load.js';
import { openEngine } from '../../src/engine/registry.js';
import { packageRoot } from '../../src/io/package-root.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { buildNative } from '../../src/setup/build-native.mjs';
import { errorMessage } from '../../src/errors.js';
import { skippedTitle } from '../helpers/needs.js';
import { Gauge } from '../helpers/tolerances.js';
import { VARIANTS } from './cases.js';

const REQUIRED = (process.env.REQUIRE_ENGINES ?? '')
  .split(',')
  .map((name) => name.trim())
  .filter((name) => name !== '');

export function isRequired(name: EngineName): boolean {
  return REQUIRED.includes(name);
}

const unknown = REQUIRED.filter((name) => !ENGINE_NAMES.some((known) => known === name));
if (unknown.length > 0) {
  throw new Error(
    `REQUIRE_ENGINES: found ${unknown.join(', ')}, expected some of ${ENGINE_NAMES.join(', ')}.`,
  );
}

/** The engines on our own kernels; the others are the reference on TensorFlow.js. */
export const KERNEL_ENGINES = ['native', 'wasm'] as const satisfies readonly EngineName[];

export interface EngineUnderTest {
  readonly name: EngineName;
  readonly engine: Engine;
  readonly gauge: Gauge;
  /** equal sequences have equal bytes in any company; libtensorflow rounds by the sizes of its matrices */
  readonly isExact: boolean;
  /** VARIANTS with their numbers, for tests of many forward passes: each fourth for the slow reference */
  readonly variants: readonly (readonly [index: number, config: GptConfig])[];
  readonly create: (config: GptConfig, parameters: Float32Array, mode?: 'train' | 'inference') => Model;
}

async function reasonMissing(name: EngineName): Promise<string | undefined> {
  try {
    (await openEngine(name, { threads: 1 })).engine.dispose();
    return undefined;
  } catch (error) {
    return errorMessage(error);
  }
}
const missing = new Map<EngineName, string | undefined>();
for (const name of ENGINE_NAMES) missing.set(name, await reasonMissing(name));

/** Why an engine cannot be opened here, for `describeNeeding`. */
export function missingEngine(name: EngineName): string | undefined {
  return missing.get(name);
}

/** Whether an engine can be opened here; a required one that cannot has failed in describeEngines already. */
export function isAvailable(name: EngineName): boolean {
  return missing.get(name) === undefined;
}

/** One `describe` an engine. Native runs with two threads: the numbers do not depend on them (determinism.test.ts). */
export function describeEngines(
  title: string,
  body: (under: EngineUnderTest) => void,
  names: readonly EngineName[] = ENGINE_NAMES,
): void {
  for (const name of names) {
    const reason = missing.get(name);
    if (reason !== undefined && isRequired(name)) {
      it(`${title}: engine ${name} is available, as REQUIRE_ENGINES asks`, () => {
        throw new Error(reason);
      });
      continue;
    }
    // un-skip when: the engine loads on this machine; its reason says what is missing
    describe.skipIf(reason !== undefined)(skippedTitle(`${title} [${name}]`, reason), () => {
      let engine: Engine | undefined;
      const gauge = new Gauge(name);
      beforeAll(async () => {
        ({ engine } = await openEngine(name, { threads: name === 'native' ? 2 : 1 }));
      });
      afterAll(() => {
        engine?.dispose();
        gauge.check();
      });
      const opened = (): Engine => {
        if (engine === undefined) throw new Error('The engine is opened before the tests run.');
        return engine;
      };
      const every = KERNEL_ENGINES.some((own) => own === name) ? 1 : 4;
      body({
        name,
        gauge,
        isExact: name !== 'tfjs:tensorflow',
        variants: [...VARIANTS.entries()].filter(([index]) => index % every === 0),
        get engine() {
          return opened();
        },
        create: (config, parameters, mode = 'train') => opened().createModel(config, { parameters }, mode),
      });
    });
  }
}

export type DoubleModel = KernelModel<Float64Array>;

/** The kernels compiled in float64, built if need be; a reason where they cannot be. */
export async function openDoubleBuild(): Promise<KernelModule<Float64Array> | string> {
  const built = await buildNative({ root: packageRoot(), real: 'double' });
  if (built.status === 'unavailable') return built.reason;
  const loaded = loadAddon({ file: 'kernels-double.node' });
  if (loaded.kind === 'unavailable') return loaded.reason;
  return nativeModule(
    loaded.addon,
    widestSet(loaded.addon),
    1,
    8,
    (buffer, offset, length) => new Float64Array(buffer, offset, length),
  );
}

/** A `describe` on the double build: fails where native is required, else is skipped with the reason. */
export async function describeDouble(
  title: string,
  body: (create: (config: GptConfig, parameters: Float64Array) => DoubleModel, gauge: Gauge) => void,
): Promise<void> {
  const module = await openDoubleBuild();
  if (typeof module === 'string' && isRequired('native')) {
    it(`${title}: the double build is available, as REQUIRE_ENGINES asks`, () => {
      throw new Error(module);
    });
    return;
  }
  const reason = typeof module === 'string' ? module : undefined;
  // un-skip when: a C compiler is installed, on linux-x64
  describe.skipIf(typeof module === 'string')(skippedTitle(`${title} [double]`, reason), () => {
    const gauge = new Gauge('double');
    afterAll(() => gauge.check());
    const models: DoubleModel[] = [];
    body((config, parameters) => {
      if (typeof module === 'string') throw new Error(module);
      const model = new KernelModel(module, config, { parameters }, 'train');
      models.push(model);
      return model;
    }, gauge);
    afterAll(() => models.forEach((model) => model.dispose()));
  });
}
