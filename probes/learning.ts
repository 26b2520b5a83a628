/**
 * Module `learning`: which runs learned which operation, and when. It reads the log of a run's training and no weights; the
 * claims about sizes (C1, C2, C6 and our own) are decided from its rows.
 */
import { NESTED } from '../src/evidence/ladders.js';
import type { Scope } from '../src/evidence/scope.js';
import { RANGES, type StatisticRow } from '../src/evidence/statistic.js';
import { accuracyByOperation, divisorAccuracy, nestedAccuracy } from '../src/train/learned.js';
import type { EvalRow } from '../src/train/metrics.js';
import { lastTwoAtStep } from '../src/train/read-training.js';
import { learnedBySize } from '../src/report/charts/learned-by-size.js';
import { startAndCompany } from '../src/report/charts/start-and-company.js';
import { companyFindings, companyThresholds } from './learning/company.js';
import type { TrainedSubject, TrainingProbe } from './contract.js';

export function measureLearning({ subject, config, rows }: TrainedSubject) {
  const { step } = subject;
  const evaluations = rows.filter((row): row is EvalRow => row.kind === 'eval' && row.step <= step);
  const last = evaluations.at(-1);
  return {
    /** by step, up to the checkpoint's: accuracy on result tokens of trained prompts, by operation */
    evaluations: evaluations.map((row) => ({
      step: row.step,
      accuracy: accuracyByOperation(row),
      /** inside nested expressions; operations of which the log does not tell are absent */
      inside: insideOf(row),
    })),
    /** the smaller accuracy of the last two evaluations, inside nested expressions too where they nest */
    lesser: lastTwoAtStep(rows, step, config) ?? {},
    /** at the last evaluation: held-out prompts by operation */
    held: last === undefined ? {} : accuracyByOperation(last, 'held'),
    /** at the last evaluation: SUM right modulo each proper divisor of n */
    divisors: last === undefined ? {} : divisorAccuracy(last, 'SUM'),
  };
}
/** What the log says up to one checkpoint. */
export type LearningMeasurement = Readonly<ReturnType<typeof measureLearning>>;

function insideOf(row: EvalRow): Record<string, number> {
  return Object.fromEntries(
    (row.nested?.inside ?? []).flatMap(({ operation }) => {
      const accuracy = nestedAccuracy(row, operation);
      return accuracy === undefined ? [] : [[operation, accuracy]];
    }),
  );
}

/** @param rest - of the scope */
function byOperation(values: Readonly<Record<string, number>>, rest: Scope = {}): StatisticRow[] {
  return Object.entries(values).map(([operation, value]) => ({ scope: { operation, ...rest }, value }));
}

export const learning: TrainingProbe<LearningMeasurement> = {
  reads: 'training',
  name: 'learning',
  title: 'What was learned',
  question: 'Which runs learned which operation, and does company help SUM?',
  version: 2,
  text: {
    shows:
      'How often SUM was learned alone and beside other operations, at equal size, steps and data regime, and, where enough sizes were trained, the size at which learning begins. A run has learned an operation when its greedy answers are at least 95 % right at the last two evaluations, at depth 2 and more inside nested expressions too.',
    doesNotShow:
      'That size is the cause: a threshold is of this depth, budget and learning rate, and where learning has no trend with size there is none. Mixed runs see fewer SUM examples in the same number of steps, which works against them.',
    method:
      'Difference in proportion of seeds that learned SUM, Miettinen-Nurminen interval, exact permutation p beside it. Thresholds: exact posterior of theta in P(learned) = (1 - lambda) sigma((log2 parameters - theta) / s) on a grid, differences of them with equal-tailed 99.17 % intervals, at the budgets B and 4 B of the claims. Accuracy is over every input where there are at most 20,000, each asked alone.',
  },
  measure: measureLearning,
  statistics: [
    {
      id: 'accuracy',
      title: 'Accuracy on result tokens',
      formula: 'share of result tokens right, greedy, trained prompts',
      unit: 'accuracy',
      range: RANGES.share,
      sentence: 'accuracy on results, as trained',
      of: ({ evaluations }) => byOperation(evaluations.at(-1)?.accuracy ?? {}),
    },
    {
      id: 'lesser-accuracy',
      title: 'Smaller of the last two accuracies',
      formula: 'smaller accuracy of the last two evaluations: what "learned" is decided by',
      unit: 'accuracy',
      range: RANGES.share,
      sentence: 'the smaller accuracy of the last two evaluations',
      compared: false,
      of: ({ lesser }) => byOperation(lesser),
    },
    {
      id: 'held-accuracy',
      title: 'Accuracy on held-out prompts',
      formula: 'share of result tokens right, greedy, held-out prompts',
      unit: 'accuracy',
      range: RANGES.share,
      sentence: 'accuracy on results whose numbers were held out',
      of: ({ held }) => byOperation(held),
    },
    {
      id: 'coset',
      title: 'SUM right up to a coset',
      formula: 'share of SUM results right modulo a proper divisor of n',
      unit: 'accuracy',
      range: RANGES.share,
      sentence: 'share of SUM results right modulo a divisor of n',
      of: ({ divisors }) =>
        Object.entries(divisors).map(([divisor, value]) => ({
          scope: { operation: 'SUM', divisor: Number(divisor) },
          value,
        })),
    },
    {
      id: 'evaluation',
      title: 'Accuracy at each evaluation',
      formula: 'share of result tokens right at an evaluation, greedy, trained prompts',
      unit: 'accuracy',
      range: RANGES.share,
      sentence: 'accuracy on results at an evaluation',
      detail: true,
      of: ({ evaluations }) =>
        evaluations.flatMap(({ step, accuracy, inside }) => [
          ...byOperation(accuracy, { step }),
          ...byOperation(inside, { level: NESTED, step }),
        ]),
    },
  ],
  combine: ({ evidence }) => ({
    findings: [...companyFindings(evidence), ...companyThresholds(evidence)],
    pictures: [...startAndCompany(evidence.conditions), ...learnedBySize(evidence.conditions)],
  }),
};
