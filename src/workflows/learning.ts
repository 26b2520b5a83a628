/**
 * Who learned what: the claims that are about training outcomes (C1, C2, C6), from the evaluation rows of the runs.
 * Definitions: "learned" in train/learned.ts, thresholds and verdict rules in analysis/claims.json.
 */
import { CLAIMS_LEVEL, claimById, type ClaimId } from '../analysis/claims.js';
import { benjaminiHochberg } from '../analysis/multiple-testing.js';
import { exactStratifiedP, proportionDifference } from '../analysis/proportions.js';
import { decideVerdict } from '../analysis/verdict.js';
import { canonicalJson } from '../io/json.js';
import type { Finding, ModuleReport } from '../report/schema.js';
import { hasLearned, isNested } from '../train/learned.js';
import { thresholdFindings } from './learning-thresholds.js';
import { isTasks, type TrainedRun } from './trained-run.js';

/**
 * Whether a run has learned an operation by its budget (greedy, result tokens, trained prompts; at depth 2 and more inside
 * nested expressions too). null: its evaluations do not tell.
 */
export function runLearned(run: TrainedRun, operation: string): boolean | null {
  return hasLearned(
    run.rows.filter((row) => row.kind === 'eval'),
    operation,
    { nested: isNested(run.config.data) },
  );
}

/** Findings about learning; the page shows them with the training curves. */
export function learningModule(given: readonly TrainedRun[]): ModuleReport {
  // the claims are about generated examples
  const runs = given.filter(({ config }) => config.data.file === undefined);
  const full = runs.filter(({ config }) => config.data.regime === 'full');
  const alone = full.filter((run) => isTasks(run, ['SUM']));
  const findings: Finding[] = [
    ...thresholdFindings(runs),
    withoutArms('C6', ['pretrained on MAX+MED', 'from scratch'], runs.length),
    ...companionFindings(full, alone),
  ];

  return {
    version: 1,
    title: 'What was learned',
    question: 'Which runs learned which operation, and does company help SUM?',
    text: {
      shows:
        'How often SUM was learned alone and beside other operations, at equal size, steps and data regime, and, where at least six sizes with five seeds of each condition were trained at depth 1, the size at which learning begins. A run has learned an operation when its greedy answers are at least 95 % right at the last two evaluations, at depth 2 and more inside nested expressions too.',
      doesNotShow:
        'That size is the cause: a threshold is of this depth, budget and learning rate, and where learning has no trend with size there is none. Mixed runs see fewer SUM examples in the same number of steps, which works against them.',
      method:
        'Difference in proportion of seeds that learned SUM, Miettinen-Nurminen interval, exact permutation p beside it. Thresholds: exact posterior of theta in P(learned) = (1 - lambda) sigma((log2 parameters - theta) / s) on a grid, differences of them with equal-tailed 99.17 % intervals, at the budgets B and 4 B of the claims. Accuracy is over every input where there are at most 20,000, each asked alone.',
    },
    options: {},
    status: 'ok',
    leftOut: [],
    findings,
    charts: [],
  };
}

/** A claim whose arms no run can have yet: the one verdict function says so. */
function withoutArms(id: ClaimId, conditions: readonly string[], seeds: number): Finding {
  const claim = claimById(id);
  const [part] = claim.parts;
  const { verdict, reason } = decideVerdict({
    rule: part.rule,
    usable: conditions.map((condition) => ({ condition, runs: 0 })),
    nMin: part.nMin,
  });
  return {
    id: `${id.toLowerCase()}-threshold`,
    claim: id,
    statement: claim.text,
    statistic: part.statistic,
    unit: part.unit,
    n: { seeds, examples: 0 },
    verdict,
    reason,
  };
}

/** Everything of a configuration but what it is trained on and its seeds: runs are compared within one of these. */
function setting({ config }: TrainedRun): string {
  return canonicalJson({
    ...config,
    seed: 0,
    data: { ...config.data, tasks: [], holdoutSeed: 0 },
  });
}

/** SUM beside each kind of company against SUM alone, in every setting where both were trained. */
function companionFindings(full: readonly TrainedRun[], alone: readonly TrainedRun[]): Finding[] {
  const companies = new Map<string, TrainedRun[]>();
  for (const run of full) {
    const { tasks } = run.config.data;
    if (tasks.length > 1 && (tasks as readonly string[]).includes('SUM')) {
      companies.set(tasks.join('+'), [...(companies.get(tasks.join('+')) ?? []), run]);
    }
  }
  const found = [...companies]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([tasks, mixed]) => companionFinding(tasks, mixed, alone));
  const adjusted = benjaminiHochberg(found.map(({ p }) => p));
  return found.map((finding, i) => ({ ...finding, pAdjusted: adjusted[i] }));
}

function companionFinding(
  tasks: string,
  mixed: readonly TrainedRun[],
  alone: readonly TrainedRun[],
): (Finding & { readonly p: number })[] {
  const settings = [...new Set(mixed.map(setting))].sort();
  let unknown = 0;
  const strata = settings.flatMap((key) => {
    const at = (group: readonly TrainedRun[]): TrainedRun[] => group.filter((run) => setting(run) === key);
    const known = (group: readonly TrainedRun[]): TrainedRun[] =>
      group.filter((run) => runLearned(run, 'SUM') !== null);
    const [beside, without] = [known(at(mixed)), known(at(alone))];
    unknown += at(mixed).length + at(alone).length - beside.length - without.length;
    if (beside.length === 0 || without.length === 0) return [];
    const learned = (group: readonly TrainedRun[]): number =>
      group.filter((run) => runLearned(run, 'SUM') === true).length;
    const { parameters, config } = beside[0];
    return [
      {
        where: `${parameters} parameters, ${config.training.steps} steps`,
        k1: learned(beside),
        n1: beside.length,
        k2: learned(without),
        n2: without.length,
      },
    ];
  });
  if (strata.length === 0) return [];
  const { estimate, low, high, level, method } = proportionDifference(strata, CLAIMS_LEVEL);
  const counts = strata
    .map((s) => `${s.k1} of ${s.n1} seeds in ${tasks}, ${s.k2} of ${s.n2} alone (${s.where})`)
    .join('; ');
  return [
    {
      id: `sum-beside-${tasks.toLowerCase()}`,
      statement: `SUM learned, regime full: ${counts}${unknown === 0 ? '' : `; ${unknown} runs do not tell what they do inside nested expressions and are left out`}`,
      statistic: 'difference in proportion of seeds that learned SUM',
      unit: '1',
      estimate,
      interval: { low, high, level, method },
      n: { seeds: strata.reduce((sum, s) => sum + s.n1 + s.n2, 0), examples: 0 },
      p: exactStratifiedP(strata),
      pMethod: 'exact permutation within setting',
    },
  ];
}
