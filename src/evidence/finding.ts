/** One number with what is said of it, for tables and for readers of report.json. */
import { z } from 'zod';
import type { IntervalEstimate } from '../analysis/statistics/intervals.js';
import { VERDICTS } from './verdict.js';
import { scopeSchema } from './scope.js';
import { nine } from './statistic.js';

/** a number, or the string of a non-finite one */
export const measured = z.union([z.number(), z.literal(['NaN', 'Infinity', '-Infinity'])]);

export const intervalSchema = z.strictObject({
  low: measured,
  high: measured,
  /** confidence level in (0, 1) */
  level: z.number().gt(0).lt(1),
  /** `Welch t over seeds`, `Wilson`, ... */
  method: z.string(),
});
export type Interval = Readonly<z.infer<typeof intervalSchema>>;

/** What a finding is about, as data: nothing has to be read out of its sentence. */
export const aboutSchema = z.strictObject({
  /** `<module>/<statistic>` */
  statistic: z.string(),
  scope: scopeSchema,
  /** `mean`: of `a`; `difference`: of `a` minus `b` */
  kind: z.enum(['mean', 'difference']),
  /** condition ids */
  a: z.string(),
  b: z.string().exactOptional(),
  /** which runs: all, those that have learned SUM, those that have not */
  runs: z.enum(['all', 'learned', 'unlearned']),
});

export const findingSchema = z.strictObject({
  id: z.string().min(1),
  /** C1..., with a part such as `C3a`; absent: exploratory */
  claim: z.string().exactOptional(),
  about: aboutSchema.exactOptional(),
  statement: z.string(),
  statistic: z.string(),
  unit: z.string(),
  /** absent when it could not be computed; `reason` then says why */
  estimate: measured.exactOptional(),
  interval: intervalSchema.exactOptional(),
  n: z.strictObject({ seeds: z.int().nonnegative(), examples: z.int().nonnegative() }),
  p: z.number().min(0).max(1).exactOptional(),
  pMethod: z.string().exactOptional(),
  /** Benjamini-Hochberg within the module, exploratory findings only */
  pAdjusted: z.number().min(0).max(1).exactOptional(),
  /** only from the one verdict function, only with a claim */
  verdict: z.enum(VERDICTS).exactOptional(),
  reason: z.string().exactOptional(),
});
export type Finding = Readonly<z.infer<typeof findingSchema>>;

/** An interval as report.json holds it. */
export function jsonInterval({ low, high, level, method }: Omit<IntervalEstimate, 'estimate'>): Interval {
  return { low: boundOf(low), high: boundOf(high), level, method };
}

function boundOf(value: number): Interval['low'] {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  return nine(value);
}
