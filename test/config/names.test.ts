import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  conditionId,
  conditionLabel,
  configSha256,
  distinguishingLabels,
  gptConfigOf,
  runId,
} from '../../src/config/names.js';
import { parseRunConfig, resolveRunConfig } from '../../src/config/parse.js';
import { canonicalJson } from '../../src/io/json.js';
import { packageRoot } from '../../src/io/package-root.js';
import { OPERATION_NAMES } from '../../src/listops/language/operations.js';
import { sha256Hex } from '../../src/io/sha256.js';

const REFERENCE = join(packageRoot(), 'checkpoints', 'reference');

describe('runId', () => {
  it('is readable and ends with twelve digits of the hash', () => {
    const config = resolveRunConfig({});
    expect(runId(config)).toBe(`max-med-sum-full-d16-s1-${configSha256(config).slice(0, 12)}`);
    const all = resolveRunConfig({ data: { tasks: OPERATION_NAMES } });
    expect(runId(all)).toMatch(/^\d+-tasks-full-d16-s1-[0-9a-f]{12}$/);
  });

  it('hashes only fields that differ from their default, and the vocabulary', () => {
    const vocabulary = OPERATION_NAMES;
    expect(configSha256(resolveRunConfig({}))).toBe(sha256Hex(canonicalJson({ vocabulary })));
    // derived defaults are defaults too
    expect(configSha256(resolveRunConfig({ model: { dModel: 32, dMlp: 128 }, seed: 7 }))).toBe(
      sha256Hex(canonicalJson({ model: { dModel: 32 }, seed: 7, vocabulary })),
    );
    expect(configSha256(resolveRunConfig({ data: { holdoutSeed: 1 }, seed: 7 }))).toBe(
      sha256Hex(canonicalJson({ data: { holdoutSeed: 1 }, seed: 7, vocabulary })),
    );
  });

  it('keeps the id of a run that was stored before later fields existed', () => {
    // the folder's name was made when none of these fields existed, and has been the same since
    const name = 'max-med-sum-pairs-d16-s1-5deca8f89d56';
    const json = JSON.parse(readFileSync(join(REFERENCE, name, 'config.json'), 'utf8')) as Record<
      'model' | 'optimizer',
      Record<string, unknown>
    >;
    delete json.model.qkvBias;
    delete json.model.unembeddingBias;
    delete json.model.residualInit;
    delete json.optimizer.schedule;
    expect(Object.keys(json.model)).toHaveLength(9);
    const config = parseRunConfig(json, 'config.json');
    expect(runId(config)).toBe(name);
    expect(config.model).toMatchObject({ qkvBias: true, unembeddingBias: false, residualInit: 'scaled' });
    expect(config.optimizer.schedule).toBe('cosine');
    expect('notation' in config.data).toBe(false);
  });

  it('is the name of every reference run', () => {
    const names = readdirSync(REFERENCE);
    expect(names.length).toBeGreaterThan(4);
    for (const name of names) {
      const path = join(REFERENCE, name, 'config.json');
      const config = parseRunConfig(JSON.parse(readFileSync(path, 'utf8')), path);
      expect(runId(config)).toBe(name);
      // and of the run that the fields alone give
      const { vocabulary: _, ...fields } = config;
      expect(runId(resolveRunConfig(fields))).toBe(name);
    }
  });

  it('leaves a later field out where it says what the run does anyway', () => {
    const base = resolveRunConfig({ model: { bias: false, tied: false } });
    expect(
      runId(
        resolveRunConfig({
          data: { notation: 'standard' as never },
          model: { bias: false, tied: false, qkvBias: false, unembeddingBias: false, residualInit: 'scaled' },
          optimizer: { schedule: 'cosine' },
        }),
      ),
    ).toBe(runId(base));
  });

  it('is the same however the same configuration was reached', () => {
    const a = resolveRunConfig({ seed: 2, data: { tasks: ['SUM', 'MAX'] }, model: { dMlp: 64 } });
    const b = resolveRunConfig({ data: { tasks: ['MAX', 'SUM'], holdoutSeed: 2 }, seed: 2 });
    const stored = parseRunConfig(JSON.parse(canonicalJson(a)), 'config.json');
    expect(runId(a)).toBe(runId(b));
    expect(runId(stored)).toBe(runId(a));
    const { data, model, optimizer, training, seed } = a;
    expect(runId({ data, model, optimizer, training, seed })).toBe(runId(a));
  });

  it('differs when any one field differs', () => {
    const variants = [
      {},
      { data: { modulus: 11 } },
      { data: { nesting: 0.3 } },
      { data: { operands: [2, 2] as const } },
      { data: { regime: 'pairs' as const } },
      { data: { tableSeed: 1 } },
      { data: { fixedSize: 100 } },
      { data: { fixedSize: 100, window: 32 } },
      { data: { notation: 'authors' as const } },
      { data: { regime: 'ordered-triples' as const } },
      { data: { holdoutSeed: 2 } },
      { model: { dModel: 32 } },
      { model: { dMlp: 32 } },
      { model: { tied: false } },
      { model: { tied: false, unembeddingBias: true } },
      { model: { qkvBias: false } },
      { model: { bias: false } },
      { model: { residualInit: 'plain' as const } },
      { model: { nCtx: 65 } },
      { optimizer: { learningRate: 1e-3 } },
      { optimizer: { eps: 1e-7 } },
      { optimizer: { schedule: 'exponential' as const } },
      { training: { steps: 8001 } },
      { training: { stop: 'solved' as const } },
      { seed: 2 },
    ];
    const ids = variants.map((variant) => runId(resolveRunConfig(variant)));
    expect(new Set(ids).size).toBe(variants.length);
    const older = { ...resolveRunConfig({}), vocabulary: OPERATION_NAMES.slice(0, -1) };
    expect(ids).not.toContain(runId(older));
  });
});

describe('conditionId', () => {
  it('ignores the seeds and nothing else', () => {
    const id = conditionId(resolveRunConfig({}));
    expect(conditionId(resolveRunConfig({ seed: 9 }))).toBe(id);
    expect(conditionId(resolveRunConfig({ seed: 9, data: { holdoutSeed: 4 } }))).toBe(id);
    expect(conditionId(resolveRunConfig({ training: { steps: 9 } }))).not.toBe(id);
  });
});

describe('distinguishingLabels', () => {
  it('adds fields only where two conditions would read the same', () => {
    const configs = [
      resolveRunConfig({ data: { tasks: ['SUM'] } }),
      resolveRunConfig({ data: { tasks: ['SUM'] }, training: { steps: 16_000 } }),
      resolveRunConfig({ data: { tasks: ['SUM'] }, seed: 2 }),
      resolveRunConfig({ data: { tasks: ['SUM'], fixedSize: 5 } }),
      resolveRunConfig({}),
    ];
    expect(distinguishingLabels(configs)).toEqual([
      'SUM, full, d=16, steps=8000, fixedSize=absent',
      'SUM, full, d=16, steps=16000, fixedSize=absent',
      'SUM, full, d=16, steps=8000, fixedSize=absent',
      'SUM, full, d=16, steps=8000, fixedSize=5',
      'MAX+MED+SUM, full, d=16',
    ]);
    expect(conditionLabel(configs[4])).toBe('MAX+MED+SUM, full, d=16');
  });
});

describe('gptConfigOf', () => {
  it('counts the vocabulary the run was made with', () => {
    const config = resolveRunConfig({ data: { modulus: 7 } });
    expect(gptConfigOf(config)).toEqual({ dVocab: 6 + 7 + OPERATION_NAMES.length, ...config.model });
    expect(gptConfigOf({ ...config, vocabulary: ['MAX', 'SUM'] }).dVocab).toBe(6 + 7 + 2);
  });
});
