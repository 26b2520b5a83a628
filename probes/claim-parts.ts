/**
 * Findings of the parts of C3, made the same way in every module that measures one: which comparison decides, the verdict of a
 * part, intervals as the report writes them, and Benjamini-Hochberg over what is exploratory.
 */
import {
  BUDGET_MULTIPLIERS,
  claimById,
  claimPart,
  type ClaimId,
  type ClaimPartId,
} from '../src/analysis/claims.js';
import type { IntervalEstimate } from '../src/analysis/intervals.js';
import { benjaminiHochberg } from '../src/analysis/multiple-testing.js';
import { decideVerdict, type VerdictDecision, withNote } from '../src/analysis/verdict.js';
import type { Finding, Interval } from '../src/report/schema.js';
import { variance } from '../src/tensor/sum.js';
import { finiteNumber, jsonNumber } from './ablation/json-numbers.js';

/** One side of a comparison as findings see it. */
export interface CountedArm {
  readonly label: string;
  /** runs of the condition, usable or not */
  readonly runs: number;
  readonly usable: readonly unknown[];
}

export interface CountedComparison {
  readonly regime: string;
  readonly sumOnly: CountedArm | null;
  readonly mixed: CountedArm | null;
}

/**
 * C3 is decided in the regime that claims.json names, and nowhere else; other regimes are exploratory. compareArms always
 * gives a comparison of that regime, without runs where there are none.
 */
export function claimComparisons<C extends CountedComparison>(all: readonly C[]): readonly C[] {
  const { regime } = claimById('C3');
  const own = all.filter((comparison) => comparison.regime === regime);
  const complete = own.filter(({ sumOnly, mixed }) => sumOnly !== null && mixed !== null);
  return complete.length > 0 ? complete : own.slice(0, 1);
}

export function decidePart(
  id: ClaimPartId,
  usable: readonly { condition: string; runs: number }[],
  estimate: IntervalEstimate | undefined,
  samples: readonly (readonly number[])[],
): VerdictDecision {
  const part = claimPart(id);
  const spread = samples.filter((sample) => sample.length > 1).map((sample) => variance(sample));
  const decision = decideVerdict({
    rule: part.rule,
    nMin: part.nMin,
    usable,
    ...(estimate === undefined ? {} : { estimate: estimate.estimate, interval: estimate }),
    ...(spread.length === 0 ? {} : { sd: Math.sqrt(spread.reduce((x, y) => x + y, 0) / spread.length) }),
  });
  return usable.some(({ runs }) => runs < part.nMin) ? withNote(decision, regimeNote('C3')) : decision;
}

/** Said where runs are missing: those of another regime would not have counted. */
export function regimeNote(claim: ClaimId): string {
  return `only runs in regime ${claimById(claim).regime} count`;
}

/** The budget of a comparison, as its place or label tells it: what is left without the steps, and the steps. */
export interface LabelledBudget {
  readonly rest: string;
  readonly steps: number;
}

/**
 * `SUM, pairs, d=16, steps=64000` is B or 4 B of `SUM, pairs, d=16`. Labels name the steps only where conditions differ in
 * them; undefined: they do not.
 */
export function labelledBudget(text: string): LabelledBudget | undefined {
  const steps = /\bsteps=(\d+)/.exec(text)?.[1];
  if (steps === undefined) return undefined;
  return { rest: text.replace(/(, )?\b(steps|evaluateEvery)=\d+/g, ''), steps: Number(steps) };
}

/** Whether two budgets are B and 4 B of the same. */
export function isLongerBudget(b: LabelledBudget | undefined, longer: LabelledBudget | undefined): boolean {
  if (b === undefined || longer === undefined || b.rest !== longer.rest) return false;
  const [least, most] = [Math.min(...BUDGET_MULTIPLIERS), Math.max(...BUDGET_MULTIPLIERS)];
  return longer.steps * least === b.steps * most;
}

export function partFinding(
  claim: ClaimPartId,
  id: string,
  decision: VerdictDecision,
  estimate: IntervalEstimate | undefined,
  n: Finding['n'],
  rest: Pick<Finding, 'statement' | 'p' | 'pMethod'>,
): Finding {
  const { statistic, unit } = claimPart(claim);
  return {
    id,
    claim,
    statistic,
    unit,
    n,
    ...rest,
    ...estimated(estimate),
    verdict: decision.verdict,
    reason: [decision.reason, ...decision.notes].join('; '),
  };
}

export function armCount(arm: CountedArm | null, name: string): { condition: string; runs: number } {
  return { condition: name, runs: arm?.usable.length ?? 0 };
}

export function countText(arm: CountedArm | null): string {
  return arm === null ? 'no such runs' : `${arm.usable.length} of ${arm.runs} runs of ${arm.label} usable`;
}

/** `pairs, d=16`: what the conditions compared have in common. */
export function placeOf({ regime, sumOnly, mixed }: CountedComparison): string {
  const label = sumOnly?.label ?? mixed?.label;
  return label === undefined ? `no runs in regime ${regime}` : label.slice(label.indexOf(', ') + 2) || regime;
}

export function estimated(estimate: IntervalEstimate | undefined): Pick<Finding, 'estimate' | 'interval'> {
  if (estimate === undefined) return {};
  const interval: Interval = {
    low: jsonNumber(estimate.low),
    high: jsonNumber(estimate.high),
    level: estimate.level,
    method: estimate.method,
  };
  return { estimate: jsonNumber(estimate.estimate), interval };
}

/** Benjamini-Hochberg over the findings that have a p. */
export function adjusted(findings: readonly Finding[]): Finding[] {
  const tested = findings.flatMap(({ p }) => (p === undefined ? [] : [p]));
  const corrected = benjaminiHochberg(tested);
  let at = 0;
  return findings.map((finding) =>
    finding.p === undefined
      ? finding
      : { ...finding, pAdjusted: finiteNumber(corrected[at++], 'adjusted p') },
  );
}
