/** What came of a claim: the statistic, its interval and the verdict, for tables, pages and readers of report.json. */
import { z } from 'zod';
import { VERDICTS } from './verdict.js';
import { intervalSchema } from './finding.js';

export const claimResultSchema = z.strictObject({
  /** `C3` */
  claim: z.string(),
  /** `C3a`; absent: the claim as a whole */
  part: z.string().exactOptional(),
  /** where it was decided: `pairs, modulus 10, depth 1, 2 to 3 operands, d=16, 16,000 steps` */
  place: z.string(),
  /** the primary statistic in words */
  statistic: z.string(),
  unit: z.string(),
  /** absent: not computed, or, with a bound, beyond the sizes tested */
  estimate: z.number().exactOptional(),
  /** the estimate is known only to lie above or below this */
  bound: z.strictObject({ side: z.enum(['above', 'below']), value: z.number() }).exactOptional(),
  interval: intervalSchema.exactOptional(),
  p: z.number().exactOptional(),
  pMethod: z.string().exactOptional(),
  verdict: z.enum(VERDICTS),
  reason: z.string(),
  notes: z.array(z.string()),
  /** decided before the planned number of seeds was there */
  interim: z.boolean(),
  seedsNeeded: z.int().exactOptional(),
  /** what was counted: runs that count, of all there are, and how many were planned */
  counts: z.array(
    z.strictObject({
      condition: z.string(),
      usable: z.int(),
      runs: z.int(),
      planned: z.int(),
    }),
  ),
});
/** One row of the table of claims. */
export type ClaimResult = Readonly<z.infer<typeof claimResultSchema>>;
