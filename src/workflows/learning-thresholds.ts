/**
 * Claims about size thresholds: C1 (SUM against other operations, each alone), C2 (SUM alone against SUM in company), and
 * whether the company must share the order of the numbers. Evidence from learning-ladders.ts goes through
 * analysis/thresholds.ts to analysis/verdict.ts, which names the verdict.
 */
import { assayLimit, CLAIMS_LEVEL, claimById, claimPart } from '../analysis/claims.js';
import {
  differenceOf,
  type Discrete,
  equalTailed,
  exactTrendP,
  maximumOf,
  quantileOf,
  type SizeCount,
  type ThresholdPosterior,
  thresholdPosterior,
  thresholdText,
} from '../analysis/thresholds.js';
import {
  combineBudgets,
  decideVerdict,
  type VerdictDecision,
  withdrawIfOpposite,
  withNote,
} from '../analysis/verdict.js';
import type { Finding } from '../report/schema.js';
import { isTasks, type TrainedRun } from './trained-run.js';
import {
  type Arm,
  type ArmCounts,
  armCounts,
  budgetsOf,
  commonSizes,
  type Ladder,
  laddersOf,
} from './learning-ladders.js';

type Thresholded = 'C1' | 'C2';

interface Question {
  readonly claim: Thresholded;
  /** the first is SUM alone */
  readonly arms: readonly Arm[];
  /** T from the thresholds of the arms */
  readonly difference: (thetas: readonly Discrete[]) => Discrete;
  readonly assay: (counts: readonly (readonly SizeCount[])[]) => { passed: boolean; reason: string };
  /** the same T under the secondary budget */
  readonly secondary?: (ladder: Ladder, budget: number) => Discrete;
}

const alone = (operation: string): Arm => ({ name: `${operation} alone`, tasks: [operation], operation });
const beside = (...companions: string[]): Arm => ({
  name: [...companions, 'SUM'].join('+'),
  tasks: [...companions, 'SUM'],
  operation: 'SUM',
});
const JOINT = beside('MAX', 'MED');

const thetaOf = ({ counts }: ArmCounts): Discrete => thresholdPosterior(counts).theta;

const C1: Question = {
  claim: 'C1',
  arms: ['SUM', 'MAX', 'MIN', 'MED'].map(alone),
  difference: ([sum, ...others]) => differenceOf(sum, maximumOf(others)),
  assay: ([, max]) => {
    const { parameters, learned, runs } = max[max.length - 1];
    const lapse = quantileOf(thresholdPosterior(max).lambda, 0.5);
    return {
      passed: learned >= assayLimit('C1', 'shareLearned') * runs && lapse < assayLimit('C1', 'lapse'),
      reason: `MAX learned in ${learned} of ${runs} runs at ${parameters} parameters, share that never learns ${lapse}`,
    };
  },
};

const C2: Question = {
  claim: 'C2',
  arms: [alone('SUM'), JOINT],
  difference: ([single, mixed]) => differenceOf(single, mixed),
  assay: ([, mixed]) => {
    const best = mixed.reduce((a, b) => (b.learned / b.runs > a.learned / a.runs ? b : a));
    return {
      passed: best.learned >= assayLimit('C2', 'shareLearned') * best.runs,
      reason: `SUM learned in at most ${best.learned} of ${best.runs} mixed runs of a size`,
    };
  },
  // a mixed run draws its operations evenly: of its reductions one in three is SUM
  secondary: (ladder, budget) => {
    const [single, mixed] = C2.arms;
    return differenceOf(
      thetaOf(armCounts(ladder, single, budget, 1 / mixed.tasks.length)),
      thetaOf(armCounts(ladder, mixed, budget)),
    );
  },
};

/** Findings on C1 and C2, and on what the company must be where it was trained at enough sizes. */
export function thresholdFindings(runs: readonly TrainedRun[]): Finding[] {
  const ladders = laddersOf(runs);
  return [
    ...[C1, C2].flatMap((question) => claimFindings(question, ladders)),
    ...ladders.flatMap((ladder) =>
      [beside('MAXp', 'MEDp'), beside('FIRST')].flatMap((arm) => companyFinding(ladder, arm)),
    ),
  ];
}

/** One finding for each ladder that is complete, or one for the ladder that lacks least. */
function claimFindings(question: Question, ladders: readonly Ladder[]): Finding[] {
  const outcomes = ladders.map((ladder) => budgetsOf(question.claim).map((b) => at(question, ladder, b)));
  const complete = outcomes.filter((budgets) => budgets.some(isComplete));
  if (complete.length === 0) {
    const [best] = outcomes.flat().sort((a, b) => b.sizes.length - a.sizes.length || b.runs - a.runs);
    return [shortFinding(question, best, ladders)];
  }
  return complete.map((budgets, i) =>
    decidedFinding(question, budgets, complete.length > 1 ? `-${i + 1}` : ''),
  );
}

/** What a ladder has at a budget. */
interface AtBudget {
  readonly ladder: Ladder;
  readonly budget: number;
  readonly arms: readonly ArmCounts[];
  /** sizes at which every arm has enough seeds */
  readonly sizes: readonly number[];
  readonly runs: number;
}

function at({ claim, arms }: Question, ladder: Ladder, budget: number): AtBudget {
  const counted = arms.map((arm) => armCounts(ladder, arm, budget));
  return {
    ladder,
    budget,
    arms: counted,
    sizes: commonSizes(counted, claim),
    runs: counted.reduce((sum, { counts }) => sum + runsOf(counts), 0),
  };
}

const isComplete = ({ sizes }: AtBudget): boolean => sizes.length >= claimById('C1').minimumSizes;
const runsOf = (counts: readonly SizeCount[]): number => counts.reduce((sum, { runs }) => sum + runs, 0);
const headOf = (claim: Thresholded): Pick<Finding, 'claim' | 'statistic' | 'unit'> => {
  const { statistic, unit } = claimPart(claim);
  return { claim, statistic, unit };
};

/** Too few sizes or seeds: what is there, and what a verdict needs. */
function shortFinding(question: Question, best: AtBudget | undefined, ladders: readonly Ladder[]): Finding {
  const { claim, arms } = question;
  const { text, minimumSizes } = claimById(claim);
  const { nMin, rule } = claimPart(claim);
  const { verdict } = decideVerdict({
    rule,
    usable: arms.map(({ name }) => ({ condition: name, runs: 0 })),
    nMin,
  });
  const [budget] = budgetsOf(claim);
  const has = arms.map(({ name }, i) => {
    const enough = best?.arms[i].counts.filter(({ runs }) => runs >= nMin).length ?? 0;
    return `${name} ${enough}`;
  });
  const early = ladders
    .flatMap(({ runs }) => runs)
    .filter((run) => run.config.training.steps < budget && arms.some(({ tasks }) => isTasks(run, tasks)));
  return {
    id: `${claim.toLowerCase()}-threshold`,
    ...headOf(claim),
    statement: text,
    n: { seeds: best?.runs ?? 0, examples: 0 },
    verdict,
    reason: [
      `runs: ${best?.sizes.length ?? 0} of at least ${minimumSizes} model sizes with ${nMin} seeds of every condition, regime full, depth 1, ${budget} steps or more (sizes with so many: ${has.join(', ')})`,
      ...(early.length === 0 ? [] : [`${early.length} runs of fewer steps do not count`]),
    ].join('; '),
  };
}

function decidedFinding(question: Question, budgets: readonly AtBudget[], suffix: string): Finding {
  const { claim } = question;
  const decided = budgets.filter(isComplete).map((one) => ({ one, ...decide(question, one) }));
  const last = decided[decided.length - 1];
  const decision = decided
    .map(({ decision }) => decision)
    .reduce((before, later) => combineBudgets(before, later));
  const larger = budgets.filter((one) => !isComplete(one)).map(({ budget }) => budget);
  const noted = larger
    .map((budget) => `at ${grouped(budget)} steps: not enough runs`)
    .reduce<VerdictDecision>(withNote, decision);
  const { one, interval, posteriors } = last;
  return {
    id: `${claim.toLowerCase()}-threshold${suffix}`,
    ...headOf(claim),
    statement: `${claimById(claim).text}${one.ladder.place}. Thresholds by ${grouped(one.budget)} steps: ${thresholdTexts(one.arms, posteriors)}. Learned: ${one.arms.map(countsText).join('; ')}.`,
    estimate: digits(interval.estimate),
    interval: {
      low: digits(interval.low),
      high: digits(interval.high),
      level: CLAIMS_LEVEL,
      method: 'exact posterior, equal-tailed',
    },
    n: { seeds: one.runs, examples: 0 },
    verdict: noted.verdict,
    reason: [noted.reason, ...noted.notes].join('; '),
  };
}

interface Decided {
  readonly decision: VerdictDecision;
  readonly interval: ReturnType<typeof equalTailed>;
  readonly posteriors: readonly ThresholdPosterior[];
}

function decide(question: Question, { ladder, budget, arms }: AtBudget): Decided {
  const { claim, difference, assay, secondary } = question;
  const { rule, nMin } = claimPart(claim);
  const posteriors = arms.map(({ counts }) => thresholdPosterior(counts));
  const interval = equalTailed(difference(posteriors.map(({ theta }) => theta)), CLAIMS_LEVEL);
  const primary = decideVerdict({
    rule,
    usable: arms.map(({ arm, counts }) => ({ condition: arm.name, runs: fewestCounted(counts, nMin) })),
    nMin,
    assay: assay(arms.map(({ counts }) => counts)),
    estimate: interval.estimate,
    interval,
  });
  const other = secondary === undefined ? undefined : quantileOf(secondary(ladder, budget), 0.5);
  const checked =
    other === undefined
      ? primary
      : withdrawIfOpposite(
          primary,
          other * interval.estimate < 0,
          'at equal numbers of SUM examples the difference has the other sign',
        );
  return {
    decision: notesOf(arms).reduce<VerdictDecision>(withNote, checked),
    interval,
    posteriors,
  };
}

/** Fewest runs at a size among those that count towards the sizes asked for. */
function fewestCounted(counts: readonly SizeCount[], nMin: number): number {
  return Math.min(...counts.filter(({ runs }) => runs >= nMin).map(({ runs }) => runs));
}

function notesOf(arms: readonly ArmCounts[]): string[] {
  const [{ counts }] = arms;
  const learned = counts.reduce((sum, size) => sum + size.learned, 0);
  const runs = runsOf(counts);
  const p = exactTrendP(counts);
  const rates = new Set(arms.map(({ learningRate }) => learningRate));
  return [
    ...(learned === 0 ? ['not a size threshold: SUM fails at every size tested'] : []),
    ...(learned > 0 && learned < runs && p > 0.05
      ? [
          `not a size threshold: SUM alone was learned in ${learned} of ${runs} runs, without trend over sizes (exact Cochran-Armitage p = ${p.toPrecision(2)})`,
        ]
      : []),
    ...(rates.size > 1
      ? [`learning rates: ${arms.map(({ arm, learningRate }) => `${arm.name} ${learningRate}`).join(', ')}`]
      : []),
  ];
}

/** Whether other company lowers the threshold as MAX and MED do; nothing where too few sizes were trained. */
function companyFinding(ladder: Ladder, arm: Arm): Finding[] {
  const [found] = budgetsOf('C2')
    .reverse()
    .map((budget) => ({ budget, arms: [arm, JOINT].map((one) => armCounts(ladder, one, budget)) }))
    .filter(({ arms }) => commonSizes(arms, 'C2').length >= claimById('C2').minimumSizes);
  if (found === undefined) return [];
  const { budget, arms } = found;
  const posteriors = arms.map(({ counts }) => thresholdPosterior(counts));
  const { estimate, low, high } = equalTailed(
    differenceOf(posteriors[0].theta, posteriors[1].theta),
    CLAIMS_LEVEL,
  );
  const { delta } = claimPart('C2').rule;
  const reading =
    low > -delta && high < delta
      ? `Within ${delta} octave: the benefit does not need ${arm.tasks.includes('FIRST') ? 'the company of an order' : 'shared number order'}.`
      : `Not within ${delta} octave either way.`;
  return [
    {
      id: `threshold-beside-${arm.name.toLowerCase()}`,
      statement: `Size threshold of SUM in ${arm.name} minus that in ${JOINT.name}${ladder.place}, by ${grouped(budget)} steps: ${thresholdTexts(arms, posteriors)}. ${reading}`,
      statistic: 'difference of size thresholds in log2 parameters',
      unit: 'octaves',
      estimate: digits(estimate),
      interval: {
        low: digits(low),
        high: digits(high),
        level: CLAIMS_LEVEL,
        method: 'exact posterior, equal-tailed',
      },
      n: { seeds: arms.reduce((sum, { counts }) => sum + runsOf(counts), 0), examples: 0 },
    },
  ];
}

function thresholdTexts(arms: readonly ArmCounts[], posteriors: readonly ThresholdPosterior[]): string {
  return arms.map(({ arm }, i) => `${arm.name} ${thresholdText(posteriors[i], CLAIMS_LEVEL)}`).join('; ');
}

/** `SUM alone 0/5 at 1,590, 5/5 at 2,504` */
function countsText({ arm, counts }: ArmCounts): string {
  const sizes = counts.map(({ parameters, learned, runs }) => `${learned}/${runs} at ${grouped(parameters)}`);
  return `${arm.name} ${sizes.join(', ')}`;
}

function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Octaves come from a grid of tenths: nine digits drop what rounding left. */
function digits(value: number): number {
  return Number(value.toPrecision(9)) + 0;
}
