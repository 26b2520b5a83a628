/** Numbers that some runs do not have, and why: an exploratory finding without an estimate for each group of runs. */
import type { Evidence } from './evidence.js';
import type { Finding } from './finding.js';
import type { StatisticInfo } from './statistic.js';
import { groupName, groupsOf } from './summaries.js';

export interface NotDefined extends Pick<StatisticInfo, 'unit'> {
  /** of the finding: `parity-power` becomes `parity-power-not-defined/<condition>` */
  readonly id: string;
  /** what is not defined, as a sentence has it: `parity power` */
  readonly name: string;
  readonly statistic: string;
  readonly examples: number;
}

/**
 * @param reasons - by subject id, of every run that was asked: why it has no such number; none: it has one. Runs that are
 * absent were not asked
 */
export function notDefinedFindings(
  { conditions }: Evidence,
  reasons: ReadonlyMap<string, readonly string[]>,
  { id, name, statistic, unit, examples }: NotDefined,
): Finding[] {
  return groupsOf(conditions).flatMap((group): Finding[] => {
    const asked = group.runs.flatMap((run) => {
      const own = reasons.get(run.id);
      return own === undefined ? [] : [own];
    });
    const without = asked.filter((own) => own.length > 0);
    if (without.length === 0) return [];
    return [
      {
        id: `${id}-not-defined/${group.condition.id}${group.learned === false ? '/not-learned' : ''}`,
        statement: `${groupName(group)}: ${name} of ${without.length} of ${asked.length} runs is not defined.`,
        statistic,
        unit,
        n: { seeds: without.length, examples },
        reason: [...new Set(without.flat())].join('; '),
      },
    ];
  });
}
