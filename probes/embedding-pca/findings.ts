/**
 * Findings of the embedding probe: the parts of C3 through the verdict function, everything else exploratory with
 * Benjamini-Hochberg inside the module.
 */
import { claimPart, type ClaimPartId, CLAIMS_LEVEL } from '../../src/analysis/claims.js';
import { type IntervalEstimate, meanInterval, welchInterval } from '../../src/analysis/intervals.js';
import { benjaminiHochberg, stouffer } from '../../src/analysis/multiple-testing.js';
import { twoSamplePermutation } from '../../src/analysis/permutation.js';
import { combineC3, decideVerdict, type VerdictDecision } from '../../src/analysis/verdict.js';
import { type EmbeddingGroup, notLearnedText } from '../../src/report/charts/embedding-data.js';
import type { Finding, Interval } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import { variance } from '../../src/tensor/sum.js';
import { jsonNumber } from '../ablation/json-numbers.js';
import type { Arm, Comparison, EmbeddingResult, UsableRun } from './combine.js';

const EXPLORATORY_LEVEL = 0.95;

export function embeddingFindings(result: EmbeddingResult): Finding[] {
  const claims = claimComparisons(result.comparisons);
  const several = claims.length > 1;
  return [
    ...claims.flatMap((comparison, i) => claimFindings(comparison, several ? `-${i + 1}` : '')),
    ...adjusted([
      ...result.comparisons.flatMap((comparison, i) => comparisonFindings(comparison, `-${i + 1}`)),
      ...result.groups.flatMap(groupFindings),
    ]),
  ];
}

/** The claim is decided where SUM alone can be learned: regime `pairs`, or whatever there is when it is absent. */
function claimComparisons(all: readonly Comparison[]): readonly Comparison[] {
  const pairs = all.filter(({ regime }) => regime === 'pairs');
  const complete = pairs.filter(({ sumOnly, mixed }) => sumOnly !== null && mixed !== null);
  if (complete.length > 0) return complete;
  return pairs.length > 0 ? pairs.slice(0, 1) : all.slice(0, 1);
}

function claimFindings(comparison: Comparison, suffix: string): Finding[] {
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
          p: twoSamplePermutation(joint, alone, { rng: new Rng(0, 'probe:embedding-pca/c3a') }).p,
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

/** Not part of the claim: differences of circular structure and closure, the control, and equal geometry up to naming. */
function comparisonFindings(comparison: Comparison, suffix: string): Finding[] {
  const { sumOnly, mixed, orderOnly, sameGeometry, n } = comparison;
  const place = placeOf(comparison);
  const out: Finding[] = [];
  const add = (
    id: string,
    what: string,
    field: keyof UsableRun & ('circularExcess' | 'closure' | 'order'),
    against: Arm | null,
    name: string,
  ): void => {
    const [x, y] = [values(mixed, field), values(against, field)];
    if (x.length === 0 || y.length === 0) return;
    const test = twoSamplePermutation(x, y, { rng: new Rng(0, `probe:embedding-pca/${id}`) });
    out.push({
      id: `${id}${suffix}`,
      statement: `${what}, mixed minus ${name} (${place}).`,
      statistic: `mean(mixed) - mean(${name})`,
      unit: '1',
      n: { seeds: x.length + y.length, examples: n },
      ...estimated(welchInterval(x, y, EXPLORATORY_LEVEL)),
      p: test.p,
      pMethod: 'two-sample permutation of seeds, two-sided',
    });
  };
  add('circular-difference', 'Circular structure beyond chance', 'circularExcess', sumOnly, 'SUM-only');
  add('closure-difference', 'Closure (small: a ring; above 1: an open line)', 'closure', sumOnly, 'SUM-only');
  add(
    'closure-control',
    'Closure (small: a ring; above 1: an open line)',
    'closure',
    orderOnly,
    'without SUM',
  );
  add('order-control', 'Order of the numbers', 'order', orderOnly, 'without SUM');
  if (sameGeometry.length > 0) {
    const excess = sameGeometry.map(({ best }) => best.value - best.nullMean);
    out.push({
      id: `same-geometry${suffix}`,
      statement: `Same geometry up to renaming of the numbers: SUM-only and mixed runs of equal seed (${place}), debiased CKA at the best naming minus its null.`,
      statistic: 'max over (Z/n)* of debiased CKA - null mean of the same maximum',
      unit: '1',
      n: { seeds: sameGeometry.length, examples: n },
      ...estimated(meanInterval(excess, EXPLORATORY_LEVEL)),
      ...existence(sameGeometry.map(({ best }) => best.p)),
    });
  }
  return out;
}

function groupFindings(group: EmbeddingGroup): Finding[] {
  const { seeds, n, name } = group;
  const of = (
    id: string,
    statement: string,
    statistic: string,
    numbers: readonly number[],
    p: readonly number[] | undefined,
  ): Finding => ({
    id: `${id}-${group.id}`,
    statement,
    statistic,
    unit: '1',
    n: { seeds: seeds.length, examples: n },
    ...estimated(meanInterval(numbers, EXPLORATORY_LEVEL)),
    ...(p === undefined ? {} : existence(p)),
  });
  const geometry = seeds.map((seed) => seed.embedding);
  const peaks = [...new Set(geometry.map(({ fourier }) => fourier.peak.frequency))].sort((a, b) => a - b);
  const findings = [
    of(
      'order',
      `${name}: order of the numbers as named.`,
      'Spearman(d2, |i-j|)',
      geometry.map(({ order }) => order.asNamed.value),
      geometry.map(({ order }) => order.asNamed.p),
    ),
    of(
      'circular',
      `${name}: circular structure beyond chance at the best naming.`,
      'max over (Z/n)* of Pearson(d2, ring distance) - null mean',
      geometry.map(({ circular }) => circular.excess),
      geometry.map(({ circular }) => circular.best.p),
    ),
    of(
      'closure',
      `${name}: closure of the curve 0..${n - 1} as named (an exact line ${((n - 1) ** 2 / Math.floor(n / 2) ** 2).toFixed(2)}, a ring below 0.2).`,
      'd2(0, n-1) / mean d2 at lag n/2',
      geometry.map(({ closure }) => closure.asNamed),
      undefined,
    ),
    of(
      'fourier-peak',
      `${name}: largest Fourier share over its isotropic share, at k = ${peaks.join(', ')}.`,
      'max over k of share / isotropic share',
      geometry.map(({ fourier }) => fourier.peak.ratio),
      geometry.map(({ fourier }) => fourier.peak.p),
    ),
  ];
  if (group.agreement !== null) {
    findings.push({
      id: `agreement-${group.id}`,
      statement: `${name}: seeds agree on the arrangement of the numbers after rotation; share of variance they do not share (by chance ${group.agreement.nullMean.toFixed(2)}).`,
      statistic: 'generalised Procrustes, unexplained share',
      unit: '1',
      estimate: group.agreement.unexplained,
      n: { seeds: seeds.length, examples: n },
      p: group.agreement.p,
      pMethod: 'numbers permuted in every seed',
    });
  }
  if (group.learnedSum === false) {
    findings.unshift({
      id: `not-learned-${group.id}`,
      statement: `${group.label} ${notLearnedText(seeds)}: ${seeds.length} ${seeds.length === 1 ? 'run' : 'runs'}, described here and left out of C3.`,
      statistic: 'accuracy on SUM result tokens',
      unit: 'accuracy',
      n: { seeds: seeds.length, examples: n },
      ...estimated(
        meanInterval(
          seeds.flatMap(({ accuracy }) => (accuracy === null ? [] : [accuracy])),
          EXPLORATORY_LEVEL,
        ),
      ),
    });
  }
  return findings;
}

/** Stouffer over seeds: evidence in at least one seed, not in general. */
function existence(p: readonly number[]): Pick<Finding, 'p' | 'pMethod'> {
  // sampled p values are never 0 or 1 exactly but may be 1, whose quantile is infinite
  return {
    p: stouffer(p.map((value) => Math.min(value, 0.9999))).p,
    pMethod:
      p.length === 1
        ? 'numbers permuted'
        : 'numbers permuted, seeds joined by Stouffer (exists in some seed)',
  };
}

function adjusted(findings: readonly Finding[]): Finding[] {
  const tested = findings.flatMap(({ p }) => (p === undefined ? [] : [p]));
  const corrected = benjaminiHochberg(tested);
  let at = 0;
  return findings.map((finding) =>
    finding.p === undefined ? finding : { ...finding, pAdjusted: corrected[at++] },
  );
}

function estimated(estimate: IntervalEstimate | undefined): Pick<Finding, 'estimate' | 'interval'> {
  if (estimate === undefined) return {};
  const interval: Interval = {
    low: jsonNumber(estimate.low),
    high: jsonNumber(estimate.high),
    level: estimate.level,
    method: estimate.method,
  };
  return { estimate: jsonNumber(estimate.estimate), interval };
}

function values(arm: Arm | null, field: 'order' | 'circularExcess' | 'closure'): number[] {
  return (arm?.usable ?? []).map((run) => run[field]);
}

function armCount(arm: Arm | null, name: string): { condition: string; runs: number } {
  return { condition: name, runs: arm?.usable.length ?? 0 };
}

function countText(arm: Arm | null): string {
  return arm === null ? 'no such runs' : `${arm.usable.length} of ${arm.runs} runs of ${arm.label} usable`;
}

function placeOf({ regime, sumOnly, mixed }: Comparison): string {
  const label = sumOnly?.label ?? mixed?.label;
  return label === undefined ? 'no runs' : label.slice(label.indexOf(', ') + 2) || regime;
}
