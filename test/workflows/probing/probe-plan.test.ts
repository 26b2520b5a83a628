/** Options, order of subjects, and which checkpoints may be compared. */
import { describe, expect, it } from 'vitest';
import { PROBES } from '../../../probes/index.js';
import { conditionId, conditionLabel } from '../../../src/config/names.js';
import { resolveRunConfig, type DeepPartial } from '../../../src/config/parse.js';
import type { RunConfig } from '../../../src/config/run-config.js';
import { checkComparable, comparabilityNotes } from '../../../src/workflows/probing/comparable.js';
import { designOf } from '../../../src/workflows/probing/design.js';
import {
  type CheckpointRef,
  checkPlainJson,
  measurementKey,
  resolveOptions,
  sortRefs,
  withoutCopies,
} from '../../../src/workflows/probing/probe-plan.js';

function ref(run: string, fields: DeepPartial<RunConfig> = {}, step = 10): CheckpointRef {
  const config = resolveRunConfig(fields);
  return {
    source: { kind: 'run', dir: `/runs/${run}` },
    config,
    subject: {
      id: `${run}@${step}`,
      run,
      step,
      seed: config.seed,
      condition: conditionId(config),
      label: conditionLabel(config),
      parameters: 1,
      weightsSha256: `${run}${step}`,
      final: true,
      accuracy: null,
      design: designOf(config, 'budget', true),
    },
  };
}

describe('resolveOptions', () => {
  const probe = PROBES.find(({ name }) => name === 'embedding-pca') ?? PROBES[0];

  it('takes defaults, or the cheaper ones of a series, and what is given before both', () => {
    const [plain, series] = [resolveOptions(probe), resolveOptions(probe, {}, true)];
    expect(plain['permutations']).toBe(10_000);
    expect(series['permutations']).toBe(999);
    expect(series['ckaPermutations']).toBe(plain['ckaPermutations']);
    expect(resolveOptions(probe, { permutations: 5 }, true)['permutations']).toBe(5);
  });

  it('refuses an unknown option', () => {
    expect(() => resolveOptions(probe, { permutation: 5 })).toThrow(/permutation.*permutations/);
  });
});

describe('sortRefs', () => {
  it('gives one order for every order of the input, copies of one configuration included', () => {
    const refs = [
      ref('b'),
      ref('a'),
      ref('c', { seed: 0 }),
      ref('a', {}, 4),
      ref('d', { model: { dModel: 8 } }),
    ];
    const ids = sortRefs(refs).map(({ subject }) => subject.id);
    expect(ids).toEqual(['c@10', 'a@4', 'a@10', 'b@10', 'd@10']);
    expect(sortRefs([...refs].reverse()).map(({ subject }) => subject.id)).toEqual(ids);
  });

  it('drops a repetition and refuses one name for two weights', () => {
    expect(sortRefs([ref('a'), ref('a')])).toHaveLength(1);
    const other = ref('a');
    const changed = { ...other, subject: { ...other.subject, weightsSha256: 'x' } };
    expect(() => sortRefs([ref('a'), changed])).toThrow(/a@10 was given twice/);
  });
});

describe('withoutCopies', () => {
  const same = (run: string, fields: DeepPartial<RunConfig> = {}, step = 10): CheckpointRef => {
    const one = ref(run, fields, step);
    return { ...one, subject: { ...one.subject, weightsSha256: 'w' } };
  };

  it('keeps one of several names of one model, the one that is known to have learned', () => {
    const copy = same('a');
    const own = same('b');
    const learned: CheckpointRef = { ...own, subject: { ...own.subject, learned: { SUM: 1 } } };
    expect(withoutCopies([copy, own])).toEqual({
      refs: [copy],
      copies: [{ subject: 'b@10', reason: expect.stringContaining('as a@10') as string }],
    });
    expect(withoutCopies([copy, learned]).refs).toEqual([learned]);
  });

  it('keeps equal weights of other conditions, seeds and steps, and other weights of one seed', () => {
    const refs = [
      same('a'),
      same('b', { data: { tasks: ['MAX'] } }),
      same('c', { seed: 5 }),
      same('d', {}, 20),
      ref('e'),
    ];
    expect(withoutCopies(refs)).toEqual({ refs, copies: [] });
  });
});

describe('measurementKey', () => {
  const engine = { name: 'native', kernelHash: 'k' };
  const key = (subject: CheckpointRef, options = {}, version = 1, code?: string): string =>
    measurementKey({ name: 'p', version }, options, subject, engine, code);

  it('changes with weights, options, version, code and kernels, and not with the label', () => {
    const base = ref('a');
    const keys = [
      key(base),
      key({ ...base, subject: { ...base.subject, weightsSha256: 'other' } }),
      key(base, { draws: 1 }),
      key(base, {}, 2),
      key(base, {}, 1, 'code'),
      measurementKey({ name: 'p', version: 1 }, {}, base, { ...engine, kernelHash: 'l' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(key({ ...base, subject: { ...base.subject, label: 'another' } })).toBe(keys[0]);
  });
});

describe('comparing', () => {
  it('refuses another vocabulary, modulus or context, naming field, values and checkpoints', () => {
    expect(() => checkComparable([ref('a'), ref('b', { data: { modulus: 7 } })])).toThrow(
      /^compare: .*modulus: 10 \(a@10\), 7 \(b@10\)/,
    );
    expect(() => checkComparable([ref('a'), ref('b', { model: { nCtx: 48 } })])).toThrow(/nCtx: 64 .*48/);
    expect(() => checkComparable([ref('a'), ref('b', { data: { notation: 'authors' } })])).toThrow(
      /vocabulary: \d+ operations \(a@\d+\), 6 operations, authors' notation \(b@\d+\)/,
    );
    expect(() => checkComparable([ref('a'), ref('b', { vocabulary: ['MAX', 'MIN', 'MED', 'SUM'] })])).toThrow(
      /vocabulary: \d+ operations \(a@10\), 4 operations \(b@10\)/,
    );
  });

  it('takes no difference where it refuses to compare', () => {
    const key = (fields: DeepPartial<RunConfig>) => ref('a', fields).subject.design.comparable;
    const unlike: DeepPartial<RunConfig>[] = [
      { data: { modulus: 7 } },
      { model: { nCtx: 48 } },
      { data: { notation: 'authors' } },
      { vocabulary: ['MAX', 'MIN', 'MED', 'SUM'] },
    ];
    expect(new Set([{}, ...unlike].map(key)).size).toBe(1 + unlike.length);
    // tokens that the run stores, also where its file does not name them
    const { vocabulary: _, ...unnamed } = resolveRunConfig({});
    expect(designOf(unnamed, 'budget', true).comparable).toBe(key({}));
  });

  it('allows other tasks, sizes, seeds and regimes; regimes are marked', () => {
    const refs = [
      ref('a'),
      ref('b', { data: { tasks: ['SUM'] }, seed: 3 }),
      ref('c', { model: { dModel: 8 } }),
      ref('d', { data: { regime: 'pairs' } }),
    ];
    expect(() => checkComparable(refs)).not.toThrow();
    expect(comparabilityNotes(refs.slice(0, 3))).toEqual([]);
    expect(comparabilityNotes(refs)).toHaveLength(1);
    const [base, tasks, , regime] = refs.map(({ subject }) => subject.design.comparable);
    expect(tasks).toBe(base);
    expect(regime).not.toBe(base);
  });
});

describe('checkPlainJson', () => {
  it.each([
    [{ a: [1, { b: NaN }] }, 'm.a[1].b is NaN'],
    [{ a: Infinity }, 'm.a is Infinity'],
    [{ a: new Float32Array(2) }, 'm.a is a Float32Array'],
    [{ a: () => 1 }, 'm.a is a function'],
    [{ a: new Map() }, 'm.a is a Map'],
    [undefined, 'm is a undefined'],
  ])('refuses %j', (value, message) => {
    expect(() => checkPlainJson(value, 'm')).toThrow(message);
  });

  it('takes numbers, texts, lists, objects and absent fields', () => {
    expect(() => checkPlainJson({ a: [1, 'x', null, true], b: undefined }, 'm')).not.toThrow();
  });
});
