/**
 * The claims under test, typed: claims.json is the only source, fixed before the runs, and its hash is in every report.
 * Definitions of the statistics are in the modules that compute them.
 */
import raw from './claims.json' with { type: 'json' };
import type { VerdictRule } from './verdict.js';

export const CLAIM_IDS = ['C1', 'C2', 'C3', 'C4', 'C5', 'C6'] as const;
export type ClaimId = (typeof CLAIM_IDS)[number];
export const CLAIM_PART_IDS = ['C1', 'C2', 'C3a', 'C3b', 'C3c', 'C4', 'C5', 'C6'] as const;
export type ClaimPartId = (typeof CLAIM_PART_IDS)[number];

export interface ClaimPart {
  readonly id: ClaimPartId;
  /** the primary statistic T in words */
  readonly statistic: string;
  readonly unit: string;
  /** fewest usable runs a condition (C1, C2: at each size; C6: an arm and size) */
  readonly nMin: number;
  readonly rule: VerdictRule;
}

export interface Claim {
  readonly id: ClaimId;
  /** the paper's claim in our words */
  readonly text: string;
  readonly regime: 'full' | 'pairs';
  /** what must hold for the measurement to count */
  readonly assay: string;
  /** the numbers of the assay; a claim has those that it names */
  readonly assayLimits: {
    /** C1, C2: least share of runs that learned where the assay looks */
    readonly shareLearned?: number;
    /** C1: the posterior median of lambda is below it */
    readonly lapse?: number;
    /** C5: a control is recognised as a memorizer when the interval of its mean index is above it */
    readonly index?: number;
  };
  /** accuracy from which a run has learned, where it differs from LEARNED_ACCURACY */
  readonly learnedAccuracy: number;
  /** highest loss of the intact model on result tokens, nats; Infinity: the claim sets none */
  readonly mostCleanNats: number;
  /** fewest model sizes */
  readonly minimumSizes: number;
  /** B at depth 1, optimizer steps; the second budget is 4 B */
  readonly budgetSteps: number;
  readonly parts: readonly ClaimPart[];
}

/** Interval level of every claim: 1 - 0.05 / 6. */
export const CLAIMS_LEVEL: number = raw.level;
/** Accuracy on result tokens from which an operation counts as learned. */
export const LEARNED_ACCURACY: number = raw.learnedAccuracy;
/** The two budgets, as multiples of B. */
export const BUDGET_MULTIPLIERS: readonly number[] = raw.budgetMultipliers;

export const CLAIMS: readonly Claim[] = raw.claims.map((claim) => ({
  id: oneOf(CLAIM_IDS, claim.id, 'id'),
  text: claim.text,
  regime: oneOf(['full', 'pairs'] as const, claim.regime, `${claim.id}.regime`),
  assay: claim.assay,
  assayLimits: 'assayLimits' in claim ? claim.assayLimits : {},
  learnedAccuracy: 'learnedAccuracy' in claim ? claim.learnedAccuracy : LEARNED_ACCURACY,
  mostCleanNats: 'mostCleanNats' in claim ? claim.mostCleanNats : Infinity,
  minimumSizes: claim.minimumSizes,
  budgetSteps: claim.budgetSteps,
  parts: claim.parts.map((part) => ({
    id: oneOf(CLAIM_PART_IDS, part.id, `${claim.id}.parts`),
    statistic: part.statistic,
    unit: part.unit,
    nMin: part.nMin,
    rule: parseRule(part.rule, part.id),
  })),
}));

export function claimById(id: ClaimId): Claim {
  const found = CLAIMS.find((claim) => claim.id === id);
  if (found === undefined) throw new Error(`claims.json has no claim ${id}.`);
  return found;
}

export function claimPart(id: ClaimPartId): ClaimPart {
  const found = CLAIMS.flatMap((claim) => claim.parts).find((part) => part.id === id);
  if (found === undefined) throw new Error(`claims.json has no part ${id}.`);
  return found;
}

/** A number of a claim's assay. @throws when the claim has none of that name */
export function assayLimit(id: ClaimId, name: keyof Claim['assayLimits']): number {
  const limit = claimById(id).assayLimits[name];
  if (limit === undefined) throw new Error(`claims.json: ${id}.assayLimits has no ${name}.`);
  return limit;
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

/** A rule of claims.json, typed. @throws for an unknown kind or a missing number */
export function parseRule(
  rule: Readonly<Record<string, string | number | boolean | undefined>>,
  id: string,
): VerdictRule {
  const field = (name: string): number => {
    const value = rule[name];
    if (typeof value !== 'number') throw new Error(`claims.json: ${id}.rule.${name} is not a number.`);
    return value;
  };
  switch (rule['kind']) {
    case 'effect':
      return {
        kind: 'effect',
        delta: field('delta'),
        ...(rule['equivalence'] === true ? { equivalence: true } : {}),
      };
    case 'below':
      return { kind: 'below', limit: field('limit'), delta: field('delta') };
    case 'index':
      return {
        kind: 'index',
        above: field('above'),
        contradictedBelow: field('contradictedBelow'),
        delta: field('delta'),
      };
    case 'explained':
      return { kind: 'explained', within: field('within'), delta: field('delta') };
    default:
      throw new Error(
        `claims.json: ${id}.rule.kind is "${rule['kind']}", expected effect, below, index or explained.`,
      );
  }
}

function oneOf<const T extends readonly string[]>(allowed: T, value: string, field: string): T[number] {
  if (!allowed.includes(value)) {
    throw new Error(`claims.json: ${field} is "${value}", expected one of ${allowed.join(', ')}.`);
  }
  return value;
}
