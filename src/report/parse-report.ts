/** The runtime check of report.json, and its JSON schema. Errors are one line that names the place in the document. */
import { z } from 'zod';
import { type Observation, observationSchema } from '../evidence/statistic.js';
import { printable, UserError } from '../errors.js';
import { parseJsonStrict } from '../io/json.js';
import { type Json, type ModuleReport, moduleReportSchema, type Report, reportSchema } from './schema.js';

/** Larger files than any report: a result of 10^6 numbers has about 15 MB. */
const MAX_CHARACTERS = 256 * 1024 * 1024;
const MAX_VALUES = 20_000_000;

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
  const report = checked(reportSchema, value, where, '', ' Write the report again with "sumlens compare".');
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
  return checked(moduleReportSchema, value, where);
}

/**
 * Numbers of a module that is not our own.
 * @throws UserError naming the place
 */
export function checkObservations(value: unknown, where: string): Observation[] {
  return checked(z.array(observationSchema), value, where, 'observations');
}

/** @param within - what the value is of, before the place in it */
function checked<T>(schema: z.ZodType<T>, value: unknown, where: string, within = '', remedy = ''): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new UserError(
    `${printable(where, 300)}: ${within}${placeOf(path)}: ${printable(message, 300)}.${remedy}`,
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
