import { describe, expect, it } from 'vitest';
import { conditionLabel, gptConfigOf, runId } from '../../src/config/names.js';
import { resolveRunConfig } from '../../src/config/parse.js';
import {
  AUTHORS,
  PRESET_NAMES,
  getPreset,
  presetFields,
  presets,
  withSteps,
} from '../../src/config/presets.js';
import { checkpointSteps } from '../../src/config/checkpoint-steps.js';
import { parameterTable } from '../../src/model/parameters.js';

/** label -> [runs, steps] */
function summary(name: string): Record<string, [number, number]> {
  const result: Record<string, [number, number]> = {};
  for (const run of getPreset(name).runs) {
    const label = `${conditionLabel(run)}, depth ${run.data.depth}`;
    result[label] = [(result[label]?.[0] ?? 0) + 1, run.training.steps];
  }
  return result;
}

describe('presets', () => {
  it('has the arms, seeds and steps of the quick experiment', () => {
    expect(summary('quick')).toEqual({
      'MAX+MED+SUM, full, d=16, depth 1': [6, 8000],
      // six from the usual start, four from the larger one
      'SUM, full, d=16, depth 1': [10, 8000],
      'MAX+MED+SUM, pairs, d=16, depth 1': [8, 16_000],
      'SUM, pairs, d=16, depth 1': [8, 16_000],
      'FIRST+SUM, full, d=16, depth 1': [4, 8000],
    });
    for (const { seed, data } of getPreset('quick').runs) expect(data.holdoutSeed).toBe(seed);
  });

  it('adds depth 2 at two widths to the standard experiment', () => {
    expect(summary('standard')).toMatchObject({
      ...summary('quick'),
      'MAX+MED+SUM, full, d=32, depth 2': [3, 16_000],
      'SUM, full, d=32, depth 2': [3, 16_000],
      'MAX+MED+SUM, full, d=48, depth 2': [3, 16_000],
      'SUM, full, d=48, depth 2': [3, 16_000],
    });
  });

  it("has the authors' model: 12 d^2 + 180 d + 20 parameters, whatever the width", () => {
    for (const dModel of [4, 8, 11, 32, 64, 181, 256]) {
      const fields = presetFields('authors');
      const config = resolveRunConfig({ ...fields, model: { ...fields.model, dModel } });
      const { nParameters } = parameterTable(gptConfigOf(config));
      expect(nParameters).toBe(12 * dModel ** 2 + 180 * dModel + 20);
    }
  });

  it("has the authors' data and training", () => {
    expect(summary('authors')).toEqual({
      'MAX+MED+SUM, triples, d=32, depth 2': [2, 20_000],
      'SUM, triples, d=32, depth 2': [2, 20_000],
    });
    const [run] = getPreset('authors').runs;
    expect(run).toMatchObject(AUTHORS);
    expect(run.vocabulary).toEqual(['MIN', 'MAX', 'MED', 'SUM', 'PROD', 'NADD']);
    expect(run.training.batchSize).toBe(64);
    expect([run.optimizer.beta1, run.optimizer.beta2, run.optimizer.eps, run.optimizer.clip]).toEqual([
      0.9, 0.999, 1e-8, 1,
    ]);
    // every matrix starts with the same spread, and nothing but the listed biases exists
    const { specs } = parameterTable(gptConfigOf(run));
    expect(new Set(specs.flatMap(({ init }) => (init.kind === 'normal' ? [init.std] : [])))).toEqual(
      new Set([0.02]),
    );
    expect(
      specs.map(({ name }) => name.replace('transformer.', '')).filter((name) => name.endsWith('bias')),
    ).toEqual([
      'h.0.ln_1.bias',
      'h.0.attn.c_proj.bias',
      'h.0.ln_2.bias',
      'h.0.mlp.c_fc.bias',
      'h.0.mlp.c_proj.bias',
      'ln_f.bias',
      'lm_head.bias',
    ]);
  });

  it("can be the start of a run of one's own, and be made shorter", () => {
    for (const name of PRESET_NAMES) {
      const { runs } = getPreset(name);
      const fields = presetFields(name);
      // with what differs between its runs put back, it is each of them
      for (const run of runs.slice(0, 8)) {
        const { tasks, regime, depth, holdoutSeed } = run.data;
        const own = resolveRunConfig({
          ...fields,
          data: { ...fields.data, tasks, regime, depth, holdoutSeed },
          model: { ...fields.model, dModel: run.model.dModel },
          optimizer: { ...fields.optimizer, learningRate: run.optimizer.learningRate },
          training: run.training,
          seed: run.seed,
        });
        expect(runId(own)).toBe(runId(run));
      }
    }
    const short = withSteps(getPreset('authors'), 500);
    expect(short.runs.map(({ training }) => [training.steps, training.evaluateEvery])).toEqual(
      Array.from({ length: 4 }, () => [500, 25]),
    );
    expect(new Set(short.runs.map(runId)).size).toBe(4);
  });

  it('never lists a run twice', () => {
    for (const { runs } of Object.values(presets)) expect(new Set(runs.map(runId)).size).toBe(runs.length);
  });

  it('names the nearest preset', () => {
    expect(() => getPreset('quik')).toThrow(
      'preset: found "quik", expected one of authors, quick, smoke, standard. Did you mean quick?',
    );
    expect(() => getPreset('constructor')).toThrow('preset: found "constructor"');
  });
});

describe('checkpointSteps', () => {
  it('starts at 0, is log-spaced and ends at the budget', () => {
    expect(checkpointSteps(8000)).toEqual([0, 64, 256, 1024, 4096, 8000]);
    expect(checkpointSteps(60)).toEqual([0, 60]);
    expect(checkpointSteps(64)).toEqual([0, 64]);
    expect(checkpointSteps(1)).toEqual([0, 1]);
    expect(() => checkpointSteps(0)).toThrow(RangeError);
  });
});
