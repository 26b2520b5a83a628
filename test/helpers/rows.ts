/** Rows of a measurement by statistic and scope. */
import { isWithin, type Scope, scopeText } from '../../src/evidence/scope.js';
import type { NamedRow, Observation, StatisticInfo } from '../../src/evidence/statistic.js';

export interface HasRows<Id extends string = string> {
  readonly rows: readonly NamedRow<Id>[];
}

export function rowsOf<Id extends string>(
  { rows }: HasRows<Id>,
  statistic: Id,
  scope: Scope = {},
): NamedRow<Id>[] {
  return rows.filter((row) => row.statistic === statistic && isWithin(row.scope ?? {}, scope));
}

/** @throws Error where there is none */
export function rowOf<Id extends string>(from: HasRows<Id>, statistic: Id, scope: Scope = {}): NamedRow<Id> {
  const [row] = rowsOf(from, statistic, scope);
  if (row === undefined) throw new Error(`no row of ${statistic} with ${JSON.stringify(scope)}`);
  return row;
}

export function valueOf<Id extends string>(from: HasRows<Id>, statistic: Id, scope: Scope = {}): number {
  return rowOf(from, statistic, scope).value;
}

/** The frequency of the largest share over its isotropic share. */
export function peakFrequency(from: HasRows): number {
  const ratio = ({ value, control = NaN }: NamedRow): number => value / control;
  const all = rowsOf(from, 'fourier-share');
  return all.reduce((best, row) => (ratio(row) > ratio(best) ? row : best)).scope?.frequency ?? NaN;
}

/** Nine digits of numbers of float32 weights. */
const SLACK = 1e-6;

/** What a value or its control is beyond what its statistic says it can be, in words; undefined: nothing. */
export function outOfRange(
  info: StatisticInfo | undefined,
  { statistic, scope, value, control, null: own }: Observation,
): string | undefined {
  const { low = -Infinity, high = Infinity } = info?.range ?? {};
  const most = high === 'null mean' ? (own?.mean ?? Infinity) : high;
  const wrong = [value, control ?? value].find((x) => x < low - SLACK || x > most + SLACK);
  return wrong === undefined
    ? undefined
    : `${statistic} ${scopeText(scope)}: ${wrong}, outside ${low} to ${most}`;
}
