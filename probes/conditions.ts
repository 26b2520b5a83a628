/**
 * Runs brought into conditions, for modules that compare SUM-only with mixed models: the last checkpoint of every run, groups
 * by whether SUM was learned, and the pairs of conditions that differ in tasks alone. What is compared is each module's own.
 */
import { claimById, type ClaimId, LEARNED_ACCURACY } from '../src/analysis/claims.js';
import { differingFields } from '../src/config/hash.js';
import { isOneCourse } from '../src/config/phases.js';
import type { RunConfig } from '../src/config/run-config.js';
import { isNested } from '../src/train/learned.js';
import type { Measured } from './contract.js';

/** A measurement of any module. */
export type Run = Pick<Measured<unknown>, 'subject' | 'config'>;

/** What a condition is to the claims that set SUM alone beside the mixture (C3, C4, C5). */
export type Side = 'SUM-only' | 'mixed' | 'order-only' | 'other';

/** What a mixture may hold beside SUM; it must hold MAX and MED. Every other operation of the table is a control. */
const COMPANIONS: readonly string[] = ['MAX', 'MIN', 'MED', 'PROD'];

/**
 * Read from a run's tasks, never from its label. Mixed: the paper's joint condition, MAX, MED and SUM, with MIN or PROD or
 * without. Order-only: the same without SUM, the control. Other: shown, and in no claim (FIRST+SUM, MAX+SUM, LATIN).
 */
export function sideOf(tasks: readonly string[]): Side {
  if (tasks.join() === 'SUM') return 'SUM-only';
  const companions = tasks.filter((task) => task !== 'SUM');
  const hasOrder = companions.includes('MAX') && companions.includes('MED');
  if (!hasOrder || !companions.every((task) => COMPANIONS.includes(task))) return 'other';
  return tasks.includes('SUM') ? 'mixed' : 'order-only';
}

/** The side of a run; one with phases, or with the start of another run, is on none. */
export function sideOfRun(config: RunConfig): Side {
  return isOneCourse(config) ? sideOf(config.data.tasks) : 'other';
}

/** Accuracy on SUM result tokens at the last evaluation; null: not evaluated, or SUM is not a task. */
export function sumAccuracy({ subject }: Run): number | null {
  return subject.accuracy?.['SUM'] ?? null;
}

/** The checkpoints of runs of which several steps were measured: the points of a series. */
export function inSeries<R extends Run>(measured: readonly R[]): R[] {
  const counts = new Map<string, number>();
  for (const { subject } of measured) counts.set(subject.run, (counts.get(subject.run) ?? 0) + 1);
  return measured.filter(({ subject }) => (counts.get(subject.run) ?? 0) > 1);
}

/** The last checkpoint of every run, runs in order of label, seed and name. */
export function lastOfEachRun<R extends Run>(measured: readonly R[]): R[] {
  const last = new Map<string, R>();
  for (const one of measured) {
    const held = last.get(one.subject.run);
    if (held === undefined || one.subject.step > held.subject.step) last.set(one.subject.run, one);
  }
  return [...last.values()].sort(
    (a, b) =>
      compareText(a.subject.label, b.subject.label) ||
      a.subject.seed - b.subject.seed ||
      compareText(a.subject.run, b.subject.run),
  );
}

/** Seeds of one condition that have, and that have not, learned SUM. */
export function groupRuns<R extends Run>(runs: readonly R[]): R[][] {
  const groups = new Map<string, R[]>();
  for (const run of runs) {
    const key = `${run.subject.condition} ${String(hasLearned(run))}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()];
}

/**
 * By the last two evaluations, or the only one. null: SUM is not among the tasks, or was not evaluated, or expressions nest
 * and what is inside them was not evaluated twice.
 */
export function hasLearned(run: Run): boolean | null {
  const accuracy = run.subject.learned?.['SUM'] ?? (isNested(run.config.data) ? null : sumAccuracy(run));
  return accuracy === null || !run.config.data.tasks.includes('SUM') ? null : accuracy >= LEARNED_ACCURACY;
}

const isSide =
  (...sides: readonly Side[]) =>
  ({ config }: Run): boolean =>
    sides.includes(sideOfRun(config));
/** SUM-only or mixed: what the claims compare. */
export const isArm = isSide('SUM-only', 'mixed');

/**
 * Why a run cannot count in a claim, or undefined when it can: it is at the last checkpoint of its run, and its last two
 * evaluations have SUM at the accuracy that claims.json asks for.
 */
export function whyUnusable(run: Run, claim: ClaimId = 'C3', operation = 'SUM'): string | undefined {
  if (!run.subject.final) return `step ${run.subject.step} is not the last checkpoint of its run`;
  return whyNotLearned(run, claim, operation);
}

/** Why an operation does not count as learned at the accuracy that a claim asks for, or undefined when it does. */
export function whyNotLearned(
  { subject, config }: Run,
  claim: ClaimId,
  operation = 'SUM',
): string | undefined {
  const accuracy = subject.accuracy?.[operation];
  if (accuracy === undefined) return `${operation} was not evaluated`;
  const { learnedAccuracy } = claimById(claim);
  if (accuracy < learnedAccuracy) {
    return `has not learned ${operation} (accuracy ${belowText(accuracy, learnedAccuracy)})`;
  }
  // learned is a matter of two evaluations: `learned` holds the smaller
  const lesser = subject.learned?.[operation];
  if (lesser === undefined) {
    return subject.learned === undefined
      ? `${operation} was evaluated once, and learned needs two evaluations`
      : `its evaluations do not tell the accuracy of ${operation} inside nested expressions`;
  }
  if (lesser >= learnedAccuracy) return undefined;
  if (isNested(config.data)) {
    return `has not learned ${operation} (accuracy ${belowText(lesser, learnedAccuracy)} at one of the last two evaluations, alone or inside nested expressions)`;
  }
  return `has not learned ${operation} (accuracy ${belowText(lesser, learnedAccuracy)} one evaluation before)`;
}

/** Two digits, or as many as keep it from being rounded up to the limit that it misses: 0.98, 0.989 for a limit of 0.99. */
function belowText(value: number, limit: number): string {
  for (let digits = 2; digits < 6; digits++) {
    if (Number(value.toFixed(digits)) < limit) return value.toFixed(digits);
  }
  return String(value);
}

/** The runs of an arm that count; the control has no SUM to learn. */
export function usableRuns<R extends Run>(runs: readonly R[]): R[] {
  return runs.filter((run) => (isArm(run) ? whyUnusable(run) === undefined : run.subject.final));
}

/** Runs that C3 is about and that do not count in it. */
export function unusableArms(runs: readonly Run[]): { readonly subject: string; readonly reason: string }[] {
  return runs.flatMap((run) => {
    const reason = whyUnusable(run);
    return reason === undefined || !isArm(run) ? [] : [{ subject: run.subject.id, reason }];
  });
}

/** SUM-only against mixed, equal in everything but the tasks and seeds; undefined: no such condition. */
export interface ComparedRuns<R extends Run> {
  readonly regime: string;
  readonly modulus: number;
  readonly sumOnly: readonly R[] | undefined;
  readonly mixed: readonly R[] | undefined;
  /** MAX and MED without SUM: order by need, the control */
  readonly orderOnly: readonly R[] | undefined;
}

/**
 * One comparison for each pair of conditions that differ in tasks alone, and at least one, if only an empty one, in the regime
 * that decides the claim. Of several mixtures that fit, the one of fewest tasks: MAX+MED+SUM.
 */
export function compareArms<R extends Run>(runs: readonly R[]): ComparedRuns<R>[] {
  const conditions = (wanted: (run: R) => boolean): R[][] => {
    const ids = new Map<string, R[]>();
    for (const run of runs.filter(wanted)) {
      ids.set(run.subject.condition, [...(ids.get(run.subject.condition) ?? []), run]);
    }
    return [...ids.values()].sort(
      ([a], [b]) =>
        a.config.data.tasks.length - b.config.data.tasks.length ||
        compareText(a.subject.label, b.subject.label),
    );
  };
  const [alone, mixed, orderOnly] = (['SUM-only', 'mixed', 'order-only'] as const).map((side) =>
    conditions(isSide(side)),
  );
  const matching = (arms: readonly R[][], config: RunConfig): R[] | undefined =>
    arms.find(([run]) => differInTasksOnly(run.config, config));
  const all: ComparedRuns<R>[] = [
    ...alone.map((arm) => ({ arm, partner: matching(mixed, arm[0].config), own: true })),
    ...mixed
      .filter((arm) => matching(alone, arm[0].config) === undefined)
      .map((arm) => ({ arm, partner: undefined, own: false })),
  ].map(({ arm, partner, own }) => ({
    regime: arm[0].config.data.regime,
    modulus: arm[0].config.data.modulus,
    sumOnly: own ? arm : undefined,
    mixed: own ? partner : arm,
    orderOnly: matching(orderOnly, arm[0].config),
  }));
  const { regime } = claimById('C3');
  return all.some((comparison) => comparison.regime === regime)
    ? all
    : [...all, { regime, modulus: 0, sumOnly: undefined, mixed: undefined, orderOnly: undefined }];
}

function differInTasksOnly(a: RunConfig, b: RunConfig): boolean {
  const allowed = ['data.tasks', 'data.holdoutSeed', 'seed'];
  return differingFields([a, b]).every((path) => allowed.includes(path));
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
