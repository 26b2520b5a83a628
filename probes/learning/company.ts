/** SUM beside each kind of company against SUM alone: how many seeds learned it, in every setting where both were trained. */
import { exactStratifiedP, proportionDifference } from '../../src/analysis/statistics/proportions.js';
import {
  BUDGET_MULTIPLIERS,
  type ClaimArm,
  claimPart,
  CLAIMS_LEVEL,
  SMALL_START,
} from '../../src/evidence/claims-file.js';
import { type Condition, hasLearned, PRIMARY } from '../../src/evidence/conditions.js';
import type { Evidence } from '../../src/evidence/evidence.js';
import { type Finding, jsonInterval } from '../../src/evidence/finding.js';
import { groupBy } from '../../src/evidence/group-by.js';
import { armCounts, commonSizes, evaluationsOf, laddersAt } from '../../src/evidence/ladders.js';
import { grouped } from '../../src/evidence/results.js';
import { nine } from '../../src/evidence/statistic.js';
import {
  censoredDifference,
  censoredTheta,
  thresholdEstimate,
} from '../../src/evidence/threshold-difference.js';
import { thresholdPosterior, thresholdText } from '../../src/evidence/thresholds.js';
import { OPERATION_NAMES } from '../../src/listops/language/operations.js';

/** One finding for each company of SUM, over generated examples in which nothing is held out. */
export function companyFindings({ conditions }: Evidence): Finding[] {
  const full = conditions.filter(
    ({ design }) =>
      design.regime === 'full' &&
      design.generated &&
      design.startKind === 'scratch' &&
      design.tasks.includes(PRIMARY),
  );
  const alone = full.filter(({ side }) => side === 'SUM-only');
  const companies = groupBy(
    full.filter(({ design }) => design.tasks.length > 1),
    ({ design }) => `${design.tasks.join('+')}${startText(design.embeddingInit)}`,
  );
  return [...companies]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([tasks, mixed]) => companyFinding(tasks, mixed, alone));
}

/** Said where the embeddings did not begin as usual. */
function startText(embeddingInit: number): string {
  return embeddingInit === SMALL_START ? '' : `, start ${embeddingInit}`;
}

function companyFinding(tasks: string, mixed: readonly Condition[], alone: readonly Condition[]): Finding[] {
  const strata = [...mixed]
    .sort((a, b) => (a.design.match < b.design.match ? -1 : 1))
    .flatMap((beside) => {
      const without = alone.find(({ design }) => design.match === beside.design.match);
      if (without === undefined) return [];
      const [a, b] = [beside, without].map(counts);
      if (a.runs === 0 || b.runs === 0) return [];
      return [
        {
          where: `${beside.parameters} parameters, ${beside.design.steps} steps`,
          k1: a.learned,
          n1: a.runs,
          k2: b.learned,
          n2: b.runs,
        },
      ];
    });
  if (strata.length === 0) return [];
  const interval = proportionDifference(strata, CLAIMS_LEVEL);
  const words = strata
    .map((s) => `${s.k1} of ${s.n1} seeds in ${tasks}, ${s.k2} of ${s.n2} alone (${s.where})`)
    .join('; ');
  return [
    {
      id: `sum-beside-${tasks.toLowerCase()}`,
      statement: `SUM learned, regime full: ${words}`,
      statistic: 'difference in proportion of seeds that learned SUM',
      unit: '1',
      estimate: nine(interval.estimate),
      interval: jsonInterval(interval),
      n: { seeds: strata.reduce((sum, s) => sum + s.n1 + s.n2, 0), examples: 0 },
      p: nine(exactStratifiedP(strata)),
      pMethod: 'exact permutation within setting',
    },
  ];
}

/** Runs trained here, and those of them that learned: two evaluations are needed. */
function counts({ runs }: Condition): { readonly runs: number; readonly learned: number } {
  const own = runs.filter(({ design }) => design.trainedHere);
  return {
    runs: own.length,
    learned: own.filter((run) => run.learned !== undefined && hasLearned(run) === true).length,
  };
}

/** What else SUM may stand beside: relabelled companions, and one that only copies. */
const COMPANIES = [['MAXp', 'MEDp'], ['FIRST']] as const;

/**
 * Whether other company lowers the size threshold of SUM as MAX and MED do: nothing where too few sizes were trained. The
 * reading is of the smallest effect of C2.
 */
export function companyThresholds({ conditions, observations }: Evidence): Finding[] {
  const part = claimPart('C2a');
  if (part.evidence.kind !== 'threshold') return [];
  const { minimumSizes, minus } = part.evidence;
  const [joint] = minus;
  const evaluations = evaluationsOf(
    observations,
    conditions.flatMap(({ subjects }) => subjects),
  );
  const budgets = BUDGET_MULTIPLIERS.map((multiple) => multiple * part.place.steps).reverse();
  return laddersAt(conditions, part.place).flatMap((ladder) =>
    COMPANIES.flatMap((companions): Finding[] => {
      const tasks = OPERATION_NAMES.filter(
        (name) => name === PRIMARY || companions.some((one) => one === name),
      );
      const arm: ClaimArm = { name: [...companions, PRIMARY].join('+'), tasks: [...tasks] };
      const [found] = budgets
        .map((budget) => ({
          budget,
          arms: [arm, joint].map((one) => armCounts(ladder, one, evaluations, budget)),
        }))
        .filter(({ arms }) => commonSizes(arms, part.nMin).length >= minimumSizes);
      if (found === undefined) return [];
      const [own, beside] = found.arms.map(({ counts }) => censoredTheta(counts));
      const estimate = thresholdEstimate(censoredDifference(own, beside), CLAIMS_LEVEL);
      const { interval } = estimate;
      const { delta } = part.rule;
      const reading =
        interval.low > -delta && interval.high < delta
          ? `Within ${delta} octave: the benefit does not need ${companions.length === 1 ? 'the company of an order' : 'shared number order'}.`
          : `Not within ${delta} octave either way.`;
      const texts = found.arms.map(
        ({ arm: { name }, counts }) => `${name} ${thresholdText(thresholdPosterior(counts), CLAIMS_LEVEL)}`,
      );
      return [
        {
          id: `threshold-beside-${arm.name.toLowerCase()}/${ladder.key}`,
          statement: `Size threshold of SUM in ${arm.name} minus that in ${joint.name}, by ${grouped(found.budget)} steps: ${texts.join('; ')}. ${reading}`,
          statistic: 'difference of size thresholds in log2 parameters',
          unit: 'octaves',
          ...(estimate.censoring === 'none' ? { estimate: nine(estimate.median) } : {}),
          interval: jsonInterval(interval),
          n: {
            seeds: found.arms.reduce(
              (sum, { counts }) => sum + counts.reduce((all, { runs }) => all + runs, 0),
              0,
            ),
            examples: 0,
          },
        },
      ];
    }),
  );
}
