/**
 * Small replays of mistakes that collections of published checkpoints were found to have, one each; a sound collection is the
 * control. The numbers in brackets are those of the reports at github.com/EleutherAI/pythia/issues.
 */
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeSafetensors, type Tensor } from '../../../src/checkpoint/format.js';
import type { Finding } from '../../../src/checkpoint/store.js';
import { Rng } from '../../../src/tensor/rng.js';
import { verifyPaths } from '../../../src/workflows/verify/verify.js';
import { temporaryFolder } from '../../io/temporary.js';

const NAMES = ['embed_in.weight', 'layers.0.mlp.weight', 'layers.1.mlp.weight', 'embed_out.weight'];
const SIZE = 300;
const EARLY = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
const GRID = [1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000];

type Weights = ReadonlyMap<string, Float32Array>;

/** A random walk: a drift and noise, as training goes. @param seed - of the start */
function training(steps: readonly number[], seed = 1): Map<number, Weights> {
  const start = new Rng(seed, 'test:published:start');
  const walk = new Rng(9, 'test:published:walk');
  const now = new Map(
    NAMES.map((name) => [name, Float32Array.from({ length: SIZE }, () => 0.02 * start.normal())]),
  );
  const drift = new Map(
    NAMES.map((name) => [name, Float32Array.from({ length: SIZE }, () => walk.normal())]),
  );
  const result = new Map<number, Weights>();
  let before = 0;
  for (const step of steps) {
    const updates = step - before;
    before = step;
    for (const [name, values] of now) {
      const way = drift.get(name) ?? values;
      for (let i = 0; i < SIZE; i++)
        values[i] += 1e-5 * updates * way[i] + 1e-4 * Math.sqrt(updates) * walk.normal();
    }
    result.set(step, new Map([...now].map(([name, values]) => [name, values.slice()])));
  }
  return result;
}

const tensorsOf = (weights: Weights): Tensor[] =>
  [...weights].map(([name, data]) => ({ name, shape: [20, 15], data }));

function publish(
  folder: string,
  step: number,
  weights: Weights,
  metadata: Record<string, string> = {},
): void {
  const dir = join(folder, `step${step}`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'model.safetensors'), encodeSafetensors(tensorsOf(weights), metadata));
}

function publishAll(steps: ReadonlyMap<number, Weights>): string {
  const folder = join(temporaryFolder(), 'pythia');
  for (const [step, weights] of steps) publish(folder, step, weights);
  return folder;
}

const at = (steps: ReadonlyMap<number, Weights>, step: number): Weights => {
  const weights = steps.get(step);
  if (weights === undefined) throw new Error(`no step ${step}`);
  return weights;
};

const errorsOf = (folder: string): readonly Finding[] =>
  verifyPaths([folder]).findings.filter(({ level }) => level === 'error');

describe('a sound collection', () => {
  it('has no findings, and distances that grow', () => {
    const { findings, steps, published } = verifyPaths([publishAll(training([...EARLY, ...GRID]))]);
    expect(findings).toEqual([]);
    expect(published).toBe(1);
    expect(steps.map(({ step }) => step)).toEqual([...EARLY, ...GRID]);
    const distances = steps.map(({ distance }) => distance ?? NaN);
    expect(distances[0]).toBe(0);
    expect([...distances].sort((a, b) => a - b)).toEqual(distances);
  });
});

describe('weights under names of other steps', () => {
  it('are found where early steps and round ones serve the final weights, in two different files [#205]', () => {
    const steps = training([...EARLY, ...GRID]);
    const folder = publishAll(steps);
    const final = at(steps, 8000);
    const same = [...EARLY, 1000, 2000, 4000, 6000];
    for (const step of same) publish(folder, step, final);
    // the second blob: other bytes, the same numbers
    for (const step of [5000, 8000]) publish(folder, step, final, { format: 'pt' });
    const errors = errorsOf(folder);
    expect(errors.map(({ kind }) => kind)).toEqual(['shared-weights']);
    expect(errors[0].problem).toBe(
      '17 steps 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, ... and 8000 hold the same numbers (in 2 different files), expected other weights after an update.',
    );
  });

  it('are found where those two files differ in one tensor too [#205]', () => {
    const steps = training(GRID);
    const folder = publishAll(steps);
    const final = at(steps, 8000);
    for (const step of [1000, 2000, 4000]) publish(folder, step, final);
    const other = new Map(final).set(
      'layers.0.mlp.weight',
      at(steps, 7000).get('layers.1.mlp.weight') ?? new Float32Array(),
    );
    for (const step of [5000, 6000]) publish(folder, step, other);
    const errors = errorsOf(folder);
    expect(errors.filter(({ kind }) => kind === 'shared-weights').map(({ problem }) => problem)).toEqual([
      expect.stringMatching(/^steps 1000, 2000, 4000 and 8000 hold the same files/),
      expect.stringMatching(/^steps 5000 and 6000 hold the same files/),
    ]);
    expect(errors.find(({ kind }) => kind === 'shared-tensors')?.problem).toMatch(
      /^steps 1000 and 5000 share 3 of 4 tensors \(embed_in\.weight, embed_out\.weight and layers\.1\.mlp\.weight\)/,
    );
  });

  it('are found where the first steps are all the same [#195]', () => {
    const steps = training([0, 1, 512, 1000, 3000, 6000, 7000, 8000]);
    const folder = publishAll(steps);
    for (const step of [1, 512, 1000, 3000, 6000]) publish(folder, step, at(steps, 0));
    expect(errorsOf(folder).map(({ problem }) => problem)).toEqual([
      'steps 0, 1, 512, 1000, 3000 and 6000 hold the same files, expected other weights after an update.',
    ]);
  });

  it('are found where two steps, not beside each other, are the same, but for the signs of zeros [#198, #203]', () => {
    const steps = training([0, 1, 2, 4, 8, 1000]);
    const zero = at(steps, 0).get('embed_in.weight') ?? new Float32Array();
    zero[7] = 0;
    const folder = publishAll(steps);
    const signed = zero.slice();
    signed[7] = -0;
    publish(folder, 2, new Map(at(steps, 0)).set('embed_in.weight', signed));
    const errors = errorsOf(folder);
    expect(errors).toMatchObject([{ kind: 'shared-weights' }]);
    expect(errors[0].problem).toMatch(/^steps 0 and 2 hold the same numbers \(in 2 different files\)/);
  });

  it('are found where two steps serve the first part of the final step [#206]', () => {
    const steps = training(GRID);
    const folder = join(temporaryFolder(), 'parts');
    const first = NAMES.slice(0, 2);
    const [one, two] = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
    for (const [step, weights] of steps) {
      const dir = join(folder, `step${step}`);
      mkdirSync(dir, { recursive: true });
      const inFirst = ({ name }: Tensor): boolean => first.includes(name);
      writeFileSync(join(dir, one), encodeSafetensors(tensorsOf(weights).filter(inFirst)));
      writeFileSync(join(dir, two), encodeSafetensors(tensorsOf(weights).filter((t) => !inFirst(t))));
      const weight_map = Object.fromEntries(NAMES.map((name) => [name, first.includes(name) ? one : two]));
      writeFileSync(join(dir, 'model.safetensors.index.json'), JSON.stringify({ weight_map }));
    }
    expect(errorsOf(folder)).toEqual([]);
    for (const step of [3000, 5000])
      copyFileSync(join(folder, 'step8000', one), join(folder, `step${step}`, one));
    const errors = errorsOf(folder).filter(({ kind }) => kind === 'shared-tensors');
    expect(errors.map(({ problem }) => problem)).toEqual([
      'steps 3000, 5000 and 8000 share 2 of 4 tensors (embed_in.weight and layers.0.mlp.weight) and no others, expected all to change with every update.',
    ]);
  });

  it('are found by distance where no file is the same: a step of the end in the middle, two steps exchanged [#108]', () => {
    const steps = training([...GRID, 8010]);
    const late = publishAll(new Map([...steps].filter(([step]) => step !== 8010)).set(3000, at(steps, 8010)));
    expect(errorsOf(late)).toMatchObject([{ kind: 'out-of-order', step: 3000 }]);
    expect(errorsOf(late)[0].problem).toMatch(
      /^step 3000 lies .* from step 8000 and .* from the steps beside it/,
    );
    const exchanged = new Map(training(GRID));
    const [a, b] = [at(exchanged, 2000), at(exchanged, 7000)];
    exchanged.set(2000, b).set(7000, a);
    const found = errorsOf(publishAll(exchanged));
    expect(found.map(({ kind }) => kind)).toEqual(found.map(() => 'out-of-order'));
    expect(found.map(({ step }) => step)).toEqual(expect.arrayContaining([2000, 7000]));
  });

  it('are found where the later steps do not go on from the start that is published [#203]', () => {
    const steps = new Map(training([0, 1, 4, 16, 64, 256]));
    expect(errorsOf(publishAll(steps))).toEqual([]);
    steps.set(0, at(training([0], 2), 0));
    const errors = errorsOf(publishAll(steps));
    expect(errors).toMatchObject([{ kind: 'too-far', step: 0 }]);
    expect(errors[0].problem).toContain('the run does not go on from this start');
  });

  it('are found by hash alone where they are pickles, which are not read', () => {
    const folder = temporaryFolder();
    for (const step of [1000, 2000, 3000]) {
      mkdirSync(join(folder, `step${step}`));
      const text = `PK\u0003\u0004 ${step === 3000 ? 1000 : step}`;
      writeFileSync(join(folder, `step${step}`, 'pytorch_model.bin'), text);
    }
    const { findings } = verifyPaths([folder]);
    expect(findings.map(({ kind, level }) => `${level} ${kind}`)).toEqual([
      ...Array<string>(3).fill('note unreadable'),
      'error shared-weights',
    ]);
    expect(findings[3].problem).toMatch(/^steps 1000 and 3000 hold the same files/);
  });
});

describe('what is no mistake', () => {
  it('is named as a note: a tensor that never changes; constants tell nothing', () => {
    const steps = new Map(training(GRID));
    const frozen = at(steps, 1000).get('embed_in.weight') ?? new Float32Array();
    for (const [step, weights] of steps) {
      const ones = new Float32Array(SIZE).fill(step < 5000 ? 1 : step);
      steps.set(step, new Map(weights).set('embed_in.weight', frozen).set('norm.weight', ones));
    }
    const { findings } = verifyPaths([publishAll(steps)]);
    expect(findings).toMatchObject([{ kind: 'unchanged-tensors', level: 'note' }]);
    expect(findings[0].problem).toContain('1 of 5 tensors (embed_in.weight) are equal in all steps');
  });
});

describe('a collection', () => {
  it('may lie in files, and be several; each is compared by itself, steps by number', () => {
    const folder = temporaryFolder();
    for (const [name, seed] of [
      ['small', 1],
      ['large', 2],
    ] as const) {
      for (const [step, weights] of training([2, 10, 100], seed))
        writeFileSync(join(folder, `${name}-step${step}.safetensors`), encodeSafetensors(tensorsOf(weights)));
    }
    const { findings, published, steps } = verifyPaths([folder]);
    expect(findings).toEqual([]);
    expect(published).toBe(2);
    expect(steps.map(({ step }) => step)).toEqual([2, 10, 100, 2, 10, 100]);
  });

  it('names a step of another model, a file that cannot be read, and links out of the tree, which are not followed', () => {
    const steps = training(GRID);
    const folder = publishAll(steps);
    writeFileSync(
      join(folder, 'step2000', 'model.safetensors'),
      'version https://git-lfs.github.com/spec/v1\n',
    );
    const shorter = tensorsOf(at(steps, 3000)).map((tensor) => ({ ...tensor, shape: [15, 20] }));
    writeFileSync(join(folder, 'step3000', 'model.safetensors'), encodeSafetensors(shorter));
    const outside = publishAll(training([1, 2], 5));
    symlinkSync(outside, join(folder, 'step9000'));
    mkdirSync(join(folder, 'step10000'));
    symlinkSync(join(outside, 'step1', 'model.safetensors'), join(folder, 'step10000', 'model.safetensors'));
    const { findings } = verifyPaths([folder]);
    expect(findings.map(({ kind, level }) => `${level} ${kind}`).sort()).toEqual([
      'error link',
      'error other-model',
      'error unreadable',
      'note link',
    ]);
    expect(findings.find(({ kind }) => kind === 'unreadable')?.problem).toContain('git-LFS pointer');
    expect(findings.find(({ kind }) => kind === 'other-model')?.problem).toContain(
      'tensor "embed_in.weight": found [15, 20], expected [20, 15] as in step 1000',
    );
    expect(readFileSync(join(outside, 'step1', 'model.safetensors')).length).toBeGreaterThan(0);
  });
});
