/**
 * The one schema of report.json: its runtime check, and the types inferred from it. No clock, host or path may appear in a
 * report; the page is a pure function of it.
 */
import { z } from 'zod';
import { claimResultSchema } from '../evidence/claims.js';
import { planVerdictsSchema } from '../evidence/plan-verdicts.js';
import { findingSchema, measured } from '../evidence/finding.js';
import { observationSchema, statisticInfoSchema } from '../evidence/statistic.js';
import { RUN_ENDS, subjectSchema } from '../evidence/subject.js';
import type { Json } from '../io/json.js';
import { specProblem } from './spec-limits.js';

export type { Finding, Interval } from '../evidence/finding.js';
export type { Subject } from '../evidence/subject.js';
export type { Json } from '../io/json.js';

const json: z.ZodType<Json> = z.json();
const text = z.string();
const count = z.int().nonnegative();
const fraction = z.number().min(0).max(1);
const named = <T extends z.ZodType>(value: T) => z.record(text, value);
const list = <T extends z.ZodType>(item: T): z.ZodType<readonly z.output<T>[]> => z.array(item);

/** A numeric array in JSON: row-major, 9 significant digits, non-finite numbers as "NaN", "Infinity", "-Infinity". */
export interface JsonArray {
  readonly [key: string]: Json;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}

const chartSchema = z.strictObject({
  /** unique in its module, kebab-case; fixed, so that equal input gives equal bytes */
  id: text.regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  title: text,
  /** number of samples, control drawn */
  subtitle: text,
  /** what a reader who cannot see the chart should know: the numbers, in sentences */
  summary: text,
  /** the chart belongs on the first screen */
  headline: z.boolean().exactOptional(),
  /** Vega-Lite v6 specification without $schema, config, width of the page or theme; data inline */
  spec: named(json).superRefine((spec, context) => {
    const problem = specProblem(spec);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  }),
  table: z.strictObject({ columns: list(text), rows: list(list(z.union([text, z.number()]))) }),
});
/** A Vega-Lite chart built from a typed result. */
export type ChartSpec = Readonly<z.infer<typeof chartSchema>>;

export const moduleReportSchema = z.strictObject({
  version: count,
  title: text,
  question: text,
  /** absent: what its statistics say of themselves */
  text: z.strictObject({ shows: text, doesNotShow: text, method: text }).exactOptional(),
  options: named(json),
  status: z.enum(['ok', 'failed', 'incompatible']),
  reason: text.exactOptional(),
  /** subjects that this module left out, with the reason */
  leftOut: list(z.strictObject({ subject: text, reason: text })),
  /** what its numbers are; the numbers themselves are among the observations of the report */
  statistics: list(statisticInfoSchema),
  findings: list(findingSchema),
  charts: list(chartSchema),
});
export type ModuleReport = Readonly<z.infer<typeof moduleReportSchema>>;

const trainingSchema = z.strictObject({
  run: text.min(1),
  condition: text,
  label: text,
  seed: z.int(),
  parameters: count,
  end: z.enum(RUN_ENDS),
  /** at most 200 points a curve */
  points: list(
    z.strictObject({
      step: count,
      trainLossNats: measured.exactOptional(),
      /** accuracy on result tokens, by operation */
      accuracy: named(fraction).exactOptional(),
      lossByRole: named(measured).exactOptional(),
      /** SUM result right modulo each divisor of n */
      divisorAccuracy: named(fraction).exactOptional(),
    }),
  ),
  /** last evaluation by operation, arity and hold-out, with intervals */
  final: list(
    z.strictObject({
      operation: text,
      arity: count,
      held: z.boolean(),
      correct: count,
      total: count,
      accuracy: fraction,
      low: fraction,
      high: fraction,
      chance: fraction,
      enumerated: z.boolean(),
    }),
  ),
});
/** Learning curves and final accuracies of one run, downsampled. */
export type TrainingRecord = Readonly<z.infer<typeof trainingSchema>>;

export const reportSchema = z.strictObject({
  schemaVersion: z.literal(2),
  /** `claims`: the paper's claims first; `comparison`: the reader's own conditions first */
  kind: z.enum(['claims', 'comparison']),
  title: text,
  /** what its author wrote for readers; plain text, paragraphs by line */
  notes: text.exactOptional(),
  subjects: list(subjectSchema),
  /** every number of every checkpoint */
  observations: list(observationSchema),
  /** decided from subjects and observations alone */
  claims: list(claimResultSchema),
  /** what another plan of runs came to, which is none of these; `href` is its page, seen from this one */
  beside: planVerdictsSchema.extend({ href: text.regex(/^\.\.\/[\w.-]+\/index\.html$/) }).exactOptional(),
  training: list(trainingSchema),
  modules: named(moduleReportSchema),
  provenance: z.strictObject({
    /** package version */
    version: text,
    /** the command line that makes the report; no folders in it */
    command: text.exactOptional(),
    claimsSha256: text,
    configs: named(json),
    engines: named(list(text)),
    /** mutual information of one operand with the result, by regime and operation, nats */
    dataNotes: list(text),
  }),
});
export type Report = Readonly<z.infer<typeof reportSchema>>;
