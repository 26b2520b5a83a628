/** Claim C3 from the comparison of SUM-only with mixed runs: evidence goes in, the verdict function names what comes out. */
import { claimPart, type ClaimPartId, CLAIMS_LEVEL } from '../../src/analysis/claims.js';
import { type IntervalEstimate, meanInterval, welchInterval } from '../../src/analysis/intervals.js';
import { twoSamplePermutation } from '../../src/analysis/permutation.js';
import { combineC3, decideVerdict, type VerdictDecision } from '../../src/analysis/verdict.js';
import type { Finding } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import { variance } from '../../src/tensor/sum.js';
import type { Arm, Comparison } from './combine.js';
import { estimated, placeOf, round, values } from './finding-parts.js';

/** The claim is decided where SUM alone can be learned: regime `pairs`, or whatever there is when it is absent. */
export function claimComparisons(all: readonly Comparison[]): readonly Comparison[] {
  const pairs = all.filter(({ regime }) => regime === 'pairs');
  const complete = pairs.filter(({ sumOnly, mixed }) => sumOnly !== null && mixed !== null);
  if (complete.length > 0) return complete;
  return pairs.length > 0 ? pairs.slice(0, 1) : all.slice(0, 1);
}

/** C3 as a whole, then its parts a and c. */
export function claimFindings(comparison: Comparison, suffix: string): Finding[] {
  const { sumOnly, mixed } = comparison;
  const orders = (arm: Arm | null): number[] => values(arm, 'order');
  const [alone, joint] = [orders(sumOnly), orders(mixed)];
  const circular = values(sumOnly, 'circularExcess');

  const difference =
    alone.length > 0 && joint.length > 0 ? welchInterval(joint, alone, CLAIMS_LEVEL) : undefined;
  const a = decide('C3a', [armCount(mixed, 'mixed'), armCount(sumOnly, 'SUM-only')], difference, [
    joint,
    alone,
  ]);
  const excess = circular.length > 0 ? meanInterval(circular, CLAIMS_LEVEL) : undefined;
  const c = decide('C3c', [armCount(sumOnly, 'SUM-only')], excess, [circular]);
  const whole = combineC3({ a, b: undefined, c });

  const permutation =
    difference === undefined
      ? {}
      : {
          p: round(twoSamplePermutation(joint, alone, { rng: new Rng(0, 'probe:embedding-pca/c3a') }).p),
          pMethod: 'two-sample permutation of seeds, two-sided',
        };
  const place = placeOf(comparison);
  return [
    {
      id: `c3${suffix}`,
      claim: 'C3',
      statement: `Embeddings of SUM-only models lack structure that mixed ones have (${place}): parts a and c measured here, b (parity) not.`,
      statistic: 'parts a, b and c together',
      unit: '1',
      n: { seeds: alone.length + joint.length, examples: comparison.n },
      verdict: whole.verdict,
      reason: [whole.reason, ...whole.notes].join('; '),
    },
    claimFinding('C3a', `c3a${suffix}`, a, difference, alone.length + joint.length, comparison.n, {
      statement: `Order of the numbers, mixed minus SUM-only (${place}): ${countText(mixed)}, ${countText(sumOnly)}.`,
      ...permutation,
    }),
    claimFinding('C3c', `c3c${suffix}`, c, excess, circular.length, comparison.n, {
      statement: `Circular structure of SUM-only embeddings beyond chance, at the best naming (${place}): ${countText(sumOnly)}.`,
    }),
  ];
}

function decide(
  id: ClaimPartId,
  usable: readonly { condition: string; runs: number }[],
  estimate: IntervalEstimate | undefined,
  samples: readonly (readonly number[])[],
): VerdictDecision {
  const part = claimPart(id);
  const spread = samples.filter((sample) => sample.length > 1).map((sample) => variance(sample));
  return decideVerdict({
    rule: part.rule,
    nMin: part.nMin,
    usable,
    ...(estimate === undefined ? {} : { estimate: estimate.estimate, interval: estimate }),
    ...(spread.length === 0 ? {} : { sd: Math.sqrt(spread.reduce((x, y) => x + y, 0) / spread.length) }),
  });
}

function claimFinding(
  claim: ClaimPartId,
  id: string,
  decision: VerdictDecision,
  estimate: IntervalEstimate | undefined,
  seeds: number,
  examples: number,
  rest: Pick<Finding, 'statement' | 'p' | 'pMethod'>,
): Finding {
  const { statistic, unit } = claimPart(claim);
  return {
    id,
    claim,
    statistic,
    unit,
    n: { seeds, examples },
    ...rest,
    ...estimated(estimate),
    verdict: decision.verdict,
    reason: [decision.reason, ...decision.notes].join('; '),
  };
}

function armCount(arm: Arm | null, name: string): { condition: string; runs: number } {
  return { condition: name, runs: arm?.usable.length ?? 0 };
}

function countText(arm: Arm | null): string {
  return arm === null ? 'no such runs' : `${arm.usable.length} of ${arm.runs} runs of ${arm.label} usable`;
}
