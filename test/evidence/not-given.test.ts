/** A choice among runs is never silent: rows of the table that say so take verdicts away, of every kind of claim. */
import { describe, expect, it } from 'vitest';
import { decideClaims, NOT_GIVEN, SUBSET } from '../../src/evidence/decide.js';
import { evidenceOf } from '../../src/evidence/evidence.js';
import type { ClaimResult } from '../../src/evidence/claims.js';
import type { Observation } from '../../src/evidence/statistic.js';
import { decidedTable } from '../helpers/made-report.js';
import { observed } from '../helpers/made-subject.js';

const { subjects, observations } = decidedTable(14);
const decide = (more: readonly Observation[]): ClaimResult[] =>
  decideClaims(evidenceOf(subjects, [...observations, ...more], new Map()));
const part = (claims: readonly ClaimResult[], id: string): ClaimResult | undefined =>
  claims.find((claim) => (claim.part ?? claim.claim) === id);
const TOO_FEW = 'too few runs to say';

describe('runs that were not given', () => {
  const before = decide([]);

  it('leave nothing to withhold where there are none', () => {
    expect(['C2a', 'C3a', 'C3c'].map((id) => part(before, id)?.verdict)).toEqual([
      'supported',
      'supported',
      'contradicted',
    ]);
  });

  it('withhold the verdicts of their condition, by mean and by threshold, and keep the numbers', () => {
    const mixed = subjects.find(({ design }) => design.regime === 'pairs' && design.tasks.length > 1);
    const sized = subjects.find(({ design }) => design.regime === 'full' && design.tasks.length === 1);
    if (mixed === undefined || sized === undefined) throw new Error('no such subject');
    const pairs = decide([observed(mixed, NOT_GIVEN, 2)]);
    expect(part(pairs, 'C3a')).toMatchObject({
      verdict: TOO_FEW,
      reason: `withheld: runs of these conditions exist and were not given (2 of ${mixed.label})`,
      estimate: part(before, 'C3a')?.estimate,
    });
    // of the other arm alone, and of other runs
    expect([part(pairs, 'C3c'), part(pairs, 'C2a')]).toEqual([part(before, 'C3c'), part(before, 'C2a')]);
    const ladder = decide([observed(sized, NOT_GIVEN, 1)]);
    expect(part(ladder, 'C2a')).toMatchObject({
      verdict: TOO_FEW,
      reason: `withheld: runs of these conditions exist and were not given (1 of ${sized.label})`,
      interval: part(before, 'C2a')?.interval,
    });
    expect(part(ladder, 'C3a')).toEqual(part(before, 'C3a'));
  });

  it('on purpose leave no verdict anywhere', () => {
    const claims = decide([observed(subjects[3], SUBSET, 1), observed(subjects[0], NOT_GIVEN, 5)]);
    expect(new Set(claims.map(({ verdict }) => verdict))).toEqual(new Set([TOO_FEW]));
    const parts = claims.filter((claim) => claim.part !== undefined || claim.counts.length > 0);
    expect(new Set(parts.map(({ reason }) => reason))).toEqual(
      new Set(['subset given on purpose: exploratory']),
    );
    expect(claims.some(({ interim }) => interim)).toBe(false);
    expect(part(claims, 'C3a')?.estimate).toBe(part(before, 'C3a')?.estimate);
  });
});
