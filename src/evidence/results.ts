/** Rows of the table of claims: what every kind of evidence gives, and the claim as a whole. */
import { combineParts, type VerdictDecision } from '../analysis/verdict.js';
import type { Claim, ClaimPart, ClaimPlace } from './claims-file.js';
import type { ClaimResult } from './claims.js';

/** What came of one part, before it has its name. */
export interface Decided
  extends
    Pick<ClaimResult, 'place' | 'counts'>,
    Partial<Pick<ClaimResult, 'estimate' | 'bound' | 'interval' | 'p' | 'pMethod'>> {
  readonly decision: VerdictDecision;
}

export function resultOf(claim: Claim, part: ClaimPart, { decision, ...rest }: Decided): ClaimResult {
  const { verdict, reason, notes, seedsNeeded } = decision;
  const isDecided = rest.counts.every(({ usable }) => usable >= part.nMin);
  return {
    claim: claim.id,
    part: part.id,
    statistic: part.statistic,
    unit: part.unit,
    ...rest,
    verdict,
    reason,
    notes: [...notes],
    interim: isDecided && rest.counts.some(({ runs, planned }) => runs < planned),
    ...(seedsNeeded === undefined ? {} : { seedsNeeded }),
  };
}

/** A claim that holds if all its parts do. @param rows - of its parts */
export function decideWhole(claim: Claim, rows: readonly ClaimResult[]): ClaimResult {
  const { verdict, reason } = combineParts(
    rows.map((row) => ({ name: row.part ?? claim.id, verdict: row.verdict })),
  );
  return {
    claim: claim.id,
    place: '',
    statistic: `parts ${rows.map((row) => row.part).join(', ')} together`,
    unit: '1',
    verdict,
    reason,
    notes: [],
    interim: rows.some(({ interim }) => interim),
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

/** `16,000` */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
