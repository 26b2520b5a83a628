/** What a plan of runs came to, in short: the verdict of each part of a claim and how many of its runs there were. */
import { z } from 'zod';
import { groupBy } from './group-by.js';
import { VERDICT, type Verdict, VERDICTS, verdictText } from './verdict.js';

const count = z.int().nonnegative();

export const planVerdictsSchema = z.strictObject({
  /** name of the folder of the results */
  plan: z.string(),
  runs: count,
  finished: count,
  parts: z.array(
    z.strictObject({
      claim: z.string(),
      part: z.string(),
      verdict: z.enum(VERDICTS),
      /** before the planned seeds, or before all runs of the plan that the part is about */
      interim: z.boolean(),
      /** of the plan, that the part is about */
      runs: count,
      finished: count,
    }),
  ),
});
export type PlanVerdicts = Readonly<z.infer<typeof planVerdictsSchema>>;

/** `C1a and C2a supported; C3a contradicted`: the decided parts, in the order of VERDICTS; empty when none is. */
export function decidedInWords(
  parts: readonly { readonly part: string; readonly verdict: Verdict; readonly interim: boolean }[],
): string {
  const groups = groupBy(
    parts.filter(({ verdict }) => verdict !== VERDICT.tooFew),
    verdictText,
  );
  const order = (text: string): number => VERDICTS.findIndex((word) => text.startsWith(word));
  return [...groups]
    .sort(([a], [b]) => order(a) - order(b) || (a < b ? -1 : 1))
    .map(([verdict, own]) => `${listed(own.map(({ part }) => part))} ${verdict}`)
    .join('; ');
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}
