/** Claims about how many seeds learn: two arms at fixed sizes, strata by size. */
import { exactStratifiedP, proportionDifference } from '../analysis/statistics/proportions.js';
import { decideVerdict } from './verdict.js';
import {
  type ClaimArm,
  type ClaimPart,
  CLAIMS_LEVEL,
  type ClaimPlace,
  type EvidenceOf,
} from './claims-file.js';
import { type Condition, PRIMARY } from './conditions.js';
import type { Evidence } from './evidence.js';
import { jsonInterval } from './finding.js';
import { type Evaluations, hasLearnedBy, isOfArm, laddersAt } from './ladders.js';
import { type Decided, plannedOf, stepsText } from './results.js';
import { nine } from './statistic.js';
import type { Subject } from './subject.js';

export function decideProportion(
  part: ClaimPart,
  { of, minus }: EvidenceOf<'proportion'>,
  conditions: Evidence['conditions'],
  evaluations: Evaluations,
): Decided {
  const arms = [of, minus].map((arm) => ({ arm, sizes: sizesOf(arm, part.place, conditions, evaluations) }));
  const widths = part.place.dModels ?? [];
  const counts = arms.map(({ arm, sizes }) => {
    const fewest = Math.min(...widths.map((width) => sizes.get(width)?.runs ?? 0));
    return { condition: arm.name, usable: fewest, runs: fewest, planned: part.seeds };
  });
  const strata = widths.flatMap((width) => {
    const [a, b] = arms.map(({ sizes }) => sizes.get(width));
    return a === undefined || b === undefined
      ? []
      : [{ k1: a.learned, n1: a.runs, k2: b.learned, n2: b.runs }];
  });
  const interval = strata.length === 0 ? undefined : proportionDifference(strata, CLAIMS_LEVEL);
  const decision = decideVerdict({
    rule: part.rule,
    nMin: part.nMin,
    usable: counts.map(({ condition, usable }) => ({ condition, runs: usable })),
    planned: plannedOf(counts),
    ...(interval === undefined ? {} : { estimate: interval.estimate, interval }),
  });
  return {
    place: stepsText(part.place, part.place.steps),
    decision,
    counts,
    ...(interval === undefined
      ? {}
      : {
          estimate: nine(interval.estimate),
          interval: jsonInterval(interval),
          p: nine(exactStratifiedP(strata)),
          pMethod: 'exact permutation within size',
        }),
  };
}

/** width -> runs of an arm at the place, and how many of them learned by their end. */
function sizesOf(
  arm: ClaimArm,
  place: ClaimPlace,
  conditions: readonly Condition[],
  evaluations: Evaluations,
): Map<number, { learned: number; runs: number }> {
  const sizes = new Map<number, { learned: number; runs: number }>();
  const own = laddersAt(conditions, place).flatMap(({ runs }) =>
    runs.filter(
      (run) =>
        isOfArm(run, arm) &&
        hasBudget(run, place.steps) &&
        run.seed >= (place.firstSeed ?? 0) &&
        place.dModels?.includes(run.design.dModel),
    ),
  );
  for (const run of own) {
    const size = sizes.get(run.design.dModel) ?? { learned: 0, runs: 0 };
    size.runs++;
    if (hasLearnedBy(run, arm.operation ?? PRIMARY, evaluations, run.design.steps)) size.learned++;
    sizes.set(run.design.dModel, size);
  }
  return sizes;
}

/** The whole budget in one run, or its second half after a checkpoint of another run that took the first. */
function hasBudget({ design }: Subject, steps: number): boolean {
  const inOneRun = design.startKind === 'scratch' || design.startKind === 'phases';
  if (design.end === 'running' || design.end === 'interrupted') return false;
  return design.steps === (inOneRun ? steps : steps / 2);
}
