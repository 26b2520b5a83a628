/** What is concluded from ablations that were made up: C4 decided from the table, and the other statistics of it. */
import { describe, expect, it, vi } from 'vitest';
import { ablation } from '../../../probes/ablation/index.js';
import { KINDS, METHODS, type Method } from '../../../src/lens/components.js';
import { DOSES } from '../../../probes/ablation/dose.js';
import type { DoseCurve } from '../../../probes/ablation/dose-tables.js';
import type { AblationMeasurement, AblationParts } from '../../../probes/ablation/measure.js';
import { HALF_OCTAVE_DOSES } from '../../../probes/ablation/half-dose.js';
import type { ClaimResult } from '../../../src/evidence/claims.js';
import { CLAIMS_LEVEL, claimPart } from '../../../src/evidence/claims-file.js';
import rawClaims from '../../../src/evidence/claims.json' with { type: 'json' };
import { decideClaims } from '../../../src/evidence/decide.js';
import { type Evidence, evidenceOf } from '../../../src/evidence/evidence.js';
import type { Finding } from '../../../src/evidence/finding.js';
import { moduleFindings } from '../../../src/evidence/findings.js';
import { infoOf, observe } from '../../../src/evidence/statistic.js';
import type { Subject } from '../../../src/evidence/subject.js';
import { VERDICT } from '../../../src/evidence/verdict.js';
import type { OperationName } from '../../../src/listops/language/operations.js';
import { Rng } from '../../../src/tensor/rng.js';
import { resolveOptions } from '../../../src/workflows/probing/probe-plan.js';
import { madeSubject, type MadeSubject } from '../../helpers/made-subject.js';
import { withRows } from '../../helpers/measure-ablation.js';

interface Made extends MadeSubject {
  readonly tasks: readonly OperationName[];
  readonly cleanNats?: number;
  readonly asked?: AblationParts['asked'];
  /** h in octaves, plus noise */
  readonly h: (method: Method) => number;
  /** share lost by each kind, the same at every dose but the noise */
  readonly lost?: (method: Method) => { readonly attention: number; readonly 'feed-forward': number };
}

interface Entry {
  readonly subject: Subject;
  readonly measurement: AblationMeasurement;
}

const LN10 = Math.log(10);
const EVERY = [...new Set([...HALF_OCTAVE_DOSES, ...DOSES])].sort((a, b) => a - b);
const WHOLE = { promptsPerTemplate: 256, dosesPerOctave: 2 };

function made(seed: number, options: Made): Entry {
  const { tasks, accuracy = 1, cleanNats = 0.01, asked = WHOLE, h } = options;
  const { lost = () => ({ attention: 0.4, 'feed-forward': 0.3 }) } = options;
  const noise = new Rng(seed, `made ${tasks.join('+')} ${options.regime ?? 'pairs'}`);
  const curves = METHODS.flatMap((method): DoseCurve[] => {
    const level = { ...lost(method), both: 1 };
    const half = { attention: -4, 'feed-forward': -4 + h(method) + 0.1 * noise.normal(), both: -5 };
    return KINDS.map((kind) => {
      const own = level[kind] + 0.01 * noise.normal();
      return {
        kind,
        method,
        doses: EVERY,
        nats: EVERY.map(() => cleanNats + own * (LN10 - cleanNats)),
        // through (1 + 1/10) / 2 at the half dose, straight in log2 around it
        accuracy: EVERY.map((dose) =>
          Math.min(1, Math.max(0.1, 0.55 - 0.3 * (Math.log2(dose) - half[kind]))),
        ),
      };
    });
  });
  const parts: AblationParts = {
    asked,
    primary: tasks.includes('SUM') ? 'SUM' : tasks[0],
    modulus: 10,
    sharedBlocks: false,
    learned: tasks.map((operation) => ({
      operation,
      accuracy: accuracy ?? 0,
      prompts: 100,
      enumerated: true,
    })),
    templates: [{ id: '(SUM # #)', prompts: 100, hasMean: true, sameResult: 0 }],
    cells: ['SUM result'],
    clean: { nats: [cleanNats], count: [100] },
    effects: [
      { component: 'attention', method: 'resample', site: 'all positions', effect: 'total' },
      { component: 'attention', method: 'pattern mean', site: 'all positions', effect: 'total' },
    ],
    // over all templates, nested mixed ones included
    deltaNats: [1, 2],
    dose: [
      {
        operation: 'SUM',
        examples: 100,
        cleanNats,
        cleanAccuracy: 1,
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
  return { subject: madeSubject({ ...options, seed }), measurement: withRows(parts) };
}

function runs(n: number, options: Made): Entry[] {
  return Array.from({ length: n }, (_, i) => made(i + 1, options));
}

const SUM_ONLY: readonly OperationName[] = ['SUM'];
const MIXED: readonly OperationName[] = ['MAX', 'MED', 'SUM'];
const at = (octaves: number) => (): number => octaves;
/** Resample by the first, the equal-norm random control by the second. */
const against = (octaves: number, random: number) => (method: Method) =>
  method === 'random' ? random : octaves;

const STATISTICS = new Map(ablation.statistics.map((one) => [`ablation/${one.id}`, infoOf(one)]));
function tableOf(entries: readonly Entry[]): Evidence {
  return evidenceOf(
    entries.map(({ subject }) => subject),
    entries.flatMap(({ subject, measurement }) =>
      observe('ablation', ablation.statistics, subject.id, measurement),
    ),
    STATISTICS,
  );
}
function c4(entries: readonly Entry[], decide = decideClaims): ClaimResult {
  const found = decide(tableOf(entries)).filter(({ part }) => part === 'C4');
  expect(found).toHaveLength(1);
  return found[0];
}
const textOf = ({ reason, notes }: ClaimResult): string => [reason, ...notes].join('; ');
const sumOnly = (h: number, more: Partial<Made> = {}): Made => ({ tasks: SUM_ONLY, h: at(h), ...more });
const mixed = (h: number, more: Partial<Made> = {}): Made => ({ tasks: MIXED, h: at(h), ...more });

describe('C4 from made-up half doses', () => {
  it('is supported by a planted effect in the direction of the claim', () => {
    const found = c4([...runs(12, sumOnly(0.3)), ...runs(12, mixed(1.5))]);
    expect(found.verdict).toBe(VERDICT.supported);
    // three standard errors of the noise made
    expect(Math.abs(Number(found.estimate) - 1.2)).toBeLessThan(0.13);
    expect(found.interval).toMatchObject({ level: CLAIMS_LEVEL, method: 'Welch t over seeds' });
    expect(found.counts.map(({ usable }) => usable)).toEqual([12, 12]);
    // all of one side above all of the other: the smallest p there is
    expect(found.p).toBeLessThan(1e-3);
  });

  it('is contradicted by the opposite effect', () => {
    expect(c4([...runs(12, sumOnly(1.5)), ...runs(12, mixed(0.3))]).verdict).toBe(VERDICT.contradicted);
  });

  it('is not supported when there is no effect and the interval excludes one of half an octave', () => {
    expect(c4([...runs(12, sumOnly(0.7)), ...runs(12, mixed(0.7))]).verdict).toBe(VERDICT.notSupported);
  });

  it('says too few with eleven runs on one side, and does not count runs that have not learned', () => {
    const beside = runs(12, mixed(1.5));
    expect(c4([...runs(11, sumOnly(0.3)), ...beside]).verdict).toBe(VERDICT.tooFew);
    const unlearned = made(12, sumOnly(0.3, { accuracy: 0.98 }));
    const found = c4([...runs(11, sumOnly(0.3)), unlearned, ...beside]);
    expect(found.verdict).toBe(VERDICT.tooFew);
    expect(textOf(found)).toContain('left out: 1 of 12 SUM-only (seed 12)');
  });

  it('does not count a checkpoint that is not the last of its run, nor one good evaluation', () => {
    const others = [...runs(11, sumOnly(0.3)), ...runs(12, mixed(1.5))];
    for (const more of [{ final: false }, { learned: 0.6 }, { learned: null }]) {
      const found = c4([...others, made(12, sumOnly(0.3, more))]);
      expect(found.verdict).toBe(VERDICT.tooFew);
      expect(found.counts.map(({ usable }) => usable).sort()).toEqual([11, 12]);
      expect(textOf(found)).toContain('left out: 1 of 12 SUM-only (seed 12)');
    }
  });

  it('counts no half dose made with the cheaper options of a series', () => {
    const cheap = resolveOptions(ablation as never, {}, true);
    expect(cheap).toEqual({ promptsPerTemplate: 96, dosesPerOctave: 1 });
    expect(resolveOptions(ablation as never, {})).toEqual(WHOLE);
    for (const asked of [
      { ...WHOLE, promptsPerTemplate: 96 },
      { ...WHOLE, dosesPerOctave: 1 },
    ]) {
      const all = [...runs(12, sumOnly(0.3, { asked })), ...runs(12, mixed(1.5, { asked }))];
      const found = c4(all);
      expect(found.verdict).toBe(VERDICT.tooFew);
      expect(textOf(found)).toContain('left out: 12 of 12 mixed');
      // the numbers are there, under their own name
      const methods = tableOf(all).observations.flatMap(({ statistic, scope }) =>
        statistic === 'ablation/half-dose-accuracy' ? [scope.method] : [],
      );
      expect([...new Set(methods)].sort()).toEqual(['random, coarse', 'resample, coarse']);
    }
  });

  it('refuses options that are no number of prompts or doses', () => {
    expect(() => resolveOptions(ablation as never, { promptsPerTemplate: 1 })).toThrow(/2 to 20000/);
    expect(() => resolveOptions(ablation as never, { dosesPerOctave: 3 })).toThrow(/1 to 2/);
  });

  it('is decided at B and at 4 B, and the longer one counts', () => {
    const steps = (many: number, h: number) => [
      ...runs(12, sumOnly(0.3, { steps: many })),
      ...runs(12, mixed(h, { steps: many })),
    ];
    const found = c4([...steps(16_000, 1.5), ...steps(64_000, 0.3)]);
    expect(found.verdict).toBe(VERDICT.notSupported);
    expect(textOf(found)).toContain('at B: supported');
    // other steps are another condition and no other budget
    expect(c4([...steps(16_000, 1.5), ...steps(20_000, 0.3)]).verdict).toBe(VERDICT.supported);
  });

  it('keeps its reason short when many seeds are left out', () => {
    const found = c4([
      ...runs(12, sumOnly(0.3, { accuracy: 0.1 })),
      ...runs(12, mixed(1.5, { accuracy: 0.1 })),
    ]);
    expect(found.notes).toContain('left out: 12 of 12 SUM-only');
    expect(found.notes).toContain('left out: 12 of 12 mixed');
    expect(textOf(found).length).toBeLessThanOrEqual(220);
    expect(ablation.text?.doesNotShow).toContain('only path between positions');
  });

  it('reads its constants from claims.json', async () => {
    const entries = [
      ...runs(12, sumOnly(0.3, { accuracy: 0.992, cleanNats: 0.03 })),
      ...runs(12, mixed(1.5)),
    ];
    expect(c4(entries).verdict).toBe(VERDICT.supported);
    interface RawPart {
      rule: { kind: string; delta: number };
      nMin: number;
      place: { regime: string };
      evidence: { asks: { most: number }[] };
    }
    interface Raw {
      claims: { id: string; learnedAccuracy: number; parts: RawPart[] }[];
    }
    const edits: ((claim: Raw['claims'][number], part: RawPart) => void)[] = [
      (_, part) => (part.rule.delta = 2),
      (_, part) => (part.nMin = 13),
      (claim) => (claim.learnedAccuracy = 0.995),
      (_, part) => (part.evidence.asks[0].most = 0.02),
      (_, part) => (part.place.regime = 'full'),
    ];
    for (const edit of edits) {
      const text = structuredClone(rawClaims) as unknown as Raw;
      const claim = text.claims.find(({ id }) => id === 'C4');
      if (claim === undefined) throw new Error('claims.json has no C4');
      edit(claim, claim.parts[0]);
      vi.resetModules();
      vi.doMock('../../../src/evidence/claims.json', () => ({ default: text }));
      const edited = await import('../../../src/evidence/decide.js');
      expect(c4(entries, edited.decideClaims).verdict, String(edit)).not.toBe(VERDICT.supported);
    }
    vi.doUnmock('../../../src/evidence/claims.json');
  });

  it('leaves out a run whose loss on results is above 0.05 nats', () => {
    const vague = made(12, sumOnly(0.3, { cleanNats: 0.06 }));
    const found = c4([...runs(11, sumOnly(0.3)), vague, ...runs(12, mixed(1.5))]);
    expect(found.verdict).toBe(VERDICT.tooFew);
    expect(textOf(found)).toContain('left out: 1 of 12 SUM-only (seed 12)');
  });

  it('leaves out a run whose half dose lies beyond the doses measured', () => {
    // half is lost before 2^-8 (h far below), or never (far above): no value, and no guess
    for (const h of [-6, 6]) {
      const censored = made(12, sumOnly(h));
      const found = c4([...runs(11, sumOnly(0.3)), censored, ...runs(12, mixed(1.5))]);
      expect(found.counts.map(({ usable }) => usable).sort()).toEqual([11, 12]);
      expect(textOf(found)).toContain('left out: 1 of 12 SUM-only (seed 12)');
    }
  });

  it('is taken back when an equally large random disturbance says the opposite', () => {
    const found = c4([
      ...runs(12, { tasks: SUM_ONLY, h: against(0.3, 1.5) }),
      ...runs(12, { tasks: MIXED, h: against(1.5, 0.3) }),
    ]);
    expect(found.verdict).toBe(VERDICT.notSupported);
    expect(textOf(found)).toContain('an equally large random disturbance says the opposite');
    const same = c4([
      ...runs(12, { tasks: SUM_ONLY, h: against(0.3, 0.3) }),
      ...runs(12, { tasks: MIXED, h: against(1.5, 1.5) }),
    ]);
    expect(same.verdict).toBe(VERDICT.supported);
  });

  it('compares within a regime and with equal training only', () => {
    const otherRegime = c4([...runs(12, sumOnly(0.3)), ...runs(12, mixed(1.5, { regime: 'full' }))]);
    expect(otherRegime.verdict).toBe(VERDICT.tooFew);
    const otherRate = c4([...runs(12, sumOnly(0.3)), ...runs(12, mixed(1.5, { rate: 1e-4 }))]);
    expect(otherRate.verdict).toBe(VERDICT.tooFew);
  });

  it('is decided in the regime pairs, and shows the others as exploratory', () => {
    const full = [...runs(12, sumOnly(0.3, { regime: 'full' })), ...runs(12, mixed(1.5, { regime: 'full' }))];
    const few = [...runs(2, sumOnly(0.3)), ...runs(12, mixed(1.5))];
    for (const entries of [full, [...full, ...few]]) {
      expect(c4(entries).verdict).toBe(VERDICT.tooFew);
      const shown = findingsOf(entries).find(
        ({ about, id }) =>
          about?.statistic === 'ablation/half-dose-accuracy' &&
          about.kind === 'difference' &&
          about.scope.method === 'resample' &&
          id.includes(full[12].subject.condition),
      );
      expect(shown?.estimate).toBeGreaterThan(1);
      expect(shown?.claim).toBeUndefined();
    }
  });

  it('knows no mixture but MAX, MED and SUM, with MIN or PROD or without', () => {
    for (const [tasks, verdict] of [
      [['SUM', 'FIRST'], VERDICT.tooFew],
      [['MAX', 'SUM'], VERDICT.tooFew],
      [['MAX', 'MED', 'SUM', 'PROD'], VERDICT.supported],
    ] as const) {
      expect(c4([...runs(12, sumOnly(0.3)), ...runs(12, { tasks, h: at(1.5) })]).verdict).toBe(verdict);
    }
  });
});

function findingsOf(entries: readonly Entry[]): Finding[] {
  return moduleFindings(tableOf(entries), [...STATISTICS.keys()], {
    sideBySide: false,
    learnedAccuracy: 0.99,
  });
}

describe('other findings', () => {
  const all = findingsOf([
    ...runs(6, sumOnly(0.3, { accuracy: 0.1 })),
    ...runs(6, {
      tasks: MIXED,
      h: at(1),
      lost: (method) => ({ attention: 0.4, 'feed-forward': method === 'random' ? 0.1 : 0.5 }),
    }),
  ]);
  const [{ subject }] = runs(1, mixed(1));
  const meanOf = (id: string, scope = ''): Finding | undefined =>
    all.find(
      (one) => one.id === ['mean', id, scope, subject.condition].filter((part) => part !== '').join('/'),
    );

  it('carry no verdict and no claim, and every p is adjusted', () => {
    expect(all.every(({ verdict, claim }) => verdict === undefined && claim === undefined)).toBe(true);
    expect(all.every(({ p, pAdjusted }) => p === undefined || (pAdjusted ?? -1) >= p)).toBe(true);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it('say of runs that have not learned SUM their loss, and nothing of what was lost', () => {
    const own = all.filter(({ about }) => about?.runs === 'unlearned');
    expect(own.map(({ about }) => about?.statistic)).toEqual(['ablation/clean-loss']);
    for (const { statement } of own) expect(statement).toMatch(/^SUM, .*not learned: /);
  });

  it('give the share by its formula, and the half dose with its random control', () => {
    // (0.5 + 0.01) / (0.5 + 0.4 + 0.02)
    expect(meanOf('share', 'operation=SUM,method=resample')?.estimate).toBeCloseTo(0.51 / 0.92, 1);
    const half = meanOf('half-dose-accuracy', 'operation=SUM,method=resample');
    expect(half?.estimate).toBeCloseTo(1, 0);
    expect(half?.statement).toContain('Equal-norm random disturbance: ');
    expect(half?.p).toBeLessThan(1e-4);
  });

  it('give the share lost with frozen patterns on the prompts whose intact loss it is measured from', () => {
    expect(meanOf('freeze', 'operation=SUM')?.estimate).toBeCloseTo(0.25, 8);
  });

  it('say how much is left at the smallest dose', () => {
    expect(meanOf('first-dose', 'operation=SUM,part=attention')?.estimate).toBeCloseTo(0.4, 1);
  });

  it('tell real damage from a disturbance of equal size', () => {
    const specific = meanOf('specific', 'operation=SUM,part=feed-forward');
    expect(specific?.estimate).toBeCloseTo(0.4, 1);
    expect(specific?.p).toBeLessThan(1e-4);
    const attention = meanOf('specific', 'operation=SUM,part=attention');
    expect(Math.abs(Number(attention?.estimate))).toBeLessThan(0.03);
  });

  it('use the last step of a run alone', () => {
    const [first, ...rest] = runs(3, mixed(1));
    const early = { ...first, subject: { ...first.subject, id: 'early', step: 64, final: false } };
    const later = findingsOf([first, ...rest, early]).find(({ id }) => id.startsWith('mean/clean-loss'));
    expect(later?.n.seeds).toBe(3);
  });
});

describe('the claim', () => {
  it('asks for the statistics that the module has', () => {
    const { evidence } = claimPart('C4');
    if (evidence.kind !== 'difference') throw new Error('C4 is no difference');
    const named = [evidence.of, evidence.minus, ...(evidence.asks ?? []), evidence.withdrawnBy];
    for (const one of named) expect(STATISTICS.has(one?.statistic ?? ''), one?.statistic).toBe(true);
  });
});
