/**
 * Runs brought into conditions, for modules that compare SUM-only with mixed models: the last checkpoint of every run, groups
 * by whether SUM was learned, and the pairs of conditions that differ in tasks alone. What is compared is each module's own.
 */
import { claimById, LEARNED_ACCURACY } from '../src/analysis/claims.js';
import { differingFields } from '../src/config/hash.js';
import type { RunConfig } from '../src/config/run-config.js';
import type { Measured } from './contract.js';

/** A measurement of any module. */
export type Run = Pick<Measured<unknown>, 'subject' | 'config'>;

/** Accuracy on SUM that a run needs to count in C3. */
export const C3_ACCURACY = claimById('C3').learnedAccuracy;

/** Accuracy on SUM result tokens at the last evaluation; null: not evaluated, or SUM is not a task. */
export function sumAccuracy({ subject }: Run): number | null {
  return subject.accuracy?.['SUM'] ?? null;
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

/** null: SUM is not among the tasks, or was not evaluated. */
export function hasLearned(run: Run): boolean | null {
  const accuracy = sumAccuracy(run);
  return accuracy === null || !run.config.data.tasks.includes('SUM') ? null : accuracy >= LEARNED_ACCURACY;
}

const isSumOnly = ({ config }: Run): boolean => config.data.tasks.join() === 'SUM';
const hasOrder = ({ config }: Run): boolean =>
  (['MAX', 'MED'] as const).every((task) => config.data.tasks.includes(task));
const isMixed = (run: Run): boolean => hasOrder(run) && run.config.data.tasks.includes('SUM');
const isOrderOnly = (run: Run): boolean => hasOrder(run) && !isMixed(run);
/** SUM-only or mixed: what C3 compares. */
export const isArm = (run: Run): boolean => isSumOnly(run) || isMixed(run);

/** Why a run cannot count in C3, or undefined when it can. */
export function whyUnusable(run: Run): string | undefined {
  if (!run.subject.final) return `step ${run.subject.step} is not the last checkpoint of its run`;
  const accuracy = sumAccuracy(run);
  if (accuracy === null) return 'SUM was not evaluated';
  if (accuracy >= C3_ACCURACY) return undefined;
  return `has not learned SUM (accuracy ${accuracy.toFixed(2)})`;
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

/** One comparison for each pair of conditions that differ in tasks alone; at least one, if only an empty one. */
export function compareArms<R extends Run>(runs: readonly R[]): ComparedRuns<R>[] {
  const conditions = (wanted: (run: R) => boolean): R[][] => {
    const ids = new Map<string, R[]>();
    for (const run of runs.filter(wanted)) {
      ids.set(run.subject.condition, [...(ids.get(run.subject.condition) ?? []), run]);
    }
    return [...ids.values()].sort((a, b) => compareText(a[0].subject.label, b[0].subject.label));
  };
  const [alone, mixed, orderOnly] = [conditions(isSumOnly), conditions(isMixed), conditions(isOrderOnly)];
  const matching = (arms: readonly R[][], config: RunConfig): R[] | undefined =>
    arms.find(([run]) => differInTasksOnly(run.config, config));
  const all = [
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
  return all.length > 0
    ? all
    : [{ regime: 'pairs', modulus: 0, sumOnly: undefined, mixed: undefined, orderOnly: undefined }];
}

function differInTasksOnly(a: RunConfig, b: RunConfig): boolean {
  const allowed = ['data.tasks', 'data.holdoutSeed', 'seed'];
  return differingFields([a, b]).every((path) => allowed.includes(path));
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
