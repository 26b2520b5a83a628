/** The numbers of one run on which any two conditions can be compared, with or without a hold-out. Pure. */
import { heldArity } from '../../src/report/charts/memorization-gap.js';
import {
  type MemorizationCondition,
  type MemorizationRun,
  cellOf,
  indexOf,
} from '../../src/report/charts/memorization-data.js';
import type { ComparedStatistic } from '../contract.js';
import type { MemorizationResult } from './combine.js';

type Of = (run: MemorizationRun, condition: MemorizationCondition) => number | null | undefined;

export function memorizationStatistics({ conditions }: MemorizationResult): ComparedStatistic[] {
  const statistic = (id: string, title: string, unit: string, of: Of): ComparedStatistic => ({
    id,
    title,
    unit,
    values: conditions.flatMap((condition) =>
      condition.runs.flatMap((run) => {
        const value = of(run, condition);
        return value === undefined || value === null ? [] : [{ subject: run.subject, value }];
      }),
    ),
  });
  return [
    statistic('held', 'Accuracy on held-out operands', 'accuracy', (run, condition) =>
      condition.level === null
        ? undefined
        : cellOf(run, condition.primary, heldArity(condition), true)?.accuracy,
    ),
    statistic(
      'index',
      'Memorization index (0 rule, 1 memory)',
      '1',
      (run, condition) => indexOf(run, condition.primary, heldArity(condition))?.m,
    ),
    statistic('trained', 'Accuracy on trained operands', 'accuracy', (run) => run.trainedAccuracy),
  ];
}
