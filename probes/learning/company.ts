/** SUM beside each kind of company against SUM alone: how many seeds learned it, in every setting where both were trained. */
import { exactStratifiedP, proportionDifference } from '../../src/analysis/proportions.js';
import { CLAIMS_LEVEL } from '../../src/evidence/claims-file.js';
import { type Condition, hasLearned, PRIMARY } from '../../src/evidence/conditions.js';
import type { Evidence } from '../../src/evidence/evidence.js';
import { type Finding, jsonInterval } from '../../src/evidence/finding.js';
import { groupBy } from '../../src/evidence/group-by.js';
import { nine } from '../../src/evidence/statistic.js';

/** One finding for each company of SUM, over generated examples in which nothing is held out. */
export function companyFindings({ conditions }: Evidence): Finding[] {
  const full = conditions.filter(
    ({ design }) => design.regime === 'full' && design.generated && design.tasks.includes(PRIMARY),
  );
  const alone = full.filter(({ side }) => side === 'SUM-only');
  const companies = groupBy(
    full.filter(({ design }) => design.tasks.length > 1),
    ({ design }) => design.tasks.join('+'),
  );
  return [...companies]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([tasks, mixed]) => companyFinding(tasks, mixed, alone));
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
