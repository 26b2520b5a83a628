/**
 * From a measurement to rows of one table. A module says what its numbers are; means, intervals, p values, differences,
 * series, pictures, sentences and columns come from here, the same for every module.
 */
import { z } from 'zod';
import type { Scope } from './scope.js';
import { SCOPE_KEYS, scopeSchema } from './scope.js';

/** What a number is counted in; `1` has no dimension. */
export const UNITS = ['1', 'accuracy', 'nats', 'octaves', 'log ratio', 'steps', 'bits'] as const;
export type Unit = (typeof UNITS)[number];

/**
 * What p is of: the model's own null (numbers permuted), the mean over seeds against 0 (t test), or nothing.
 */
export const TESTS = ['own-null', 'against-0'] as const;
export type Test = (typeof TESTS)[number];

/** What chance gives for this one model. */
export const nullSchema = z.strictObject({
  mean: z.number(),
  /** 95th percentile of the null */
  high: z.number().exactOptional(),
  p: z.number().min(0).max(1).exactOptional(),
  /** values equal to the observed one count half; joined over seeds by Stouffer's method */
  midP: z.number().min(0).max(1).exactOptional(),
});
export type NullNumbers = z.infer<typeof nullSchema>;

/** One number of one model. */
export interface StatisticRow {
  readonly scope?: Scope;
  readonly value: number;
  readonly null?: NullNumbers;
  /** the same number where nothing is to be found: the model before training, an equal random disturbance */
  readonly control?: number;
  /** what it was measured on: prompts, result tokens, numbers */
  readonly examples?: number;
}

/** What a statistic is, without how it is computed: what report.json holds of it. */
export const statisticInfoSchema = z.strictObject({
  /** kebab-case, unique in its module; `<module>/<id>` is its name elsewhere */
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  /** for an axis and the head of a column: `Order of the numbers as named` */
  title: z.string(),
  /** what is computed: `Spearman(d2, |i - j|)` */
  formula: z.string(),
  unit: z.enum(UNITS),
  /** one clause that a newcomer understands, for tables and the line under a picture */
  sentence: z.string(),
  tested: z.enum(TESTS).exactOptional(),
  /** how p was computed, for `own-null` */
  testMethod: z.string().exactOptional(),
  /** differences between conditions are of interest; default true */
  compared: z.boolean().exactOptional(),
  /** which runs its means are over; default `all`: learned and unlearned ones apart */
  counts: z.enum(['all', 'learned']).exactOptional(),
  /** what `control` is: `before training` */
  controlName: z.string().exactOptional(),
  /** kept in the table, for claims and pictures of the module's own; no finding, difference or picture by itself */
  detail: z.literal(true).exactOptional(),
  /** the axes of a map of its differences between two conditions: where they differ */
  map: z
    .strictObject({ x: z.array(z.enum(SCOPE_KEYS)).readonly(), y: z.array(z.enum(SCOPE_KEYS)).readonly() })
    .exactOptional(),
  /** value of no effect, drawn as a line */
  reference: z.number().exactOptional(),
  /**
   * what its definition lets a value be, where it bounds it: intervals are limited to it. `null mean`: what chance gives is
   * the most possible, such as the entropy of uniform attention
   */
  range: z
    .strictObject({
      low: z.number().exactOptional(),
      high: z.union([z.number(), z.literal('null mean')]).exactOptional(),
    })
    .exactOptional(),
});
export type StatisticInfo = Readonly<z.infer<typeof statisticInfoSchema>>;

/** What most definitions let a value be. */
export const RANGES = {
  /** shares, accuracies, probabilities */
  share: { low: 0, high: 1 },
  /** differences of shares, correlations, cosines */
  signed: { low: -1, high: 1 },
  /** losses, norms, counts */
  positive: { low: 0 },
} as const satisfies Readonly<Record<string, StatisticInfo['range']>>;

/** @typeParam M - what `measure` of the module returns */
export interface Statistic<M> extends StatisticInfo {
  /** Pure. Rows of one checkpoint, one for each scope; none where it does not apply. */
  readonly of: (measurement: M) => readonly StatisticRow[];
}

/** A row of the table that `measure` of a module makes, with the id of its statistic. */
export interface NamedRow<Id extends string = string> extends StatisticRow {
  readonly statistic: Id;
}

/** Gathers the rows of one checkpoint while it is measured, with nine digits. */
export class Rows<Id extends string> {
  readonly all: NamedRow<Id>[] = [];

  /** Leaves out what is not there or not finite: the row, or its control alone. */
  add(statistic: Id, scope: Scope, value: number | undefined, rest: Omit<RowNumbers, 'value'> = {}): void {
    if (value === undefined || !Number.isFinite(value)) return;
    this.all.push({ statistic, scope, ...rowNumbers({ ...rest, value }) });
  }
}

/** Statistics whose rows `measure` makes. */
export function ofRows<Id extends string>(
  infos: readonly (StatisticInfo & { readonly id: Id })[],
): Statistic<{ readonly rows: readonly NamedRow<Id>[] }>[] {
  return infos.map((info) => ({
    ...info,
    of: ({ rows }) => rows.filter(({ statistic }) => statistic === info.id),
  }));
}

export const observationSchema = z.strictObject({
  /** subject id */
  subject: z.string().min(1),
  /** `<module>/<statistic>` */
  statistic: z.string().min(3),
  scope: scopeSchema,
  value: z.number(),
  null: nullSchema.exactOptional(),
  control: z.number().exactOptional(),
  examples: z.int().nonnegative().exactOptional(),
});
/** One row of the tidy table: a number of one checkpoint. */
export type Observation = Readonly<z.infer<typeof observationSchema>>;

/** The metadata alone. */
export function infoOf<M>(statistic: Statistic<M>): StatisticInfo {
  const { of: _of, ...info } = statistic;
  return info;
}

/**
 * Rows of one checkpoint. Values are kept at nine significant digits, as report.json holds them, so that whatever is
 * computed from the table does not depend on whether it went through a file. Rows that are not finite are left out.
 */
export function observe<M>(
  module: string,
  statistics: readonly Statistic<M>[],
  subject: string,
  measurement: M,
): Observation[] {
  return statistics.flatMap((statistic) =>
    statistic
      .of(measurement)
      .filter(({ value }) => Number.isFinite(value))
      .map((row): Observation => ({
        subject,
        statistic: `${module}/${statistic.id}`,
        scope: row.scope ?? {},
        ...rowNumbers(row),
      })),
  );
}

interface RowNumbers {
  readonly value: number;
  readonly null?: NullNumbers | undefined;
  readonly control?: number | undefined;
  readonly examples?: number | undefined;
}

function rowNumbers({ value, null: own, control, examples }: RowNumbers): Omit<StatisticRow, 'scope'> {
  return {
    value: nine(value),
    ...(own === undefined ? {} : { null: roundedNull(own) }),
    ...(control === undefined || !Number.isFinite(control) ? {} : { control: nine(control) }),
    ...(examples === undefined ? {} : { examples }),
  };
}

function roundedNull(own: NullNumbers): NullNumbers {
  const given = Object.entries(own).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([key, value]) => [key, nine(value)])) as NullNumbers;
}

/** Nine significant digits; -0 as 0. */
export function nine(value: number): number {
  return Number(value.toPrecision(9)) + 0;
}
