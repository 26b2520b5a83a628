/** C4: whether SUM-only models lean more on feed-forward layers than mixed ones. The verdict comes from analysis/verdict.ts. */
import { claimById, claimPart } from '../../src/evidence/claims-file.js';
import { type IntervalEstimate, welchInterval } from '../../src/analysis/intervals.js';
import {
  type VerdictDecision,
  decideVerdict,
  withNote,
  withdrawIfOpposite,
} from '../../src/evidence/verdict.js';
import type { Finding } from '../../src/report/schema.js';
import { standardDeviation } from '../../src/tensor/sum.js';
import { regimeNote } from '../claim-parts.js';
import {
  type Pair,
  countedSeeds,
  estimateOf,
  examplesOf,
  permutationP,
  seedsOf,
  shares,
} from './finding-parts.js';
import type { AblationResult } from './result.js';

/** @param pair - in the regime of the claim; undefined: there is none */
export function c4(result: AblationResult, pair: Pair | undefined): Finding {
  const { nMin, rule, statistic, unit } = claimPart('C4');
  const a = pair === undefined ? [] : shares(countedSeeds(result, pair.sumOnly), 'resample');
  const b = pair === undefined ? [] : shares(countedSeeds(result, pair.mixed), 'resample');
  const interval = a.length === 0 || b.length === 0 ? undefined : welchInterval(a, b);
  const primary = decideVerdict({
    rule,
    usable: [
      { condition: 'SUM-only', runs: a.length },
      { condition: 'mixed', runs: b.length },
    ],
    nMin,
    ...(interval === undefined ? {} : { estimate: interval.estimate, interval }),
    ...(a.length < 2 || b.length < 2
      ? {}
      : { sd: Math.sqrt((standardDeviation(a) ** 2 + standardDeviation(b) ** 2) / 2) }),
  });
  const decision = [
    Math.min(a.length, b.length) < nMin ? regimeNote('C4') : `regime ${claimById('C4').regime}`,
    ...(pair === undefined ? unmatched(result) : leftOut(result, pair)),
  ].reduce(withNote, withMean(result, pair, primary, interval));
  const conditions = pair === undefined ? '' : ` (${pair.sumOnly.label}; ${pair.mixed.label})`;
  return {
    id: 'c4',
    claim: 'C4',
    statement: `SUM-only models lean on feed-forward layers, mixed ones on attention${conditions}`,
    statistic,
    unit,
    ...(interval === undefined ? {} : estimateOf(interval)),
    n: { seeds: a.length + b.length, examples: examplesOf(pair) },
    ...(a.length === 0 || b.length === 0 ? {} : permutationP(a, b)),
    verdict: decision.verdict,
    reason: [decision.reason, ...decision.notes].join('; '),
  };
}

/** Mean ablation that excludes 0 on the other side takes a verdict back. */
function withMean(
  result: AblationResult,
  pair: Pair | undefined,
  primary: VerdictDecision,
  interval: IntervalEstimate | undefined,
): VerdictDecision {
  if (pair === undefined || interval === undefined) return primary;
  const a = shares(countedSeeds(result, pair.sumOnly), 'mean');
  const b = shares(countedSeeds(result, pair.mixed), 'mean');
  if (a.length < 2 || b.length < 2) return withNote(primary, 'mean ablation was not measured');
  const mean = welchInterval(a, b);
  const opposite = interval.estimate > 0 ? mean.high < 0 : mean.low > 0;
  return withdrawIfOpposite(primary, opposite, 'depends on the ablation: mean ablation says the opposite');
}

/** Why there is no pair although both sides have runs in the regime of the claim. */
function unmatched({ conditions }: AblationResult): string[] {
  const { regime } = claimById('C4');
  const has = (side: string): boolean => conditions.some((c) => c.side === side && c.regime === regime);
  return has('SUM-only') && has('mixed')
    ? ['no SUM-only and mixed condition are equal in everything but their tasks']
    : [];
}

/** Seeds that do not count; why is said once, in the findings on learning. */
function leftOut(result: AblationResult, { sumOnly, mixed }: Pair): string[] {
  return [sumOnly, mixed].flatMap((condition) => {
    const all = seedsOf(result, condition);
    const out = all.filter((seed) => seed.leftOut !== null).map(({ seed }) => seed);
    if (out.length === 0) return [];
    const named = out.length > MOST_NAMED ? '' : ` (seed ${out.join(', ')})`;
    return [`left out: ${out.length} of ${all.length} ${condition.side}${named}`];
  });
}

/** Seeds named in the reason, which is for the first screen. */
const MOST_NAMED = 6;
