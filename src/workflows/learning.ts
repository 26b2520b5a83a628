/**
 * Who learned what: the claims that are about training outcomes (C1, C2, C6), from the evaluation rows of the runs.
 * Definitions: "learned" in train/learned.ts, thresholds and verdict rules in analysis/claims.json.
 */
import { CLAIMS_LEVEL, claimById, type ClaimId } from '../analysis/claims.js';
import { benjaminiHochberg } from '../analysis/multiple-testing.js';
import { exactStratifiedP, proportionDifference } from '../analysis/proportions.js';
import { decideVerdict } from '../analysis/verdict.js';
import type { RunConfig } from '../config/run-config.js';
import { canonicalJson } from '../io/json.js';
import type { Finding, ModuleReport } from '../report/schema.js';
import { hasLearned } from '../train/learned.js';
import type { MetricRow } from '../train/metrics.js';

/** One run with everything it measured while training. */
export interface TrainedRun {
  readonly id: string;
  readonly config: RunConfig;
  readonly label: string;
  readonly parameters: number;
  readonly rows: readonly MetricRow[];
}

const JOINT = ['MAX', 'MED', 'SUM'];
const SINGLE = ['SUM', 'MAX', 'MIN', 'MED'];

/** Whether a run has learned an operation by its budget (greedy, result tokens, trained prompts). */
export function runLearned(run: TrainedRun, operation: string): boolean {
  return hasLearned(
    run.rows.filter((row) => row.kind === 'eval'),
    operation,
  );
}

function isTasks(run: TrainedRun, tasks: readonly string[]): boolean {
  const own = run.config.data.tasks;
  return own.length === tasks.length && tasks.every((task) => (own as readonly string[]).includes(task));
}

/** Findings about learning; the page shows them with the training curves. */
export function learningModule(runs: readonly TrainedRun[]): ModuleReport {
  const full = runs.filter(({ config }) => config.data.regime === 'full');
  const sizesOf = (group: readonly TrainedRun[]): number => new Set(group.map((run) => run.parameters)).size;
  const findings: Finding[] = [];

  const single = SINGLE.map((task) => ({ task, runs: full.filter((run) => isTasks(run, [task])) }));
  const c1Sizes = Math.min(...single.map((group) => sizesOf(group.runs)));
  findings.push(
    undecided(
      'C1',
      c1Sizes,
      single.map(({ task, runs: group }) => ({
        condition: `${task} alone`,
        runs: runsAtSmallestSize(group),
      })),
      runs.length,
    ),
  );

  const alone = full.filter((run) => isTasks(run, ['SUM']));
  const joint = full.filter((run) => isTasks(run, JOINT));
  findings.push(
    undecided(
      'C2',
      Math.min(sizesOf(alone), sizesOf(joint)),
      [
        { condition: 'SUM alone', runs: runsAtSmallestSize(alone) },
        { condition: 'MAX+MED+SUM', runs: runsAtSmallestSize(joint) },
      ],
      runs.length,
    ),
  );
  findings.push(
    undecided(
      'C6',
      0,
      [
        { condition: 'pretrained on MAX+MED', runs: 0 },
        { condition: 'from scratch', runs: 0 },
      ],
      runs.length,
    ),
  );
  findings.push(...companionFindings(full, alone));

  return {
    version: 1,
    title: 'What was learned',
    question: 'Which runs learned which operation, and does company help SUM?',
    text: {
      shows:
        'How often SUM was learned alone and beside other operations, at equal size, steps and data regime. A run has learned an operation when its greedy answers are at least 95 % right at the last two evaluations.',
      doesNotShow:
        'A size threshold: that needs at least six sizes and five seeds at each. Mixed runs see fewer SUM examples in the same number of steps, which works against them.',
      method:
        'Difference in proportion of seeds that learned SUM, Miettinen-Nurminen interval, exact permutation p beside it. Accuracy is over every input where there are at most 20,000, each asked alone.',
    },
    options: {},
    status: 'ok',
    leftOut: [],
    findings,
    charts: [],
  };
}

/** Fewest runs at any size: what a threshold rests on. */
function runsAtSmallestSize(group: readonly TrainedRun[]): number {
  const counts = new Map<number, number>();
  for (const run of group) counts.set(run.parameters, (counts.get(run.parameters) ?? 0) + 1);
  return counts.size === 0 ? 0 : Math.min(...counts.values());
}

/** A claim about thresholds or pretraining whose runs are not there: the one verdict function says so and why. */
function undecided(
  id: ClaimId,
  sizes: number,
  usable: readonly { condition: string; runs: number }[],
  seeds: number,
): Finding {
  const claim = claimById(id);
  const [part] = claim.parts;
  const enoughSizes = sizes >= claim.minimumSizes;
  const decision = decideVerdict({
    rule: part.rule,
    usable: enoughSizes ? usable : usable.map((group) => ({ ...group, runs: 0 })),
    nMin: part.nMin,
    assay: { passed: false, reason: 'thresholds over sizes are not estimated by this version' },
  });
  const reason = enoughSizes
    ? decision.reason
    : `runs: ${sizes} of at least ${claim.minimumSizes} model sizes, with ${part.nMin} seeds at each (here ${usable.map((g) => `${g.condition} ${g.runs}`).join(', ')})`;
  return {
    id: `${id.toLowerCase()}-threshold`,
    claim: id,
    statement: claim.text,
    statistic: part.statistic,
    unit: part.unit,
    n: { seeds, examples: 0 },
    verdict: decision.verdict,
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
  const strata = settings.flatMap((key) => {
    const at = (group: readonly TrainedRun[]): TrainedRun[] => group.filter((run) => setting(run) === key);
    const [beside, without] = [at(mixed), at(alone)];
    if (beside.length === 0 || without.length === 0) return [];
    const learned = (group: readonly TrainedRun[]): number =>
      group.filter((run) => runLearned(run, 'SUM')).length;
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
      statement: `SUM learned, regime full: ${counts}`,
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
