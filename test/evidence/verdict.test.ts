import { describe, expect, it } from 'vitest';
import {
  canonicalClaims,
  claimById,
  claimPart,
  CLAIMS,
  CLAIMS_LEVEL,
} from '../../src/evidence/claims-file.js';
import {
  combineBudgets,
  combineParts,
  decideVerdict,
  type Evidence,
  VERDICT,
  type Verdict,
  VERDICTS,
  type VerdictDecision,
  verdictText,
  withdrawIfOpposite,
} from '../../src/evidence/verdict.js';

const part = (name: string, { verdict, interim }: VerdictDecision) => ({
  name,
  verdict,
  interim: interim === true,
});

const evidence = (changes: Partial<Evidence>): Evidence => ({
  rule: { kind: 'effect', delta: 0.3 },
  usable: [
    { condition: 'mixed', runs: 6 },
    { condition: 'SUM', runs: 6 },
  ],
  nMin: 6,
  estimate: 0.5,
  interval: { low: 0.2, high: 0.8 },
  ...changes,
});
const verdictOf = (changes: Partial<Evidence>): string => decideVerdict(evidence(changes)).verdict;
const bounds = (low: number, high: number): Partial<Evidence> => ({
  estimate: (low + high) / 2,
  interval: { low, high },
});

describe('decideVerdict', () => {
  it('names the four verdicts in the fixed order', () => {
    expect(VERDICTS).toEqual(['supported', 'not supported', 'contradicted', 'too few runs to say']);
    expect(verdictOf({})).toBe('supported');
    expect(verdictOf(bounds(-0.5, -0.1))).toBe('contradicted');
    expect(verdictOf(bounds(-0.1, 0.2))).toBe('not supported');
    expect(verdictOf(bounds(-0.1, 0.5))).toBe('too few runs to say');
  });

  it('does not support an effect that is certain but too small', () => {
    expect(verdictOf(bounds(0.05, 0.25))).toBe('not supported');
    // L > 0, T < delta, U >= delta: neither
    expect(verdictOf(bounds(0.05, 0.35))).toBe('too few runs to say');
  });

  it('puts runs and assay before any interval', () => {
    const few = decideVerdict(evidence({ usable: [{ condition: 'SUM', runs: 2 }] }));
    expect(few.verdict).toBe('too few runs to say');
    expect(few.reason).toBe('runs: SUM has 2, 6 a condition needed');
    const failed = decideVerdict(evidence({ assay: { passed: false, reason: 'the copier was missed' } }));
    expect(failed.verdict).toBe('too few runs to say');
    expect(failed.reason).toBe('assay failed: the copier was missed');
    expect(verdictOf({ assay: { passed: true, reason: '' } })).toBe('supported');
  });

  it('needs no estimate when runs are too few, and insists on one otherwise', () => {
    const { rule, nMin, usable } = evidence({});
    expect(decideVerdict({ rule, nMin, usable: [] }).verdict).toBe(VERDICT.tooFew);
    expect(() => decideVerdict({ rule, nMin, usable })).toThrow(/found no estimate/);
    expect(() => decideVerdict(evidence({ estimate: NaN }))).toThrow(/expected low <= estimate <= high/);
  });

  it('says how many seeds would decide: n = 2 (2.64 s / (delta / 2))^2, half of it for one sample', () => {
    const two = decideVerdict(evidence({ ...bounds(-0.4, 1), sd: 0.2 }));
    expect(two.seedsNeeded).toBe(Math.ceil(2 * ((2.64 * 0.2) / 0.15) ** 2));
    expect(two.reason).toContain('about 25 seeds a condition');
    const one = decideVerdict(
      evidence({ ...bounds(-0.4, 1), sd: 0.2, usable: [{ condition: 'SUM', runs: 6 }] }),
    );
    expect(one.seedsNeeded).toBe(13);
  });

  it('reads an infinite interval as too wide', () => {
    expect(verdictOf({ interval: { low: -Infinity, high: Infinity } })).toBe('too few runs to say');
  });

  it('follows the C3c rule: below 0.2 for, above 0.2 against', () => {
    const rule = claimPart('C3c').rule;
    expect(verdictOf({ rule, ...bounds(-0.1, 0.19) })).toBe('supported');
    expect(verdictOf({ rule, ...bounds(0.21, 0.9) })).toBe('contradicted');
    expect(verdictOf({ rule, ...bounds(0.1, 0.3) })).toBe('too few runs to say');
  });

  it('follows the C5 rule: above 0.5 for, below 0.2 against, below 0.5 not', () => {
    const rule = claimPart('C5').rule;
    expect(verdictOf({ rule, ...bounds(0.51, 0.9) })).toBe('supported');
    expect(verdictOf({ rule, ...bounds(-0.1, 0.19) })).toBe('contradicted');
    expect(verdictOf({ rule, ...bounds(0.1, 0.49) })).toBe('not supported');
    expect(verdictOf({ rule, ...bounds(0.1, 0.6) })).toBe('too few runs to say');
  });
});

describe('decideVerdict: equivalence and explanations', () => {
  it('names equivalence beside the verdict where the interval lies within +-delta', () => {
    const rule = { kind: 'effect', delta: 0.3, equivalence: true } as const;
    const within = decideVerdict(evidence({ rule, ...bounds(-0.1, 0.2) }));
    expect(within).toMatchObject({
      verdict: 'not supported',
      notes: ['equivalent: the interval lies within +-0.3'],
    });
    expect(decideVerdict(evidence({ rule, ...bounds(-0.25, -0.05) }))).toMatchObject({
      verdict: 'contradicted',
      notes: ['equivalent: the interval lies within +-0.3'],
    });
    expect(decideVerdict(evidence({ rule, ...bounds(-0.4, 0.2) })).notes).toEqual([]);
    // only where the rule asks for it
    expect(decideVerdict(evidence(bounds(-0.1, 0.2))).notes).toEqual([]);
  });

  it('explains by another cause: within +-1 octave or below for, above 1 against', () => {
    const rule = { kind: 'explained', within: 1, delta: 1 } as const;
    const of = (low: number, high: number): VerdictDecision =>
      decideVerdict(evidence({ rule, ...bounds(low, high) }));
    expect(of(-0.8, 0.9)).toMatchObject({
      verdict: 'supported',
      notes: ['equivalent: the interval lies within +-1'],
    });
    expect(of(-4, -2)).toMatchObject({ verdict: 'supported', notes: [] });
    expect(of(-1.5, 1).verdict).toBe('supported');
    expect(of(1.1, 3).verdict).toBe('contradicted');
    expect(of(1, 3).verdict).toBe('too few runs to say');
    expect(of(0.5, 2).verdict).toBe('too few runs to say');
  });
});

describe('decideVerdict: the planned runs', () => {
  const planned = [
    { condition: 'mixed', made: 14, planned: 14 },
    { condition: 'SUM', made: 9, planned: 16 },
  ];

  it('marks a verdict as interim before all planned runs are made', () => {
    const early = decideVerdict(evidence({ planned }));
    expect(early).toMatchObject({
      verdict: 'supported',
      interim: true,
      notes: ['interim: SUM has 9 of 16 planned runs'],
    });
    expect(verdictText(early)).toBe('supported, interim');
    const all = decideVerdict(evidence({ planned: planned.map((one) => ({ ...one, made: one.planned })) }));
    expect(all.interim).toBeUndefined();
    expect(all.notes).toEqual([]);
    // what is undecided is not decided early
    expect(decideVerdict(evidence({ planned, ...bounds(-0.1, 0.5) })).interim).toBeUndefined();
    expect(withdrawIfOpposite(early, true, 'depends on the ablation')).toMatchObject({
      verdict: 'not supported',
      interim: true,
    });
    expect(combineParts([part('a', early), part('b', all)])).toMatchObject({
      verdict: 'supported',
      interim: true,
      notes: ['interim: part a'],
    });
    expect(combineParts([part('a', all), part('b', all)]).interim).toBeUndefined();
  });

  it('withholds the verdict while runs of a condition are not given', () => {
    expect(decideVerdict(evidence({ notGiven: ['2 of SUM, pairs, d=16', '1 of MED, full'] }))).toMatchObject({
      verdict: 'too few runs to say',
      reason:
        'withheld: runs of these conditions exist and were not given (2 of SUM, pairs, d=16; 1 of MED, full)',
    });
    expect(decideVerdict(evidence({ notGiven: [] })).verdict).toBe('supported');
  });
});

const as = (low: number, high: number): VerdictDecision => decideVerdict(evidence(bounds(low, high)));
const [yes, no, against, open] = [as(0.2, 0.8), as(-0.1, 0.2), as(-0.5, -0.1), as(-0.1, 0.5)];

describe('combineParts', () => {
  it('needs every part, and is refuted by any one', () => {
    const of = (...parts: readonly VerdictDecision[]): { verdict: Verdict; reason: string } =>
      combineParts(parts.map((one, i) => part('abc'[i], one)));
    expect(of(yes, yes, yes)).toMatchObject({ verdict: 'supported', reason: 'so are its parts a, b, c' });
    expect(of(yes, no, against)).toMatchObject({ verdict: 'contradicted', reason: 'so is part c' });
    expect(of(no, yes, open).verdict).toBe('not supported');
    expect(of(yes, open, open)).toMatchObject({
      verdict: 'too few runs to say',
      reason: 'part b, c undecided',
    });
  });
});

describe('combineBudgets, withdrawIfOpposite, withNote', () => {
  it('give the verdict at 4B with a note of the other', () => {
    expect(combineBudgets(yes, yes).notes).toEqual([]);
    expect(combineBudgets(yes, no)).toMatchObject({ verdict: 'not supported', notes: ['at B: supported'] });
  });

  it('withdraw a decided verdict that the second analysis contradicts, and only a decided one', () => {
    expect(withdrawIfOpposite(yes, true, 'depends on the ablation')).toMatchObject({
      verdict: 'not supported',
      reason: 'depends on the ablation',
    });
    expect(withdrawIfOpposite(yes, false, 'x')).toBe(yes);
    expect(withdrawIfOpposite(open, true, 'x')).toBe(open);
  });
});

describe('claims', () => {
  it('are those of the paper and our own, with their sizes and deltas', () => {
    expect(CLAIMS.map((claim) => claim.id)).toEqual([
      'C1',
      'C2',
      'C3',
      'C4',
      'C5',
      'C6',
      'M1',
      'M2',
      'M3',
      'M4',
    ]);
    expect(CLAIMS.filter(({ origin }) => origin === 'paper')).toHaveLength(6);
    // 1 - 0.05 / 6
    expect(CLAIMS_LEVEL).toBe(0.9917);
    expect(claimPart('C3a')).toMatchObject({ nMin: 6, seeds: 14, rule: { kind: 'effect', delta: 0.3 } });
    expect(claimPart('C3b2').rule.delta).toBe(1);
    expect(claimPart('C4')).toMatchObject({ nMin: 12, rule: { delta: 0.5 } });
    expect(claimPart('C1a')).toMatchObject({ nMin: 5, rule: { delta: 1 } });
    expect(claimPart('C6a')).toMatchObject({ nMin: 8, rule: { delta: 0.3 } });
    expect(claimPart('M1').rule).toEqual({ kind: 'explained', within: 1, delta: 1 });
    expect(claimById('C3').learnedAccuracy).toBe(0.99);
    expect(() => claimPart('C9')).toThrow('claims.json has no part C9');
  });

  it('fix the place of every part, and name no part twice', () => {
    const parts = CLAIMS.flatMap((claim) => claim.parts);
    expect(new Set(parts.map(({ id }) => id)).size).toBe(parts.length);
    for (const { id, place, seeds, nMin } of parts) {
      expect(place.steps, id).toBeGreaterThan(0);
      expect(seeds, id).toBeGreaterThanOrEqual(nMin);
    }
  });

  it('have one canonical text, which does not depend on the layout of the file', () => {
    const text = canonicalClaims();
    expect(text).not.toMatch(/\n| {2}/);
    expect((JSON.parse(text) as { claims: unknown[] }).claims).toHaveLength(10);
    expect(text.startsWith('{"budgetMultipliers":[1,4],"claims":[{"assay":')).toBe(true);
  });
});
