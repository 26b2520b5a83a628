/**
 * Findings of the embedding probe: the parts of C3 through the verdict function, everything else exploratory with
 * Benjamini-Hochberg inside the module.
 */
import { squaredDistances } from '../../src/analysis/distances.js';
import { meanInterval, welchInterval } from '../../src/analysis/intervals.js';
import { matrix } from '../../src/analysis/matrix.js';
import { stouffer } from '../../src/analysis/multiple-testing.js';
import { twoSamplePermutation } from '../../src/analysis/permutation.js';
import { closure } from '../../src/analysis/rsa.js';
import {
  type EmbeddingGroup,
  type TestNumbers,
  notLearnedText,
} from '../../src/report/charts/embedding-data.js';
import type { Finding } from '../../src/report/schema.js';
import { Rng } from '../../src/tensor/rng.js';
import { adjusted, claimComparisons, estimated, placeOf } from '../claim-parts.js';
import { claimFindings } from './claim-findings.js';
import type { Arm, Comparison, EmbeddingResult } from './combine.js';
import { round, values } from './finding-parts.js';

const EXPLORATORY_LEVEL = 0.95;

export function embeddingFindings(result: EmbeddingResult): Finding[] {
  const claims = claimComparisons(result.comparisons);
  const several = claims.length > 1;
  const { exploratoryOnly } = result;
  const decided = claims.flatMap((comparison, i) => claimFindings(comparison, several ? `-${i + 1}` : ''));
  return [
    ...(exploratoryOnly === null ? decided : []),
    ...adjusted([
      ...(exploratoryOnly === null ? [] : undecided(decided, exploratoryOnly)),
      ...result.comparisons.flatMap((comparison, i) => comparisonFindings(comparison, `-${i + 1}`)),
      ...result.groups.flatMap(groupFindings),
    ]),
  ];
}

/** The parts of the claim as numbers alone. */
function undecided(findings: readonly Finding[], reason: string): Finding[] {
  return findings
    .filter(({ estimate }) => estimate !== undefined)
    .map(({ claim: _claim, verdict: _verdict, ...rest }) => ({ ...rest, reason }));
}

/** Not part of the claim: differences of circular structure and closure, the control, and equal geometry up to naming. */
function comparisonFindings(comparison: Comparison, suffix: string): Finding[] {
  const { sumOnly, mixed, orderOnly, sameGeometry, n } = comparison;
  const place = placeOf(comparison);
  const out: Finding[] = [];
  const add = (
    id: string,
    what: string,
    field: 'circularExcess' | 'closure' | 'order',
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
      p: round(test.p),
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
      ...existence(sameGeometry.map(({ best }) => best)),
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
    tests: readonly Tested[] | undefined,
  ): Finding => ({
    id: `${id}-${group.id}`,
    statement,
    statistic,
    unit: '1',
    n: { seeds: seeds.length, examples: n },
    ...estimated(meanInterval(numbers, EXPLORATORY_LEVEL)),
    ...(tests === undefined ? {} : existence(tests)),
  });
  const geometry = seeds.map((seed) => seed.embedding);
  const peaks = [...new Set(geometry.map(({ fourier }) => fourier.peak.frequency))].sort((a, b) => a - b);
  const findings = [
    of(
      'order',
      `${name}: order of the numbers as named.`,
      'Spearman(d2, |i-j|)',
      geometry.map(({ order }) => order.asNamed.value),
      geometry.map(({ order }) => order.asNamed),
    ),
    of(
      'circular',
      `${name}: circular structure beyond chance at the best naming.`,
      'max over (Z/n)* of Pearson(d2, ring distance) - null mean',
      geometry.map(({ circular }) => circular.excess),
      geometry.map(({ circular }) => circular.best),
    ),
    of(
      'closure',
      `${name}: closure of the curve 0..${n - 1} as named (an exact line ${lineClosure(n).toFixed(2)}, a ring below 0.2).`,
      'd2(0, n-1) / mean d2 at lag n/2',
      geometry.map(({ closure }) => closure.asNamed),
      undefined,
    ),
    of(
      'fourier-peak',
      `${name}: largest Fourier share over its isotropic share, at k = ${peaks.join(', ')}.`,
      'max over k of share / isotropic share',
      geometry.map(({ fourier }) => fourier.peak.ratio),
      geometry.map(({ fourier }) => fourier.peak),
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

/** Closure of the numbers at equal steps on a line. */
function lineClosure(n: number): number {
  const line = matrix(
    n,
    1,
    Array.from({ length: n }, (_, i) => i),
  );
  return closure(squaredDistances(line), 1).asNamed;
}

type Tested = Pick<TestNumbers, 'p' | 'midP'>;

/** One run: its own p. Several: Stouffer of mid-p, evidence in at least one seed and not in general. */
function existence(tests: readonly Tested[]): Pick<Finding, 'p' | 'pMethod'> {
  if (tests.length === 1) return { p: round(tests[0].p), pMethod: 'numbers permuted, one-sided' };
  return {
    p: round(stouffer(tests.map(({ midP }) => midP)).p),
    pMethod: 'numbers permuted, one-sided; seeds joined by Stouffer of mid-p (exists in some seed)',
  };
}
