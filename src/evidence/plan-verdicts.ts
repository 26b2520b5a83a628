/** What a plan of runs came to, in short: the verdict of each part of a claim and how many of its runs there were. */
import { z } from 'zod';
import { VERDICTS } from './verdict.js';

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
