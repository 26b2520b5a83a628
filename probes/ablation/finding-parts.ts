/** Pieces that the verdict on C4 and the exploratory findings share: pairs of conditions, shares, intervals, p values. */
import { claimById, claimPart } from '../../src/evidence/claims-file.js';
import { studentCdf } from '../../src/analysis/distributions.js';
import type { IntervalEstimate } from '../../src/analysis/intervals.js';
import { twoSamplePermutation } from '../../src/analysis/permutation.js';
import type { Finding } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import { standardDeviation } from '../../src/tensor/sum.js';
import type { Method } from './components.js';
import { jsonNumber } from './json-numbers.js';
import type { AblationResult, ConditionResult, SeedResult } from './result.js';

export interface Pair {
  readonly sumOnly: ConditionResult;
  readonly mixed: ConditionResult;
}

/**
 * SUM-only and mixed conditions that differ in their tasks alone. First the regime that decides C4, then the pair with enough
 * runs, then the mixture of fewest tasks, MAX+MED+SUM; the order looks at no outcome but learning.
 */
export function matchedPairs({ conditions }: AblationResult): Pair[] {
  const pairs = conditions
    .filter(({ side }) => side === 'SUM-only')
    .flatMap((sumOnly) =>
      conditions
        .filter(({ side, match }) => side === 'mixed' && match === sumOnly.match)
        .map((mixed) => ({ sumOnly, mixed })),
    );
  const { regime } = claimById('C4');
  const rank = ({ sumOnly, mixed }: Pair): number[] => [
    sumOnly.regime === regime ? 0 : 1,
    -Math.min(claimPart('C4').nMin, sumOnly.counted, mixed.counted),
    mixed.tasks.length,
  ];
  return pairs
    .map((pair) => ({ pair, rank: rank(pair) }))
    .sort((a, b) => a.rank.reduce((order, value, i) => order || value - b.rank[i], 0))
    .map(({ pair }) => pair);
}

/** Feed-forward shares of seeds under one method. */
export function shares(seeds: readonly SeedResult[], method: Method): number[] {
  return seeds.flatMap(({ doses }) => doses.find((dose) => dose.method === method)?.share ?? []);
}

export function usableSeeds(result: AblationResult, condition: ConditionResult): SeedResult[] {
  return seedsOf(result, condition).filter(({ usable }) => usable);
}

/** Those that count in C4. */
export function countedSeeds(result: AblationResult, condition: ConditionResult): SeedResult[] {
  return seedsOf(result, condition).filter(({ leftOut }) => leftOut === null);
}

export function seedsOf(result: AblationResult, condition: ConditionResult): SeedResult[] {
  const index = result.conditions.indexOf(condition);
  return result.seeds.filter((seed) => seed.condition === index);
}

/** Prompts of the pure templates of both conditions. */
export function examplesOf(pair: Pair | undefined): number {
  const of = (condition: ConditionResult): number =>
    condition.templates
      .filter(
        ({ id }) => new Set(id.match(/[A-Za-z]+/g)).size === 1 && id.startsWith(`(${condition.primary} `),
      )
      .reduce((sum, { prompts }) => sum + prompts, 0);
  return pair === undefined ? 0 : of(pair.sumOnly) + of(pair.mixed);
}

export function estimateOf({
  estimate,
  low,
  high,
  level,
  method,
}: IntervalEstimate): Pick<Finding, 'estimate' | 'interval'> {
  return {
    estimate: jsonNumber(estimate),
    interval: { low: jsonNumber(low), high: jsonNumber(high), level, method },
  };
}

export function permutationP(a: readonly number[], b: readonly number[]): Pick<Finding, 'p' | 'pMethod'> {
  const { p, exact, arrangements } = twoSamplePermutation(a, b, { rng: new Rng(0, 'probe:ablation') });
  return {
    p: round(p),
    pMethod: `${exact ? 'exact' : 'sampled'} permutation of seeds, two-sided, ${arrangements} splits`,
  };
}

/** Two-sided t test of a mean of 0 over seeds; nothing when there is no spread to judge by. */
export function tTest(values: readonly number[]): Pick<Finding, 'p' | 'pMethod'> {
  if (values.length < 2) return {};
  const spread = standardDeviation(values);
  if (spread === 0) return {};
  const t = values.reduce((sum, v) => sum + v, 0) / values.length / (spread / Math.sqrt(values.length));
  return {
    p: round(Math.min(1, 2 * studentCdf(-Math.abs(t), values.length - 1))),
    pMethod: 't test over seeds, two-sided',
  };
}

export function round(value: number): number {
  return Number(value.toPrecision(9));
}
