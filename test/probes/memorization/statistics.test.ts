/** What is made of answers that were made up: statistics, the claim C5 with its assay, and the pictures. */
import { describe, expect, it } from 'vitest';
import type { Measured } from '../../../probes/contract.js';
import { memorization } from '../../../probes/memorization/index.js';
import type { CellRow } from '../../../probes/memorization/cells.js';
import type { MemorizationParts } from '../../../probes/memorization/measure.js';
import { claimById, claimPart, LEARNED_ACCURACY } from '../../../src/evidence/claims-file.js';
import type { ClaimResult } from '../../../src/evidence/claims.js';
import { decideClaims } from '../../../src/evidence/decide.js';
import { type Evidence, evidenceOf } from '../../../src/evidence/evidence.js';
import type { Finding } from '../../../src/evidence/finding.js';
import { moduleFindings } from '../../../src/evidence/findings.js';
import { scopeKey } from '../../../src/evidence/scope.js';
import type { Subject } from '../../../src/evidence/subject.js';
import { VERDICT } from '../../../src/evidence/verdict.js';
import type { DataConfig } from '../../../src/listops/data-config.js';
import type { OperationName } from '../../../src/listops/language/operations.js';
import { combineMeasurements } from '../../../src/workflows/probing/combine-measurements.js';
import { configWith, type MeasuredModel, subjectOf, withRows } from '../../helpers/measure-memorization.js';
import { compileWarnings } from '../../report/compile.js';

type Entry = Measured<MeasuredModel>;

interface Made {
  readonly tasks?: readonly OperationName[];
  readonly regime?: 'full' | 'pairs';
  /** of held pairs, by seed */
  readonly held?: (seed: number) => number;
  readonly trained?: (seed: number) => number;
  readonly lossNats?: number;
  readonly data?: Partial<DataConfig>;
  readonly steps?: number;
  readonly dModel?: number;
  readonly setsSeen?: number;
  readonly subject?: Partial<Subject>;
  /** difference of every wrong answer from the right one; default: spread evenly */
  readonly wrongBy?: number;
  /** held pairs; default: one of each seed's own */
  readonly sets?: readonly (readonly number[])[];
}

/** Most frequent of the held results. */
const C = 0.2;
const PART = claimPart('C5');
const { modulus: N, dModel: D = 0, steps: B, operands: OPERANDS } = PART.place;

function made(seed: number, options: Made = {}): Entry {
  const { tasks = ['SUM'], regime = 'pairs', held = () => 1, trained = () => 1, data = {} } = options;
  const { steps = B, dModel = 16, sets = [[0, seed % 10]], setsSeen = 0, wrongBy } = options;
  const config = configWith({ tasks, regime, ...data }, { seed, steps, dModel });
  const n = config.data.modulus;
  const level = config.data.operands[1] === 2 ? 'pair-only' : 'pair-closed';
  const [operation] = tasks.includes('SUM') ? (['SUM'] as const) : tasks;
  const row = (at: CellRow['level'], accuracy: number): CellRow => ({
    operation,
    arity: 2,
    level: at,
    multisets: at === 'trained' ? 50 : n === N ? 27 : 5,
    prompts: 9,
    complete: true,
    accuracy,
    chance: at === 'trained' ? 0.11 : C,
    strata: [
      { stratum: 'distinct', multisets: 4, accuracy },
      { stratum: 'repeated', multisets: 1, accuracy: accuracy / 2 },
    ],
    differences: Array.from({ length: n }, (_, d) => {
      if (d === 0) return accuracy;
      if (wrongBy === undefined) return (1 - accuracy) / (n - 1);
      return d === wrongBy ? 1 - accuracy : 0;
    }),
    outside: 0,
    cosets: [2, 5, 10].map((divisor) => ({ divisor, accuracy, chance: 1 / divisor })),
    order: { multisets: 4, agreement: 1, byChance: 0.1 },
  });
  const cells = [row('trained', trained(seed)), ...(regime === 'pairs' ? [row(level, held(seed))] : [])];
  const parts: MemorizationParts = {
    modulus: n,
    tasks,
    primary: operation,
    holdout: regime === 'full' ? null : { level, sets, share: 5 / 55, signalRatio: 1.2 },
    learned: [{ operation, accuracy: trained(seed), lossNats: options.lossNats ?? 0.001 }],
    cells,
    // the right answer is as probable as the first operand is large
    pairs: {
      shape: [n, n],
      data: Array.from({ length: n * n }, (_, i) => (regime === 'full' ? 0.5 : Math.floor(i / n) / 100)),
    },
    frequencyMethod: 'expected',
    frequency: [{ operation, arity: 2, atLeast: 1000, meanDraws: 5000, multisets: 50, accuracy: 1 }],
    beyond: [
      {
        ...{ kind: 'arity', value: 4, positions: 'seen', prompts: 200 },
        ...{ accuracy: 0.1, exact: 0.1, noNumber: 0.5, chance: 0.12 },
      },
    ],
    leak: { examples: 1000, leaks: setsSeen, setsSeen },
  };
  return {
    subject: subjectOf(config, options.subject, trained(seed)),
    config,
    measurement: withRows(parts),
  };
}

const runs = (n: number, options: Made = {}): Entry[] =>
  Array.from({ length: n }, (_, i) => made(i + 1, options));

/** Where the claim is decided; every run holds out a pair of its own. */
const there = (options: Made = {}): Made => ({
  dModel: D,
  ...options,
  data: { modulus: N, operands: OPERANDS, ...options.data },
});
const runsThere = (n: number, options: Made = {}): Entry[] =>
  Array.from({ length: n }, (_, i) => made(i + 1, { sets: [[i, i + 1]], ...there(options) }));

function combined(entries: readonly Entry[]) {
  const result = combineMeasurements(memorization, {}, entries);
  const evidence: Evidence = evidenceOf(
    entries.map(({ subject }) => subject),
    result.observations,
    new Map(result.statistics.map((info) => [`memorization/${info.id}`, info])),
  );
  return { ...result, evidence };
}

function findings(entries: readonly Entry[], sideBySide = false): Finding[] {
  const { evidence, further } = combined(entries);
  return moduleFindings(evidence, [...evidence.statistics.keys()], {
    sideBySide,
    learnedAccuracy: LEARNED_ACCURACY,
    further,
  });
}

const c5 = (entries: readonly Entry[]): ClaimResult => {
  const [found] = decideClaims(combined(entries).evidence).filter(({ claim }) => claim === 'C5');
  return found;
};

/** M for a held accuracy, by hand. */
const indexOf = (held: number): number => (1 - held) / (1 - C);
const jitter = (seed: number): number => 0.01 * (seed % 4);
const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const controls = runsThere(8, { tasks: ['TABLE'], held: (seed) => jitter(seed) });

describe('level expression from made-up answers', () => {
  const at =
    (shown: number, fresh: number) =>
    (entry: Entry): Entry => {
      const row = (kind: 'expression' | 'shown', accuracy: number) =>
        ({
          ...({ kind, value: 2, positions: 'seen', prompts: 200 } as const),
          ...{ accuracy, exact: accuracy ** 2, noNumber: 0, chance: 0.2 },
        }) as const;
      const beyond = [row('expression', fresh), row('shown', shown)];
      return { ...entry, measurement: withRows({ ...entry.measurement, beyond }) };
    };
  const find = (entries: readonly Entry[], id: string): Finding | undefined =>
    findings(entries).find((one) => one.id.startsWith(`mean/${id}/`));

  it('gives what is right of new expressions, and what is lost against shown ones', () => {
    const memory = runs(4, { tasks: ['MAX', 'MED', 'SUM'], regime: 'full' }).map((entry, i) =>
      at(1, 0.3 + 0.01 * i)(entry),
    );
    expect(find(memory, 'expression')?.estimate).toBeCloseTo(
      average([0.3, 0.31, 0.32, 0.33].map((fresh) => fresh ** 2)),
      8,
    );
    const gap = find(memory, 'expression-gap');
    expect(gap?.estimate).toBeCloseTo(1 - 0.315, 8);
    expect(gap?.p).toBeLessThan(0.001);
    expect(gap?.n).toEqual({ seeds: 4, examples: 200 });
    expect(gap?.about?.scope).toEqual({ level: 'expression' });
    const rule = runs(4, { tasks: ['MAX', 'MED', 'SUM'], regime: 'full' }).map(at(1, 1));
    expect(find(rule, 'expression-gap')?.estimate).toBe(0);
    expect(find(runs(2), 'expression')).toBeUndefined();
  });
});

describe('C5 from made-up indices', () => {
  it('is supported by planted memorizers', () => {
    const found = c5([...runsThere(24, { held: (seed) => C + jitter(seed) }), ...controls]);
    expect(found).toMatchObject({ verdict: VERDICT.supported, interim: false });
    expect(found.estimate).toBeCloseTo(
      average(Array.from({ length: 24 }, (_, i) => indexOf(C + jitter(i + 1)))),
      8,
    );
    expect(found.interval).toMatchObject({ level: 0.9917, method: 'betting over seeds, bounded values' });
    expect(found.counts).toEqual([
      { condition: expect.stringMatching(/^SUM, pairs/) as string, usable: 24, runs: 24, planned: 24 },
    ]);
  });

  it('is contradicted by planted adders, once there are enough of them', () => {
    const adders = (n: number) => runsThere(n, { held: (seed) => 1 - jitter(seed) });
    expect(c5([...adders(40), ...controls])).toMatchObject({ verdict: VERDICT.contradicted });
    // of 24 whose index is 0 the interval still reaches 0.26
    expect(c5([...adders(24), ...controls]).verdict).toBe(VERDICT.notSupported);
  });

  it('is not supported when half of the advantage is excluded and a fifth is not', () => {
    const found = c5([...runsThere(100, { held: (seed) => 0.7 + jitter(seed) }), ...controls]);
    expect(indexOf(0.7)).toBeCloseTo(0.375, 9);
    expect(found.verdict).toBe(VERDICT.notSupported);
  });

  it('says too few when seeds split between memory and rule, and how many seeds would do', () => {
    const found = c5([...runsThere(24, { held: (seed) => (seed % 2 === 0 ? 1 : C) }), ...controls]);
    expect(found.verdict).toBe(VERDICT.tooFew);
    expect(found.reason).toMatch(/^interval too wide/);
    expect(found.seedsNeeded).toBeGreaterThan(24);
  });

  it('says too few with 23 runs, and leaves out runs that have not learned', () => {
    expect(c5([...runsThere(23, { held: () => C }), ...controls]).verdict).toBe(VERDICT.tooFew);
    const found = c5([
      ...runsThere(24, { held: () => C, trained: (seed) => (seed === 3 ? 0.98 : 1) }),
      ...controls,
    ]);
    expect(found.reason).toContain('SUM-only has 23, 24 a condition needed');
    expect(found.notes).toContain('left out: 1 of 24 SUM-only (seed 3)');
  });

  it.each([
    ['whose last evaluation alone is good', { subject: { learned: { SUM: 0.5 } } }],
    ['before the last checkpoint', { subject: { final: false } }],
    ['that holds out what another does', { sets: [[0, 1]] }],
  ])('does not count a run %s', (_, more) => {
    const odd = made(24, { held: () => C, sets: [[23, 24]], ...there(), ...more });
    const found = c5([...runsThere(23, { held: () => C }), odd, ...controls]);
    expect(found.verdict).toBe(VERDICT.tooFew);
    expect(found.notes).toContain('left out: 1 of 24 SUM-only (seed 24)');
  });

  it('does not let a run that has not learned take the hold-out of one that has', () => {
    const unlearned = made(0, { held: () => C, sets: [[0, 1]], ...there(), trained: () => 0.3 });
    const found = c5([...runsThere(24, { held: () => C }), unlearned, ...controls]);
    expect(found.counts[0]).toMatchObject({ usable: 24, runs: 25 });
  });

  it('takes the last checkpoint of a run, and is the same whatever the order of the subjects', () => {
    const all = [
      ...runsThere(24, { held: (seed) => C + jitter(seed) }),
      ...controls,
      ...runsThere(3, { tasks: ['MAX', 'MED', 'SUM'] }),
    ];
    const [{ subject }] = all;
    const before = { ...all[0], subject: { ...subject, id: 'before', step: 5, final: false } };
    expect(c5([before, ...all]).counts[0].usable).toBe(24);
    expect(JSON.stringify(c5(all.toReversed()))).toBe(JSON.stringify(c5(all)));
    expect(JSON.stringify(findings(all.toReversed()))).toBe(JSON.stringify(findings(all)));
  });

  it('takes the verdict at 4 B, with that at B as a note', () => {
    const later = { steps: 4 * B };
    const found = c5([
      ...runsThere(24, { held: () => C }),
      ...controls,
      ...runsThere(24, { held: () => 1, ...later }),
      ...runsThere(8, { tasks: ['TABLE'], held: () => 0.1, trained: () => 1, ...later }),
    ]);
    expect(found.notes).toContain(`at B: ${VERDICT.supported}`);
  });

  it('is not decided at modulus 10 or where nothing is held out', () => {
    for (const data of [{ modulus: 10 }, { operands: [2, 3] as const }]) {
      const found = c5([
        ...runsThere(24, { held: () => C, data }),
        ...runsThere(8, { tasks: ['TABLE'], held: (seed) => jitter(seed), data }),
      ]);
      expect(found).toMatchObject({ verdict: VERDICT.tooFew, counts: [{ usable: 0, runs: 0 }] });
    }
    expect(c5(runs(3, { regime: 'full' })).verdict).toBe(VERDICT.tooFew);
    expect(c5(runs(2, { tasks: ['MAX'] })).counts[0].runs).toBe(0);
  });
});

describe('the assay of C5', () => {
  const memorizers = runsThere(24, { held: (seed) => C + jitter(seed) });
  const failure = (...beside: readonly Entry[]): string => {
    const { verdict, reason } = c5([...memorizers, ...beside]);
    expect(verdict).toBe(VERDICT.tooFew);
    return reason;
  };

  it('fails without a control, and a finding says which command trains one', () => {
    expect(failure()).toBe(
      'assay failed: no two runs of TABLE or LATIN at the same place that know what they were trained on',
    );
    const [missing] = findings(memorizers).filter(({ id }) => id.startsWith('control-not-run/'));
    expect(missing.statement).toMatch(/^Control not run/);
    expect(missing.reason).toContain(
      'sumlens train --tasks LATIN --modulus 23 --operands 2..2 --regime pairs --d-model 32 --steps 16000 --seed 1',
    );
    expect(missing.reason).toContain('--tasks TABLE');
  });

  it('gives no such finding when there is a control at the place, and one when it is elsewhere', () => {
    const isMissing = (all: readonly Entry[]) =>
      findings(all).some(({ id }) => id.startsWith('control-not-run/'));
    expect(isMissing([...memorizers, ...controls])).toBe(false);
    for (const data of [{ modulus: 12 }, { operands: [2, 3] as const }]) {
      const other = runsThere(8, { tasks: ['LATIN'], held: () => C, data });
      expect(isMissing([...memorizers, ...other])).toBe(true);
      expect(failure(...other)).toContain('no two runs of TABLE or LATIN at the same place');
    }
    expect(isMissing(runs(3, { regime: 'full' }))).toBe(false);
  });

  it('fails when the control does not come out as a memorizer, also beside one that does', () => {
    const adding = runsThere(8, { tasks: ['LATIN'], held: (seed) => 0.7 - jitter(seed) });
    expect(failure(...adding)).toMatch(/^assay failed: no memorizer is recognised above 0.8: LATIN/);
    expect(failure(...controls, ...adding)).toMatch(/^assay failed: no memorizer/);
  });

  it('fails with one control run, with equal values of few, and when none knows its trained pairs', () => {
    expect(failure(controls[0])).toContain('no two runs');
    expect(failure(...runsThere(8, { tasks: ['LATIN'], held: () => C }))).toContain('no memorizer');
    const ignorant = runsThere(8, { tasks: ['LATIN'], held: () => C, trained: () => 0.9 });
    expect(failure(...ignorant)).toContain('that know what they were trained on');
  });

  it.each(['SUM', 'TABLE'] as const)('fails on a leak in one %s run, whatever the indices', (task) => {
    const odd = made(25, { tasks: [task], held: () => C, setsSeen: 1, sets: [[24, 25]], ...there() });
    expect(failure(...controls, odd)).toMatch(/^assay failed: held-out operands were trained, .* in \S+-25$/);
  });

  it('does not take a run for sound whose data were not looked at', () => {
    const { evidence } = combined([...memorizers, ...controls]);
    const observations = evidence.observations.filter(({ statistic }) => statistic !== 'memorization/leaks');
    const [found] = decideClaims({ ...evidence, observations }).filter(({ claim }) => claim === 'C5');
    expect(found.reason).toMatch(/^assay failed: held-out operands were trained, or not looked for/);
  });

  it('fails when a run has entries of a random table right beyond luck, whatever the mean index', () => {
    const knowing = made(9, { tasks: ['TABLE'], held: () => 0.6, sets: [[8, 9]], ...there() });
    expect(c5([...memorizers, ...controls]).verdict).toBe(VERDICT.supported);
    expect(failure(...controls, knowing)).toMatch(
      /^assay failed: TABLE.* has held-out operands right beyond/,
    );
    // a rule may well answer what it never saw
    const rule = made(9, { tasks: ['LATIN'], held: () => 0.6, sets: [[8, 9]], ...there() });
    expect(combined([rule]).observations.some((row) => row.null !== undefined)).toBe(false);
  });
});

describe('exploratory findings', () => {
  const mixedTasks = ['MAX', 'MED', 'SUM'] as const;
  const entries = [
    ...runs(8, { held: (seed) => 0.4 + jitter(seed), wrongBy: 1 }),
    ...runs(6, { tasks: mixedTasks, held: (seed) => 0.9 + jitter(seed), lossNats: 0.05, wrongBy: 5 }),
    ...runs(2, { tasks: mixedTasks, regime: 'full' }),
    ...runs(2, { tasks: ['FIRST', 'SUM'], trained: () => 0.3, held: () => 0.1 }),
  ];
  const { evidence } = combined(entries);
  const all = findings(entries);
  const [alone, joint, unlearned] = ['SUM, pairs', 'MAX+MED+SUM, pairs', 'FIRST+SUM, pairs'].map((start) => {
    const found = evidence.conditions.find(({ label }) => label.startsWith(start));
    if (found === undefined) throw new Error(`no condition ${start}`);
    return found;
  });
  const PAIRS = { operation: 'SUM', arity: 2, level: 'pair-closed' };
  const mean = (id: string, condition: string, scope: object = PAIRS): Finding | undefined =>
    all.find((one) => one.id === `mean/${id}/${scopeKey(scope)}/${condition}`);

  it('carry no verdict, and every p is adjusted', () => {
    const tested = all.filter(({ p }) => p !== undefined);
    expect(all.every(({ verdict }) => verdict === undefined)).toBe(true);
    expect(tested.length).toBeGreaterThan(3);
    expect(tested.every(({ p, pAdjusted }) => (pAdjusted ?? -1) >= (p ?? 2))).toBe(true);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it('compare mixed with SUM-only in one regime: the difference, its interval, and an exact p', () => {
    const difference = (id: string) =>
      all.filter((one) => one.id === `difference/${id}/${scopeKey(PAIRS)}/${joint.id}/${alone.id}/learned`);
    const [found] = all.filter(({ id }) => id.startsWith(`difference/index/`));
    expect(found.about).toMatchObject({ a: joint.id, b: alone.id, scope: PAIRS });
    const [own, other] = [0.4, 0.9].map((held, i) =>
      average(Array.from({ length: [8, 6][i] }, (_, seed) => indexOf(held + jitter(seed + 1)))),
    );
    expect(found.estimate).toBeCloseTo(other - own, 8);
    // all six of one below all eight of the other: 2 of C(14, 6) is the smallest there is
    expect(found.p).toBeCloseTo(1 / 3003, 3);
    expect(found.p).toBeLessThan(0.001);
    // no mixed run is matched in its loss on trained results
    expect(difference('index-matched')).toEqual([]);
    expect(mean('index-matched', alone.id)?.estimate).toBe(mean('index', alone.id)?.estimate);
    expect(mean('index-matched', joint.id)).toBeUndefined();
  });

  it('see wrong answers off by one, wrong answers right modulo 5, order, repeats and the gap', () => {
    const five = { ...PAIRS, divisor: 5 };
    expect(mean('near', alone.id)?.estimate).toBeCloseTo(1 - 2 / 9, 8);
    expect(mean('coset', alone.id, five)?.estimate).toBeCloseTo(-1 / 9, 8);
    expect(mean('coset', joint.id, five)?.estimate).toBeCloseTo(1 - 1 / 9, 8);
    expect(mean('near', joint.id)?.estimate).toBeCloseTo(-2 / 9, 8);
    expect(mean('order', alone.id)?.estimate).toBeCloseTo(0.9, 8);
    expect(mean('repeated', alone.id, { ...PAIRS, level: 'trained' })?.estimate).toBeCloseTo(0.5, 8);
    expect(mean('gap', alone.id)?.estimate).toBeCloseTo(0.6 - 0.0125 - 0.0025, 8);
    // equal in every seed: no spread to test by
    expect(mean('near', alone.id)?.p).toBeUndefined();
    expect(mean('gap', alone.id)?.p).toBeLessThan(1e-6);
  });

  it('count the runs above one half, with an interval that is exact', () => {
    const [found] = all.filter(({ id }) => id === `above/${scopeKey(PAIRS)}/${alone.id}`);
    // all eight: 0.025^(1/8) below
    expect(found).toMatchObject({ estimate: 1, interval: { high: 1, method: 'Clopper-Pearson' } });
    expect(Number(found.interval?.low)).toBeCloseTo(0.025 ** (1 / 8), 6);
    expect(all.find(({ id }) => id === `above/${scopeKey(PAIRS)}/${joint.id}`)?.estimate).toBe(0);
  });

  it('only describe a condition that has not learned its trained operands', () => {
    const own = all.filter(({ about }) => about?.kind === 'mean' && about.a === unlearned.id);
    expect(own.map(({ about }) => about?.statistic)).toEqual([
      'memorization/held',
      'memorization/trained',
      'memorization/signal-ratio',
    ]);
    expect(own[0].statement).toContain('not learned');
  });

  it('give one number a checkpoint, with what it was measured on, none where nothing is held out', () => {
    const rows = (id: string) =>
      evidence.observations.filter((row) => row.statistic === `memorization/${id}`);
    expect(rows('held')).toHaveLength(16);
    expect(rows('trained')).toHaveLength(18);
    expect(rows('index')[0].examples).toBe(5);
    const [first] = rows('index').filter(({ subject }) => subject === alone.runs[0].id);
    expect(first).toMatchObject({ scope: PAIRS });
    expect(first.value).toBeCloseTo(indexOf(0.41), 8);
    expect(rows('leaks').map(({ value }) => value)).toEqual(new Array(18).fill(0));
    expect(rows('held-share')[0].value).toBeCloseTo(5 / 55, 8);
    expect(rows('accuracy')[0]).toMatchObject({ control: 0.11 });
    expect(rows('by-draws')[0].scope).toEqual({ operation: 'SUM', arity: 2, draws: 1000 });
  });
});

describe('pictures', () => {
  const several = [
    ...runs(3, { held: () => 0.5 }),
    ...runs(2, { tasks: ['TABLE'], held: () => C }),
    ...runs(2, { regime: 'full', tasks: ['MAX', 'SUM'] }),
    ...runs(2, { tasks: ['MAX', 'SUM'], trained: () => 0.5, held: () => 0.3 }),
  ];
  const labels = [...new Set(several.map(({ subject }) => subject.label))];

  it.each([
    ['several conditions', several],
    ['one run', runs(1)],
    ['nothing held out', runs(2, { regime: 'full' })],
    ['a prime modulus', runsThere(2)],
    ['moduli of two kinds', [...runs(2, { held: () => 0.5 }), ...runsThere(2, { held: () => 0.5 })]],
  ])('compile without a warning: %s', (_, entries) => {
    const { charts } = combined(entries);
    expect(new Set(charts.map(({ id }) => id)).size).toBe(charts.length);
    expect(charts.length).toBeLessThanOrEqual(6);
    for (const { id, spec, table, summary } of charts) {
      expect(compileWarnings(spec, labels), id).toEqual([]);
      expect(summary.length, id).toBeGreaterThan(10);
      for (const row of table.rows) expect(row.length, id).toBe(table.columns.length);
    }
  });

  it('put the gap on the first screen when something is held out, and leave it away otherwise', () => {
    const headlines = (entries: readonly Entry[]) =>
      combined(entries).charts.flatMap(({ id, headline }) => (headline === true ? [id] : []));
    expect(headlines(several)).toEqual(['memorization-gap']);
    expect(headlines(runs(2, { regime: 'full' }))).toEqual([]);
  });

  it('draw a pair where it was trained and where it was held out, each over the runs of which that is so', () => {
    const entries = [made(1, { sets: [[3, 4]] }), made(2, { sets: [[3, 4]] }), made(3, { sets: [[5, 5]] })];
    const { charts } = combined(entries);
    const map = charts.find(({ id }) => id === 'memorization-pairs');
    const [{ subject }] = entries;
    const of = (panel: string) =>
      (map?.table.rows ?? [])
        .filter(([name]) => name === `${subject.label}: ${panel}`)
        .map(([, a, b, value]) => `${a} ${b} ${value}`);
    expect(of('held out')).toEqual(['3 4 0.03', '4 3 0.04', '5 5 0.05']);
    expect(of('trained')).toHaveLength(100);
    const axis = JSON.stringify(map?.spec).match(/"field":"x".*?"sort":(\[.*?\])/)?.[1];
    expect(JSON.parse(axis ?? '[]')).toEqual(Array.from({ length: 10 }, (_, i) => String(i)));
  });

  it('show wrong answers by their distance around the circle, and who makes none', () => {
    const { charts } = combined([
      ...runs(2, { held: () => 0.5, wrongBy: 9 }),
      ...runs(2, { regime: 'full' }),
    ]);
    const map = charts.find(({ id }) => id === 'memorization-errors');
    expect(map?.table.rows.filter(([, , , share]) => share !== '0')).toEqual([
      ['n = 10', expect.stringContaining('50 % wrong'), '-1', '1'],
    ]);
    expect(map?.summary).toContain('most often off by -1 (100 % of wrong answers, 11 % if even)');
    expect(map?.summary).toMatch(/No wrong answer: SUM, full/);
  });
});

describe('the module', () => {
  it('refuses a context too short for its shortest prompt', () => {
    const config = configWith({ tasks: ['SUM'] });
    expect(memorization.isCompatible?.(config)).toBe(true);
    expect(memorization.isCompatible?.({ ...config, model: { ...config.model, nCtx: 6 } })).toBe(
      'its context of 6 tokens is shorter than the shortest prompt (7)',
    );
  });

  it('asks of C5 what the claim says', () => {
    expect(claimById('C5').learnedAccuracy).toBe(0.99);
  });
});
