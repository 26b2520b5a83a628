/** What the memorization probe concludes from indices that were made up: C5, its assay, and the exploratory findings. */
import { describe, expect, it } from 'vitest';
import { memorization } from '../../probes/memorization.js';
import { indexRows } from '../../probes/memorization/cells.js';
import type { CellRow, MemorizationMeasurement } from '../../probes/memorization/measurement.js';
import type { Measured } from '../../probes/contract.js';
import type { DataConfig } from '../../src/listops/data-config.js';
import type { OperationName } from '../../src/listops/operations.js';
import { createHoldout } from '../../src/listops/regimes.js';
import type { Finding, Subject } from '../../src/report/schema.js';
import { compileWarnings } from '../report/compile.js';
import { configWith, subjectOf } from '../helpers/measure-memorization.js';

type Entry = Measured<MemorizationMeasurement>;

interface Made {
  readonly tasks?: readonly OperationName[];
  readonly regime?: 'full' | 'pairs';
  /** of held pairs, by seed */
  readonly held?: (seed: number) => number;
  readonly trained?: (seed: number) => number;
  readonly lossNats?: number;
  readonly data?: Partial<DataConfig>;
  readonly steps?: number;
  readonly leaks?: number;
  readonly subject?: Partial<Subject>;
  /** difference of every wrong answer from the right one; default: spread evenly */
  readonly wrongBy?: number;
}

/** Most frequent of five held results with different sums. */
const C = 0.2;

function made(seed: number, options: Made): Entry {
  const { tasks = ['SUM'], regime = 'pairs', held = () => 1, trained = () => 1, leaks = 0 } = options;
  const config = configWith(
    { tasks, regime, holdoutSeed: seed, ...options.data },
    { seed, steps: options.steps ?? 16_000 },
  );
  const holdout = createHoldout(config.data);
  const [operation] = tasks.includes('SUM') ? (['SUM'] as const) : tasks;
  const row = (level: CellRow['level'], accuracy: number): CellRow => ({
    operation,
    arity: 2,
    level,
    multisets: level === 'trained' ? 50 : 5,
    prompts: 9,
    complete: true,
    accuracy,
    chance: level === 'trained' ? 0.11 : C,
    strata: [
      { stratum: 'distinct', multisets: 4, accuracy },
      { stratum: 'repeated', multisets: 1, accuracy },
    ],
    differences: Array.from({ length: 10 }, (_, d) => {
      if (d === 0) return accuracy;
      if (options.wrongBy === undefined) return (1 - accuracy) / 9;
      return d === options.wrongBy ? 1 - accuracy : 0;
    }),
    outside: 0,
    cosets: [2, 5, 10].map((divisor) => ({ divisor, accuracy, chance: 1 / divisor })),
    order: { multisets: 4, agreement: 1, byChance: 0.1 },
  });
  const cells = [
    row('trained', trained(seed)),
    ...(regime === 'pairs' ? [row(holdout.level, held(seed))] : []),
  ];
  const measurement: MemorizationMeasurement = {
    modulus: 10,
    tasks,
    regime,
    primary: operation,
    holdout:
      regime === 'full'
        ? null
        : { level: holdout.level, sets: holdout.sets, share: 5 / 55, signalRatio: 1.2 },
    learned: [{ operation, accuracy: trained(seed), lossNats: options.lossNats ?? 0.001 }],
    cells,
    indices: indexRows(cells),
    pairs: { shape: [10, 10], data: new Array<number>(100).fill(0.5) },
    frequency: [{ operation, arity: 2, atLeast: 1000, meanDraws: 5000, multisets: 50, accuracy: 1 }],
    frequencyMethod: 'expected',
    beyond: [
      {
        kind: 'arity',
        value: 4,
        positions: 'seen',
        prompts: 200,
        accuracy: 0.1,
        exact: 0.1,
        noNumber: 0.5,
        chance: 0.12,
      },
    ],
    leak: { examples: 1000, leaks },
  };
  return { subject: subjectOf(config, options.subject, trained(seed)), config, measurement };
}

function runs(n: number, options: Made = {}): Entry[] {
  return Array.from({ length: n }, (_, i) => made(i + 1, options));
}

/** M for a held accuracy, by hand. */
const indexOf = (held: number): number => (1 - held) / (1 - C);
const jitter = (seed: number): number => 0.01 * (seed % 4);
const controls = runs(6, { tasks: ['LATIN'], held: (seed) => C - jitter(seed) });

function findings(entries: readonly Entry[]): Finding[] {
  return memorization.findings(memorization.combine(entries, {}));
}

function c5(entries: readonly Entry[]): Finding {
  const [finding] = findings(entries);
  expect(finding.claim).toBe('C5');
  return finding;
}

describe('level expression from made-up answers', () => {
  const at =
    (shown: number, fresh: number) =>
    (entry: Entry): Entry => {
      const row = (kind: 'expression' | 'shown', accuracy: number) =>
        ({
          kind,
          value: 2,
          positions: 'seen',
          prompts: 200,
          accuracy,
          exact: accuracy ** 2,
          noNumber: 0,
          chance: 0.2,
        }) as const;
      const beyond = [row('expression', fresh), row('shown', shown)];
      return { ...entry, measurement: { ...entry.measurement, beyond } };
    };
  const find = (entries: readonly Entry[], id: string): Finding | undefined =>
    findings(entries).find((one) => one.id.startsWith(`${id}/`));

  it('gives what is right of new expressions, and what is lost against shown ones', () => {
    const memory = runs(4, { tasks: ['MAX', 'MED', 'SUM'], regime: 'full' }).map((entry, i) =>
      at(1, 0.3 + 0.01 * i)(entry),
    );
    expect(find(memory, 'expression')?.estimate).toBeCloseTo(
      (0.3 ** 2 + 0.31 ** 2 + 0.32 ** 2 + 0.33 ** 2) / 4,
      8,
    );
    const gap = find(memory, 'expression-gap');
    expect(gap?.estimate).toBeCloseTo(1 - 0.315, 8);
    expect(gap?.p).toBeLessThan(0.001);
    expect(gap?.n).toEqual({ seeds: 4, examples: 800 });
    expect(gap?.statement).toContain('new expressions of depth 2');
    expect(gap?.verdict).toBeUndefined();
    const rule = runs(4, { tasks: ['MAX', 'MED', 'SUM'], regime: 'full' }).map(at(1, 1));
    expect(find(rule, 'expression-gap')?.estimate).toBe(0);
    expect(find(runs(2), 'expression')).toBeUndefined();
  });
});

describe('C5 from made-up indices', () => {
  it('is supported by planted memorizers, with the share of pairs held out in its statement', () => {
    const finding = c5([...runs(8, { held: (seed) => C + jitter(seed) }), ...controls]);
    expect(finding.verdict).toBe('supported');
    expect(finding.statement).toContain('with 9.1 % of pairs held out');
    const values = Array.from({ length: 8 }, (_, i) => indexOf(C + jitter(i + 1)));
    expect(finding.estimate).toBeCloseTo(values.reduce((a, b) => a + b, 0) / 8, 8);
    expect(finding.interval).toMatchObject({ level: 0.9917, method: 't over seeds' });
    expect(finding.n).toEqual({ seeds: 8, examples: 40 });
    expect(finding.reason).toContain('assay passed: LATIN');
    expect(finding.statement).toContain('Index by seed: seed 1 0.99');
  });

  it('is contradicted by planted adders', () => {
    const finding = c5([...runs(8, { held: (seed) => 1 - jitter(seed) }), ...controls]);
    expect(finding.verdict).toBe('contradicted');
    expect(finding.estimate).toBeLessThan(0.05);
  });

  it('is not supported when half of the advantage is excluded and a fifth is not', () => {
    const finding = c5([...runs(8, { held: (seed) => 0.7 + jitter(seed) }), ...controls]);
    expect(indexOf(0.7)).toBeCloseTo(0.375, 9);
    expect(finding.verdict).toBe('not supported');
  });

  it('says too few when seeds split between memory and rule, and how many seeds would do', () => {
    const finding = c5([...runs(8, { held: (seed) => (seed % 2 === 0 ? 1 : C) }), ...controls]);
    expect(finding.verdict).toBe('too few runs to say');
    expect(finding.reason).toMatch(/^interval too wide; about \d+ seeds/);
  });

  it('says too few with seven runs, and leaves out runs that have not learned, with the reason', () => {
    expect(c5([...runs(7, { held: () => C }), ...controls]).verdict).toBe('too few runs to say');
    const finding = c5([
      ...runs(8, { held: () => C, trained: (seed) => (seed === 3 ? 0.98 : 1) }),
      ...controls,
    ]);
    expect(finding.verdict).toBe('too few runs to say');
    expect(finding.reason).toContain('has 7, 8 a condition needed');
    expect(finding.reason).toContain('left out: seed 3 has not learned SUM (accuracy 0.98)');
    expect(finding.statement).toContain('7 of 8 runs');
  });

  it('does not count a run whose last evaluation alone is good', () => {
    const plateau = made(8, { held: () => C, subject: { learned: { SUM: 0.5 } } });
    const finding = c5([...runs(7, { held: () => C }), plateau, ...controls]);
    expect(finding.verdict).toBe('too few runs to say');
    expect(finding.reason).toContain(
      'left out: seed 8 has not learned SUM (accuracy 0.50 one evaluation before)',
    );
  });

  it('counts runs that hold out the same once', () => {
    const same = Array.from({ length: 8 }, (_, i) =>
      made(i + 1, { held: () => C, data: { holdoutSeed: 1 + (i % 4) } }),
    );
    const finding = c5([...same, ...controls]);
    expect(finding.verdict).toBe('too few runs to say');
    expect(finding.reason).toContain('8 runs hold out 4 different sets');
  });

  it('does not count a checkpoint before the last, and takes the last of a run', () => {
    const early = made(8, { held: () => C, subject: { final: false } });
    expect(c5([...runs(7, { held: () => C }), early, ...controls]).reason).toContain(
      'seed 8 step 16000 is not the last checkpoint of its run',
    );
    const all = runs(8, { held: () => C });
    const before = { ...all[0], subject: { ...all[0].subject, id: 'before', step: 5, final: false } };
    const finding = c5([before, ...all, ...controls]);
    expect(finding.n.seeds).toBe(8);
  });

  it('is the same whatever the order of the subjects', () => {
    const all = [
      ...runs(8, { held: (seed) => C + jitter(seed) }),
      ...controls,
      ...runs(3, { tasks: ['MAX', 'MED', 'SUM'] }),
    ];
    expect(JSON.stringify(findings(all.toReversed()))).toBe(JSON.stringify(findings(all)));
  });
});

describe('the assay of C5', () => {
  const memorizers = runs(8, { held: (seed) => C + jitter(seed) });

  it('fails without a control, and a finding says which command trains one', () => {
    const all = findings(memorizers);
    expect(all[0]).toMatchObject({ verdict: 'too few runs to say' });
    expect(all[0].reason).toMatch(/^assay failed: control not run/);
    const missing = all.find(({ id }) => id === 'control-not-run');
    expect(missing?.reason).toContain('sumlens train --tasks LATIN --regime pairs --steps 16000 --seed 1');
    expect(missing?.reason).toContain('--tasks TABLE');
    expect(missing?.statement).toMatch(/^Control not run/);
  });

  it('gives no such finding when there is a control', () => {
    expect(findings([...memorizers, ...controls]).some(({ id }) => id === 'control-not-run')).toBe(false);
  });

  it('fails when the control does not come out as a memorizer', () => {
    const adding = runs(6, { tasks: ['LATIN'], held: (seed) => 0.7 - jitter(seed) });
    expect(c5([...memorizers, ...adding]).reason).toMatch(
      /^assay failed: no memorizer is recognised above 0.8/,
    );
    const mixed = runs(6, { tasks: ['TABLE'], held: (seed) => 0.7 - jitter(seed) });
    expect(c5([...memorizers, ...controls, ...mixed]).reason).toMatch(/^assay failed/);
  });

  it('fails with too few control runs for an interval above 0.8, and when none knows its trained pairs', () => {
    expect(c5([...memorizers, ...controls.slice(0, 1)]).reason).toMatch(/^assay failed/);
    const ignorant = runs(6, { tasks: ['LATIN'], held: () => C, trained: () => 0.9 });
    expect(c5([...memorizers, ...ignorant]).reason).toContain(
      'no run of LATIN, pairs, d=16 knows its trained pairs',
    );
  });

  it('fails on a leak in any run, whatever the indices', () => {
    const leaking = [...memorizers.slice(0, 7), made(8, { held: () => C, leaks: 1 })];
    const finding = c5([...leaking, ...controls]);
    expect(finding.verdict).toBe('too few runs to say');
    expect(finding.reason).toMatch(/^assay failed: training showed held-out pairs/);
  });

  it('fails when a random table on two operands is answered better than luck can explain', () => {
    const knowing = runs(6, {
      tasks: ['TABLE'],
      data: { operands: [2, 2] },
      held: (seed) => 0.4 + jitter(seed),
      subject: { condition: 'TABLE two' },
    });
    expect(c5([...memorizers, ...controls, ...knowing]).reason).toMatch(
      /^assay failed: a leak: TABLE on two operands has 42 % of its held-out pairs right/,
    );
    const honest = runs(6, {
      tasks: ['TABLE'],
      data: { operands: [2, 2] },
      held: (seed) => C - jitter(seed),
      subject: { condition: 'TABLE two' },
    });
    const finding = c5([...memorizers, ...controls, ...honest]);
    expect(finding.verdict).toBe('supported');
    expect(finding.reason).toContain('other data.operands');
  });

  it('does not take a control at another modulus or without a hold-out', () => {
    const other = runs(6, { tasks: ['LATIN'], held: () => C, data: { modulus: 12 } });
    expect(c5([...memorizers, ...other]).reason).toContain('control not run');
    const full = runs(6, { tasks: ['LATIN'], regime: 'full' });
    expect(c5([...memorizers, ...full]).reason).toContain('control not run');
  });
});

describe('without a hold-out', () => {
  const all = findings([
    ...runs(3, { regime: 'full' }),
    ...runs(2, { regime: 'full', tasks: ['MAX', 'SUM'] }),
  ]);

  it('C5 says that nothing was held out, and the runs are described', () => {
    expect(all[0]).toMatchObject({
      claim: 'C5',
      verdict: 'too few runs to say',
      n: { seeds: 0, examples: 0 },
    });
    expect(all[0].reason).toContain('trained on every pair');
    expect(all.map(({ id }) => id)).toContain('trained/SUM, full, d=16');
    expect(all.some(({ id }) => id.startsWith('index'))).toBe(false);
  });

  it('C5 is undecided without any SUM-only run', () => {
    const [first] = findings(runs(2, { tasks: ['MAX'] }));
    expect(first.reason).toContain('no run was trained on SUM alone with pairs held out');
  });
});

describe('exploratory findings', () => {
  const mixedTasks = ['MAX', 'MED', 'SUM'] as const;
  const result = memorization.combine(
    [
      ...runs(8, { held: (seed) => 0.4 + jitter(seed), wrongBy: 1 }),
      ...runs(6, { tasks: mixedTasks, held: (seed) => 0.9 + jitter(seed), lossNats: 0.05, wrongBy: 5 }),
      ...runs(2, { tasks: mixedTasks, regime: 'full' }),
      ...runs(2, { tasks: ['FIRST', 'SUM'], trained: () => 0.3, held: () => 0.1 }),
    ],
    {},
  );
  const all = memorization.findings(result);
  const of = (id: string): Finding | undefined => all.find((finding) => finding.id === id);

  it('carry no verdict, and every p is adjusted', () => {
    const rest = all.filter(({ claim }) => claim === undefined);
    expect(rest.every(({ verdict }) => verdict === undefined)).toBe(true);
    expect(rest.every(({ p, pAdjusted }) => p === undefined || (pAdjusted ?? -1) >= p)).toBe(true);
    expect(rest.filter(({ p }) => p !== undefined).length).toBe(3);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it('compare mixed with SUM-only in one regime: the difference, its interval, and an exact p', () => {
    const finding = of('difference-2/SUM, pairs, d=16/MAX+MED+SUM, pairs, d=16');
    const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const alone = Array.from({ length: 8 }, (_, i) => indexOf(0.4 + jitter(i + 1)));
    const joint = Array.from({ length: 6 }, (_, i) => indexOf(0.9 + jitter(i + 1)));
    expect(finding?.estimate).toBeCloseTo(mean(joint) - mean(alone), 8);
    // all six of one below all eight of the other: 2 of C(14, 6) is the smallest there is
    expect(finding?.p).toBeCloseTo(1 / 3003, 3);
    expect(finding?.p).toBeLessThan(0.001);
    expect(all.some(({ id }) => id.startsWith('difference') && id.includes('full'))).toBe(false);
    // no mixed run is matched in its loss on trained results
    expect(of('difference-matched/SUM, pairs, d=16/MAX+MED+SUM, pairs, d=16')).toBeUndefined();
  });

  it('see wrong answers off by one, and wrong answers right modulo 5', () => {
    expect(of('near-2/SUM, pairs, d=16')?.estimate).toBeCloseTo(1 - 2 / 9, 8);
    expect(of('coset-2-5/SUM, pairs, d=16')?.estimate).toBeCloseTo(-1 / 9, 8);
    expect(of('coset-2-5/MAX+MED+SUM, pairs, d=16')?.estimate).toBeCloseTo(1 - 1 / 9, 8);
    expect(of('near-2/MAX+MED+SUM, pairs, d=16')?.estimate).toBeCloseTo(-2 / 9, 8);
    // equal in every seed: no spread to test by
    expect(of('near-2/SUM, pairs, d=16')?.p).toBeUndefined();
  });

  it('only describe a condition that has not learned its trained operands', () => {
    const own = all.filter(({ id }) => id.endsWith('SUM+FIRST, pairs, d=16'));
    expect(own.map(({ id }) => id)).toEqual(['trained/SUM+FIRST, pairs, d=16']);
    expect(own[0].reason).toContain('has not learned SUM');
  });

  it('give compare one number a checkpoint, none where nothing is held out', () => {
    const [held, index, trained] = memorization.compared?.(result) ?? [];
    expect([held.id, index.id, trained.id]).toEqual(['held', 'index', 'trained']);
    expect(held.values).toHaveLength(16);
    expect(trained.values).toHaveLength(18);
    expect(index.values.find(({ subject }) => subject === 'SUM-pairs-1@16000')?.value).toBeCloseTo(
      indexOf(0.41),
      8,
    );
  });
});

describe('charts', () => {
  const several = memorization.combine(
    [...runs(3), ...controls, ...runs(2, { regime: 'full', tasks: ['MAX', 'SUM'] })],
    {},
  );
  const labels = several.conditions.map(({ label }) => label);

  it.each([
    ['several conditions', several],
    ['one run', memorization.combine(runs(1), {})],
    ['nothing held out', memorization.combine(runs(2, { regime: 'full' }), {})],
    ['nothing', { ...several, conditions: [], comparisons: [], claims: [], series: [] }],
  ])('compile without a warning: %s', (_, result) => {
    const charts = memorization.charts(result);
    expect(new Set(charts.map(({ id }) => id)).size).toBe(charts.length);
    for (const { id, spec, table, summary } of charts) {
      expect(compileWarnings(spec, labels), id).toEqual([]);
      expect(summary.length, id).toBeGreaterThan(10);
      for (const row of table.rows) expect(row.length, id).toBe(table.columns.length);
    }
  });

  it('put the gap on the first screen when something is held out, and leave it away otherwise', () => {
    expect(
      memorization
        .charts(several)
        .filter(({ headline }) => headline)
        .map(({ id }) => id),
    ).toEqual(['memorization-gap']);
    const full = memorization.charts(memorization.combine(runs(2, { regime: 'full' }), {}));
    expect(full.map(({ id }) => id)).not.toContain('memorization-gap');
  });

  it('outline held pairs on the mean only when every run holds out the same, and on every single run', () => {
    const outlinedIn = (entries: readonly Entry[], id: string): number => {
      const found = memorization.charts(memorization.combine(entries, {})).find((one) => one.id === id);
      return JSON.stringify(found?.spec).split('"held":"held out"').length - 1;
    };
    const same = [1, 2].map((seed) => made(seed, { data: { holdoutSeed: 7 } }));
    const { sets } = createHoldout(same[0].config.data);
    const cells = sets.reduce((total, [a, b]) => total + (a === b ? 1 : 2), 0);
    expect(outlinedIn(same, 'memorization-pairs')).toBe(cells);
    expect(outlinedIn(runs(2), 'memorization-pairs')).toBe(0);
    expect(outlinedIn(same, 'memorization-held-pairs')).toBe(2 * cells);
  });

  it('draw a series when several steps of one run are given', () => {
    const [last] = runs(1);
    const early = { ...last, subject: { ...last.subject, id: 'early', step: 0, final: false } };
    const charts = memorization.charts(memorization.combine([early, last], {}));
    const series = charts.find(({ id }) => id === 'memorization-series');
    expect(series?.table.rows).toHaveLength(2);
    expect(compileWarnings(series?.spec ?? {}, labels)).toEqual([]);
  });
});

describe('the module', () => {
  it('refuses options out of range, and a context too short for its shortest prompt', () => {
    const config = configWith({ tasks: ['SUM'] });
    expect(memorization.isCompatible(config)).toBe(true);
    expect(memorization.isCompatible({ ...config, model: { ...config.model, nCtx: 6 } })).toBe(
      'its context of 6 tokens is shorter than the shortest prompt (7)',
    );
  });
});
