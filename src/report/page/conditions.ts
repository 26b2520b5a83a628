/**
 * What was compared: subjects and training records grouped by condition, in an order that depends on nothing but their
 * content. No markup.
 */
import { LEARNED_ACCURACY } from '../../evidence/claims-file.js';
import { compareText } from '../../evidence/conditions.js';
import { placesOf } from '../../palette.js';
import type { Report, Subject } from '../schema.js';

/** The module about training outcomes: it follows the training curves, the others come by name. */
export const LEARNING = 'learning';

export interface ConditionSummary {
  readonly label: string;
  readonly parameters: readonly number[];
  readonly seeds: readonly number[];
  readonly steps: readonly number[];
  readonly subjects: readonly Subject[];
  /**
   * by operation: in how many of the evaluated runs it is learned, and the range of the last accuracy; where expressions nest,
   * of the accuracy that decides
   */
  readonly operations: readonly {
    readonly operation: string;
    readonly learned: number;
    readonly runs: number;
    readonly lowest: number;
    readonly highest: number;
  }[];
  readonly diverged: number;
}

export function sortedSubjects(report: Report): Subject[] {
  return [...report.subjects].sort(
    (a, b) =>
      compareText(a.label, b.label) || a.seed - b.seed || compareText(a.run, b.run) || a.step - b.step,
  );
}

/** Labels of all conditions, subjects and training alike: the order of colours on the page. */
export function conditionLabels(report: Report): string[] {
  return [...placesOf([...report.subjects, ...report.training].map(({ label }) => label)).keys()];
}

export function summariseConditions(report: Report): ConditionSummary[] {
  const subjects = sortedSubjects(report);
  return conditionLabels(report).map((label) => {
    const own = subjects.filter((subject) => subject.label === label);
    const training = report.training.filter((record) => record.label === label);
    const everyone = [...own, ...training];
    const unique = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b);
    return {
      label,
      subjects: own,
      parameters: unique(everyone.map(({ parameters }) => parameters)),
      seeds: unique(everyone.map(({ seed }) => seed)),
      steps: unique(own.map(({ step }) => step)),
      operations: operationsOf(own),
      diverged: training.filter(({ end }) => end === 'diverged').length,
    };
  });
}

function operationsOf(subjects: readonly Subject[]): ConditionSummary['operations'] {
  const final = subjects.filter(({ final, accuracy }) => final && accuracy !== null);
  const operations = [...new Set(final.flatMap(({ accuracy }) => Object.keys(accuracy ?? {})))].sort(
    compareText,
  );
  return operations.map((operation) => {
    const evaluated = final.flatMap((subject) => {
      const last = subject.accuracy?.[operation];
      if (last === undefined) return [];
      const both = subject.learned?.[operation];
      return [{ last: subject.design.nested ? (both ?? last) : last, both: both ?? 0 }];
    });
    const accuracies = evaluated.map(({ last }) => last);
    return {
      operation,
      learned: evaluated.filter(({ both }) => both >= LEARNED_ACCURACY).length,
      runs: evaluated.length,
      lowest: Math.min(...accuracies),
      highest: Math.max(...accuracies),
    };
  });
}
