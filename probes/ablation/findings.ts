/**
 * Findings of the ablation probe: C4 through the one verdict function, everything else exploratory with
 * Benjamini-Hochberg over all p values of the module. Pure.
 */
import { studentCdf } from '../../src/analysis/distributions.js';
import { type IntervalEstimate, meanInterval, welchInterval } from '../../src/analysis/intervals.js';
import { benjaminiHochberg } from '../../src/analysis/multiple-testing.js';
import { twoSamplePermutation } from '../../src/analysis/permutation.js';
import { decideVerdict, withNote, withdrawIfOpposite } from '../../src/analysis/verdict.js';
import type { Finding } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import { standardDeviation } from '../../src/tensor/sum.js';
import type { Method } from './components.js';
import { jsonNumber } from './json-numbers.js';
import { type AblationResult, type ConditionResult, type SeedResult } from './result.js';

/** C4: smallest effect worth the claim, and fewest usable runs a condition. */
export const C4_DELTA = 0.1;
export const C4_MIN_RUNS = 6;
/** level of the exploratory intervals */
const LEVEL = 0.95;

const C4_NOTE =
  'attention is the only path between positions, so attention ablated in full loses everything by construction and the ' +
  'share at full dose is 1/2: only the dose curve and the pattern freeze carry information';

export function findings(result: AblationResult): Finding[] {
  const pairs = matchedPairs(result);
  const exploratory = [
    ...result.conditions.flatMap((_, index) => conditionFindings(result, index)),
    ...pairs.flatMap((pair, index) => pairFindings(result, pair, index > 0)),
  ];
  const adjusted = benjaminiHochberg(exploratory.flatMap(({ p }) => p ?? []));
  let next = 0;
  return [
    c4(result, pairs.at(0)),
    ...exploratory.map((finding) =>
      finding.p === undefined ? finding : { ...finding, pAdjusted: round(adjusted[next++]) },
    ),
  ];
}

interface Pair {
  readonly sumOnly: ConditionResult;
  readonly mixed: ConditionResult;
}

/**
 * SUM-only and mixed conditions that differ in their tasks alone. First the pair with enough runs, then the mixture
 * MAX+MED+SUM, then the regime `pairs`, where SUM alone is learned; the order looks at no outcome but learning.
 */
function matchedPairs({ conditions }: AblationResult): Pair[] {
  const pairs = conditions
    .filter(({ arm }) => arm === 'SUM-only')
    .flatMap((sumOnly) =>
      conditions
        .filter(({ arm, match }) => arm === 'mixed' && match === sumOnly.match)
        .map((mixed) => ({ sumOnly, mixed })),
    );
  const rank = ({ sumOnly, mixed }: Pair): number[] => [
    -Math.min(C4_MIN_RUNS, sumOnly.usable, mixed.usable),
    mixed.tasks.join('+') === 'MAX+MED+SUM' ? 0 : 1,
    sumOnly.regime === 'pairs' ? 0 : 1,
  ];
  return pairs
    .map((pair) => ({ pair, rank: rank(pair) }))
    .sort((a, b) => a.rank.reduce((order, value, i) => order || value - b.rank[i], 0))
    .map(({ pair }) => pair);
}

/** Feed-forward shares of the usable seeds of a condition. */
function shares(result: AblationResult, condition: ConditionResult, method: Method): number[] {
  return usableSeeds(result, condition).flatMap(
    ({ doses }) => doses.find((dose) => dose.method === method)?.share ?? [],
  );
}

function usableSeeds(result: AblationResult, condition: ConditionResult): SeedResult[] {
  const index = result.conditions.indexOf(condition);
  return result.seeds.filter((seed) => seed.condition === index && seed.usable);
}

function c4(result: AblationResult, pair: Pair | undefined): Finding {
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
    ...(pair === undefined ? [] : [`regime ${pair.sumOnly.regime}`, ...notUsable(result, pair)]),
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

function notUsable(result: AblationResult, { sumOnly, mixed }: Pair): string[] {
  return [sumOnly, mixed].flatMap((condition) => {
    const index = result.conditions.indexOf(condition);
    const out = result.seeds.filter((seed) => seed.condition === index && !seed.usable);
    const reasons = out.map(({ seed, reason }) => `seed ${seed} ${reason ?? ''}`).join(', ');
    return out.length === 0 ? [] : [`${condition.label}: left out ${reasons}`];
  });
}

function examplesOf(pair: Pair | undefined): number {
  const of = (condition: ConditionResult): number =>
    condition.templates
      .filter(
        ({ id }) => new Set(id.match(/[A-Za-z]+/g)).size === 1 && id.startsWith(`(${condition.primary} `),
      )
      .reduce((sum, { prompts }) => sum + prompts, 0);
  return pair === undefined ? 0 : of(pair.sumOnly) + of(pair.mixed);
}

function conditionFindings(result: AblationResult, index: number): Finding[] {
  const condition = result.conditions[index];
  const own = result.seeds.filter((seed) => seed.condition === index);
  const usable = own.filter((seed) => seed.usable);
  const examples = condition.templates.reduce((sum, { prompts }) => sum + prompts, 0);
  const { label, primary } = condition;
  const head = (what: string): Pick<Finding, 'id' | 'n'> => ({
    id: `${what}/${label}`,
    n: { seeds: usable.length, examples },
  });
  const out: Finding[] = [];
  if (usable.length < own.length) {
    const accuracy = own.reduce((sum, seed) => sum + seed.accuracy, 0) / own.length;
    out.push({
      ...head('learned'),
      statement:
        usable.length === 0
          ? `${label}: has not learned ${primary} (accuracy ${accuracy.toFixed(3)})`
          : `${label}: ${usable.length} of ${own.length} runs have learned ${primary}`,
      statistic: `mean accuracy on trained single-operation ${primary} prompts`,
      unit: 'accuracy',
      estimate: jsonNumber(accuracy),
      n: { seeds: own.length, examples },
      reason: own
        .flatMap(({ seed, reason }) => (reason === null ? [] : [`seed ${seed} ${reason}`]))
        .join(', '),
    });
  }
  if (usable.length === 0) return out;
  const doseOf = (seed: SeedResult, method: Method) => seed.doses.find((dose) => dose.method === method);
  const values = (of: (seed: SeedResult) => number | undefined): number[] =>
    usable.flatMap((s) => of(s) ?? []);
  const add = (
    what: string,
    numbers: readonly number[],
    texts: Pick<Finding, 'statement' | 'statistic' | 'unit'>,
    test: boolean,
  ): void => {
    if (numbers.length === 0) return;
    out.push({
      ...head(what),
      ...texts,
      ...estimateOf(meanInterval(numbers, LEVEL)),
      ...(test ? tTest(numbers) : {}),
    });
  };
  add(
    'share',
    values((s) => doseOf(s, 'resample')?.share),
    {
      statement: `${label}: share of the causal effect on ${primary} results that is feed-forward`,
      statistic: 'feed-forward share of the dose curve, resample ablation',
      unit: '1',
    },
    false,
  );
  for (const kind of ['attention', 'feedForward'] as const) {
    const name = kind === 'attention' ? 'attention' : 'feed-forward layers';
    add(
      `specific-${kind === 'attention' ? 'attention' : 'feed-forward'}`,
      values((s) => {
        const real = doseOf(s, 'resample');
        const control = doseOf(s, 'random');
        return real === undefined || control === undefined ? undefined : real.area[kind] - control.area[kind];
      }),
      {
        statement: `${label}: extra cost of replacing the writes of ${name} over moving them as far in a random direction`,
        statistic: 'area under the dose curve, resample - equal-norm random',
        unit: '1',
      },
      true,
    );
  }
  add(
    'freeze',
    values((s) => s.freeze?.lost),
    {
      statement: `${label}: share of the ${primary} results lost when attention patterns are frozen at their template mean`,
      statistic: 'D of the pattern freeze, all layers, values kept',
      unit: '1',
    },
    false,
  );
  for (const { layer } of usable[0].norms) {
    add(
      `norm-ratio-${layer}`,
      values((s) => {
        const row = s.norms.find((candidate) => candidate.layer === layer);
        return row?.logRatio == null || row.untrainedLogRatio === null
          ? undefined
          : row.logRatio - row.untrainedLogRatio;
      }),
      {
        statement: `${label}: change by training of the size of attention's writes against feed-forward's, layer ${layer}`,
        statistic:
          'log norm ratio attention : feed-forward at result-predicting positions, trained - untrained',
        unit: 'log ratio',
      },
      true,
    );
  }
  for (const kind of ['attention', 'feedForward'] as const) {
    const name = kind === 'attention' ? 'attention' : 'feed-forward';
    add(
      `operation-information-${name}`,
      values((s) => s.otherOperation?.[kind]),
      {
        statement: `${label}: operation information in the writes of ${name} (donor: same numbers, another operation)`,
        statistic: `rise of the loss on ${primary} results`,
        unit: 'nats',
      },
      false,
    );
  }
  return out;
}

/** Differences between the two conditions of a pair; C4's own difference is not repeated for the first pair. */
function pairFindings(result: AblationResult, pair: Pair, withResample: boolean): Finding[] {
  const methods = (['resample', 'mean', 'zero'] as const).filter(
    (method) => withResample || method !== 'resample',
  );
  return methods.flatMap((method): Finding[] => {
    const a = shares(result, pair.sumOnly, method);
    const b = shares(result, pair.mixed, method);
    if (a.length === 0 || b.length === 0) return [];
    return [
      {
        id: `share-difference-${method}/${pair.sumOnly.label}/${pair.mixed.label}`,
        statement: `feed-forward share under ${method} ablation: ${pair.sumOnly.label} against ${pair.mixed.label}`,
        statistic: `mean share (${method}) of the first - mean of the second`,
        unit: '1',
        ...estimateOf(welchInterval(a, b, LEVEL)),
        n: { seeds: a.length + b.length, examples: examplesOf(pair) },
        ...permutationP(a, b),
      },
    ];
  });
}

function estimateOf({
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

function permutationP(a: readonly number[], b: readonly number[]): Pick<Finding, 'p' | 'pMethod'> {
  const { p, exact, arrangements } = twoSamplePermutation(a, b, { rng: new Rng(0, 'probe:ablation') });
  return {
    p: round(p),
    pMethod: `${exact ? 'exact' : 'sampled'} permutation of seeds, two-sided, ${arrangements} splits`,
  };
}

/** Two-sided t test of a mean of 0 over seeds; nothing when there is no spread to judge by. */
function tTest(values: readonly number[]): Pick<Finding, 'p' | 'pMethod'> {
  if (values.length < 2) return {};
  const spread = standardDeviation(values);
  if (spread === 0) return {};
  const t = values.reduce((sum, v) => sum + v, 0) / values.length / (spread / Math.sqrt(values.length));
  return {
    p: round(Math.min(1, 2 * studentCdf(-Math.abs(t), values.length - 1))),
    pMethod: 't test over seeds, two-sided',
  };
}

function round(value: number): number {
  return Number(value.toPrecision(9));
}
