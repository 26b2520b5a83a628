/**
 * Findings of the parity probe: part b of C3 through the verdict function, everything else exploratory with
 * Benjamini-Hochberg inside the module.
 */
import { CLAIMS_LEVEL } from '../../src/evidence/claims-file.js';
import { meanInterval, welchInterval } from '../../src/analysis/intervals.js';
import { stouffer } from '../../src/analysis/multiple-testing.js';
import { twoSamplePermutation } from '../../src/analysis/permutation.js';
import type { LabellingNumbers, ParityGroup } from '../../src/report/charts/parity-data.js';
import type { Finding } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import {
  adjusted,
  armCount,
  claimComparisons,
  countText,
  decidePart,
  estimated,
  partFinding,
  placeOf,
} from '../claim-parts.js';
import type { Arm, Comparison, ParityResult, UsableRun } from './combine.js';
import { contextFindings } from './context-findings.js';
import { round } from './measurement.js';

const EXPLORATORY_LEVEL = 0.95;

export function parityFindings(result: ParityResult): Finding[] {
  const claims = claimComparisons(result.comparisons);
  const several = claims.length > 1;
  const parts = claims.map((comparison, i) => ({
    finding: partB(comparison, several ? `-${i + 1}` : ''),
    exploratoryOnly: comparison.exploratoryOnly,
  }));
  return [
    ...parts.flatMap(({ finding, exploratoryOnly }) => (exploratoryOnly === null ? [finding] : [])),
    ...adjusted([
      ...parts.flatMap(({ finding, exploratoryOnly }) =>
        exploratoryOnly === null ? [] : undecided(finding, exploratoryOnly),
      ),
      ...result.comparisons.flatMap((comparison, i) => comparisonFindings(comparison, `-${i + 1}`)),
      ...result.groups.flatMap((group) => [...groupFindings(group), ...contextFindings(group)]),
      ...recordFindings(result),
    ]),
  ];
}

function partB(comparison: Comparison, suffix: string): Finding {
  const { sumOnly, mixed } = comparison;
  const [joint, alone] = [values(mixed, 'parityExcess'), values(sumOnly, 'parityExcess')];
  const difference =
    alone.length > 0 && joint.length > 0 ? welchInterval(joint, alone, CLAIMS_LEVEL) : undefined;
  const decision = decidePart('C3b', [armCount(mixed, 'mixed'), armCount(sumOnly, 'SUM-only')], difference, [
    joint,
    alone,
  ]);
  const n = { seeds: alone.length + joint.length, examples: comparison.n };
  return partFinding('C3b', `c3b${suffix}`, decision, difference, n, {
    statement: `Parity in the number embeddings, mixed minus SUM-only (${placeOf(comparison)}): ${countText(mixed)}, ${countText(sumOnly)}.`,
    ...(difference === undefined
      ? {}
      : {
          p: round(twoSamplePermutation(joint, alone, { rng: new Rng(0, 'probe:parity-probe/c3b') }).p),
          pMethod: 'two-sample permutation of seeds, two-sided',
        }),
  });
}

/** The part of the claim as a number alone. */
function undecided({ claim: _claim, verdict: _verdict, ...rest }: Finding, reason: string): Finding[] {
  return rest.estimate === undefined ? [] : [{ ...rest, reason }];
}

/** Not part of the claim: the same difference for low against high numbers, and against runs without SUM. */
function comparisonFindings(comparison: Comparison, suffix: string): Finding[] {
  const { sumOnly, mixed, orderOnly, n } = comparison;
  const place = placeOf(comparison);
  const of = (
    id: string,
    what: string,
    field: keyof UsableRun & ('parityExcess' | 'halfExcess'),
    against: Arm | null,
    name: string,
  ): Finding[] => {
    const [x, y] = [values(mixed, field), values(against, field)];
    if (x.length === 0 || y.length === 0) return [];
    const test = twoSamplePermutation(x, y, { rng: new Rng(0, `probe:parity-probe/${id}`) });
    return [
      {
        id: `${id}${suffix}`,
        statement: `${what}, mixed minus ${name} (${place}).`,
        statistic: `mean(mixed) - mean(${name}) of the leave-pair-out score minus its null mean`,
        unit: '1',
        n: { seeds: x.length + y.length, examples: n },
        ...estimated(welchInterval(x, y, EXPLORATORY_LEVEL)),
        p: round(test.p),
        pMethod: 'two-sample permutation of seeds, two-sided',
      },
    ];
  };
  return [
    ...of('half-difference', 'Low against high numbers in the embeddings', 'halfExcess', sumOnly, 'SUM-only'),
    ...of('parity-control', 'Parity in the embeddings', 'parityExcess', orderOnly, 'without SUM'),
  ];
}

const ASKED = [
  { name: 'parity', what: 'parity of a held-out pair of numbers' },
  { name: 'half', what: 'low against high numbers' },
  { name: 'residue3', what: 'residue modulo 3 (a control: 3 has no meaning in the tasks)' },
  { name: 'prime', what: 'prime or not (a control)' },
] as const;

function groupFindings(group: ParityGroup): Finding[] {
  const { seeds, n, name } = group;
  const base = (id: string, statement: string, statistic: string) => ({
    id: `${id}-${group.id}`,
    statement: `${name}: ${statement}.`,
    statistic,
    unit: '1',
    n: { seeds: seeds.length, examples: n },
  });
  const excess = (one: LabellingNumbers): number => one.share - one.nullMean;
  const tests = ASKED.map(({ name: labelling, what }): Finding => {
    const own = seeds.map(({ embedding }) => embedding[labelling]);
    return {
      ...base(
        labelling,
        `${what}, from the token embeddings, beyond random labels`,
        'leave-pair-out score - mean of its relabellings (selectivity)',
      ),
      ...estimated(meanInterval(own.map(excess), EXPLORATORY_LEVEL)),
      ...existence(own, 'every relabelling with the same class sizes, one-sided'),
    };
  });
  const value = seeds.map(({ embedding }) => embedding.value);
  const ranks = seeds.map(({ embedding }) => embedding.affineRank);
  const separable = seeds.filter(({ embedding }) => embedding.everyLabellingSeparable).length;
  return [
    ...tests,
    {
      ...base(
        'value',
        'value of a held-out number, from the token embeddings',
        'leave-one-out R² of ridge regression',
      ),
      ...estimated(
        meanInterval(
          value.map(({ r2 }) => r2),
          EXPLORATORY_LEVEL,
        ),
      ),
      ...existence(value, 'numbers permuted, one-sided'),
    },
    {
      ...base(
        'parity-trained',
        'parity score of the token embeddings, trained minus before training',
        'mean over runs of the paired difference',
      ),
      ...estimated(
        meanInterval(
          seeds.map(({ embedding, untrained }) => excess(embedding.parity) - excess(untrained.parity)),
          EXPLORATORY_LEVEL,
        ),
      ),
    },
    {
      ...base(
        'affine-rank',
        separable === 0
          ? `rank of the centred embeddings is below ${n - 1}, so not every labelling is separable without held-out numbers`
          : `in ${separable} of ${seeds.length} runs the embeddings separate every labelling of the ${n} numbers (rank ${n - 1}), so accuracy without held-out numbers means nothing`,
        'rank of the centred embeddings',
      ),
      estimate: round(ranks.reduce((sum, rank) => sum + rank, 0) / ranks.length),
    },
  ];
}

/** What the numbers rest on: Newton's convergence, and the other program. */
function recordFindings({ crossCheck, fits, groups }: ParityResult): Finding[] {
  const n = { seeds: crossCheck.runs, examples: Math.max(0, ...groups.map((group) => group.n)) };
  return [
    {
      id: 'cross-check',
      statement: `${crossCheck.program} on the same token embeddings, without a penalty: how many numbers it puts in the same parity class as the probe; held-out accuracy ${crossCheck.otherHeldOut.toFixed(2)} there, ${crossCheck.ownHeldOut.toFixed(2)} here.`,
      statistic: 'share of numbers put in the same parity class, fitted on all numbers',
      unit: '1',
      estimate: crossCheck.agreement,
      n,
    },
    {
      id: 'convergence',
      statement: `Newton's method converged in ${fits.count - fits.notConverged} of ${fits.count} logistic fits, in ${fits.mostIterations} iterations at most.`,
      statistic: 'share of fits that did not converge',
      unit: '1',
      estimate: fits.count === 0 ? 0 : round(fits.notConverged / fits.count),
      n,
    },
  ];
}

/**
 * One run: its own p. Several: Stouffer of mid-p, evidence in at least one seed and not in general. A mid-p lies between
 * 1/(2N) and 1 - 1/(2N) of N relabellings, the observed one among them, so that its quantile is finite.
 */
export function existence(
  tests: readonly { readonly p: number; readonly midP: number }[],
  method: string,
): Pick<Finding, 'p' | 'pMethod'> {
  if (tests.length === 1) return { p: round(tests[0].p), pMethod: method };
  const { p } = stouffer(tests.map(({ midP }) => midP));
  return { p: round(p), pMethod: `${method}; seeds joined by Stouffer of mid-p (exists in some seed)` };
}

function values(arm: Arm | null, field: 'parityExcess' | 'halfExcess'): number[] {
  return (arm?.usable ?? []).map((run) => run[field]);
}
