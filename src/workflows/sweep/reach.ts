/**
 * Which verdicts a plan can reach: for each claim the conditions, sizes, seeds and budget that claims.json asks for, against the
 * runs of the plan. It promises no verdict: runs that do not learn may still leave too few.
 */
import { isOneCourse } from '../../config/phases.js';
import { canonicalJson } from '../../io/json.js';
import { BUDGET_MULTIPLIERS, type Claim, claimById, type ClaimId } from '../../analysis/claims.js';
import type { SweepRun } from './expand.js';

export interface Reach {
  readonly claim: ClaimId;
  readonly reachable: boolean;
  /** what there is, or what is missing */
  readonly why: string;
}

interface Condition {
  readonly name: string;
  readonly has: (run: SweepRun) => boolean;
}

const trainedOn = (...tasks: readonly string[]): Condition => ({
  name: tasks.length === 1 ? `${tasks[0]} alone` : tasks.join('+'),
  has: ({ config }) => isOneCourse(config) && sameTasks(config.data.tasks, tasks),
});

const JOINT = trainedOn('MAX', 'MED', 'SUM');

/** From MAX and MED to SUM, by phases or from another run's checkpoint, whole. */
const PRETRAINED: Condition = {
  name: 'SUM after MAX+MED',
  has: ({ config: { data, init, training } }) => {
    const phases = training.phases?.map(({ tasks }) => tasks) ?? [
      ...(init?.what === 'all' ? [init.tasks] : []),
      data.tasks,
    ];
    return phases.length === 2 && sameTasks(phases[0], ['MAX', 'MED']) && sameTasks(phases[1], ['SUM']);
  },
};

function sameTasks(own: readonly string[], tasks: readonly string[]): boolean {
  return own.length === tasks.length && tasks.every((task) => own.includes(task));
}

/** Conditions of each claim; C5 takes one of two controls. */
const CONDITIONS: Readonly<Record<ClaimId, readonly (readonly Condition[])[]>> = {
  C1: [['SUM'], ['MAX'], ['MIN'], ['MED']].map((tasks) => [trainedOn(...tasks)]),
  C2: [[trainedOn('SUM')], [JOINT]],
  C3: [[trainedOn('SUM')], [JOINT]],
  C4: [[trainedOn('SUM')], [JOINT]],
  C5: [[trainedOn('SUM')], [trainedOn('TABLE'), trainedOn('LATIN')]],
  C6: [[trainedOn('SUM')], [PRETRAINED]],
};

export function reachOf(claims: readonly ClaimId[], runs: readonly SweepRun[]): Reach[] {
  return claims.map((id) => {
    const claim = claimById(id);
    const found = CONDITIONS[id].map((either) => either.map((one) => lackOf(claim, one, runs)));
    // of two controls the one that lacks nothing counts, else the first is named
    const lacks = new Map<string, string[]>();
    found.forEach((either, i) => {
      const [lack] = either;
      if (lack === undefined || either.includes(undefined)) return;
      lacks.set(lack, [...(lacks.get(lack) ?? []), CONDITIONS[id][i].map(({ name }) => name).join(' or ')]);
    });
    if (lacks.size > 0) {
      const why = [...lacks].map(([lack, names]) => `${names.join(', ')}: ${lack}`).join('; ');
      return { claim: id, reachable: false, why };
    }
    return { claim: id, reachable: true, why: planned(claim, runs) };
  });
}

const fewest = (claim: Claim): number => Math.max(...claim.parts.map(({ nMin }) => nMin));

/** Runs of the claim's regime that reach its budget. */
function counting(claim: Claim, condition: Condition, runs: readonly SweepRun[]): SweepRun[] {
  return runs.filter(
    (run) =>
      run.config.data.regime === claim.regime &&
      run.config.training.steps >= claim.budgetSteps &&
      condition.has(run),
  );
}

/** Seeds at each size, by everything else that has to be equal: the best of these settings. */
function seedsBySize(runs: readonly SweepRun[]): Map<number, number> {
  const settings = new Map<string, Map<number, Set<number>>>();
  for (const { config, parameters } of runs) {
    const { data, model, optimizer } = config;
    const key = canonicalJson({
      data: { ...data, tasks: [], holdoutSeed: 0 },
      model: { ...model, dModel: 0, dMlp: 0, nHeads: 0 },
      learningRate: optimizer.learningRate,
    });
    const sizes = settings.get(key) ?? new Map<number, Set<number>>();
    sizes.set(parameters, (sizes.get(parameters) ?? new Set<number>()).add(config.seed));
    settings.set(key, sizes);
  }
  const total = (sizes: ReadonlyMap<number, Set<number>>): number =>
    [...sizes.values()].reduce((sum, seeds) => sum + seeds.size, 0);
  const best = [...settings.values()].sort((a, b) => total(b) - total(a)).at(0);
  return new Map([...(best ?? [])].map(([size, seeds]) => [size, seeds.size]));
}

/** What a condition lacks, or undefined. */
function lackOf(claim: Claim, condition: Condition, runs: readonly SweepRun[]): string | undefined {
  const own = counting(claim, condition, runs);
  const asked = `regime ${claim.regime} with at least ${claim.budgetSteps} steps`;
  if (own.length === 0) return `found no run in ${asked}`;
  const needed = fewest(claim);
  const enough = [...seedsBySize(own).values()].filter((seeds) => seeds >= needed).length;
  if (enough >= claim.minimumSizes) return undefined;
  const most = Math.max(...seedsBySize(own).values());
  return claim.minimumSizes === 1
    ? `found ${most} seeds in ${asked}, expected at least ${needed}`
    : `found ${enough} sizes with ${needed} seeds or more in ${asked}, expected at least ${claim.minimumSizes}`;
}

function planned(claim: Claim, runs: readonly SweepRun[]): string {
  const parts = CONDITIONS[claim.id].map((either) => {
    const one = either.find((condition) => lackOf(claim, condition, runs) === undefined) ?? either[0];
    const sizes = [...seedsBySize(counting(claim, one, runs)).values()];
    return `${one.name} ${sizes.length} x ${Math.min(...sizes)}`;
  });
  const budgets = BUDGET_MULTIPLIERS.map((multiple) => multiple * claim.budgetSteps);
  const longest = Math.max(...runs.map(({ config }) => config.training.steps));
  const reached = budgets.filter((budget) => budget <= longest);
  return `sizes x seeds: ${parts.join(', ')}; budget ${reached.join(' and ')} of ${budgets.join(' and ')} steps`;
}
