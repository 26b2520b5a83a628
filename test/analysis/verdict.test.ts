import { describe, expect, it } from 'vitest';
import {
  assayLimit,
  canonicalClaims,
  claimById,
  claimPart,
  CLAIM_IDS,
  CLAIMS,
  CLAIMS_LEVEL,
  parseRule,
} from '../../src/analysis/claims.js';
import {
  bestConstantLossNats,
  doseArea,
  DOSES,
  feedForwardShare,
  lostShare,
  shapleyFeedForward,
} from '../../src/analysis/dose.js';
import { meanInterval } from '../../src/analysis/intervals.js';
import {
  combineBudgets,
  combineC3,
  decideVerdict,
  describeVerdict,
  type Evidence,
  VERDICT,
  VERDICTS,
  type VerdictDecision,
  withdrawIfOpposite,
  withNote,
} from '../../src/analysis/verdict.js';
import { expectClose } from './fixtures.js';

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

  it('is read from claims.json', () => {
    expect(parseRule({ kind: 'explained', within: 1, delta: 1 }, 'M1')).toEqual({
      kind: 'explained',
      within: 1,
      delta: 1,
    });
    expect(parseRule({ kind: 'effect', delta: 0.3, equivalence: true }, 'M3')).toEqual({
      kind: 'effect',
      delta: 0.3,
      equivalence: true,
    });
    expect(() => parseRule({ kind: 'explained', delta: 1 }, 'M1')).toThrow('M1.rule.within is not a number');
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
    expect(describeVerdict(early)).toMatch(/^supported, interim \(/);
    const all = decideVerdict(evidence({ planned: planned.map((one) => ({ ...one, made: one.planned })) }));
    expect(all.interim).toBeUndefined();
    expect(all.notes).toEqual([]);
    // what is undecided is not decided early
    expect(decideVerdict(evidence({ planned, ...bounds(-0.1, 0.5) })).interim).toBeUndefined();
    expect(withdrawIfOpposite(early, true, 'depends on the ablation')).toMatchObject({
      verdict: 'not supported',
      interim: true,
    });
    expect(combineC3({ a: early, b: all, c: all })).toMatchObject({ verdict: 'supported', interim: true });
    expect(combineC3({ a: all, b: all, c: all }).interim).toBeUndefined();
  });

  it('hands on the runs left out as data, and withholds the verdict while runs of a condition are not given', () => {
    const leftOut = [{ condition: 'SUM', run: 'sum-s104', reason: 'has not learned SUM' }];
    expect(decideVerdict(evidence({ leftOut })).leftOut).toEqual(leftOut);
    expect(decideVerdict(evidence({ leftOut: [] })).leftOut).toBeUndefined();
    expect(decideVerdict(evidence({ notGiven: ['sum-s105', 'sum-s106'] }))).toMatchObject({
      verdict: 'too few runs to say',
      reason: 'withheld: 2 runs of these conditions exist and were not given (sum-s105, sum-s106)',
    });
    expect(decideVerdict(evidence({ notGiven: [] })).verdict).toBe('supported');
  });
});

const as = (low: number, high: number): VerdictDecision => decideVerdict(evidence(bounds(low, high)));
const [yes, no, against, open] = [as(0.2, 0.8), as(-0.1, 0.2), as(-0.5, -0.1), as(-0.1, 0.5)];

describe('combineC3', () => {
  it('needs all three parts, and is refuted by any one', () => {
    expect(combineC3({ a: yes, b: yes, c: yes }).verdict).toBe('supported');
    expect(combineC3({ a: yes, b: no, c: against })).toMatchObject({
      verdict: 'contradicted',
      reason: 'so is part c',
    });
    expect(combineC3({ a: no, b: yes, c: open }).verdict).toBe('not supported');
    expect(combineC3({ a: yes, b: undefined, c: open })).toMatchObject({
      verdict: 'too few runs to say',
      reason: 'part c undecided, part b not measured',
    });
    expect(combineC3({ a: yes, b: undefined, c: against }).verdict).toBe('contradicted');
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

  it('print as one line', () => {
    expect(describeVerdict(withNote(against, 'at every size'))).toBe(
      'contradicted (the interval is below 0; at every size)',
    );
  });
});

describe('claims', () => {
  it('are the six of the paper with their sizes and deltas', () => {
    expect(CLAIMS.map((claim) => claim.id)).toEqual([...CLAIM_IDS]);
    // 1 - 0.05 / 6, and what an interval has when nothing else is asked for
    expect(CLAIMS_LEVEL).toBe(0.9917);
    expect(meanInterval([1, 2]).level).toBe(CLAIMS_LEVEL);
    expect(claimPart('C3a')).toMatchObject({ nMin: 6, rule: { kind: 'effect', delta: 0.3 } });
    expect(claimPart('C3b').rule.delta).toBe(0.15);
    expect(claimPart('C4').rule.delta).toBe(0.1);
    expect(claimPart('C1')).toMatchObject({ nMin: 5, rule: { delta: 1 } });
    expect(claimPart('C6')).toMatchObject({ nMin: 8, rule: { delta: 0.3 } });
    expect(claimById('C3').learnedAccuracy).toBe(0.99);
    expect(claimById('C4')).toMatchObject({ learnedAccuracy: 0.99, mostCleanNats: 0.05 });
    expect(claimById('C5')).toMatchObject({ learnedAccuracy: 0.99, mostCleanNats: Infinity });
    expect(claimById('C1').learnedAccuracy).toBe(0.95);
    expect(claimById('C1').assayLimits).toEqual({ shareLearned: 0.8, lapse: 0.2 });
    expect(assayLimit('C2', 'shareLearned')).toBe(0.8);
    expect(assayLimit('C5', 'index')).toBe(0.8);
    expect(() => assayLimit('C3', 'index')).toThrow(/C3\.assayLimits has no index/);
  });

  it('have one canonical text, which does not depend on the layout of the file', () => {
    const text = canonicalClaims();
    expect(text).not.toMatch(/\n| {2}/);
    expect((JSON.parse(text) as { claims: unknown[] }).claims).toHaveLength(6);
    expect(text.startsWith('{"budgetMultipliers":[1,4],"claims":[{"assay":')).toBe(true);
  });
});

describe('dose curves', () => {
  it('clip the lost share to 0..1 and average it over eight doses', () => {
    expect(DOSES).toHaveLength(8);
    expect(DOSES[0]).toBe(0.125);
    expect(lostShare(1.2, 0.2, 2.2)).toBe(0.5);
    expect(lostShare(9, 0.2, 2.2)).toBe(1);
    expect(lostShare(0.1, 0.2, 2.2)).toBe(0);
    expect(() => lostShare(1, 2.2, 2.2)).toThrow(/nothing to lose/);
    expect(() => lostShare(NaN, 0, 1)).toThrow(/NaN/);
    expectClose(doseArea([0, 0, 0, 0, 0.5, 1, 1, 1]), 3.5 / 8, {}, 'area');
  });

  it('share between the parts: one half when neither matters, near 0 or 1 when one does', () => {
    expect(feedForwardShare(0, 0)).toBe(0.5);
    expectClose(feedForwardShare(1, 0), 1.01 / 1.02, {}, 'feed-forward only');
    expectClose(feedForwardShare(0, 1), 0.01 / 1.02, {}, 'attention only');
    expectClose(shapleyFeedForward({ feedForward: 0.2, attention: 0.9, both: 1 }), 0.15, {}, 'Shapley');
  });

  it('take the constant of each operation and arity: log n for uniform results', () => {
    expectClose(bestConstantLossNats([new Float64Array(10).fill(7)]), Math.log(10), {}, 'uniform');
    expectClose(
      bestConstantLossNats([
        [4, 0],
        [2, 2],
        [0, 0],
      ]),
      Math.LN2 / 2,
      {},
      'two groups',
    );
    expect(() => bestConstantLossNats([])).toThrow(/found no counts/);
  });
});
