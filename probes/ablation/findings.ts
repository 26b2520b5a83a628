/**
 * Findings of the ablation probe: C4 (claim.ts), and everything else exploratory with Benjamini-Hochberg over all p
 * values of the module. Pure.
 */
import { claimById } from '../../src/evidence/claims-file.js';
import { meanInterval, welchInterval } from '../../src/analysis/intervals.js';
import { benjaminiHochberg } from '../../src/analysis/multiple-testing.js';
import type { Finding } from '../../src/report/schema.js';
import { logDeterministic } from '../../src/tensor/math.js';
import { isLongerBudget, labelledBudget } from '../claim-parts.js';
import { c4 } from './claim.js';
import type { Method } from './components.js';
import {
  type Pair,
  estimateOf,
  examplesOf,
  matchedPairs,
  permutationP,
  round,
  shares,
  tTest,
  usableSeeds,
} from './finding-parts.js';
import { jsonNumber } from './json-numbers.js';
import type { AblationResult, ConditionResult, SeedResult } from './result.js';

/** level of the exploratory intervals */
const LEVEL = 0.95;

export function findings(result: AblationResult): Finding[] {
  const pairs = matchedPairs(result);
  const deciding = pairs.find(({ sumOnly }) => sumOnly.regime === claimById('C4').regime);
  const other = pairs.find((pair) => deciding !== undefined && areBudgets(pair, deciding));
  const decided = [
    c4(result, deciding),
    ...(other === undefined ? [] : [{ ...c4(result, other), id: 'c4-2' }]),
  ];
  const { exploratoryOnly } = result;
  const exploratory = [
    ...(exploratoryOnly === null ? [] : decided.flatMap((one) => undecided(one, exploratoryOnly))),
    ...result.conditions.flatMap((_, index) => conditionFindings(result, index)),
    ...pairs.flatMap((pair) => pairFindings(result, pair, pair !== deciding && pair !== other)),
  ];
  const adjusted = benjaminiHochberg(exploratory.flatMap(({ p }) => p ?? []));
  let next = 0;
  return [
    ...(exploratoryOnly === null ? decided : []),
    ...exploratory.map((finding) =>
      finding.p === undefined ? finding : { ...finding, pAdjusted: round(adjusted[next++]) },
    ),
  ];
}

/** The claim as numbers alone. */
function undecided({ claim: _claim, verdict: _verdict, ...rest }: Finding, reason: string): Finding[] {
  return rest.estimate === undefined ? [] : [{ ...rest, reason }];
}

/** One of them is the other with four times the steps. */
function areBudgets(a: Pair, b: Pair): boolean {
  const of = ({ sumOnly, mixed }: Pair): string => `${sumOnly.label}; ${mixed.label}`;
  const [x, y] = [a, b].map((pair) => labelledBudget(of(pair)));
  return isLongerBudget(x, y) || isLongerBudget(y, x);
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
  if (own.some(({ leftOut }) => leftOut !== null)) {
    const accuracy = own.reduce((sum, seed) => sum + seed.accuracy, 0) / own.length;
    out.push({
      ...head('learned'),
      statement:
        usable.length === 0
          ? `${label}: has not learned ${primary} (accuracy ${accuracy.toFixed(3)})`
          : `${label}: ${usable.length} of ${own.length} runs have learned ${primary} at the accuracy and loss of C4`,
      statistic: `mean accuracy on trained single-operation ${primary} prompts`,
      unit: 'accuracy',
      estimate: jsonNumber(accuracy),
      n: { seeds: own.length, examples },
      reason: own
        .flatMap(({ seed, leftOut }) => (leftOut === null ? [] : [`seed ${seed} ${leftOut}`]))
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
      `first-dose-${kind === 'attention' ? 'attention' : 'feed-forward'}`,
      values((s) => doseOf(s, 'resample')?.lost[kind][0]),
      {
        statement: `${label}: share of the ${primary} results lost at the smallest dose of the claim, writes of ${name} (near 1: nothing is left to tell apart)`,
        statistic: 'D at dose 1/8, resample ablation',
        unit: '1',
      },
      false,
    );
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
    'half-dose',
    values(halfDoseRatio),
    {
      statement: `${label}: how many times more of the feed-forward writes than of attention's must be replaced to lose half of the ${primary} results`,
      statistic: 'log2 of the dose at which half is lost, feed-forward : attention, resample ablation',
      unit: 'octaves',
    },
    true,
  );
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
  for (const { place } of usable[0].norms) {
    add(
      `norm-ratio-${place.replace(/^layer /, '').replace(' ', '-')}`,
      values((s) => {
        const row = s.norms.find((candidate) => candidate.place === place);
        return row?.logRatio == null || row.untrainedLogRatio === null
          ? undefined
          : row.logRatio - row.untrainedLogRatio;
      }),
      {
        statement: `${label}: change by training of the size of attention's writes against feed-forward's, ${place}`,
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

/** Differences between the two conditions of a pair; C4's own difference is not repeated for the pair that decides it. */
function pairFindings(result: AblationResult, pair: Pair, withResample: boolean): Finding[] {
  const { sumOnly, mixed } = pair;
  const names = `${sumOnly.label}/${mixed.label}`;
  const difference = (
    what: string,
    of: (condition: ConditionResult) => readonly number[],
    texts: Pick<Finding, 'statement' | 'statistic' | 'unit'>,
  ): Finding[] => {
    const a = of(sumOnly);
    const b = of(mixed);
    if (a.length === 0 || b.length === 0) return [];
    const n = { seeds: a.length + b.length, examples: examplesOf(pair) };
    const estimate = estimateOf(welchInterval(a, b, LEVEL));
    return [{ id: `${what}/${names}`, ...texts, ...estimate, n, ...permutationP(a, b) }];
  };
  const methods = (['resample', 'mean', 'zero'] as const).filter(
    (method) => withResample || method !== 'resample',
  );
  return [
    ...methods.flatMap((method) =>
      difference(
        `share-difference-${method}`,
        (condition) => shares(usableSeeds(result, condition), method),
        {
          statement: `feed-forward share under ${method} ablation: ${sumOnly.label} against ${mixed.label}`,
          statistic: `mean share (${method}) of the first - mean of the second`,
          unit: '1',
        },
      ),
    ),
    ...difference(
      'half-dose-difference',
      (condition) => usableSeeds(result, condition).flatMap((seed) => halfDoseRatio(seed) ?? []),
      {
        statement: `relative toughness of feed-forward against attention writes: ${sumOnly.label} against ${mixed.label}`,
        statistic:
          'log2 of the half-loss dose, feed-forward : attention; mean of the first - mean of the second',
        unit: 'octaves',
      },
    ),
  ];
}

/** log2 of the dose at which half is lost, feed-forward over attention; undefined where one never loses half. */
function halfDoseRatio({ doses }: SeedResult): number | undefined {
  const half = doses.find(({ method }) => method === 'resample')?.halfDose;
  if (half === undefined || half.attention === null || half.feedForward === null) return undefined;
  return logDeterministic(half.feedForward / half.attention) / Math.LN2;
}
