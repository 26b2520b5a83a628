/**
 * The runtime check of report.json, the same shape as schema.ts (the compiler compares the two), and its JSON schema.
 * Errors are one line that names the place in the document.
 */
import { z } from 'zod';
import { claimResultSchema } from '../evidence/claims.js';
import { planVerdictsSchema } from '../evidence/plan-verdicts.js';
import { findingSchema } from '../evidence/finding.js';
import { type Observation, observationSchema, statisticInfoSchema } from '../evidence/statistic.js';
import { subjectSchema } from '../evidence/subject.js';
import { printable, UserError } from '../errors.js';
import { parseJsonStrict } from '../io/json.js';
import { specProblem } from './spec-limits.js';
import { type Json, MODULE_STATUSES, REPORT_KINDS, type ModuleReport, type Report } from './schema.js';

/** Larger files than any report: a result of 10^6 numbers has about 15 MB. */
const MAX_CHARACTERS = 256 * 1024 * 1024;
const MAX_VALUES = 20_000_000;

const json: z.ZodType<Json> = z.json();
const count = z.int().nonnegative();
const fraction = z.number().min(0).max(1);
/** a number, or the string of a non-finite one */
const measured = z.union([z.number(), z.enum(['NaN', 'Infinity', '-Infinity'])]);
const named = <T extends z.ZodType>(value: T) => z.record(z.string(), value);

const chart = z.strictObject({
  id: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  title: z.string(),
  subtitle: z.string(),
  summary: z.string(),
  headline: z.boolean().exactOptional(),
  spec: named(json).superRefine((spec, context) => {
    const problem = specProblem(spec);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  }),
  table: z.strictObject({
    columns: z.array(z.string()),
    rows: z.array(z.array(z.union([z.string(), z.number()]))),
  }),
});

const moduleReport = z.strictObject({
  version: count,
  title: z.string(),
  question: z.string(),
  text: z.strictObject({ shows: z.string(), doesNotShow: z.string(), method: z.string() }).exactOptional(),
  options: named(json),
  status: z.enum(MODULE_STATUSES),
  reason: z.string().exactOptional(),
  leftOut: z.array(z.strictObject({ subject: z.string(), reason: z.string() })),
  statistics: z.array(statisticInfoSchema),
  findings: z.array(findingSchema),
  charts: z.array(chart),
});

const training = z.strictObject({
  run: z.string().min(1),
  condition: z.string(),
  label: z.string(),
  seed: z.int(),
  parameters: count,
  end: z.enum(['solved', 'budget', 'diverged', 'interrupted', 'running']),
  points: z.array(
    z.strictObject({
      step: count,
      trainLossNats: measured.exactOptional(),
      accuracy: named(fraction).exactOptional(),
      lossByRole: named(measured).exactOptional(),
      divisorAccuracy: named(fraction).exactOptional(),
    }),
  ),
  final: z.array(
    z.strictObject({
      operation: z.string(),
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

const reportSchema = z.strictObject({
  schemaVersion: z.literal(2),
  kind: z.enum(REPORT_KINDS),
  title: z.string(),
  notes: z.string().exactOptional(),
  subjects: z.array(subjectSchema),
  observations: z.array(observationSchema),
  claims: z.array(claimResultSchema),
  beside: planVerdictsSchema
    .extend({ href: z.string().regex(/^\.\.\/[\w.-]+\/index\.html$/) })
    .exactOptional(),
  training: z.array(training),
  modules: named(moduleReport),
  provenance: z.strictObject({
    version: z.string(),
    command: z.string().exactOptional(),
    claimsSha256: z.string(),
    configs: named(json),
    engines: named(z.array(z.string())),
    dataNotes: z.array(z.string()),
  }),
});

/**
 * A report from its text.
 * @param where - file name for messages
 * @throws UserError: not JSON, not a report, or two subjects with one id
 */
export function parseReport(text: string | Uint8Array, where: string): Report {
  const value = parseJsonStrict(text, { where, maxLength: MAX_CHARACTERS, maxValues: MAX_VALUES });
  return checkReport(value, where);
}

/** The same for a value that is parsed already. */
export function checkReport(value: unknown, where: string): Report {
  const parsed = reportSchema.safeParse(value);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const remedy = 'Write the report again with "sumlens compare".';
    throw new UserError(
      `${printable(where, 300)}: ${placeOf(first.path)}: ${printable(first.message, 300)}. ${remedy}`,
    );
  }
  // the compiler checks here that schema.ts and the runtime check agree
  const report: Report = parsed.data;
  const seen = new Set<string>();
  for (const [i, { id }] of report.subjects.entries()) {
    if (seen.has(id))
      throw new UserError(
        `${printable(where, 300)}: subjects[${i}].id: "${printable(id)}" occurs twice. Name each checkpoint once.`,
      );
    seen.add(id);
  }
  return report;
}

/**
 * One module's part of a report, for modules that are not our own.
 * @throws UserError naming the place
 */
export function checkModuleReport(value: unknown, where: string): ModuleReport {
  const parsed = moduleReport.safeParse(value);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new UserError(`${printable(where, 300)}: ${placeOf(first.path)}: ${printable(first.message, 300)}.`);
}

/**
 * Numbers of a module that is not our own.
 * @throws UserError naming the place
 */
export function checkObservations(value: unknown, where: string): Observation[] {
  const parsed = z.array(observationSchema).safeParse(value);
  if (parsed.success) return parsed.data;
  const [first] = parsed.error.issues;
  throw new UserError(
    `${printable(where, 300)}: observations${placeOf(first.path)}: ${printable(first.message, 300)}.`,
  );
}

/** `modules.ablation.findings[2].p` */
function placeOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'the document';
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = printable(String(key));
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/** JSON Schema (draft 2020-12) of report.json. */
export function reportJsonSchema(): Json {
  return z.toJSONSchema(reportSchema) as Json;
}
