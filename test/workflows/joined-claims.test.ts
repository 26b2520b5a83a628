/** Verdicts that need several findings: the notes of C3 as a whole, and two budgets. The parts of C3: parity-probe.test.ts. */
import { describe, expect, it } from 'vitest';
import { isLongerBudget, labelledBudget } from '../../probes/claim-parts.js';
import { VERDICT, type Verdict } from '../../src/evidence/verdict.js';
import type { Finding } from '../../src/report/schema.js';
import { joinBudgets, joinClaimParts } from '../../src/workflows/joined-claims.js';
import { moduleOf } from '../helpers/module-report.js';

function finding(id: string, claim: string, verdict: Verdict, place: string, reason = 'why'): Finding {
  return {
    id,
    claim,
    statement: `Something (${place}): 6 of 6 runs.`,
    statistic: '',
    unit: '1',
    estimate: 0.4,
    n: { seeds: 12, examples: 10 },
    verdict,
    reason,
  };
}

const { supported, contradicted, notSupported, tooFew } = VERDICT;

describe('joinClaimParts', () => {
  it('keeps what was said of regime and hold-out when C3 is decided from all parts', () => {
    const place = 'pairs, d=16';
    const held = 'regime pairs, with 9.1 % of pairs held out';
    const { first } = joinClaimParts({
      first: moduleOf([
        finding('c3', 'C3', tooFew, place, `part b not measured; ${held}`),
        finding('c3a', 'C3a', supported, place),
        finding('c3c', 'C3c', supported, place),
      ]),
      second: moduleOf([finding('c3b', 'C3b', supported, place)]),
    });
    expect(first.findings[0]).toMatchObject({
      verdict: supported,
      reason: `so are its parts a, b and c; ${held}`,
    });
  });
});

describe('labelledBudget', () => {
  it('takes the steps out of a label, and knows B and 4 B of the same', () => {
    const b = labelledBudget('SUM, pairs, d=16, steps=16000; MAX+MED+SUM, pairs, d=16, steps=16000');
    expect(b).toEqual({ rest: 'SUM, pairs, d=16; MAX+MED+SUM, pairs, d=16', steps: 16_000 });
    const longer = labelledBudget('SUM, pairs, d=16, steps=64000; MAX+MED+SUM, pairs, d=16, steps=64000');
    expect(isLongerBudget(b, longer)).toBe(true);
    expect(isLongerBudget(longer, b)).toBe(false);
    expect(isLongerBudget(b, labelledBudget('SUM, pairs, d=32, steps=64000'))).toBe(false);
    expect(isLongerBudget(b, labelledBudget('SUM, pairs, d=16; MAX+MED+SUM, pairs, d=16, steps=32000'))).toBe(
      false,
    );
    expect(labelledBudget('SUM, pairs, d=16')).toBeUndefined();
  });
});

describe('joinBudgets', () => {
  const at = (steps: number): string => `SUM, pairs, d=16, steps=${steps}`;
  const joined = (...findings: Finding[]): readonly Finding[] =>
    joinBudgets({ module: moduleOf(findings) }).module.findings;

  it('gives the verdict at 4 B with that at B as a note, and leaves B its numbers without a verdict', () => {
    const [b, longer] = joined(
      finding('c5-1', 'C5', supported, at(16_000)),
      finding('c5-2', 'C5', contradicted, at(64_000), 'the interval is below 0.2'),
    );
    expect(longer).toMatchObject({
      claim: 'C5',
      verdict: contradicted,
      reason: 'the interval is below 0.2; at B: supported',
    });
    expect(b).toMatchObject({
      id: 'c5-1',
      estimate: 0.4,
      reason: 'why; budget B: C5 is decided at 64000 steps',
    });
    expect(b.claim).toBeUndefined();
    expect(b.verdict).toBeUndefined();
  });

  it('does so in any order, and says nothing where the verdicts agree', () => {
    const [longer, b] = joined(
      finding('c4', 'C4', notSupported, at(64_000)),
      finding('c4-2', 'C4', notSupported, at(16_000)),
    );
    expect(longer).toMatchObject({ verdict: notSupported, reason: 'why' });
    expect(b.verdict).toBeUndefined();
  });

  it('leaves everything else alone: other budgets, other settings, other claims, exploratory findings', () => {
    const { claim: _c, verdict: _v, ...exploratory } = finding('x', 'C5', supported, at(16_000));
    const all = [
      finding('c5-1', 'C5', supported, at(16_000)),
      finding('c5-2', 'C5', contradicted, at(32_000)),
      finding('c5-3', 'C5', contradicted, 'SUM, pairs, d=32, steps=64000'),
      finding('c4', 'C4', contradicted, at(64_000)),
      exploratory,
    ];
    expect(joined(...all)).toEqual(all);
  });
});
