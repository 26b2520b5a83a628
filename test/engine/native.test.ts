/**
 * The engines from end to end: both load, agree, give the same bytes for any thread count, compiler and driver, and find
 * what is not finite before the update. Kernel by kernel: test/engine/kernels.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Batch, Engine } from '../../src/engine/engine.js';
import { openNativeEngine } from '../../src/engine/native/engine.js';
import { loadAddon } from '../../src/engine/native/load.js';
import { engineReport, openEngine } from '../../src/engine/registry.js';
import { activationName, activationNames } from '../../src/model/activations.js';
import type { GptConfig } from '../../src/model/gpt-config.js';
import { parameterTable } from '../../src/model/parameters.js';
import { buildNative } from '../../src/setup/build-native.mjs';
import { buildWasm } from '../../src/setup/build-wasm.mjs';
import { Rng } from '../../src/tensor/rng.js';
import { describeNeeding, itNeeding, missingProgram } from '../helpers/needs.js';

const ROOT = resolve(import.meta.dirname, '../..');
const OPTIONS = {
  learningRate: 3e-3,
  beta1: 0.9,
  beta2: 0.99,
  eps: 1e-8,
  weightDecay: 0.01,
  clip: 1,
};
const SMALL: GptConfig = {
  dVocab: 45,
  nCtx: 20,
  dModel: 16,
  nLayers: 2,
  nHeads: 1,
  dMlp: 64,
  activation: 'gelu',
  bias: true,
  tied: true,
  shareBlocks: false,
  qkvBias: true,
  unembeddingBias: false,
  residualInit: 'scaled',
};
/** Nothing is a multiple of a vector. */
const ODD: GptConfig = {
  dVocab: 3,
  nCtx: 17,
  dModel: 15,
  nLayers: 3,
  nHeads: 3,
  dMlp: 7,
  activation: 'gelu',
  bias: false,
  tied: false,
  shareBlocks: true,
  qkvBias: false,
  unembeddingBias: false,
  residualInit: 'scaled',
};

/** Ragged sequences of 1 to nCtx random tokens; `density` of the positions have a target. */
function randomBatch(config: GptConfig, index: number, density = 0.4, sequences = 48): Batch {
  const rng = new Rng(7, 'batch', index);
  const tokens: number[] = [];
  const targets: number[] = [];
  const offsets = [0];
  for (let s = 0; s < sequences; s++) {
    const length = s === 0 ? 1 : 1 + rng.below(config.nCtx);
    for (let t = 0; t < length; t++) {
      tokens.push(rng.below(config.dVocab));
      targets.push(rng.uniform() < density ? rng.below(config.dVocab) : -1);
    }
    offsets.push(tokens.length);
  }
  return {
    tokens: Int32Array.from(tokens),
    targets: Int32Array.from(targets),
    roles: Int32Array.from(targets, (target, i) => (target < 0 ? -1 : i % 3)),
    offsets: Int32Array.from(offsets),
  };
}

/** SHA-free equality of bits: 0 and -0 differ, NaN equals itself. */
function bits(array: Float32Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

function trainedBytes(engine: Engine, config: GptConfig, steps: number): Buffer {
  const model = engine.createModel(config, { seed: 5 }, 'train');
  for (let step = 0; step < steps; step++) {
    const result = model.trainStep(randomBatch(config, step), OPTIONS);
    expect(result.kind).toBe('updated');
  }
  const { parameters, m, v } = model.getState();
  model.dispose();
  return Buffer.concat([bits(parameters), bits(m), bits(v)]);
}

const opened: Engine[] = [];
async function open(name: 'native' | 'wasm', threads = 1): Promise<Engine> {
  const { engine } = await openEngine(name, { threads });
  opened.push(engine);
  return engine;
}
afterAll(() => {
  for (const engine of opened) engine.dispose();
});

const found = loadAddon();
/** A machine without a compiler has no native engine; continuous integration requires it (engines.ts). */
const NO_NATIVE = found.kind === 'loaded' ? undefined : `engine native: ${found.reason}`;

for (const name of ['native', 'wasm'] as const)
  describeNeeding(name === 'native' ? NO_NATIVE : undefined, `${name} engine`, () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await open(name);
    });

    it.each([
      ['small', SMALL],
      ['odd', ODD],
    ])('gives the same bytes from the stages as from the fused pass (%s)', (_, config) => {
      const model = engine.createModel(config, { seed: 1 }, 'inference');
      const batch = randomBatch(config, 0);
      const fused = model.forward(batch);
      const staged = model.forward(batch, { capture: activationNames(config) });
      expect(bits(staged.logits).equals(bits(fused.logits))).toBe(true);
      expect(bits(staged.losses).equals(bits(fused.losses))).toBe(true);
      expect(staged.lossNats).toBe(fused.lossNats);
      expect([...staged.activations.keys()]).toEqual(activationNames(config));
    });

    it('reports the training loss of the forward pass, and sums it by role', () => {
      const model = engine.createModel(SMALL, { seed: 1 }, 'train');
      const batch = randomBatch(SMALL, 1);
      const { lossNats, losses, lossByRole } = model.forward(batch);
      expect(model.computeGradients(batch).lossNats).toBe(lossNats);
      expect(lossByRole.reduce((sum, role) => sum + role.count, 0)).toBe(losses.length);
      expect(lossByRole.reduce((sum, role) => sum + role.sumNats, 0) / losses.length).toBeCloseTo(
        lossNats,
        10,
      );
    });

    it.each([
      ['small', SMALL],
      ['odd', ODD],
    ])('generates what recomputing the whole sequence for every token gives (%s)', (_, config) => {
      const model = engine.createModel(config, { seed: 3 }, 'inference');
      // large weights: logits far enough apart that every token is a real decision
      model.setParameters(model.getParameters().map((x) => x * 6));
      const rng = new Rng(2, 'prompts');
      const prompts = Array.from({ length: 20 }, (_unused, i) =>
        Int32Array.from({ length: 1 + (i % config.nCtx) }, () => rng.below(config.dVocab)),
      );
      const made = model.generate(prompts, { maxNewTokens: 5, stopToken: 2 });
      const expected = prompts.map((prompt) => {
        const sequence = [...prompt];
        while (sequence.length < config.nCtx && sequence.length < prompt.length + 5) {
          const T = sequence.length;
          const targets = new Int32Array(T).fill(-1);
          targets[T - 1] = 0;
          const { logits } = model.forward({
            tokens: Int32Array.from(sequence),
            targets,
            roles: new Int32Array(T).fill(-1),
            offsets: Int32Array.of(0, T),
          });
          sequence.push(logits.indexOf(Math.max(...logits)));
          if (sequence.at(-1) === 2) break;
        }
        return sequence.slice(prompt.length);
      });
      expect(made.map((tokens) => [...tokens])).toEqual(expected);
    });

    it('changes nothing when an intervention scales by one, and what it should when it sets', () => {
      const model = engine.createModel(SMALL, { seed: 1 }, 'inference');
      const batch = randomBatch(SMALL, 2);
      const plain = model.forward(batch);
      for (const at of activationNames(SMALL)) {
        const same = model.forward(batch, { interventions: [{ at, op: 'scale', value: 1 }] });
        expect(bits(same.logits).equals(bits(plain.logits)), at).toBe(true);
        const changed = model.forward(batch, { interventions: [{ at, op: 'add', value: 0.5 }] });
        // adding one number to all of a row is undone by LayerNorm everywhere but here
        if (!/resid|embed|_out|scores/.test(at))
          expect(bits(changed.logits).equals(bits(plain.logits)), at).toBe(false);
      }
      const { activations } = model.forward(batch, {
        capture: [activationName('attn.z', 0), activationName('attn_out', 0)],
        interventions: [
          { at: activationName('attn.z', 0), op: 'set', value: 0, positions: Int32Array.of(4) },
        ],
      });
      const z = activations.get(activationName('attn.z', 0));
      expect(z?.slice(4 * 16, 5 * 16)).toEqual(new Float32Array(16));
      expect(z?.slice(5 * 16, 6 * 16)).not.toEqual(new Float32Array(16));
    });

    it.each([
      ['a weight', (state: Arrays) => (state.parameters[5] = NaN), 'parameter transformer.wte.weight'],
      ['a weight the batch does not use', plantUnusedWeight, 'parameter transformer.wpe.weight'],
      [
        'a first moment',
        (state: Arrays) => (state.m[5] = Infinity),
        'first moment of transformer.wte.weight',
      ],
      ['a second moment', (state: Arrays) => (state.v[5] = NaN), 'second moment of transformer.wte.weight'],
    ])('finds %s that is not finite before the update', (_, plant, quantity) => {
      const model = engine.createModel(SMALL, { seed: 1 }, 'train');
      model.trainStep(randomBatch(SMALL, 0), OPTIONS);
      const state = model.getState();
      plant(state);
      model.setState(state);
      const short = { ...randomBatch(SMALL, 1, 1, 1) };
      const result = model.trainStep(short, OPTIONS);
      expect(result).toMatchObject({ kind: 'diverged', quantity });
      const after = model.getState();
      expect(after.step).toBe(1);
      for (const key of ['parameters', 'm', 'v'] as const) {
        expect(bits(after[key]).equals(bits(state[key]))).toBe(true);
      }
    });

    it('continues from a stored state with the same bytes', () => {
      const whole = engine.createModel(SMALL, { seed: 1 }, 'train');
      const first = engine.createModel(SMALL, { seed: 1 }, 'train');
      for (let step = 0; step < 6; step++) whole.trainStep(randomBatch(SMALL, step), OPTIONS);
      for (let step = 0; step < 3; step++) first.trainStep(randomBatch(SMALL, step), OPTIONS);
      const second = engine.createModel(SMALL, { seed: 9 }, 'train');
      second.setState(first.getState());
      for (let step = 3; step < 6; step++) second.trainStep(randomBatch(SMALL, step), OPTIONS);
      expect(bits(second.getParameters()).equals(bits(whole.getParameters()))).toBe(true);
    });

    it('refuses tokens, targets and lengths that the kernels cannot index', () => {
      const model = engine.createModel(SMALL, { seed: 1 }, 'inference');
      const batch = randomBatch(SMALL, 0, 1, 1);
      const bad = (change: Partial<Batch>) => () => model.forward({ ...batch, ...change });
      expect(bad({ tokens: Int32Array.of(45) })).toThrow(
        'batch.tokens[0]: found 45, expected a token id below',
      );
      expect(bad({ targets: Int32Array.of(-2) })).toThrow('batch.targets[0]: found -2');
      expect(bad({ offsets: Int32Array.of(0, 2) })).toThrow('batch.offsets');
      const none = new Int32Array(0);
      expect(bad({ tokens: none, targets: none, roles: none, offsets: Int32Array.of(0) })).toThrow(
        'batch.offsets: found [0], expected 0, then the end of each sequence up to 0 (the number of tokens). ' +
          'A batch has at least one sequence.',
      );
      expect(bad({ roles: new Int32Array(2) })).toThrow('batch.roles [N]: found 2 elements, expected 1');
    });

    it('keeps parameters only in an inference model, and none after dispose', () => {
      const training = engine.createModel(SMALL, { seed: 1 }, 'train');
      const inference = engine.createModel(SMALL, { seed: 1 }, 'inference');
      const section = parameterTable(SMALL).arenaSize * 4;
      expect(training.memory().stateBytes - inference.memory().stateBytes).toBe(3 * section);
      expect(() => inference.trainStep(randomBatch(SMALL, 0), OPTIONS)).toThrow(
        'needs a model created with mode "train"',
      );
      inference.dispose();
      expect(inference.memory()).toEqual({ stateBytes: 0, workBytes: 0 });
      expect(() => inference.getParameters()).toThrow('disposed');
    });

    it('does not grow its work arena when lengths differ from step to step', () => {
      const model = engine.createModel(SMALL, { seed: 1 }, 'train');
      model.trainStep(randomBatch(SMALL, 0, 1), OPTIONS);
      const before = model.memory().workBytes;
      for (let step = 1; step < 30; step++) model.trainStep(randomBatch(SMALL, step, 1), OPTIONS);
      expect(model.memory().workBytes).toBe(before);
    });
  });

interface Arrays {
  readonly parameters: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
}

/** The last position's embedding: a batch of one token never reads it. */
function plantUnusedWeight(state: Arrays): void {
  const spec = parameterTable(SMALL).byName.get('transformer.wpe.weight');
  if (spec === undefined) throw new Error('no position embedding');
  state.parameters[spec.offset + spec.size - 1] = NaN;
}

describeNeeding(NO_NATIVE, 'native and wasm', () => {
  it('agree on ten training steps', async () => {
    const engines = [await open('native'), await open('wasm')];
    const losses = engines.map((engine) => {
      const model = engine.createModel(SMALL, { seed: 4 }, 'train');
      return Array.from({ length: 10 }, (_, step) => {
        const result = model.trainStep(randomBatch(SMALL, step), OPTIONS);
        return result.kind === 'updated' ? result.lossNats : NaN;
      });
    });
    losses[0].forEach((loss, step) => {
      expect(Math.abs(losses[1][step] - loss)).toBeLessThan(1e-5);
    });
  });

  it('both carry the hash of the sources they were built from', async () => {
    const reports = (await engineReport()).slice(0, 2);
    expect(reports.map((report) => [report.name, report.available])).toEqual([
      ['native', true],
      ['wasm', true],
    ]);
    for (const report of reports) {
      if (report.available) expect(report.kernelHash).toMatch(/^[0-9a-f]{64}$/);
    }
  });
});

const wasmBuild = await buildWasm({ root: ROOT, check: true });
describe('the committed wasm module', () => {
  // without the recorded compiler the conformance suite is the check
  const noCompiler = wasmBuild.reason.includes('is not installed') ? wasmBuild.reason : undefined;
  itNeeding(noCompiler, 'is what the sources give, byte for byte', () => {
    expect(wasmBuild.status, wasmBuild.reason).toBe('current');
  });
});

describeNeeding(NO_NATIVE, 'native engine, same bytes', () => {
  it.each([
    ['small', SMALL],
    ['odd', ODD],
  ])('for 1, 2, 4 and 8 threads (%s)', async (_, config) => {
    const one = trainedBytes(await open('native', 1), config, 6);
    for (const threads of [2, 4, 8]) {
      expect(trainedBytes(await open('native', threads), config, 6).equals(one), `${threads} threads`).toBe(
        true,
      );
    }
  });

  itNeeding(
    missingProgram('gcc') ?? missingProgram('clang-14'),
    'from gcc and from clang',
    async () => {
      const engines: Engine[] = [];
      for (const compiler of ['gcc', 'clang-14']) {
        const name = `kernels-${compiler}.node`;
        const built = await buildNative({ root: ROOT, compiler, name });
        expect(built.status, built.reason).not.toBe('unavailable');
        const loaded = loadAddon({ file: name });
        if (loaded.kind !== 'loaded') throw new Error(loaded.reason);
        engines.push(openNativeEngine(loaded.addon, { threads: 1 }));
      }
      for (const config of [SMALL, ODD]) {
        const [gcc, clang] = engines.map((engine) => trainedBytes(engine, config, 20));
        expect(gcc.equals(clang)).toBe(true);
      }
    },
    300_000,
  );
});

describe('openEngine', () => {
  itNeeding(NO_NATIVE, 'says which engine auto is, and why', async () => {
    const { engine, note } = await openEngine('auto', { threads: 1 });
    expect(engine.name).toBe('native');
    expect(note).toBe(`engine native, ${engine.isa} (the fastest here)`);
    expect(['x86-64 AVX-512', 'x86-64 AVX2+FMA']).toContain(engine.isa);
    engine.dispose();
  });

  itNeeding(NO_NATIVE, 'refuses thread counts that make no sense', async () => {
    await expect(openEngine('native', { threads: 0 })).rejects.toThrow('threads: found 0');
  });
});

describe('loadAddon', () => {
  let root: string;
  beforeAll(() => {
    mkdirSync(join(ROOT, 'build'), { recursive: true });
    root = mkdtempSync(join(ROOT, 'build', 'load-'));
    mkdirSync(join(root, 'build'));
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('names the file and the remedy when there is none: building it only where its sources are', () => {
    const missing = 'build/kernels.node and prebuilds/linux-x64/kernels.node not found.';
    expect(loadAddon({ root })).toEqual({ kind: 'unavailable', reason: `${missing} Pass --engine wasm.` });
    const clone = mkdtempSync(join(ROOT, 'build', 'load-'));
    try {
      mkdirSync(join(clone, 'src/engine/build'), { recursive: true });
      writeFileSync(join(clone, 'src/engine/build/targets.json'), '{}');
      expect(loadAddon({ root: clone })).toEqual({
        kind: 'unavailable',
        reason: `${missing} Run "npm run build:native", or pass --engine wasm.`,
      });
    } finally {
      rmSync(clone, { recursive: true, force: true });
    }
  });

  itNeeding(NO_NATIVE, 'refuses an addon of other sources before loading it', () => {
    writeFileSync(join(root, 'build/kernels.node'), readFileSync(join(ROOT, 'build/kernels.node')));
    expect(loadAddon({ root })).toMatchObject({
      reason: expect.stringMatching(/no build\/kernels\.node\.sha256/) as string,
    });
    writeFileSync(join(root, 'build/kernels.node.sha256'), `${'0'.repeat(64)}\n`);
    expect(loadAddon({ root })).toMatchObject({
      reason: expect.stringMatching(/built from other sources/) as string,
    });
    const recorded = readFileSync(join(ROOT, 'build/kernels.node.sha256'));
    writeFileSync(join(root, 'build/kernels.node.sha256'), recorded);
    expect(loadAddon({ root }).kind).toBe('loaded');
  });

  itNeeding(
    NO_NATIVE,
    'refuses an addon of the same sources and other flags, also those of the linker',
    () => {
      for (const folder of ['kernels', 'native', 'build']) {
        cpSync(join(ROOT, 'src/engine', folder), join(root, 'src/engine', folder), { recursive: true });
      }
      for (const name of ['kernels.node', 'kernels.node.sha256']) {
        cpSync(join(ROOT, 'build', name), join(root, 'build', name));
      }
      expect(loadAddon({ root }).kind).toBe('loaded');
      const path = join(root, 'src/engine/build/targets.json');
      const targets = readFileSync(path, 'utf8');
      for (const [old, other] of [
        ['"-O3"', '"-O2"'],
        ['"-O2"', '"-O1"'],
        ['"-shared"', '"-shared", "-Wl,-z,now"'],
        ['x86-64-v4', 'native'],
      ] as const) {
        expect(targets).toContain(old);
        writeFileSync(path, targets.replace(old, other));
        expect(loadAddon({ root }), other).toMatchObject({
          reason: expect.stringMatching(/built from other sources/) as string,
        });
      }
      rmSync(join(root, 'src'), { recursive: true });
    },
  );

  itNeeding(
    NO_NATIVE ?? missingProgram('objdump'),
    'asks the processor for every extension whose instructions the kernels hold',
    () => {
      const path = join(ROOT, 'build/kernels.node');
      const code = execFileSync('objdump', ['-d', '--no-show-raw-insn', path], {
        encoding: 'utf8',
        maxBuffer: 1 << 28,
      });
      const glue = readFileSync(join(ROOT, 'src/engine/native/addon.c'), 'utf8');
      const used = Object.entries({
        fma: /\tvfmadd/,
        avx512f: /%zmm/,
        bmi: /\t(andn|bextr|blsi|blsr|blsmsk|tzcnt)[lq]? /,
        bmi2: /\t(shlx|shrx|sarx|rorx|mulx|bzhi|pdep|pext)[lq]? /,
        lzcnt: /\tlzcnt/,
        movbe: /\tmovbe/,
        f16c: /\tvcvt(ph2ps|ps2ph)/,
      }).flatMap(([feature, instruction]) => (instruction.test(code) ? [feature] : []));
      expect(used).toEqual(expect.arrayContaining(['fma', 'avx512f']));
      expect(used.filter((feature) => !glue.includes(`HAS("${feature}")`))).toEqual([]);
    },
  );

  it('refuses a file that is not an addon', () => {
    writeFileSync(join(root, 'build/broken.node'), 'not an ELF file');
    writeFileSync(join(root, 'build/broken.node.sha256'), `${'0'.repeat(64)}\n`);
    expect(loadAddon({ root, file: 'broken.node' })).toMatchObject({
      reason: expect.stringMatching(/could not be loaded/) as string,
    });
  });
});
