/**
 * THE one place where a verdict is named. Everything else passes evidence in and prints what comes out; the words are
 * written nowhere else. Exploratory numbers have no verdict and never come here. Rules: docs, "verdict rules".
 */
import type { ClaimPart } from './claims-file.js';

export const VERDICTS = ['supported', 'not supported', 'contradicted', 'too few runs to say'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** The words by name, for code that must tell verdicts apart (colours, order) without writing them. */
export const VERDICT = {
  supported: VERDICTS[0],
  notSupported: VERDICTS[1],
  contradicted: VERDICTS[2],
  tooFew: VERDICTS[3],
} as const;

/** How the bounds of an interval [L, U] are read: each kind is described in the schema of claims.json. */
type VerdictRule = ClaimPart['rule'];

export interface Evidence {
  readonly rule: VerdictRule;
  /** usable runs of every condition the statistic needs */
  readonly usable: readonly { readonly condition: string; readonly runs: number }[];
  /** fewest usable runs a condition */
  readonly nMin: number;
  /** whether the measurement could have shown an effect; absent: the claim has no assay check */
  readonly assay?: { readonly passed: boolean; readonly reason: string };
  /** absent when it could not be computed, which needs too few runs or a failed assay as the cause */
  readonly estimate?: number;
  /** 99.17 % interval of the estimate; bounds may be infinite */
  readonly interval?: { readonly low: number; readonly high: number };
  /** spread of one run's statistic, for the seeds needed */
  readonly sd?: number;
  /** runs made of those that were planned, learned or not; before all are there the verdict is interim */
  readonly planned?: readonly {
    readonly condition: string;
    readonly made: number;
    readonly planned: number;
  }[];
  /** runs of the conditions that exist and were not given: with any of them there is no verdict */
  readonly notGiven?: readonly string[];
}

export interface VerdictDecision {
  readonly verdict: Verdict;
  /** one sentence without a full stop */
  readonly reason: string;
  /** seeds a condition for an interval narrow enough to decide */
  readonly seedsNeeded?: number;
  /** printed beside the verdict */
  readonly notes: readonly string[];
  /** made before the planned number of runs was there: looking again and again at growing n finds something by luck */
  readonly interim?: true;
}

/** The verdict of one statistic, in the fixed order: runs and assay, for, against, excluded, too wide. */
export function decideVerdict(evidence: Evidence): VerdictDecision {
  const { planned = [] } = evidence;
  const decided = decideByRule(evidence);
  const behind = planned.filter(({ made, planned }) => made < planned);
  if (behind.length === 0 || decided.verdict === VERDICT.tooFew) return decided;
  const counts = behind.map(({ condition, made, planned }) => `${condition} has ${made} of ${planned}`);
  return withNote({ ...decided, interim: true }, `interim: ${counts.join(', ')} planned runs`);
}

/** @param notGiven - by condition: `2 of SUM, pairs, d=16` */
export function withheldReason(notGiven: readonly string[]): string {
  return `withheld: runs of these conditions exist and were not given (${notGiven.join('; ')})`;
}

function decideByRule(evidence: Evidence): VerdictDecision {
  const { rule, usable, nMin, assay, notGiven = [] } = evidence;
  if (notGiven.length > 0) return decision(VERDICT.tooFew, withheldReason(notGiven));
  const short = usable.filter(({ runs }) => runs < nMin);
  if (short.length > 0 || usable.length === 0) {
    const counts = short.map(({ condition, runs }) => `${condition} has ${runs}`).join(', ');
    return decision(
      VERDICT.tooFew,
      `runs: ${counts === '' ? 'no condition' : counts}, ${nMin} a condition needed`,
      seedsNeeded(evidence),
    );
  }
  if (assay !== undefined && !assay.passed) return decision(VERDICT.tooFew, `assay failed: ${assay.reason}`);
  const { estimate, interval } = evidence;
  if (estimate === undefined || interval === undefined) {
    throw new RangeError('decideVerdict: found no estimate and interval, although runs and assay suffice.');
  }
  if (!(interval.low <= estimate && estimate <= interval.high)) {
    throw new RangeError(
      `decideVerdict: found estimate ${estimate} and interval [${interval.low}, ${interval.high}], expected low <= estimate <= high.`,
    );
  }
  const decided = byBounds(rule, estimate, interval.low, interval.high) ?? tooWide(evidence);
  const equivalent = equivalenceNote(rule, interval.low, interval.high);
  return equivalent === undefined ? decided : withNote(decided, equivalent);
}

/** An interval within +-delta says that there is no effect of that size either way, whatever else the verdict says. */
function equivalenceNote(rule: VerdictRule, low: number, high: number): string | undefined {
  const limit =
    rule.kind === 'explained'
      ? rule.within
      : rule.kind === 'effect' && rule.equivalence === true
        ? rule.delta
        : NaN;
  return low >= -limit && high <= limit ? `equivalent: the interval lies within +-${limit}` : undefined;
}

function byBounds(
  rule: VerdictRule,
  estimate: number,
  low: number,
  high: number,
): VerdictDecision | undefined {
  switch (rule.kind) {
    case 'effect':
      if (low > 0 && estimate >= rule.delta) {
        return decision(VERDICT.supported, `the interval is above 0 and the effect at least ${rule.delta}`);
      }
      if (high < 0) return decision(VERDICT.contradicted, 'the interval is below 0');
      if (high < rule.delta) {
        return decision(VERDICT.notSupported, `the interval excludes an effect of ${rule.delta}`);
      }
      return undefined;
    case 'below':
      if (high < rule.limit) return decision(VERDICT.supported, `the interval is below ${rule.limit}`);
      if (low > rule.limit) return decision(VERDICT.contradicted, `the interval is above ${rule.limit}`);
      return undefined;
    case 'index':
      if (low > rule.above) return decision(VERDICT.supported, `the interval is above ${rule.above}`);
      if (high < rule.contradictedBelow) {
        return decision(VERDICT.contradicted, `the interval is below ${rule.contradictedBelow}`);
      }
      if (high < rule.above) return decision(VERDICT.notSupported, `the interval is below ${rule.above}`);
      return undefined;
    case 'explained':
      if (high <= rule.within) {
        return decision(VERDICT.supported, `the interval lies within +-${rule.within} or below`);
      }
      if (low > rule.within) return decision(VERDICT.contradicted, `the interval is above ${rule.within}`);
      return undefined;
  }
}

function tooWide(evidence: Evidence): VerdictDecision {
  const seeds = seedsNeeded(evidence);
  const asked = seeds === undefined ? '' : `; about ${seeds} seeds a condition would make it narrow enough`;
  return decision(VERDICT.tooFew, `interval too wide${asked}`, seeds);
}

/** n = 2 (2.64 s / (delta / 2))^2 a condition for half-width delta / 2, without the factor 2 for one sample. */
function seedsNeeded({ rule, usable, nMin, sd }: Evidence): number | undefined {
  if (sd === undefined || !Number.isFinite(sd)) return undefined;
  const samples = usable.length > 1 ? 2 : 1;
  const width = rule.kind === 'effect' ? (rule.width ?? rule.delta) : rule.delta;
  return Math.max(nMin, Math.ceil(samples * ((2.64 * sd) / (width / 2)) ** 2));
}

/** One part of a claim that holds only if all of them do. */
export interface PartVerdict {
  readonly name: string;
  readonly verdict: Verdict;
  readonly interim: boolean;
}

/** A claim of several parts: supported if all are; contradicted, or not supported, if one is; else too few. */
export function combineParts(parts: readonly PartVerdict[]): VerdictDecision {
  const named = (verdict: Verdict): string =>
    parts
      .filter((part) => part.verdict === verdict)
      .map((part) => part.name)
      .join(', ');
  const interim = parts.filter((part) => part.interim).map((part) => part.name);
  const marked = (whole: VerdictDecision): VerdictDecision =>
    interim.length === 0
      ? whole
      : withNote({ ...whole, interim: true }, `interim: part ${interim.join(', ')}`);
  if (parts.every((part) => part.verdict === VERDICT.supported)) {
    return marked(decision(VERDICT.supported, `so are its parts ${named(VERDICT.supported)}`));
  }
  for (const verdict of [VERDICT.contradicted, VERDICT.notSupported]) {
    if (named(verdict) !== '') return marked(decision(verdict, `so is part ${named(verdict)}`));
  }
  return decision(VERDICT.tooFew, `part ${named(VERDICT.tooFew)} undecided`);
}

/** Two budgets B and 4B: where they differ, the one at 4B with a note of the other. */
export function combineBudgets(atB: VerdictDecision, at4B: VerdictDecision): VerdictDecision {
  if (atB.verdict === at4B.verdict) return at4B;
  return {
    ...at4B,
    notes: [...at4B.notes, `at B: ${atB.verdict}${atB.interim === true ? ', interim' : ''}`],
  };
}

/**
 * A second analysis that points the other way takes a decided verdict back: C2 under the secondary budget, C4 under mean
 * ablation ("depends on the ablation").
 * @param opposite - the second analysis excludes 0 on (C4) or has its estimate on (C2) the other side
 */
export function withdrawIfOpposite(
  primary: VerdictDecision,
  opposite: boolean,
  reason: string,
): VerdictDecision {
  const decided = primary.verdict === VERDICT.supported || primary.verdict === VERDICT.contradicted;
  if (!opposite || !decided) return primary;
  const { verdict, reason: withdrawn } = decision(VERDICT.notSupported, reason);
  return { ...primary, verdict, reason: withdrawn };
}

/** The same verdict with a remark, such as "not a size threshold: SUM fails at every size tested". */
export function withNote(primary: VerdictDecision, note: string): VerdictDecision {
  return { ...primary, notes: [...primary.notes, note] };
}

/** The word as it is printed: `supported`, `supported, interim`. */
export function verdictText({ verdict, interim = false }: { verdict: Verdict; interim?: boolean }): string {
  return interim ? `${verdict}, interim` : verdict;
}

function decision(verdict: Verdict, reason: string, seeds?: number): VerdictDecision {
  return { verdict, reason, notes: [], ...(seeds === undefined ? {} : { seedsNeeded: seeds }) };
}
