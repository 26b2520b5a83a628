import { describe, expect, it } from 'vitest';
import { parsePlan } from '../../../../src/workflows/sweep/plan/plan.js';
import { TINY_PLAN, tinyPlan } from '../tiny.js';

const parse = (text: string) => () => parsePlan(text, 'p.yaml');
const ARMS = 'arms: { sum: { data.tasks: [SUM] } }';

describe('parsePlan', () => {
  it('reads YAML, nested fields and paths alike', () => {
    const { name, parts } = tinyPlan();
    expect(name).toBe('tiny');
    expect(parts).toHaveLength(1);
    expect(parts[0].base).toEqual({
      data: { modulus: 4 },
      model: { nLayers: 1, nCtx: 16 },
      optimizer: { warmupSteps: 10 },
      training: { steps: 60, batchSize: 8, evaluateEvery: 20 },
    });
    expect([...parts[0].arms.keys()]).toEqual(['sum', 'joint']);
    expect(parts[0].axes[0].points[1]).toEqual({ model: { dModel: 6 } });
    expect(parts[0].seeds).toEqual({ first: 1, count: 2 });
  });

  it('reads the same plan from JSON', () => {
    const json = {
      name: 'tiny',
      base: {
        data: { modulus: 4 },
        model: { nLayers: 1, nCtx: 16 },
        'optimizer.warmupSteps': 10,
        training: { steps: 60, batchSize: 8, evaluateEvery: 20 },
      },
      arms: { sum: { 'data.tasks': ['SUM'] }, joint: { 'data.tasks': ['MAX', 'SUM'] } },
      axes: { 'model.dModel': [4, 6, 8] },
      seeds: '1..2',
      modules: ['embedding-pca'],
    };
    expect(parsePlan(JSON.stringify(json), 'p.json')).toEqual(tinyPlan());
  });

  it('takes what a size says instead of what the plan says, its base field by field', () => {
    const text = `${TINY_PLAN}sizes: { small: { base: { training.steps: 20 }, seeds: [9] }, paper: { seeds: 1..3 } }`;
    const small = parsePlan(text, 'p.yaml');
    expect(small.name).toBe('tiny-small');
    expect(small.parts[0].seeds).toEqual([9]);
    expect(small.parts[0].base['training']).toEqual({ steps: 20, batchSize: 8, evaluateEvery: 20 });
    const paper = parsePlan(text, 'p.yaml', 'paper');
    expect(paper.name).toBe('tiny-paper');
    expect(paper.parts[0].base['training']).toEqual({ steps: 60, batchSize: 8, evaluateEvery: 20 });
  });

  it('gives parts the base, axes, seeds and modules of the plan where they have none of their own', () => {
    const { parts } = parsePlan(
      `name: p\nbase: { model.dModel: 8, training.steps: 10 }\nseeds: [1]\nparts:\n  a: { ${ARMS}, base: { training.steps: 20 } }\n  b: { ${ARMS}, seeds: [2, 3] }`,
      'p.yaml',
    );
    expect(parts.map(({ name, base, seeds }) => [name, base, seeds])).toEqual([
      ['a', { model: { dModel: 8 }, training: { steps: 20 } }, [1]],
      ['b', { model: { dModel: 8 }, training: { steps: 10 } }, [2, 3]],
    ]);
  });

  it('takes the common fields of a preset as base', () => {
    const { parts } = parsePlan(
      `name: p\nbase: { preset: authors, data.depth: 1 }\n${ARMS}\nseeds: [1]`,
      'p.yaml',
    );
    expect(parts[0].base['data']).toMatchObject({ notation: 'authors', depth: 1 });
  });

  it.each([
    [`name: p\nbasis: {}\n${ARMS}\nseeds: [1]`, 'basis: unknown field, expected one of name, '],
    [`name: p\nbasis: {}\n${ARMS}\nseeds: [1]`, 'Did you mean base?'],
    [`name: ../p\n${ARMS}\nseeds: [1]`, 'name: found "../p", expected 1 to 40 small letters'],
    [`name: p\n${ARMS}\nseeds: []`, 'seeds: found an empty list, expected at least one seed.'],
    [`name: p\n${ARMS}\nseeds: [1, 1]`, 'seeds: found 1 twice.'],
    [`name: p\n${ARMS}\nseeds: [-1]`, 'seeds: found [-1], expected a list of whole numbers'],
    [`name: p\n${ARMS}`, 'seeds: found nothing, expected a list of whole numbers'],
    [`name: p\n${ARMS}\nseeds: [1]\naxes: { model.dModel: [] }`, 'axes.model.dModel: found an empty list'],
    [
      `name: p\n${ARMS}\nseeds: [1]\naxes: { model.dModel: 8 }`,
      'axes.model.dModel: found 8, expected a list',
    ],
    [`name: p\n${ARMS}\nseeds: [1]\naxes: { model.dModel: [8, 8] }`, 'axes.model.dModel: found 8 twice'],
    [`name: p\narms: {}\nseeds: [1]`, 'arms: found none, expected at least one.'],
    ['name: p\narms: { a: {}, a: {} }\nseeds: [1]', 'is not acceptable YAML: Map keys must be unique'],
    [`name: p\n${ARMS}\nseeds: [1]\nmodules: [embeding-pca]`, 'Did you mean "embedding-pca"?'],
    [`name: p\n${ARMS}\nseeds: [1]\nclaims: [C9]`, 'claims: found "C9", expected one of C1'],
    [
      'name: p\narms: { a: { init: { from: { arm: b } } } }\nseeds: [1]',
      'init.from.arm: found "b", expected one of a',
    ],
    [
      'name: p\narms: { a: { init.from: { arm: b } }, b: { init.from: { arm: a } } }\nseeds: [1]',
      'arms start from each other in a circle: a < b < a',
    ],
    ['- 1', 'the plan: found [1], expected an object'],
    ['name: [', 'is not acceptable YAML'],
    ['{"name": "p", "name": "q"}', 'found the key "name" twice'],
    [`name: p\nseeds: [1]\narms: { a: { __proto__: { x: 1 } } }`, '__proto__'],
    [`\ufeffname: p`, 'byte order mark'],
  ])('refuses %j', (text, message) => {
    expect(parse(text)).toThrow(message);
    try {
      parsePlan(text, 'p.yaml');
    } catch (error) {
      expect(String(error)).toMatch(/^UserError: p\.yaml/);
      expect(String(error)).not.toContain('\n');
    }
  });

  it('refuses a size that the plan has not', () => {
    expect(() => parsePlan(TINY_PLAN, 'p.yaml', 'small')).toThrow('--size: found small');
    expect(() => parsePlan(`${TINY_PLAN}sizes: { small: {} }`, 'p.yaml', 'paper')).toThrow(
      '--size: found paper, expected one of small',
    );
  });
});
