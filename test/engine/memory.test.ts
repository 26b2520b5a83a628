/** Memory: models and engines that are disposed of give back what they held. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { widestSet } from '../../src/engine/native/engine.js';
import { loadAddon } from '../../src/engine/native/load.js';
import { createNativeMemory } from '../../src/engine/native/memory.js';
import { openEngine, readWasmModule } from '../../src/engine/registry.js';
import { createWasmMemory, wasmApi } from '../../src/engine/wasm/memory.js';
import { packageRoot } from '../../src/io/package-root.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { ADAMW, randomBatch, randomLengths, randomParameters, VARIANTS } from './cases.js';
import { describeNeeding } from '../helpers/needs.js';
import { describeEngines, type EngineUnderTest, KERNEL_ENGINES, missingEngine } from './engines.js';

const MEBIBYTE = 1 << 20;
/** about 2 MiB of state, and several of work */
const CONFIG: GptConfig = {
  ...VARIANTS[3],
  dModel: 64,
  nHeads: 4,
  dMlp: 256,
  nLayers: 2,
  nCtx: 40,
  dVocab: 45,
};

const memoryOfArenas = ({ create }: EngineUnderTest): void => {
  it('150 models made, trained and disposed of one after the other do not add up', async () => {
    const parameters = randomParameters(CONFIG, 1);
    const batch = randomBatch(CONFIG, 1, randomLengths(CONFIG, 1, 20));
    let heldEach = 0;
    const rounds = async (count: number): Promise<number> => {
      for (let i = 0; i < count; i++) {
        const model = create(CONFIG, parameters);
        model.trainStep(batch, ADAMW);
        const { stateBytes, workBytes } = model.memory();
        heldEach = stateBytes + workBytes;
        model.dispose();
        // the collector frees between tasks
        if (i % 10 === 9) await new Promise((resolve) => setImmediate(resolve));
      }
      return process.memoryUsage().rss;
    };
    const warm = await rounds(50);
    const after = await rounds(100);
    // had they been kept, growth would be a hundred times what one holds
    expect(heldEach).toBeGreaterThan(2 * MEBIBYTE);
    expect((after - warm) / MEBIBYTE).toBeLessThan((30 * heldEach) / MEBIBYTE);
  });

  it('one model over 300 batches of differing lengths holds what the largest needs', () => {
    const model = create(VARIANTS[0], randomParameters(VARIANTS[0], 1));
    const sizes: number[] = [];
    for (let i = 0; i < 300; i++) {
      model.trainStep(randomBatch(VARIANTS[0], i, randomLengths(VARIANTS[0], i, 1 + (i % 40))), ADAMW);
      sizes.push(model.memory().workBytes);
    }
    // a batch of the greatest number of sequences has come by after 40; a fifth more than asked is held
    expect(sizes[299]).toBeLessThan(1.5 * sizes[40]);
    expect(new Set(sizes.slice(80)).size).toBeLessThan(3);
    model.dispose();
  });

  it('generation from many long prompts holds a bounded amount', () => {
    const config: GptConfig = { ...VARIANTS[3], nLayers: 1, dModel: 16, nHeads: 8, dMlp: 16, nCtx: 1024 };
    const model = create(config, randomParameters(config, 1), 'inference');
    const long = randomBatch(config, 1, [1000]).tokens;
    const made = model.generate(Array<Int32Array>(6).fill(long), { maxNewTokens: 2 });
    expect(made).toEqual(Array<Int32Array>(6).fill(made[0]));
    expect(model.memory().workBytes / MEBIBYTE).toBeLessThan(100);
    model.dispose();
  });
};
// the tensors of the reference are counted in tfjs.test.ts
describeEngines('memory', memoryOfArenas, KERNEL_ENGINES);

describeEngines('disposed models', ({ create }) => {
  it('using a model after dispose says so, and disposing twice is allowed', () => {
    const model = create(VARIANTS[0], randomParameters(VARIANTS[0], 1));
    model.dispose();
    model.dispose();
    const batch = randomBatch(VARIANTS[0], 1, [3]);
    for (const use of [
      () => model.forward(batch),
      () => model.trainStep(batch, ADAMW),
      () => model.getState(),
    ]) {
      expect(use).toThrow('This model has been disposed of. Create a new one.');
    }
  });
});

describeNeeding(missingEngine('native'), 'native threads', () => {
  it('end with their engine', async () => {
    const threads = (): number => readdirSync('/proc/self/task').length;
    const before = threads();
    const { engine } = await openEngine('native', { threads: 4 });
    expect(threads()).toBe(before + 3);
    engine.dispose();
    for (let i = 0; i < 20; i++) (await openEngine('native', { threads: 4 })).engine.dispose();
    expect(threads()).toBe(before);
  });

  it('end with the worker thread that made them, which takes their code out of memory', () => {
    const addon = JSON.stringify(join(packageRoot(), 'build/kernels.node'));
    // the main thread must not load the addon: it would keep it in memory
    const program = `
      const { Worker } = require('node:worker_threads');
      const threads = () => require('node:fs').readdirSync('/proc/self/task').length;
      const run = () => new Promise((resolve, reject) =>
        new Worker('require(' + ${JSON.stringify(addon)} + ').pool_create(4)', { eval: true })
          .on('error', reject).on('exit', resolve));
      (async () => {
        await run();
        const before = threads();
        for (let i = 0; i < 5; i++) await run();
        console.log(threads() - before);
      })();`;
    const { stdout, stderr, status, signal } = spawnSync(process.execPath, ['-e', program], {
      encoding: 'utf8',
    });
    expect({ stdout, stderr, status, signal }).toEqual({
      stdout: '0\n',
      stderr: '',
      status: 0,
      signal: null,
    });
  });
});

describe('memory of a WASM model', () => {
  it('that cannot grow says what to do, and stays of use for what fits', async () => {
    const api = wasmApi();
    if (api === undefined) throw new Error('this Node has no WebAssembly');
    const memory = createWasmMemory(api, await api.compile(readWasmModule()), 64);
    expect(() => memory.work(5 * 2 ** 30)).toThrow(
      /^engine "wasm": found a need for \d+ MiB, expected at most .*\. Use fewer .*--engine native\.$/,
    );
    expect(memory.workBytes).toBe(0);
    const address = memory.work(MEBIBYTE);
    memory.reals(address, MEBIBYTE / 4).fill(1);
    expect(memory.reals(address, MEBIBYTE / 4).at(-1)).toBe(1);
  });

  it('is not asked for less than a batch needs where that is beyond 32 bits', async () => {
    const config: GptConfig = {
      ...VARIANTS[3],
      dModel: 70,
      nHeads: 70,
      dMlp: 16,
      nLayers: 1,
      dVocab: 5,
      nCtx: 4000,
    };
    const { engine } = await openEngine('wasm', { threads: 1 });
    const batch = randomBatch(config, 1, [4000], 0.05);
    const parameters = randomParameters(config, 1);
    expect(() => engine.createModel(config, { parameters }, 'inference').forward(batch)).toThrow(
      'engine "wasm": found a need for',
    );
    expect(() => engine.createModel(config, { parameters }, 'train').trainStep(batch, ADAMW)).toThrow(
      'engine "wasm": found a need for',
    );
    engine.dispose();
  });
});

describeNeeding(missingEngine('native'), 'memory of a native model', () => {
  it('that is not there is one line, and what was there stays', () => {
    const loaded = loadAddon();
    if (loaded.kind === 'unavailable') throw new Error(loaded.reason);
    const { addon } = loaded;
    const { functions } = widestSet(addon);
    const memory = createNativeMemory(
      addon,
      functions,
      64,
      4,
      (buffer, offset, length) => new Float32Array(buffer, offset, length),
    );
    const work = memory.work(MEBIBYTE);
    const oneLine =
      /^engine "native": found a need for \d+ MiB at once, expected at most .*\. Use fewer .*\.$/;
    expect(() => memory.work(2 ** 46)).toThrow(oneLine);
    expect(() => memory.newReals(2 ** 44)).toThrow(oneLine);
    expect(memory.work(MEBIBYTE)).toBe(work);
  });
});
