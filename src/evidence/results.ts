/** Rows of the table of claims: what every kind of evidence gives, and the claim as a whole. */
import { combineParts, type VerdictDecision } from './verdict.js';
import type { Claim, ClaimPart, ClaimPlace } from './claims-file.js';
import type { ClaimResult } from './claims.js';

/** What came of one part, before it has its name. */
export interface Decided
  extends
    Pick<ClaimResult, 'place' | 'counts'>,
    Partial<Pick<ClaimResult, 'estimate' | 'bound' | 'interval' | 'p' | 'pMethod'>> {
  readonly decision: VerdictDecision;
}

/** What the verdict function asks for, to say that a verdict is interim. */
export function plannedOf(counts: Decided['counts']): { condition: string; made: number; planned: number }[] {
  return counts.map(({ condition, runs, planned }) => ({ condition, made: runs, planned }));
}

export function resultOf(claim: Claim, part: ClaimPart, { decision, ...rest }: Decided): ClaimResult {
  const { verdict, reason, notes, seedsNeeded, interim = false } = decision;
  return {
    claim: claim.id,
    part: part.id,
    statistic: part.statistic,
    unit: part.unit,
    ...rest,
    verdict,
    reason,
    notes: [...notes],
    interim,
    ...(seedsNeeded === undefined ? {} : { seedsNeeded }),
  };
}

/** A claim that holds if all its parts do. @param rows - of its parts */
export function decideWhole(claim: Claim, rows: readonly ClaimResult[]): ClaimResult {
  const {
    verdict,
    reason,
    notes,
    interim = false,
  } = combineParts(
    rows.map((row) => ({ name: row.part ?? claim.id, verdict: row.verdict, interim: row.interim })),
  );
  return {
    claim: claim.id,
    place: '',
    statistic: `parts ${rows.map((row) => row.part).join(', ')} together`,
    unit: '1',
    verdict,
    reason,
    notes: [...notes],
    interim,
    counts: [],
  };
}

/** `regime pairs, modulus 10, depth 1, 2 to 3 operands, d=16, 16,000 steps` */
export function stepsText(place: ClaimPlace, steps: number): string {
  const { regime, modulus, depth, operands, dModel, dModels } = place;
  const [fewest, most] = operands;
  return [
    `regime ${regime}`,
    `modulus ${modulus}`,
    `depth ${depth}`,
    fewest === most ? `${most} operands` : `${fewest} to ${most} operands`,
    ...(dModel === undefined ? [] : [`d=${dModel}`]),
    ...(dModels === undefined ? [] : [`d=${dModels.join(', ')}`]),
    `${grouped(steps)} steps`,
  ].join(', ');
}

/** `16,000`; independent of the machine's locale. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
