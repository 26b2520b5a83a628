/** Reads what a sweep below a folder of reports came to, for reports that show it beside their own verdicts. */
import { join } from 'node:path';
import { type PlanVerdicts, planVerdictsSchema } from '../evidence/plan-verdicts.js';
import { exists, readText } from '../io/files.js';
import { parseJsonStrict } from '../io/json.js';

/** Beside results.jsonl. */
export const VERDICTS_FILE = 'verdicts.json';
const MOST_BYTES = 1 << 20;

/** Undefined where there is none that can be read, or no page to link to: what is beside a report never keeps it from being made. */
export function readPlanVerdicts(
  reportsDir: string,
  name: string,
): (PlanVerdicts & { readonly href: string }) | undefined {
  const folder = join(reportsDir, name);
  const file = join(folder, VERDICTS_FILE);
  if (!exists(file) || !exists(join(folder, 'index.html'))) return undefined;
  try {
    const found = planVerdictsSchema.safeParse(parseJsonStrict(readText(file, MOST_BYTES), { where: file }));
    return found.success ? { ...found.data, href: `../${name}/index.html` } : undefined;
  } catch {
    return undefined;
  }
}
