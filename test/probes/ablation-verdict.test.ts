/** What the ablation probe concludes from results that were made up: a planted effect, none, and the opposite. */
import { describe, expect, it, vi } from 'vitest';
import { ablation } from '../../probes/ablation.js';
import type { AblationMeasurement, DoseCurve } from '../../probes/ablation/measurement.js';
import { METHODS, type Method } from '../../probes/ablation/components.js';
import type { Measured } from '../../probes/contract.js';
import { claimPart } from '../../src/evidence/claims-file.js';
import rawClaims from '../../src/evidence/claims-file.json' with { type: 'json' };
import { DOSES } from '../../src/analysis/dose.js';
import { DEFAULT_RUN } from '../../src/config/defaults.js';
import type { RunConfig } from '../../src/config/run-config.js';
import type { OperationName } from '../../src/listops/operations.js';
import type { Finding } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import { joinBudgets } from '../../src/workflows/joined-claims.js';
import { resolveOptions, selectProbes } from '../../src/workflows/probe-plan.js';
import { subjectFor } from '../helpers/measure-ablation.js';
import { moduleOf } from '../helpers/module-report.js';

type Entry = Measured<AblationMeasurement>;

interface Made {
  readonly tasks: readonly OperationName[];
  readonly regime?: 'full' | 'pairs';
  readonly accuracy?: number;
  /** the smaller of the last two evaluations; as a rule `accuracy` */
  readonly learned?: number;
  readonly final?: boolean;
  readonly cleanNats?: number;
  /** share lost by each kind, the same at every dose but the noise */
  readonly lost: (method: Method) => { readonly attention: number; readonly feedForward: number };
  readonly steps?: number;
}

const LN10 = Math.log(10);

function made(seed: number, options: Made): Entry {
  const { tasks, regime = 'pairs', accuracy = 1, learned = accuracy, cleanNats = 0.01 } = options;
  const { lost, steps, final = true } = options;
  const config: RunConfig = {
    ...DEFAULT_RUN,
    data: { ...DEFAULT_RUN.data, tasks, regime, holdoutSeed: seed },
    training: { ...DEFAULT_RUN.training, ...(steps === undefined ? {} : { steps }) },
    seed,
  };
  const noise = new Rng(seed, `made ${tasks.join('+')} ${regime}`);
  const curves = METHODS.flatMap((method): DoseCurve[] => {
    const { attention, feedForward } = lost(method);
    return (
      [
        ['attention', attention],
        ['feed-forward', feedForward],
        ['both', 1],
      ] as const
    ).map(([kind, level]) => {
      const own = level + 0.01 * noise.normal();
      return {
        kind,
        method,
        nats: DOSES.map(() => cleanNats + own * (LN10 - cleanNats)),
        accuracy: DOSES.map(() => 0.5),
        lowNats: [],
      };
    });
  });
  const measurement: AblationMeasurement = {
    primary: tasks.includes('SUM') ? 'SUM' : tasks[0],
    tasks,
    regime,
    modulus: 10,
    sharedBlocks: false,
    learned: tasks.map((operation) => ({ operation, accuracy, prompts: 100, enumerated: true })),
    templates: [{ id: '(SUM # #)', prompts: 100, hasMean: true, sameResult: 0 }],
    cells: ['SUM result'],
    clean: {
      nats: { shape: [1], data: [cleanNats] },
      accuracy: { shape: [1], data: [accuracy] },
      count: { shape: [1], data: [100] },
    },
    effects: [
      { component: 'attention', method: 'resample', site: 'all positions', effect: 'total' },
      { component: 'attention', method: 'pattern mean', site: 'all positions', effect: 'total' },
    ],
    // over all templates, nested mixed ones included
    deltaNats: { shape: [2, 1], data: [1, 2] },
    deltaAccuracy: { shape: [2, 1], data: [-0.5, -0.5] },
    dose: [
      {
        operation: 'SUM',
        examples: 100,
        cleanNats,
        cleanAccuracy: accuracy,
        cleanNatsMean: cleanNats,
        constantNats: LN10,
        constantNatsMean: LN10,
        patternFreezeNats: cleanNats + 0.25 * (LN10 - cleanNats),
        curves,
      },
    ],
    norms: [],
    freeRunning: [{ component: 'none', method: 'zero', exact: 1, result: 0, copy: 0, format: 0 }],
  };
  const subject = subjectFor(config, `${tasks.join('-')}-${regime}-${seed}`);
  const byTask = (value: number) => Object.fromEntries(tasks.map((task) => [task, value]));
  return {
    subject: {
      ...subject,
      condition: `${tasks.join('+')} ${regime}`,
      final,
      accuracy: byTask(accuracy),
      learned: byTask(learned),
    },
    config,
    measurement,
  };
}

function runs(n: number, options: Made): Entry[] {
  return Array.from({ length: n }, (_, i) => made(i + 1, options));
}

const SUM_ONLY: readonly OperationName[] = ['SUM'];
const MIXED: readonly OperationName[] = ['MAX', 'MED', 'SUM'];
const leaning = (feedForward: number) => () => ({ attention: 0.4, feedForward });

function c4(entries: readonly Entry[]): Finding {
  return ablation.findings(ablation.combine(entries, {}))[0];
}

describe('C4 from made-up shares', () => {
  it('is supported by a planted effect in the direction of the claim', () => {
    const finding = c4([
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7) }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.2) }),
    ]);
    expect(finding).toMatchObject({ claim: 'C4', verdict: 'supported', n: { seeds: 12, examples: 200 } });
    // (0.7 + 0.01) / (0.7 + 0.4 + 0.02) - (0.2 + 0.01) / (0.2 + 0.4 + 0.02)
    expect(finding.estimate).toBeCloseTo(0.71 / 1.12 - 0.21 / 0.62, 1);
    // all six of one side above all six of the other: 2 of C(12, 6)
    expect(finding.p).toBeCloseTo(2 / 924, 8);
    expect(finding.interval).toMatchObject({ level: 0.9917, method: 'Welch t over seeds' });
    expect(finding.statistic).toBe(claimPart('C4').statistic);
    expect(finding.reason).toBe('the interval is above 0 and the effect at least 0.1; regime pairs');
  });

  it('is contradicted by the opposite effect', () => {
    const finding = c4([
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.2) }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.7) }),
    ]);
    expect(finding.verdict).toBe('contradicted');
  });

  it('is not supported when there is no effect and the interval excludes one of 0.1', () => {
    const finding = c4([
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.4) }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.4) }),
    ]);
    expect(finding.verdict).toBe('not supported');
  });

  it('says too few with five runs on one side, and does not count runs that have not learned', () => {
    const mixed = runs(6, { tasks: MIXED, lost: leaning(0.2) });
    const five = c4([...runs(5, { tasks: SUM_ONLY, lost: leaning(0.7) }), ...mixed]);
    expect(five.verdict).toBe('too few runs to say');
    const unlearned = made(6, { tasks: SUM_ONLY, lost: leaning(0.7), accuracy: 0.98 });
    const finding = c4([...runs(5, { tasks: SUM_ONLY, lost: leaning(0.7) }), unlearned, ...mixed]);
    expect(finding.verdict).toBe('too few runs to say');
    expect(finding.reason).toContain('left out: 1 of 6 SUM-only (seed 6)');
  });

  it('does not count a checkpoint that is not the last of its run, nor one good evaluation', () => {
    const mixed = runs(6, { tasks: MIXED, lost: leaning(0.2) });
    const five = runs(5, { tasks: SUM_ONLY, lost: leaning(0.7) });
    const options = { tasks: SUM_ONLY, lost: leaning(0.7) };
    for (const [other, why] of [
      [{ ...options, final: false }, 'step 0 is not the last checkpoint of its run'],
      [{ ...options, learned: 0.6 }, 'has not learned SUM (accuracy 0.60 one evaluation before)'],
    ] as const) {
      const result = ablation.combine([...five, made(6, other), ...mixed], {});
      const all = ablation.findings(result);
      expect(all[0]).toMatchObject({ verdict: 'too few runs to say', n: { seeds: 11 } });
      expect(all.find(({ id }) => id === 'learned/SUM, pairs')?.reason).toBe(`seed 6 ${why}`);
    }
  });

  it('has no verdict with the cheaper options of a series, and adjusts its p like the others', () => {
    const all = [
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7) }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.2) }),
    ];
    const prompts = resolveOptions(selectProbes(['ablation'])[0], {}, true);
    expect(prompts).toEqual({ promptsPerTemplate: 96 });
    const found = ablation.findings(ablation.combine(all, prompts));
    expect(found.filter(({ claim, verdict }) => claim !== undefined || verdict !== undefined)).toEqual([]);
    const numbers = found.find(({ id }) => id === 'c4');
    expect(numbers?.reason).toBe('no verdict: 96 prompts a template, and C4 asks for 256');
    expect(numbers?.estimate).toBeCloseTo(0.71 / 1.12 - 0.21 / 0.62, 1);
    expect(numbers?.pAdjusted).toBeGreaterThanOrEqual(numbers?.p ?? 1);
    expect(c4(all).verdict).toBe('supported');
  });

  it('is decided at B and at 4 B where both were trained, for the workflow to join', () => {
    const at = (steps: number, leaningOf: number): Entry[] =>
      [
        ...runs(6, { tasks: SUM_ONLY, lost: leaning(leaningOf), steps }),
        ...runs(6, { tasks: MIXED, lost: leaning(0.2), steps }),
      ].map((entry) => ({
        ...entry,
        subject: {
          ...entry.subject,
          id: `${entry.subject.id} ${steps}`,
          run: `${entry.subject.run} ${steps}`,
          condition: `${entry.subject.condition} ${steps}`,
          label: `${entry.config.data.tasks.join('+')}, pairs, d=16, steps=${steps}`,
        },
      }));
    const found = ablation.findings(ablation.combine([...at(16_000, 0.7), ...at(64_000, 0.2)], {}));
    const decided = found.filter(({ claim }) => claim === 'C4');
    expect(decided.map(({ id, verdict }) => [id, verdict]).sort()).toEqual([
      ['c4', 'supported'],
      ['c4-2', 'not supported'],
    ]);
    const module = moduleOf(decided);
    const joined = joinBudgets({ ablation: module }).ablation.findings.filter(({ claim }) => claim === 'C4');
    expect(joined).toHaveLength(1);
    expect(joined[0]).toMatchObject({ verdict: 'not supported' });
    expect(joined[0].statement).toContain('steps=64000');
    expect(joined[0].reason).toContain('at B: supported');
    // other steps are another condition and no other budget
    const apart = ablation.findings(ablation.combine([...at(16_000, 0.7), ...at(20_000, 0.2)], {}));
    expect(apart.filter(({ claim }) => claim === 'C4')).toHaveLength(1);
  });

  it('keeps its reason short when many seeds are left out', () => {
    const finding = c4([
      ...runs(12, { tasks: SUM_ONLY, lost: leaning(0.7), accuracy: 0.1 }),
      ...runs(12, { tasks: MIXED, lost: leaning(0.2), accuracy: 0.1 }),
    ]);
    expect(finding.reason).toContain('left out: 12 of 12 SUM-only; left out: 12 of 12 mixed');
    expect(finding.reason?.length).toBeLessThanOrEqual(200);
    expect(ablation.text.doesNotShow).toContain('only path between positions');
  });

  it('reads its constants from claims.json', async () => {
    const entries = [
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7), accuracy: 0.992, cleanNats: 0.03 }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.2) }),
    ];
    expect(c4(entries).verdict).toBe('supported');
    const edits: ((claim: Record<string, unknown>, part: Record<string, unknown>) => void)[] = [
      (_, part) => (part['rule'] = { kind: 'effect', delta: 0.6 }),
      (_, part) => (part['nMin'] = 7),
      (claim) => (claim['learnedAccuracy'] = 0.995),
      (claim) => (claim['mostCleanNats'] = 0.02),
      (claim) => (claim['regime'] = 'full'),
    ];
    for (const edit of edits) {
      const text = structuredClone(rawClaims) as unknown as {
        claims: (Record<string, unknown> & { parts: Record<string, unknown>[] })[];
      };
      const claim = text.claims[3];
      edit(claim, claim.parts[0]);
      vi.resetModules();
      vi.doMock('../../src/evidence/claims-file.json', () => ({ default: text }));
      const edited = (await import('../../probes/ablation.js')).ablation;
      expect(edited.findings(edited.combine(entries, {}))[0].verdict, String(edit)).not.toBe('supported');
    }
    vi.doUnmock('../../src/evidence/claims-file.json');
  });

  it('leaves out a run whose loss on results is above 0.05 nats', () => {
    const vague = made(6, { tasks: SUM_ONLY, lost: leaning(0.7), cleanNats: 0.06 });
    const result = ablation.combine([vague], {});
    expect(result.seeds[0]).toMatchObject({ usable: false });
    expect(result.seeds[0].reason).toContain('0.060 nats');
  });

  it('depends on the ablation when mean ablation says the opposite', () => {
    const swapped = (high: number, low: number) => (method: Method) =>
      method === 'mean' ? { attention: 0.4, feedForward: low } : { attention: 0.4, feedForward: high };
    const finding = c4([
      ...runs(6, { tasks: SUM_ONLY, lost: swapped(0.7, 0.2) }),
      ...runs(6, { tasks: MIXED, lost: swapped(0.2, 0.7) }),
    ]);
    expect(finding.verdict).toBe('not supported');
    expect(finding.reason).toContain('depends on the ablation');
  });

  it('compares within a regime and with equal training only', () => {
    const otherRegime = c4([
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7), regime: 'pairs' }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.2), regime: 'full' }),
    ]);
    expect(otherRegime).toMatchObject({ verdict: 'too few runs to say', n: { seeds: 0 } });
    expect(otherRegime.reason).toContain('only runs in regime pairs count');
    const otherBudget = c4([
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7), steps: 100 }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.2), steps: 200 }),
    ]);
    expect(otherBudget.verdict).toBe('too few runs to say');
    expect(otherBudget.reason).toContain('equal in everything but their tasks');
  });

  it('is decided in the regime pairs, and shows the others as exploratory', () => {
    const full = [
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7), regime: 'full' }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.2), regime: 'full' }),
    ];
    const few = [
      ...runs(2, { tasks: SUM_ONLY, lost: leaning(0.7) }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.2) }),
    ];
    for (const entries of [full, [...full, ...few]]) {
      const [claim, ...rest] = ablation.findings(ablation.combine(entries, {}));
      expect(claim.verdict).toBe('too few runs to say');
      expect(claim.reason).toContain('only runs in regime pairs count');
      const shown = rest.find(({ id }) => id === 'share-difference-resample/SUM, full/MAX+MED+SUM, full');
      expect(shown?.estimate).toBeGreaterThan(0.2);
      expect(shown?.claim).toBeUndefined();
    }
  });

  it('knows no mixture but MAX, MED and SUM, with MIN or PROD or without', () => {
    for (const [tasks, verdict] of [
      [['SUM', 'FIRST'], 'too few runs to say'],
      [['MAX', 'SUM'], 'too few runs to say'],
      [['MAX', 'MED', 'SUM', 'PROD'], 'supported'],
    ] as const) {
      const finding = c4([
        ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7) }),
        ...runs(6, { tasks, lost: leaning(0.2) }),
      ]);
      expect(finding.verdict).toBe(verdict);
    }
  });

  it('takes the pair of conditions in its regime', () => {
    const finding = c4([
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7), regime: 'full', accuracy: 0.1 }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.2), regime: 'full' }),
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7), regime: 'pairs' }),
      ...runs(6, { tasks: MIXED, lost: leaning(0.2), regime: 'pairs' }),
      ...runs(4, { tasks: ['SUM', 'FIRST'], lost: leaning(0.2), regime: 'full' }),
    ]);
    expect(finding.verdict).toBe('supported');
    expect(finding.reason).toContain('regime pairs');
  });
});

describe('other findings', () => {
  const result = ablation.combine(
    [
      ...runs(6, { tasks: SUM_ONLY, lost: leaning(0.7), accuracy: 0.1, regime: 'full' }),
      ...runs(6, {
        tasks: MIXED,
        lost: (method) => leaning(method === 'random' ? 0.1 : 0.5)(),
        regime: 'full',
      }),
    ],
    {},
  );
  const all = ablation.findings(result);

  it('carry no verdict and no claim, and every p is adjusted', () => {
    expect(all.slice(1).every(({ verdict, claim }) => verdict === undefined && claim === undefined)).toBe(
      true,
    );
    expect(all.slice(1).every(({ p, pAdjusted }) => p === undefined || (pAdjusted ?? -1) >= p)).toBe(true);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it('say that a condition has not learned SUM, with its accuracy, and nothing else of it', () => {
    const own = all.filter(({ statement }) => statement.startsWith('SUM, full'));
    expect(own.map(({ statement }) => statement)).toEqual([
      'SUM, full: has not learned SUM (accuracy 0.100)',
    ]);
    expect(own[0].estimate).toBeCloseTo(0.1, 9);
  });

  it('give the share lost with frozen patterns on the prompts whose intact loss it is measured from', () => {
    const freeze = all.find(({ id }) => id === 'freeze/MAX+MED+SUM, full');
    expect(freeze?.estimate).toBeCloseTo(0.25, 6);
  });

  it('say how much is left at the smallest dose', () => {
    const first = all.find(({ id }) => id === 'first-dose-attention/MAX+MED+SUM, full');
    expect(first?.estimate).toBeCloseTo(0.4, 1);
  });

  it('tell real damage from a disturbance of equal size', () => {
    const specific = all.find(({ id }) => id === 'specific-feed-forward/MAX+MED+SUM, full');
    expect(specific?.estimate).toBeCloseTo(0.4, 1);
    expect(specific?.p).toBeLessThan(1e-4);
    const attention = all.find(({ id }) => id === 'specific-attention/MAX+MED+SUM, full');
    expect(Math.abs(Number(attention?.estimate))).toBeLessThan(0.03);
  });

  it('uses only the last step of a run', () => {
    const entries = runs(2, { tasks: MIXED, lost: leaning(0.5) });
    const early = { ...entries[0], subject: { ...entries[0].subject, id: 'early', step: -1 } };
    expect(ablation.combine([...entries, early], {}).seeds.map(({ id }) => id)).not.toContain('early');
  });
});
