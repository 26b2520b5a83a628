/**
 * Runs of several sizes brought into ladders: which runs belong together, who has learned at which size by which budget. Read
 * from the rows of the training log; no statistics and no verdicts here.
 */
import type { SizeCount } from './thresholds.js';
import { type ClaimArm, type ClaimPlace, LEARNED_ACCURACY, SMALL_START } from './claims-file.js';
import { type Condition, PRIMARY } from './conditions.js';
import { type Evidence, rowsByScope } from './evidence.js';
import { groupBy } from './group-by.js';
import type { Subject } from './subject.js';

/** Accuracy at an evaluation, by operation and step. */
export const EVALUATION = 'learning/evaluation';

export interface Evaluation {
  readonly step: number;
  readonly accuracy: number;
  /** inside nested expressions; undefined: the log does not tell */
  readonly inside: number | undefined;
}

/** Rows of this level are of results inside nested expressions. */
export const NESTED = 'nested';

/** run -> operation -> its evaluations by step */
export type Evaluations = ReadonlyMap<string, ReadonlyMap<string, readonly Evaluation[]>>;

export function evaluationsOf(
  observations: Evidence['observations'],
  subjects: readonly Subject[],
): Evaluations {
  const runs = new Map(subjects.map(({ id, run }) => [id, run]));
  const found = new Map<string, Map<string, Map<number, Evaluation>>>();
  for (const { scope, rows } of rowsByScope(observations, EVALUATION)) {
    const { operation, step, level } = scope;
    if (operation === undefined || step === undefined) continue;
    for (const [subject, { value }] of rows) {
      const run = runs.get(subject);
      if (run === undefined) continue;
      const own = found.get(run) ?? new Map<string, Map<number, Evaluation>>();
      const steps = own.get(operation) ?? new Map<number, Evaluation>();
      const held = steps.get(step) ?? { step, accuracy: 0, inside: undefined };
      steps.set(step, level === NESTED ? { ...held, inside: value } : { ...held, accuracy: value });
      own.set(operation, steps);
      found.set(run, own);
    }
  }
  return new Map(
    [...found].map(([run, own]) => [
      run,
      new Map([...own].map(([name, steps]) => [name, [...steps.values()].sort((a, b) => a.step - b.step)])),
    ]),
  );
}

/**
 * Learned(op, B): accuracy at least the limit at the last two evaluations at or before step B; where expressions nest, inside
 * them too. What the log does not tell counts as not learned.
 */
export function hasLearnedBy(
  { run, design }: Subject,
  operation: string,
  evaluations: Evaluations,
  budget: number,
): boolean {
  const lastTwo = (evaluations.get(run)?.get(operation) ?? []).filter(({ step }) => step <= budget).slice(-2);
  return (
    lastTwo.length === 2 &&
    lastTwo.every(
      ({ accuracy, inside = 0 }) =>
        accuracy >= LEARNED_ACCURACY && (!design.nested || inside >= LEARNED_ACCURACY),
    )
  );
}

/** Runs equal in everything but tasks, size, learning rate, start, steps and seeds. */
export interface Ladder {
  readonly key: string;
  readonly runs: readonly Subject[];
}

/** The ladders at a place, those of most runs first: the choice looks at no outcome. */
export function laddersAt(conditions: readonly Condition[], place: ClaimPlace): Ladder[] {
  const runs = conditions
    .flatMap((condition) => condition.runs)
    .filter(
      ({ design }) =>
        design.trainedHere &&
        design.generated &&
        design.regime === place.regime &&
        design.modulus === place.modulus &&
        design.depth === place.depth &&
        design.operands.join() === place.operands.join(),
    );
  return [...groupBy(runs, ({ design }) => design.ladder)]
    .map(([key, own]) => ({ key, runs: own }))
    .sort((a, b) => b.runs.length - a.runs.length || (a.key < b.key ? -1 : 1));
}

export interface ArmCounts {
  readonly arm: ClaimArm;
  /** ascending, one for each size */
  readonly counts: readonly SizeCount[];
  readonly learningRate: number | undefined;
}

/** Whether a run is one of an arm: its tasks, and how it began. */
export function isOfArm(
  { design }: Subject,
  { tasks, start, embeddingInit = SMALL_START }: ClaimArm,
): boolean {
  return (
    design.tasks.join() === tasks.join() &&
    design.startKind === (start?.kind ?? 'scratch') &&
    design.startTasks === (start?.tasks ?? '') &&
    design.embeddingInit === embeddingInit
  );
}

/**
 * Who has learned by a budget: one run for each size and seed, that of fewest steps among those that reach the budget. Where
 * an arm was trained at several learning rates, the one of most runs counts: the choice looks at no outcome.
 * @param share - the operation is looked at when this share of the budget is spent
 */
export function armCounts(
  { runs }: Ladder,
  arm: ClaimArm,
  evaluations: Evaluations,
  budget: number,
  share = 1,
): ArmCounts {
  const reaching = runs.filter((run) => isOfArm(run, arm) && reaches(run, evaluations, budget));
  const learningRate = commonestRate(reaching);
  const chosen = new Map<string, Subject>();
  for (const run of reaching) {
    if (run.design.learningRate !== learningRate) continue;
    const place = `${run.parameters} ${run.seed}`;
    const held = chosen.get(place);
    if (held === undefined || isBefore(run, held)) chosen.set(place, run);
  }
  const sizes = new Map<number, { learned: number; runs: number }>();
  for (const run of chosen.values()) {
    const size = sizes.get(run.parameters) ?? { learned: 0, runs: 0 };
    size.runs++;
    if (hasLearnedBy(run, arm.operation ?? PRIMARY, evaluations, Math.floor(budget * share))) size.learned++;
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

function isBefore(a: Subject, b: Subject): boolean {
  const [x, y] = [a.design.steps, b.design.steps];
  return x < y || (x === y && a.run < b.run);
}

/** Trained for the budget, or ended for good before it: solved or diverged. What was interrupted says nothing yet. */
function reaches({ run, design }: Subject, evaluations: Evaluations, budget: number): boolean {
  if (design.steps < budget) return false;
  const last = Math.max(
    0,
    ...[...(evaluations.get(run)?.values() ?? [])].map((own) => own.at(-1)?.step ?? 0),
  );
  return last >= budget || (design.end !== 'running' && design.end !== 'interrupted');
}

/** The learning rate of most runs, the smallest of several. */
function commonestRate(runs: readonly Subject[]): number | undefined {
  return [...groupBy(runs, ({ design }) => design.learningRate)]
    .sort(([a, x], [b, y]) => y.length - x.length || a - b)
    .at(0)?.[0];
}

/** Sizes at which every arm has so many seeds, ascending. */
export function commonSizes(arms: readonly ArmCounts[], nMin: number): number[] {
  const enough = arms.map(
    ({ counts }) => new Set(counts.filter(({ runs }) => runs >= nMin).map(({ parameters }) => parameters)),
  );
  return [...enough[0]].filter((size) => enough.every((sizes) => sizes.has(size))).sort((a, b) => a - b);
}
