/** C4: whether SUM-only models lean more on feed-forward layers than mixed ones. The verdict comes from analysis/verdict.ts. */
import { type IntervalEstimate, welchInterval } from '../../src/analysis/intervals.js';
import { decideVerdict, withNote, withdrawIfOpposite } from '../../src/analysis/verdict.js';
import type { Finding } from '../../src/report/schema.js';
import { standardDeviation } from '../../src/tensor/sum.js';
import {
  C4_MIN_RUNS,
  type Pair,
  estimateOf,
  examplesOf,
  permutationP,
  shares,
  usableSeeds,
} from './finding-parts.js';
import type { AblationResult, ConditionResult } from './result.js';

/** Smallest effect worth the claim. */
export const C4_DELTA = 0.1;

const C4_NOTE =
  'attention is the only path between positions, so attention ablated in full loses everything by construction and the ' +
  'share at full dose is 1/2: only the dose curve and the pattern freeze carry information';

export function c4(result: AblationResult, pair: Pair | undefined): Finding {
  const base = {
    id: 'c4',
    claim: 'C4',
    statement: 'SUM-only models lean on feed-forward layers, mixed ones on attention',
    statistic:
      'share of the dose curve that is feed-forward (resample ablation, result tokens of pure SUM): mean SUM-only - mean mixed',
    unit: '1',
  };
  const count = (arm: ConditionResult['arm']): number =>
    Math.max(0, ...result.conditions.filter((c) => c.arm === arm).map(({ usable }) => usable));
  const a = pair === undefined ? [] : shares(result, pair.sumOnly, 'resample');
  const b = pair === undefined ? [] : shares(result, pair.mixed, 'resample');
  const interval = a.length === 0 || b.length === 0 ? undefined : welchInterval(a, b);
  const unmatched = pair === undefined && count('SUM-only') > 0 && count('mixed') > 0;
  const primary = decideVerdict({
    rule: { kind: 'effect', delta: C4_DELTA },
    usable: [
      { condition: pair?.sumOnly.label ?? 'SUM-only', runs: pair === undefined ? 0 : a.length },
      { condition: pair?.mixed.label ?? 'mixed', runs: pair === undefined ? 0 : b.length },
    ],
    nMin: C4_MIN_RUNS,
    ...(interval === undefined ? {} : { estimate: interval.estimate, interval }),
    ...(a.length < 2 || b.length < 2
      ? {}
      : { sd: Math.sqrt((standardDeviation(a) ** 2 + standardDeviation(b) ** 2) / 2) }),
  });
  const decision = [
    C4_NOTE,
    ...(pair === undefined
      ? []
      : [`regime ${pair.sumOnly.regime}`, ...firstDose(result, pair), ...notUsable(result, pair)]),
    ...(unmatched ? ['no SUM-only and mixed condition are equal in everything but their tasks'] : []),
  ].reduce(withNote, withMean(result, pair, primary, interval));
  return {
    ...base,
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
  primary: ReturnType<typeof decideVerdict>,
  interval: IntervalEstimate | undefined,
): ReturnType<typeof decideVerdict> {
  if (pair === undefined || interval === undefined) return primary;
  const a = shares(result, pair.sumOnly, 'mean');
  const b = shares(result, pair.mixed, 'mean');
  if (a.length < 2 || b.length < 2) return withNote(primary, 'mean ablation was not measured');
  const mean = welchInterval(a, b);
  const opposite = interval.estimate > 0 ? mean.high < 0 : mean.low > 0;
  return withdrawIfOpposite(primary, opposite, 'depends on the ablation: mean ablation says the opposite');
}

/** How steep the curves are: at the smallest dose there may be nothing left to tell apart. */
function firstDose(result: AblationResult, { sumOnly, mixed }: Pair): string[] {
  return [sumOnly, mixed].flatMap((condition) => {
    const first = usableSeeds(result, condition).flatMap(({ doses }) =>
      doses.filter((d) => d.method === 'resample'),
    );
    if (first.length === 0) return [];
    const meanOf = (kind: 'attention' | 'feedForward'): string =>
      (first.reduce((sum, { lost }) => sum + lost[kind][0], 0) / first.length).toFixed(2);
    return [
      `${condition.label}: D at dose 1/8 is ${meanOf('attention')} for attention and ${meanOf('feedForward')} for feed-forward`,
    ];
  });
}

function notUsable(result: AblationResult, { sumOnly, mixed }: Pair): string[] {
  return [sumOnly, mixed].flatMap((condition) => {
    const index = result.conditions.indexOf(condition);
    const out = result.seeds.filter((seed) => seed.condition === index && !seed.usable);
    const reasons = out.map(({ seed, reason }) => `seed ${seed} ${reason ?? ''}`).join(', ');
    return out.length === 0 ? [] : [`${condition.label}: left out ${reasons}`];
  });
}
