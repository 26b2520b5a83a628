/**
 * The claims under test, typed: claims.json is the only source, fixed before the runs, and its hash is in every report.
 * Each part names a statistic, a scope, what is compared, and the one place (modulus, width, depth, operands, regime, budget)
 * where it is decided; everything else is exploratory.
 */
import { z } from 'zod';
import raw from './claims.json' with { type: 'json' };
import { scopeSchema } from './scope.js';
import { START_KINDS } from './subject.js';

const statisticName = z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+$/);
const side = z.enum(['SUM-only', 'mixed']);

const placeSchema = z.strictObject({
  regime: z.enum(['full', 'pairs']),
  modulus: z.int(),
  depth: z.int(),
  operands: z.tuple([z.int(), z.int()]),
  /** one width */
  dModel: z.int().exactOptional(),
  /** the widths of a stratified comparison */
  dModels: z.array(z.int()).exactOptional(),
  /** seeds from this one on count: those before were looked at when the sizes were chosen */
  firstSeed: z.int().exactOptional(),
  /** B, optimizer steps; the second budget is a multiple of it */
  steps: z.int(),
});

const sampleSchema = z.strictObject({ side, statistic: statisticName, scope: scopeSchema.exactOptional() });

const armSchema = z.strictObject({
  name: z.string(),
  tasks: z.array(z.string()).min(1),
  /** the operation that has to be learned; default SUM */
  operation: z.string().exactOptional(),
  /** standard deviation of the token embeddings at the start; default the usual one */
  embeddingInit: z.number().exactOptional(),
  /** how training began; default from scratch */
  start: z.strictObject({ kind: z.enum(START_KINDS), tasks: z.string().exactOptional() }).exactOptional(),
});

const assaySchema = z.strictObject({
  /** index of the arm: 0 is `of`, 1 the first of `minus` */
  arm: z.int(),
  /** least share of runs that learned */
  shareLearned: z.number(),
  at: z.enum(['largest', 'best']),
  /** the posterior median of the share that never learns is below it */
  lapse: z.number().exactOptional(),
});

/** What else is asked of a run that counts: a number of at most so much. */
const asksSchema = z.array(z.strictObject({ statistic: statisticName, most: z.number(), words: z.string() }));

const evidenceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('difference'),
    of: sampleSchema,
    minus: sampleSchema,
    asks: asksSchema.exactOptional(),
    /** the same difference in another scope: excluding 0 on the other side it takes the verdict back */
    withdrawnBy: z
      .strictObject({ statistic: statisticName, scope: scopeSchema, words: z.string() })
      .exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('mean'),
    of: sampleSchema,
    asks: asksSchema.exactOptional(),
    /** the values lie between these; a bounded-mean interval is taken */
    bounds: z.tuple([z.number(), z.number()]).exactOptional(),
    /** runs in which the statistic must be seen to work */
    control: z
      .strictObject({
        /** any of these conditions */
        tasks: z.array(z.array(z.string())),
        statistic: statisticName,
        /** its interval must be above this */
        above: z.number(),
        /** must be 0 in every run that counts, controls too */
        leaks: statisticName,
        /** where its null has a p, no control may be right beyond luck */
        luck: statisticName,
      })
      .exactOptional(),
  }),
  z.strictObject({
    kind: z.literal('threshold'),
    minimumSizes: z.int(),
    of: armSchema,
    /** the greatest of their thresholds is subtracted */
    minus: z.array(armSchema).min(1),
    assay: assaySchema,
    /** the same difference with budgets of equal numbers of SUM examples: the opposite sign takes the verdict back */
    secondary: z.literal('equal examples').exactOptional(),
    /** (alone - of `minus`) at the usual start minus (of - joint) at the larger one */
    interaction: z.strictObject({ alone: armSchema, joint: armSchema }).exactOptional(),
  }),
  z.strictObject({ kind: z.literal('proportion'), of: armSchema, minus: armSchema }),
]);

const ruleSchema = z.discriminatedUnion('kind', [
  /** T is oriented so that the claim predicts T > 0; delta is the smallest effect worth the claim */
  z.strictObject({
    kind: z.literal('effect'),
    delta: z.number(),
    /** delta, or this where delta is 0, sets how narrow an interval must be to decide */
    width: z.number().exactOptional(),
    /** an interval within delta of 0 on both sides is named equivalence, beside the verdict */
    equivalence: z.literal(true).exactOptional(),
  }),
  /** the claim is that T is below `limit` (C3c) */
  z.strictObject({ kind: z.literal('below'), limit: z.number(), delta: z.number() }),
  /** the claim is that T is above `above`; below `contradictedBelow` it is refuted (C5) */
  z.strictObject({
    kind: z.literal('index'),
    above: z.number(),
    contradictedBelow: z.number(),
    delta: z.number(),
  }),
  /** another cause explains an effect (M1, M2): supported if the interval lies within `within` of 0, or below; contradicted above */
  z.strictObject({ kind: z.literal('explained'), within: z.number(), delta: z.number() }),
]);

const partSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  /** the primary statistic T in words */
  statistic: z.string(),
  unit: z.string(),
  place: placeSchema,
  /** fewest usable runs a condition (thresholds: at each size; proportions: an arm and size) */
  nMin: z.int(),
  /** seeds that were planned: before, a verdict is interim */
  seeds: z.int(),
  rule: ruleSchema,
  evidence: evidenceSchema,
});

const claimSchema = z.strictObject({
  id: z.string(),
  /** the paper's claim in our words, or one of our own */
  origin: z.enum(['paper', 'own']),
  text: z.string(),
  /** what must hold for the measurement to count */
  assay: z.string(),
  /** accuracy from which a run has learned, where it differs from the file's */
  learnedAccuracy: z.number().exactOptional(),
  /** the claim holds if all its parts do; absent: its parts stand by themselves */
  whole: z.literal('all parts').exactOptional(),
  parts: z.array(partSchema).min(1),
});

const fileSchema = z.strictObject({
  schemaVersion: z.literal(2),
  source: z.string(),
  level: z.number(),
  learnedAccuracy: z.number(),
  budgetMultipliers: z.array(z.int()),
  /** the usual standard deviation of the token embeddings at the start */
  smallStart: z.number(),
  claims: z.array(claimSchema),
});

export type Claim = Readonly<z.infer<typeof claimSchema>>;
export type ClaimPart = Readonly<z.infer<typeof partSchema>>;
export type ClaimPlace = ClaimPart['place'];
export type ClaimArm = Readonly<z.infer<typeof armSchema>>;
export type ClaimSample = Readonly<z.infer<typeof sampleSchema>>;
export type ClaimEvidence = ClaimPart['evidence'];
export type EvidenceOf<K extends ClaimEvidence['kind']> = Extract<ClaimEvidence, { kind: K }>;

const file = fileSchema.parse(raw);

export const CLAIMS: readonly Claim[] = file.claims;
/** Interval level of every claim: 1 - 0.05 / 6. */
export const CLAIMS_LEVEL: number = file.level;
/** Accuracy on result tokens from which an operation counts as learned. */
export const LEARNED_ACCURACY: number = file.learnedAccuracy;
/** The two budgets, as multiples of B. */
export const BUDGET_MULTIPLIERS: readonly number[] = file.budgetMultipliers;
export const SMALL_START: number = file.smallStart;

export function claimById(id: string): Claim {
  const found = CLAIMS.find((claim) => claim.id === id);
  if (found === undefined) throw new Error(`claims.json has no claim ${id}.`);
  return found;
}

export function claimPart(id: string): ClaimPart {
  const found = CLAIMS.flatMap((claim) => claim.parts).find((part) => part.id === id);
  if (found === undefined) throw new Error(`claims.json has no part ${id}.`);
  return found;
}

/** The text whose SHA-256 identifies the claims in a report: keys sorted, no spaces, so that layout does not matter. */
export function canonicalClaims(): string {
  return canonical(raw);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}
