/** Claims about the size at which learning begins: ladders of the table, their posteriors, one decision for each budget. */
import {
  differenceOf,
  type Discrete,
  exactTrendP,
  maximumOf,
  quantileOf,
  type SizeCount,
  thresholdPosterior,
  thresholdText,
} from './thresholds.js';
import {
  censoredDifference,
  type CensoredTheta,
  censoredTheta,
  censoringOfMaximum,
  startInteraction,
  thresholdEstimate,
  thresholdEstimateText,
} from './threshold-difference.js';
import {
  combineBudgets,
  decideVerdict,
  type VerdictDecision,
  withdrawIfOpposite,
  withNote,
} from './verdict.js';
import {
  BUDGET_MULTIPLIERS,
  type ClaimArm,
  type ClaimPart,
  CLAIMS_LEVEL,
  type EvidenceOf,
} from './claims-file.js';
import { type Evidence } from './evidence.js';
import { jsonInterval } from './finding.js';
import {
  type ArmCounts,
  armCounts,
  commonSizes,
  type Evaluations,
  isOfArm,
  type Ladder,
  laddersAt,
} from './ladders.js';
import { type Decided, grouped, plannedOf, stepsText } from './results.js';
import { nine } from './statistic.js';

type Threshold = EvidenceOf<'threshold'>;

/** What a ladder has at a budget. */
interface AtBudget {
  readonly ladder: Ladder;
  readonly budget: number;
  /** the first is the arm whose threshold is asked for */
  readonly arms: readonly ArmCounts[];
  /** sizes at which every arm has enough seeds */
  readonly sizes: readonly number[];
}

export function decideThreshold(
  part: ClaimPart,
  evidence: Threshold,
  conditions: Evidence['conditions'],
  evaluations: Evaluations,
): Decided {
  const arms = [evidence.of, ...evidence.minus];
  const at = (ladder: Ladder, budget: number): AtBudget => {
    const counted = arms.map((arm) => armCounts(ladder, arm, evaluations, budget));
    return { ladder, budget, arms: counted, sizes: commonSizes(counted, part.nMin) };
  };
  const budgets = BUDGET_MULTIPLIERS.map((multiple) => multiple * part.place.steps);
  const outcomes = laddersAt(conditions, part.place).map((ladder) =>
    budgets.map((budget) => at(ladder, budget)),
  );
  const isComplete = ({ sizes }: AtBudget): boolean => sizes.length >= evidence.minimumSizes;
  const complete = outcomes.find((one) => one.some(isComplete));
  if (complete === undefined) {
    const [best] = outcomes
      .flat()
      .sort((a, b) => b.sizes.length - a.sizes.length || runsOf(b.arms) - runsOf(a.arms));
    return tooFewSizes(part, evidence, arms, best, shortRunsOf(part, arms, conditions));
  }
  const decided = complete.filter(isComplete).map((one) => decideAt(part, evidence, one, evaluations));
  const last = decided[decided.length - 1];
  const decision = decided
    .map((one) => one.decision)
    .reduce((before, later) => combineBudgets(before, later));
  const larger = complete.filter((one) => !isComplete(one)).map(({ budget }) => budget);
  return {
    ...last,
    decision: larger
      .map((budget) => `at ${grouped(budget)} steps: not enough runs`)
      .reduce(withNote, decision),
  };
}

/** Too few sizes or seeds: what is there, and what a verdict needs. */
function tooFewSizes(
  part: ClaimPart,
  evidence: Threshold,
  arms: readonly ClaimArm[],
  best: AtBudget | undefined,
  shortRuns: number,
): Decided {
  const { nMin, place } = part;
  const { verdict } = decideVerdict({
    rule: part.rule,
    usable: arms.map(({ name }) => ({ condition: name, runs: 0 })),
    nMin,
  });
  const enough = (i: number): number => best?.arms[i].counts.filter(({ runs }) => runs >= nMin).length ?? 0;
  const has = arms.map(({ name }, i) => `${name} ${enough(i)}`).join(', ');
  return {
    place: stepsText(place, place.steps),
    decision: {
      verdict,
      reason: `runs: ${best?.sizes.length ?? 0} of at least ${evidence.minimumSizes} model sizes with ${nMin} seeds of every condition (sizes with so many: ${has})`,
      notes:
        shortRuns === 0
          ? []
          : [
              `${shortRuns === 1 ? '1 run of fewer steps does' : `${shortRuns} runs of fewer steps do`} not count`,
            ],
    },
    counts: countsOf(part, arms, best?.arms),
  };
}

/** Runs of the arms at the place that were not to be trained for the budget. */
function shortRunsOf(part: ClaimPart, arms: readonly ClaimArm[], conditions: Evidence['conditions']): number {
  return laddersAt(conditions, part.place)
    .flatMap(({ runs }) => runs)
    .filter((run) => run.design.steps < part.place.steps && arms.some((arm) => isOfArm(run, arm))).length;
}

function countsOf(
  part: ClaimPart,
  arms: readonly ClaimArm[],
  counted: readonly ArmCounts[] | undefined,
): Decided['counts'] {
  return arms.map(({ name }, i) => {
    const enough = (counted?.[i].counts ?? []).filter(({ runs }) => runs >= part.nMin);
    const fewest = enough.length === 0 ? 0 : Math.min(...enough.map(({ runs }) => runs));
    return { condition: name, usable: fewest, runs: fewest, planned: part.seeds };
  });
}

function decideAt(
  part: ClaimPart,
  evidence: Threshold,
  { ladder, budget, arms }: AtBudget,
  evaluations: Evaluations,
): Decided {
  const found = thresholdEstimate(advantage(arms), CLAIMS_LEVEL);
  const { censoring, median: estimate, interval } = found;
  const counts = countsOf(
    part,
    arms.map(({ arm }) => arm),
    arms,
  );
  const primary = decideVerdict({
    rule: part.rule,
    usable: counts.map(({ condition, usable }) => ({ condition, runs: usable })),
    nMin: part.nMin,
    planned: plannedOf(counts),
    assay: assayOf(evidence, arms),
    estimate,
    interval,
  });
  const secondary =
    evidence.secondary === undefined ? undefined : atEqualExamples(evidence, ladder, budget, evaluations);
  const checked =
    secondary === undefined
      ? primary
      : withdrawIfOpposite(
          primary,
          secondary * estimate < 0,
          'at equal numbers of SUM examples the difference has the other sign',
        );
  return {
    place: stepsText(part.place, budget),
    decision: notesOf(part, evidence, arms, ladder, budget, evaluations, checked),
    counts,
    // where an arm never learns, its threshold has a bound and no estimate
    ...(censoring === 'none' ? { estimate: nine(estimate) } : {}),
    ...(censoring === 'above' ? { bound: { side: censoring, value: nine(interval.low) } } : {}),
    ...(censoring === 'below' ? { bound: { side: censoring, value: nine(interval.high) } } : {}),
    interval: jsonInterval(interval),
  };
}

/** The threshold of the first arm minus the greatest of the others. */
function advantage([first, ...others]: readonly ArmCounts[]): CensoredTheta {
  const thetas = others.map(({ counts }) => censoredTheta(counts));
  return censoredDifference(censoredTheta(first.counts), {
    theta: maximumOf(thetas.map(({ theta }) => theta)),
    censoring: censoringOfMaximum(thetas.map(({ censoring }) => censoring)),
  });
}

function assayOf(
  { assay }: Threshold,
  arms: readonly ArmCounts[],
): { readonly passed: boolean; readonly reason: string } {
  const { counts, arm } = arms[assay.arm];
  const share = ({ learned, runs }: SizeCount): number => learned / runs;
  const size =
    assay.at === 'largest'
      ? counts[counts.length - 1]
      : counts.reduce((a, b) => (share(b) > share(a) ? b : a));
  const lapse = quantileOf(thresholdPosterior(counts).lambda, 0.5);
  return {
    passed: share(size) >= assay.shareLearned && (assay.lapse === undefined || lapse < assay.lapse),
    reason: `${arm.name}: learned in ${size.learned} of ${size.runs} runs at ${grouped(size.parameters)} parameters${assay.lapse === undefined ? '' : `, share that never learns ${lapse}`}`,
  };
}

/** The same difference when the arm alone has seen as many examples of its operation as it has in company. */
function atEqualExamples(
  { of, minus }: Threshold,
  ladder: Ladder,
  budget: number,
  evaluations: Evaluations,
): number | undefined {
  const [joint] = minus;
  // a mixed run draws its operations evenly
  const alone = armCounts(ladder, of, evaluations, budget, of.tasks.length / joint.tasks.length);
  const beside = armCounts(ladder, joint, evaluations, budget);
  if (alone.counts.length === 0 || beside.counts.length === 0) return undefined;
  return quantileOf(differenceOf(thetaOf(alone), thetaOf(beside)), 0.5);
}

const thetaOf = ({ counts }: ArmCounts): Discrete => thresholdPosterior(counts).theta;
const runsOf = (arms: readonly ArmCounts[]): number =>
  arms.reduce((sum, { counts }) => sum + counts.reduce((total, { runs }) => total + runs, 0), 0);

function notesOf(
  part: ClaimPart,
  evidence: Threshold,
  arms: readonly ArmCounts[],
  ladder: Ladder,
  budget: number,
  evaluations: Evaluations,
  decision: VerdictDecision,
): VerdictDecision {
  const [{ counts, arm }] = arms;
  const learned = counts.reduce((sum, size) => sum + size.learned, 0);
  const runs = counts.reduce((sum, size) => sum + size.runs, 0);
  const p = exactTrendP(counts);
  const rates = new Set(arms.map(({ learningRate }) => learningRate));
  const notes = [
    ...(learned === 0 ? [`not a size threshold: ${arm.name} fails at every size tested`] : []),
    ...(learned > 0 && learned < runs && p > 0.05
      ? [
          `not a size threshold: ${arm.name} was learned in ${learned} of ${runs} runs, without trend over sizes (exact Cochran-Armitage p = ${p.toPrecision(2)})`,
        ]
      : []),
    `thresholds: ${arms.map((one) => `${one.arm.name} ${thresholdText(thresholdPosterior(one.counts), CLAIMS_LEVEL)}`).join('; ')}`,
    ...(rates.size > 1
      ? [`learning rates: ${arms.map((one) => `${one.arm.name} ${one.learningRate ?? 'none'}`).join(', ')}`]
      : []),
    ...interactionNote(part, evidence, arms, ladder, budget, evaluations),
  ];
  return notes.reduce(withNote, decision);
}

/** The joint advantage at the usual start minus that at the larger one, where all four arms have enough sizes. */
function interactionNote(
  part: ClaimPart,
  evidence: Threshold,
  [largeAlone, smallJoint]: readonly ArmCounts[],
  ladder: Ladder,
  budget: number,
  evaluations: Evaluations,
): string[] {
  const { interaction } = evidence;
  if (interaction === undefined) return [];
  const [smallAlone, largeJoint] = [interaction.alone, interaction.joint].map((arm) =>
    armCounts(ladder, arm, evaluations, budget),
  );
  if (
    commonSizes([largeAlone, smallJoint, smallAlone, largeJoint], part.nMin).length < evidence.minimumSizes
  ) {
    return ['interaction with the start: not enough runs'];
  }
  const found = thresholdEstimate(
    startInteraction({
      aloneSmall: censoredTheta(smallAlone.counts),
      jointSmall: censoredTheta(smallJoint.counts),
      aloneLarge: censoredTheta(largeAlone.counts),
      jointLarge: censoredTheta(largeJoint.counts),
    }),
    CLAIMS_LEVEL,
  );
  return [
    `joint advantage at the usual start minus at the larger one: ${thresholdEstimateText(found)} octaves`,
  ];
}
