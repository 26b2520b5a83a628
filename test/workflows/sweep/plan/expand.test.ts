import { describe, expect, it } from 'vitest';
import { conditionId, runId } from '../../../../src/config/names.js';
import { resolveRunConfig } from '../../../../src/config/parse.js';
import { bundledPlans, findPlan } from '../../../../src/workflows/sweep/bundled.js';
import {
  configOf,
  countRuns,
  expandPlan,
  type Resolve,
} from '../../../../src/workflows/sweep/plan/expand.js';
import { isFields } from '../../../../src/workflows/sweep/plan/fields.js';
import { parsePlan, PLAN_SIZES } from '../../../../src/workflows/sweep/plan/plan.js';
import { reachOf } from '../../../../src/workflows/sweep/plan/reach.js';
import { resultFor, tinyRuns } from '../tiny.js';

const plan = (text: string) => parsePlan(`name: p\n${text}`, 'p.yaml');
const expand = (text: string) => () => expandPlan(plan(text));

describe('expandPlan', () => {
  it('gives every arm at every point of the axes with every seed', () => {
    const runs = tinyRuns();
    expect(runs).toHaveLength(12);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(12);
    const seen = runs.map(({ config }) =>
      [config.data.tasks.join('+'), config.model.dModel, config.seed].join(' '),
    );
    expect(seen.slice(0, 3)).toEqual(['SUM 4 1', 'SUM 4 2', 'SUM 6 1']);
    expect(seen.at(-1)).toBe('MAX+SUM 8 2');
  });

  it('lets an arm have its own seeds, and an axis set several fields', () => {
    const runs = expandPlan(
      plan(
        'arms: { a: { data.tasks: [SUM], seeds: [7] }, b: { data.tasks: [MAX] } }\nseeds: 1..3\naxes: { size: [{ model.dModel: 8, model.nHeads: 2 }, { model.dModel: 4 }] }',
      ),
    );
    expect(runs).toHaveLength(2 + 6);
    expect(runs[0].config).toMatchObject({ seed: 7, model: { dModel: 8, nHeads: 2, dMlp: 32 } });
  });

  it('trains a run once that stands in two parts', () => {
    const part = 'arms: { sum: { data.tasks: [SUM] } }, seeds: [1]';
    const runs = expandPlan(plan(`parts: { a: { ${part} }, b: { ${part}, modules: [embedding-pca] } }`));
    expect(runs).toHaveLength(1);
    expect(runs[0].places).toEqual([
      { part: 'a', arm: 'sum' },
      { part: 'b', arm: 'sum' },
    ]);
    expect(runs[0].modules).toEqual(['embedding-pca']);
  });

  it.each([
    ['arms: { a: { model.dmodel: 8 } }\nseeds: [1]', 'plan p, arm a: model.dmodel: unknown field'],
    ['arms: { a: { model.dmodel: 8 } }\nseeds: [1]', 'Did you mean model.dModel?'],
    ['arms: { a: {} }\nseeds: [1]\naxes: { model.dmodel: [8] }', 'Did you mean model.dModel?'],
    ['arms: { a: {} }\nseeds: [1]\naxes: { model.dModel: [0] }', 'model.dModel (--d-model): found 0'],
    ['arms: { a: {}, b: {} }\nseeds: [1]', 'arm b: gives the same run as arm a'],
    [
      'arms: { a: { model.dModel: 8 } }\nseeds: [1]\naxes: { model.dModel: [8] }',
      'sets model.dModel, which the axis',
    ],
    [
      'arms: { a: {} }\nseeds: 1..1000000000',
      'found 1,000,000,000 runs (arms x axes x seeds), expected at most 100,000',
    ],
  ])('refuses %j', (text, message) => {
    expect(expand(text)).toThrow(message);
  });

  it('refuses 10^9 points without making one', () => {
    const axis = (name: string) => `${name}: [${Array.from({ length: 1000 }, (_, i) => i + 1).join(',')}]`;
    const text = `arms: { a: {} }\nseeds: [1]\naxes: { ${axis('model.dModel')}, ${axis('training.steps')}, ${axis('model.nLayers')} }`;
    const many = plan(text);
    expect(countRuns(many)).toBe(1e9);
    const none: Resolve = () => {
      throw new Error('a run was made');
    };
    expect(() => expandPlan(many, none)).toThrow('found 1,000,000,000 runs');
  });

  // a parser that knows init as far as this test needs it: the configuration has to depend on the weights
  const asked: unknown[] = [];
  const withInit: Resolve = ({ init, ...fields }, where) => {
    const config = resolveRunConfig(fields, where);
    if (!isFields(init)) return config;
    const text = JSON.stringify(init);
    if (!asked.includes(text)) asked.push(text);
    return { ...config, data: { ...config.data, tableSeed: 1 + asked.indexOf(text) } };
  };

  it('puts the source of the same point and seed before what starts from it', () => {
    const runs = expandPlan(
      plan(
        'arms: { after: { data.tasks: [SUM], init: { from: { arm: before, seed: same }, what: numbers } }, before: { data.tasks: [MAX, MED] } }\naxes: { model.dModel: [4, 8] }\nseeds: 1..2',
      ),
      withInit,
    );
    expect(runs).toHaveLength(8);
    for (const [i, run] of runs.entries()) {
      if (run.source === undefined) continue;
      const at = runs.findIndex(({ id }) => id === run.source);
      expect(at).toBeLessThan(i);
      expect(runs[at].config).toMatchObject({
        seed: run.config.seed,
        model: { dModel: run.config.model.dModel },
      });
      expect(run.startsFrom).toBeDefined();
      const line = { ...resultFor(runs[at]), weightsStep: 40 };
      const config = run.startsFrom?.(line) ?? run.config;
      expect(JSON.parse(String(asked[config.data.tableSeed - 1]))).toEqual({
        from: `${line.id}@40`,
        what: 'numbers',
        weights: line.weightsSha256,
        condition: conditionId(runs[at].config),
        tasks: ['MAX', 'MED'],
      });
      // its id is another one for other weights
      expect(configOf(run, new Map())).toBeUndefined();
      const other = configOf(run, new Map([[runs[at].id, resultFor(runs[at], 'b')]]));
      expect(runId(other ?? config)).not.toBe(runId(config));
    }
    expect(runs.filter(({ source }) => source !== undefined)).toHaveLength(4);
  });
});

describe('the plans of the package', () => {
  // depth-2-start chooses a value beforehand: it has one size, claims nothing, and a test of its own
  const claiming = bundledPlans().filter((name) => name !== 'depth-2-start');
  it.each(claiming.flatMap((name) => PLAN_SIZES.map((size) => [name, size] as const)))(
    '%s, size %s, names new seeds only and can reach its claims',
    (name, size) => {
      const bundled = findPlan(name, size);
      const runs = expandPlan(bundled);
      expect(runs.length).toBeGreaterThan(3);
      expect(Math.min(...runs.map(({ config }) => config.seed))).toBeGreaterThan(100);
      if (size === 'paper') {
        for (const { claim, reachable, why } of reachOf(bundled.claims, runs)) {
          expect(reachable, `${claim}: ${why}`).toBe(true);
        }
      }
    },
  );

  it('are found by name, with the nearest one for a typing error', () => {
    expect(() => findPlan('treshold')).toThrow('Did you mean thresholds?');
    expect(() => findPlan('no/such.yaml')).toThrow('no/such.yaml');
  });
});

describe('reachOf', () => {
  it('says what a plan lacks', () => {
    const reach = reachOf(['C3'], tinyRuns());
    expect(reach.map(({ claim, reachable }) => [claim, reachable])).toEqual(
      ['C3a', 'C3b1', 'C3b2', 'C3c'].map((part) => [part, false]),
    );
    expect(reach[0].why).toBe(
      'regime pairs, modulus 10, depth 1, 2 to 3 operands, d=16, 16,000 steps: runs: mixed has 0, SUM-only has 0, 6 a condition needed',
    );
    expect(reachOf(['C3b2', 'C4'], tinyRuns()).map(({ claim }) => claim)).toEqual(['C3b2', 'C4']);
  });

  it('counts seeds of one setting, not of several together', () => {
    const seeds = (list: string, rate: string) =>
      `arms: { sum: { data.tasks: [SUM] }, joint: { data.tasks: [MAX, MED, SUM] } }, base: { data.regime: pairs, training.steps: 16000, optimizer.learningRate: ${rate} }, seeds: ${list}`;
    const split = plan(`parts: { a: { ${seeds('1..3', '1.0e-3')} }, b: { ${seeds('4..6', '2.0e-3')} } }`);
    expect(reachOf(['C4'], expandPlan(split))[0].why).toContain(
      'mixed has 3, SUM-only has 3, 12 a condition needed',
    );
    const whole = plan(`parts: { a: { ${seeds('1..12', '1.0e-3')} } }`);
    expect(reachOf(['C4'], expandPlan(whole))[0].reachable).toBe(true);
  });
});
