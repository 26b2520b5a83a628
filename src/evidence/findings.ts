/** The findings that every statistic gives by itself: means of conditions, and differences between them. Pure. */
import { benjaminiHochberg } from '../analysis/statistics/multiple-testing.js';
import { type Comparison, type Condition, PRIMARY, whyUnusable } from './conditions.js';
import { type Evidence, rowsByScope } from './evidence.js';
import { type Finding, jsonInterval } from './finding.js';
import { type Scope, scopeKey, scopeText } from './scope.js';
import { nine } from './statistic.js';
import {
  type Difference,
  differenceOf,
  differencesOf,
  groupName,
  summariesOf,
  type Summary,
} from './summaries.js';

/** Parts of an id that are there, joined. */
const idOf = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join('/');

const within = (scope: Scope): string => {
  const text = scopeText(scope);
  return text === '' ? '' : ` (${text})`;
};

/** The mean of one condition. */
export function meanFinding(summary: Summary): Finding {
  const { info, scope, condition, learned, values, mean, interval, p, control, examples } = summary;
  const unlearned = learned === false;
  const asControl =
    control === undefined ? '' : ` ${capital(info.controlName ?? 'control')}: ${readable(control)}.`;
  return {
    id: idOf('mean', info.id, scopeKey(scope), condition.id, unlearned ? 'not-learned' : undefined),
    about: {
      statistic: summary.statistic,
      scope,
      kind: 'mean',
      a: condition.id,
      runs: learned === null ? 'all' : unlearned ? 'unlearned' : 'learned',
    },
    statement: `${groupName(summary)}: ${info.sentence}${within(scope)}.${asControl}`,
    statistic: info.formula,
    unit: info.unit,
    estimate: mean,
    ...(interval === undefined ? {} : { interval: jsonInterval(interval) }),
    n: { seeds: values.length, examples },
    ...(p === undefined ? {} : { p: p.p, pMethod: p.method }),
  };
}

/** @param runs - which runs of both conditions were taken */
export function differenceFinding(difference: Difference, runs: 'all' | 'learned'): Finding {
  const { statistic, info, scope, a, b, valuesA, valuesB, estimate, interval, p } = difference;
  const which = runs === 'all' ? 'all runs, learned or not' : `runs that have learned ${PRIMARY}`;
  return {
    id: idOf('difference', info.id, scopeKey(scope), a.id, b.id, runs === 'all' ? undefined : runs),
    about: { statistic, scope, kind: 'difference', a: a.id, b: b.id, runs },
    statement: `${capital(info.sentence)}${within(scope)}: ${a.label} minus ${b.label}, ${which}.`,
    statistic: `${info.formula}: difference of means over seeds (${valuesA.length} and ${valuesB.length})`,
    unit: info.unit,
    estimate,
    ...(interval === undefined ? {} : { interval: jsonInterval(interval) }),
    n: { seeds: valuesA.length + valuesB.length, examples: 0 },
    ...(p === undefined ? {} : { p: p.p, pMethod: p.method }),
    ...(interval === undefined ? { reason: `no interval: ${whyUnbounded(difference)}` } : {}),
  };
}

function whyUnbounded({ valuesA, valuesB }: Difference): string {
  return Math.min(valuesA.length, valuesB.length) < 2
    ? 'a condition has fewer than two seeds'
    : 'equal values in every seed say nothing of other seeds';
}

/** Mixed minus SUM-only, and mixed minus the control, in runs that a claim at this accuracy would count. */
export function comparisonDifferences(
  evidence: Evidence,
  statistic: string,
  learnedAccuracy: number,
): Difference[] {
  const info = evidence.statistics.get(statistic);
  if (info === undefined || info.compared === false) return [];
  const counted = (condition: Condition) => ({
    condition,
    runs: condition.runs.filter((run) =>
      // the control has no SUM to learn
      condition.side === 'order-only'
        ? run.final
        : whyUnusable(run, { operation: PRIMARY, learnedAccuracy }) === undefined,
    ),
  });
  const pairs = ({ mixed, sumOnly, control }: Comparison): (readonly [Condition, Condition])[] =>
    mixed === undefined
      ? []
      : [sumOnly, control].flatMap((other) => (other === undefined ? [] : [[mixed, other]]));
  return rowsByScope(evidence.observations, statistic).flatMap(({ scope, rows }) =>
    evidence.comparisons
      .flatMap(pairs)
      .flatMap(([a, b]) => differenceOf(statistic, info, scope, rows, counted(a), counted(b)) ?? []),
  );
}

export interface FindingOptions {
  /** add differences between all conditions, all runs */
  readonly sideBySide: boolean;
  /** accuracy from which a run counts in the comparison of SUM-only with mixed */
  readonly learnedAccuracy: number;
  /** findings that a module makes itself, such as the agreement of seeds */
  readonly further?: readonly Finding[];
}

/** All exploratory findings of one module, with Benjamini-Hochberg over those that have a p. */
export function moduleFindings(
  evidence: Evidence,
  statistics: readonly string[],
  { sideBySide, learnedAccuracy, further = [] }: FindingOptions,
): Finding[] {
  const shown = statistics.filter((id) => evidence.statistics.get(id)?.detail !== true);
  const all = sideBySide
    ? shown.flatMap((id) => differencesOf(evidence, id).map((one) => differenceFinding(one, 'all')))
    : [];
  const learned = shown.flatMap((id) =>
    comparisonDifferences(evidence, id, learnedAccuracy).map((one) => differenceFinding(one, 'learned')),
  );
  return adjusted([
    ...all,
    // where every run has learned, the two are one
    ...learned.filter((one) => !all.some((other) => isSameDifference(one, other))),
    ...shown.flatMap((id) => summariesOf(evidence, id).map(meanFinding)),
    ...further,
  ]);
}

function isSameDifference(a: Finding, b: Finding): boolean {
  return (
    a.about !== undefined &&
    b.about !== undefined &&
    a.about.statistic === b.about.statistic &&
    a.about.a === b.about.a &&
    a.about.b === b.about.b &&
    a.n.seeds === b.n.seeds &&
    a.estimate === b.estimate &&
    scopeKey(a.about.scope) === scopeKey(b.about.scope)
  );
}

/** Benjamini-Hochberg over the findings that have a p. */
export function adjusted(findings: readonly Finding[]): Finding[] {
  const corrected = benjaminiHochberg(findings.flatMap(({ p }) => p ?? []));
  let at = 0;
  return findings.map((finding) =>
    finding.p === undefined ? finding : { ...finding, pAdjusted: nine(corrected[at++]) },
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function readable(value: number): string {
  return String(Number(value.toPrecision(3)) + 0);
}
