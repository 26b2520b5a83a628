/**
 * The value of a field that a plan chooses by what its runs learned, by one rule: most runs that learned; of equals the greatest
 * mean of the smaller accuracy of the last two evaluations, inside nested expressions too; of equals the first in the plan.
 */
import { LEARNED_ACCURACY } from '../../../evidence/claims-file.js';
import { groupBy } from '../../../evidence/group-by.js';
import { lastTwoAtStep } from '../../../train/read-training.js';
import type { SweepRun } from './expand.js';
import { isFields } from './fields.js';
import { evaluationRows, type ResultLine } from '../results/result-line.js';

/** What a plan is to choose. */
export interface Choice {
  /** path of a field of the configuration, an axis of the plan */
  readonly field: string;
  /** the operation that has to be learned */
  readonly operation: string;
}

export interface Candidate {
  readonly value: string;
  readonly learned: number;
  readonly finished: number;
  readonly runs: number;
  /** mean over finished runs of the smaller of the last two accuracies */
  readonly accuracy: number;
}

export interface Chosen {
  /** in the order of the plan */
  readonly candidates: readonly Candidate[];
  /** undefined while a run is missing: a choice made before would have looked at the results */
  readonly value: string | undefined;
}

/** @param results - by the runs' ids in the plan */
export function chooseValue(
  { field, operation }: Choice,
  runs: readonly SweepRun[],
  results: ReadonlyMap<string, ResultLine>,
): Chosen {
  const candidates = [...groupBy(runs, ({ config }) => valueAt(config, field))].map(
    ([value, own]): Candidate => {
      const accuracies = own.flatMap((run) => {
        const line = results.get(run.id);
        if (line === undefined) return [];
        const lesser = lastTwoAtStep(evaluationRows(line), line.end.step, run.config);
        return [lesser?.[operation] ?? 0];
      });
      return {
        value,
        learned: accuracies.filter((accuracy) => accuracy >= LEARNED_ACCURACY).length,
        finished: accuracies.length,
        runs: own.length,
        accuracy: accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / Math.max(1, accuracies.length),
      };
    },
  );
  const isWhole = candidates.every(({ finished, runs: n }) => finished === n);
  // sorting is stable: of equals the first in the plan
  const [best] = [...candidates].sort((a, b) => b.learned - a.learned || b.accuracy - a.accuracy);
  return { candidates, value: isWhole ? best?.value : undefined };
}

function valueAt(config: unknown, path: string): string {
  const value = path
    .split('.')
    .reduce<unknown>((inner, name) => (isFields(inner) ? inner[name] : undefined), config);
  return JSON.stringify(value ?? null);
}
