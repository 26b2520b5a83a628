/**
 * Checkpoints brought into conditions, for every module and the claims alike: the last checkpoint of each run, which of them
 * have learned, and the conditions that differ in their tasks alone. Read from the design of runs, never from labels.
 */
import { LEARNED_ACCURACY } from './claims-file.js';
import { groupBy } from './group-by.js';
import type { Design, Subject } from './subject.js';

/** What a condition is to the claims that set SUM alone beside the mixture. */
export type Side = 'SUM-only' | 'mixed' | 'order-only' | 'other';

/** The operation that the claims are about. */
export const PRIMARY = 'SUM';

/** What a mixture may hold beside SUM; it must hold MAX and MED. Every other operation of the table is a control. */
const COMPANIONS: readonly string[] = ['MAX', 'MIN', 'MED', 'PROD'];

/**
 * Mixed: the paper's joint condition, MAX, MED and SUM, with MIN or PROD or without. Order-only: the same without SUM, the
 * control. Other: shown, and in no claim (FIRST+SUM, MAX+SUM, LATIN).
 */
export function sideOf(tasks: readonly string[]): Side {
  if (tasks.join() === PRIMARY) return 'SUM-only';
  const companions = tasks.filter((task) => task !== PRIMARY);
  const hasOrder = companions.includes('MAX') && companions.includes('MED');
  if (!hasOrder || !companions.every((task) => COMPANIONS.includes(task))) return 'other';
  return tasks.includes(PRIMARY) ? 'mixed' : 'order-only';
}

/** Checkpoints of runs that are replicates of each other. */
export interface Condition {
  readonly id: string;
  readonly label: string;
  readonly side: Side;
  /** of the first run; runs of a condition differ in seeds, and in how they ended */
  readonly design: Design;
  readonly parameters: number;
  /** every checkpoint, by seed, run and step */
  readonly subjects: readonly Subject[];
  /** the last checkpoint of every run: the replicates */
  readonly runs: readonly Subject[];
}

/** By label, which tells conditions apart; subjects by seed, run and step. */
export function conditionsOf(subjects: readonly Subject[]): Condition[] {
  const groups = groupBy(subjects, ({ condition }) => condition);
  return [...groups]
    .map(([id, own]): Condition => {
      const sorted = [...own].sort((a, b) => a.seed - b.seed || compareText(a.run, b.run) || a.step - b.step);
      const [{ label, design, parameters }] = sorted;
      const runs = sorted.filter((subject, i) => sorted.at(i + 1)?.run !== subject.run);
      return {
        id,
        label,
        side: design.startKind === 'scratch' ? sideOf(design.tasks) : 'other',
        design,
        parameters,
        subjects: sorted,
        runs,
      };
    })
    .sort((a, b) => compareText(a.label, b.label) || compareText(a.id, b.id));
}

/**
 * By the last two evaluations, or the only one. null: the operation is not a task, or was not evaluated, or expressions nest
 * and what is inside them was not evaluated twice.
 */
export function hasLearned(
  { accuracy, learned, design }: Subject,
  operation = PRIMARY,
  least = LEARNED_ACCURACY,
): boolean | null {
  const value = learned?.[operation] ?? (design.nested ? undefined : accuracy?.[operation]);
  return value === undefined || !design.tasks.includes(operation) ? null : value >= least;
}

/** What a claim asks of a run that is to count. */
export interface CountingRule {
  readonly operation: string;
  readonly learnedAccuracy: number;
}

/**
 * Why a run cannot count in a claim, or undefined when it can: it is at the last checkpoint of its run, and its last two
 * evaluations have the operation at the accuracy asked for.
 */
export function whyUnusable(subject: Subject, rule: CountingRule): string | undefined {
  if (!subject.final) return `step ${subject.step} is not the last checkpoint of its run`;
  return whyNotLearned(subject, rule);
}

export function whyNotLearned(
  subject: Subject,
  { operation, learnedAccuracy }: CountingRule,
): string | undefined {
  const accuracy = subject.accuracy?.[operation];
  if (accuracy === undefined) return `${operation} was not evaluated`;
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
  if (subject.design.nested) {
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

/** SUM-only against mixed, equal in everything but the tasks and seeds. */
export interface Comparison {
  /** equal for the same comparison in every module; the runs' `match` */
  readonly id: string;
  /** what the conditions have in common: `pairs, d=16` */
  readonly label: string;
  readonly design: Design;
  readonly sumOnly: Condition | undefined;
  readonly mixed: Condition | undefined;
  /** MAX and MED without SUM: order by need, the control */
  readonly control: Condition | undefined;
}

/**
 * One comparison for each kind of SUM-only condition, and for each mixture without one. Of several mixtures that fit, the
 * one of fewest tasks, MAX+MED+SUM: the choice looks at no outcome.
 */
export function comparisonsOf(conditions: readonly Condition[]): Comparison[] {
  const groups = groupBy(conditions, ({ design }) => design.match);
  return [...groups].flatMap(([id, own]): Comparison[] => {
    const first = (side: Side): Condition | undefined =>
      own
        .filter((condition) => condition.side === side)
        .sort((a, b) => a.design.tasks.length - b.design.tasks.length || compareText(a.label, b.label))
        .at(0);
    const [sumOnly, mixed] = [first('SUM-only'), first('mixed')];
    const any = sumOnly ?? mixed;
    if (any === undefined) return [];
    const label = any.label.slice(any.label.indexOf(', ') + 2);
    return [{ id, label, design: any.design, sumOnly, mixed, control: first('order-only') }];
  });
}

/** Whether differences between two conditions mean anything: same tokens, positions, numbers, regime and examples. */
export function areComparable(a: Condition, b: Condition): boolean {
  return a.design.comparable === b.design.comparable;
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
