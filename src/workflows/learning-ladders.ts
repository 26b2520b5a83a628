/**
 * Runs of several sizes brought into ladders for the claims about size thresholds (C1, C2): which runs belong together, who
 * has learned at which size by which budget. No statistics and no verdicts here (learning-thresholds.ts).
 */
import { BUDGET_MULTIPLIERS, claimById, claimPart } from '../analysis/claims.js';
import type { SizeCount } from '../analysis/thresholds.js';
import { differingFields, fieldText } from '../config/hash.js';
import { canonicalJson } from '../io/json.js';
import { hasLearned, isNested } from '../train/learned.js';
import type { EvalRow } from '../train/metrics.js';
import { isTasks, type TrainedRun } from './trained-run.js';

/** One condition of a threshold: what is trained, and which operation has to be learned. */
export interface Arm {
  readonly name: string;
  readonly tasks: readonly string[];
  readonly operation: string;
}

/** Runs equal in everything but tasks, width, learning rate, steps and seeds. */
export interface Ladder {
  readonly key: string;
  readonly runs: readonly TrainedRun[];
  /** ` (modulus=7)` where several ladders have to be told apart */
  readonly place: string;
}

export interface ArmCounts {
  readonly arm: Arm;
  /** ascending, one for each size */
  readonly counts: readonly SizeCount[];
  readonly learningRate: number | undefined;
}

/** B and 4 B in optimizer steps. */
export function budgetsOf(claim: 'C1' | 'C2'): number[] {
  return BUDGET_MULTIPLIERS.map((multiple) => multiple * claimById(claim).budgetSteps);
}

/** The ladders of the regime that the claims name, at depth 1, for which alone budgets are fixed; in the order of their keys. */
export function laddersOf(runs: readonly TrainedRun[]): Ladder[] {
  const { regime } = claimById('C1');
  const groups = new Map<string, TrainedRun[]>();
  for (const run of runs) {
    const { data } = run.config;
    if (data.regime !== regime || data.depth !== 1) continue;
    const key = ladderKey(run);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const sorted = [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
  const configs = sorted.map(([, [first]]) => first.config);
  const fields = differingFields(configs).filter((path) => !FREE.includes(path));
  return sorted.map(([key, own], i) => ({
    key,
    runs: own,
    place:
      sorted.length === 1
        ? ''
        : ` (${fields.map((path) => `${path.slice(path.indexOf('.') + 1)}=${fieldText(configs[i], path)}`).join(', ')})`,
  }));
}

/** What may differ within a ladder: sizes are told apart by width, conditions by tasks, budgets by steps. */
const FREE: readonly string[] = [
  'seed',
  'data.tasks',
  'data.holdoutSeed',
  'model.dModel',
  'model.dMlp',
  'model.nHeads',
  'optimizer.learningRate',
  'optimizer.warmupSteps',
  'training.steps',
  'training.evaluateEvery',
  'training.stop',
];

function ladderKey({ config }: TrainedRun): string {
  const kept = JSON.parse(canonicalJson(config)) as Record<string, Record<string, unknown> | number>;
  for (const path of FREE) {
    const [group, field] = path.split('.');
    const part = kept[group];
    if (field === undefined || typeof part !== 'object') kept[group] = 0;
    else part[field] = 0;
  }
  return canonicalJson(kept);
}

/**
 * Who has learned by a budget: one run for each size and seed, that of fewest steps among those that reach the budget. Where
 * an arm was trained at several learning rates, the one of most runs counts: the choice looks at no outcome.
 * @param share - the operation is looked at when this share of the budget is spent
 */
export function armCounts(ladder: Ladder, arm: Arm, budget: number, share = 1): ArmCounts {
  const reaching = ladder.runs.filter((run) => isTasks(run, arm.tasks) && reaches(run, budget));
  const learningRate = commonestRate(reaching);
  const chosen = new Map<string, TrainedRun>();
  for (const run of reaching) {
    if (run.config.optimizer.learningRate !== learningRate) continue;
    const place = `${run.parameters} ${run.config.seed}`;
    const held = chosen.get(place);
    if (held === undefined || isBefore(run, held)) chosen.set(place, run);
  }
  const sizes = new Map<number, { learned: number; runs: number }>();
  for (const run of chosen.values()) {
    const size = sizes.get(run.parameters) ?? { learned: 0, runs: 0 };
    size.runs++;
    const options = { budget: Math.floor(budget * share), nested: isNested(run.config.data) };
    if (hasLearned(evaluations(run), arm.operation, options) === true) size.learned++;
    sizes.set(run.parameters, size);
  }
  return {
    arm,
    learningRate,
    counts: [...sizes]
      .map(([parameters, size]) => ({ parameters, ...size }))
      .sort((a, b) => a.parameters - b.parameters),
  };
}

function isBefore(a: TrainedRun, b: TrainedRun): boolean {
  const [x, y] = [a, b].map(({ config }) => config.training.steps);
  return x < y || (x === y && a.id < b.id);
}

/** Trained for the budget, or ended for good before it: solved or diverged. What was interrupted says nothing yet. */
function reaches(run: TrainedRun, budget: number): boolean {
  if (run.config.training.steps < budget) return false;
  const last = evaluations(run).at(-1)?.step ?? 0;
  return last >= budget || run.ended === true;
}

function evaluations({ rows }: TrainedRun): EvalRow[] {
  return rows.filter((row): row is EvalRow => row.kind === 'eval');
}

/** The learning rate of most runs, the smallest of several. */
function commonestRate(runs: readonly TrainedRun[]): number | undefined {
  const counts = new Map<number, number>();
  for (const { config } of runs) {
    const rate = config.optimizer.learningRate;
    counts.set(rate, (counts.get(rate) ?? 0) + 1);
  }
  return [...counts].sort(([a, n], [b, m]) => m - n || a - b).at(0)?.[0];
}

/** Sizes at which every arm has the seeds that a claim asks for, ascending. */
export function commonSizes(arms: readonly ArmCounts[], claim: 'C1' | 'C2'): number[] {
  const { nMin } = claimPart(claim);
  const enough = arms.map(
    ({ counts }) => new Set(counts.filter(({ runs }) => runs >= nMin).map(({ parameters }) => parameters)),
  );
  return [...enough[0]].filter((size) => enough.every((sizes) => sizes.has(size))).sort((a, b) => a - b);
}
