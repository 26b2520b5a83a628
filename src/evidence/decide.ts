/**
 * The claims decided from the table alone: subjects and observations go in, one row for each part of a claim comes out. Which
 * runs count, where, and against what is in claims.json; the words of a verdict are those of evidence/verdict.ts.
 */
import { boundedMeanInterval } from '../analysis/statistics/bounded-mean.js';
import { type IntervalEstimate, meanInterval, welchInterval } from '../analysis/statistics/intervals.js';
import {
  combineBudgets,
  decideVerdict,
  type VerdictDecision,
  VERDICT,
  withdrawIfOpposite,
  withheldReason,
  withNote,
} from './verdict.js';
import { mean, variance } from '../tensor/sum.js';
import { decideThreshold } from './decide-thresholds.js';
import { decideProportion } from './decide-proportions.js';
import {
  BUDGET_MULTIPLIERS,
  type Claim,
  type ClaimArm,
  type ClaimPart,
  type ClaimPlace,
  type ClaimSample,
  CLAIMS,
  CLAIMS_LEVEL,
  type EvidenceOf,
  LEARNED_ACCURACY,
  SMALL_START,
} from './claims-file.js';
import type { ClaimResult } from './claims.js';
import { type Comparison, type Condition, hasLearned, PRIMARY, whyUnusable } from './conditions.js';
import { type BySubject, type Evidence, rowsWithin } from './evidence.js';
import { jsonInterval } from './finding.js';
import { decideWhole, type Decided, plannedOf, resultOf, stepsText } from './results.js';
import { type Evaluations, evaluationsOf, isOfArm, laddersAt } from './ladders.js';
import { nine } from './statistic.js';
import type { Design, Subject } from './subject.js';
import { bounded, permutationP } from './summaries.js';

/** Runs of a condition that lie beside those given and were not given: a row of its first subject, the number of them. */
export const NOT_GIVEN = 'report/runs-not-given';

/** The reader chose among the runs on purpose: a row of any subject, 1. Nothing is claimed then. */
export const SUBSET = 'report/subset';
const SUBSET_REASON = 'subset given on purpose: exploratory';

/** Every part of every claim, and the claim as a whole where it has one, in the order of claims.json. */
export function decideClaims(
  evidence: Pick<Evidence, 'conditions' | 'comparisons' | 'observations'>,
): ClaimResult[] {
  const { conditions, observations } = evidence;
  const subjects = conditions.flatMap((condition) => condition.subjects);
  const table: Table = { ...evidence, evaluations: evaluationsOf(observations, subjects) };
  const isSubset = rowsWithin(observations, SUBSET).size > 0;
  return CLAIMS.flatMap((claim) => {
    const parts = claim.parts.map((part) => {
      const decided = decidePart(claim, part, table);
      return { part, decided: isSubset ? exploratory(decided) : decided };
    });
    const rows = parts.map(({ part, decided }) => resultOf(claim, part, decided));
    return claim.whole === undefined ? rows : [decideWhole(claim, rows), ...rows];
  });
}

/** The numbers stay, the verdict goes. */
function exploratory({ decision, ...rest }: Decided): Decided {
  return { ...rest, decision: { verdict: VERDICT.tooFew, reason: SUBSET_REASON, notes: decision.notes } };
}

type Table = Pick<Evidence, 'conditions' | 'comparisons' | 'observations'> & {
  readonly evaluations: Evaluations;
};

function decidePart(claim: Claim, part: ClaimPart, table: Table): Decided {
  const { evidence } = part;
  switch (evidence.kind) {
    case 'difference':
    case 'mean':
      return overBudgets(part, (steps) => decideMean(claim, part, evidence, table, steps));
    case 'threshold':
      return withheld(
        decideThreshold(part, evidence, table.conditions, table.evaluations),
        [evidence.of, ...evidence.minus],
        part,
        table,
      );
    case 'proportion':
      return withheld(
        decideProportion(part, evidence, table.conditions, table.evaluations),
        [evidence.of, evidence.minus],
        part,
        table,
      );
  }
}

/** A part decided from many sizes has no verdict while runs of any condition of its arms were not given. */
function withheld(
  decided: Decided,
  arms: readonly ClaimArm[],
  { place }: ClaimPart,
  { conditions, observations }: Table,
): Decided {
  const runs = laddersAt(conditions, place).flatMap((ladder) => ladder.runs);
  const own = new Set(
    runs.filter((run) => arms.some((arm) => isOfArm(run, arm))).map(({ condition }) => condition),
  );
  const missing = notGiven(
    conditions.filter(({ id }) => own.has(id)),
    observations,
  );
  if (missing.length === 0) return decided;
  const { notes } = decided.decision;
  return { ...decided, decision: { verdict: VERDICT.tooFew, reason: withheldReason(missing), notes } };
}

/** At B and at 4 B, where there are runs of it: verdicts that differ give the one at 4 B. */
function overBudgets(part: ClaimPart, at: (steps: number) => Decided): Decided {
  const [first, ...later] = BUDGET_MULTIPLIERS.map((multiple) => at(multiple * part.place.steps));
  return later
    .filter(({ counts }) => counts.some(({ runs }) => runs > 0))
    .reduce((before, next) => ({ ...next, decision: combineBudgets(before.decision, next.decision) }), first);
}

/** Whether a run was trained where a part is decided; `steps` is the budget asked for. */
export function isAt(design: Design, place: ClaimPlace, steps: number): boolean {
  return (
    design.generated &&
    design.regime === place.regime &&
    design.modulus === place.modulus &&
    design.depth === place.depth &&
    design.operands.join() === place.operands.join() &&
    design.steps === steps &&
    (place.dModel === undefined || design.dModel === place.dModel) &&
    (place.dModels === undefined || place.dModels.includes(design.dModel))
  );
}

/** The comparison that decides: of several settings at the place the one of most runs, whatever came of them. */
function comparisonAt(
  comparisons: readonly Comparison[],
  place: ClaimPlace,
  steps: number,
): Comparison | undefined {
  const runs = ({ sumOnly, mixed }: Comparison): number =>
    (sumOnly?.runs.length ?? 0) + (mixed?.runs.length ?? 0);
  return comparisons
    .filter(
      ({ design }) =>
        isAt(design, place, steps) && design.startKind === 'scratch' && design.embeddingInit === SMALL_START,
    )
    .sort((a, b) => runs(b) - runs(a) || (a.id < b.id ? -1 : 1))
    .at(0);
}

interface Sample {
  readonly name: string;
  readonly condition: Condition | undefined;
  readonly usable: readonly Subject[];
  readonly values: readonly number[];
  readonly leftOut: readonly { readonly seed: number; readonly reason: string }[];
}

type MeanEvidence = EvidenceOf<'difference'> | EvidenceOf<'mean'>;

function decideMean(
  claim: Claim,
  part: ClaimPart,
  evidence: MeanEvidence,
  { comparisons, conditions, observations }: Table,
  steps: number,
): Decided {
  const comparison = comparisonAt(comparisons, part.place, steps);
  const learnedAccuracy = claim.learnedAccuracy ?? LEARNED_ACCURACY;
  const asks = (evidence.asks ?? []).map((ask) => ({
    ...ask,
    rows: rowsWithin(observations, ask.statistic),
  }));
  const sampleOf = ({ side, statistic, scope }: ClaimSample): Sample => {
    const condition = side === 'mixed' ? comparison?.mixed : comparison?.sumOnly;
    const rows = rowsWithin(observations, statistic, scope);
    const usable: Subject[] = [];
    const leftOut: { seed: number; reason: string }[] = [];
    for (const run of condition?.runs ?? []) {
      const reason =
        whyUnusable(run, { operation: PRIMARY, learnedAccuracy }) ??
        whyNotAsked(run, asks) ??
        whyNoValue(run, rows);
      if (reason === undefined) usable.push(run);
      else leftOut.push({ seed: run.seed, reason });
    }
    return { name: side, condition, usable, values: valuesAt(usable, rows), leftOut };
  };
  const samples = [
    sampleOf(evidence.of),
    ...(evidence.kind === 'difference' ? [sampleOf(evidence.minus)] : []),
  ];
  const estimate = estimateOf(evidence, samples);
  const spreads = samples.filter(({ values }) => values.length > 1).map(({ values }) => variance(values));
  const assay =
    evidence.kind === 'mean' && evidence.control !== undefined
      ? assayOf(part, evidence, samples[0], conditions, observations, steps, learnedAccuracy)
      : undefined;
  const counts = samples.map(({ name, condition, values }) => ({
    condition: condition?.label ?? name,
    usable: values.length,
    runs: condition?.runs.length ?? 0,
    planned: part.seeds,
  }));
  const primary = decideVerdict({
    rule: part.rule,
    nMin: part.nMin,
    usable: samples.map(({ name, values }) => ({ condition: name, runs: values.length })),
    planned: plannedOf(counts),
    notGiven: notGiven(
      samples.flatMap(({ condition }) => condition ?? []),
      observations,
    ),
    ...(assay === undefined ? {} : { assay }),
    ...(estimate === undefined ? {} : { estimate: estimate.estimate, interval: estimate }),
    ...(spreads.length === 0 ? {} : { sd: Math.sqrt(mean(spreads)) }),
  });
  const checked =
    evidence.kind === 'difference' ? withdrawn(evidence, primary, estimate, samples, observations) : primary;
  const decision = leftOutNotes(samples).reduce(withNote, checked);
  const [x, y] = samples.map(({ values }) => values);
  const p = y === undefined ? undefined : permutationP(x, y, part.id);
  return {
    place: stepsText(part.place, steps),
    decision,
    counts,
    ...(estimate === undefined
      ? {}
      : { estimate: nine(estimate.estimate), interval: jsonInterval(estimate) }),
    ...(p === undefined ? {} : { p: p.p, pMethod: p.method }),
  };
}

function valuesAt(runs: readonly Subject[], rows: BySubject): number[] {
  return runs.flatMap(({ id }) => rows.get(id)?.value ?? []);
}

function estimateOf(evidence: MeanEvidence, [of, minus]: readonly Sample[]): IntervalEstimate | undefined {
  if (of.values.length === 0) return undefined;
  if (evidence.kind === 'difference') {
    return minus.values.length === 0 ? undefined : welchInterval(of.values, minus.values, CLAIMS_LEVEL);
  }
  if (evidence.bounds === undefined) return meanInterval(of.values, CLAIMS_LEVEL);
  const [low, high] = evidence.bounds;
  // the index of a model that errs more where it was trained lies below 0, and says no more than 0 does
  const clipped = of.values.map((value) => Math.min(high, Math.max(low, value)));
  return boundedMeanInterval(clipped, CLAIMS_LEVEL, [low, high]);
}

function whyNotAsked(
  { id }: Subject,
  asks: readonly { readonly rows: BySubject; readonly most: number; readonly words: string }[],
): string | undefined {
  for (const { rows, most, words } of asks) {
    const value = rows.get(id)?.value;
    if (value !== undefined && value > most) return `${words} ${value.toFixed(3)}, above ${most}`;
  }
  return undefined;
}

function whyNoValue({ id }: Subject, rows: BySubject): string | undefined {
  return rows.has(id) ? undefined : 'not measured';
}

/** The same difference elsewhere, excluding 0 on the other side, takes a verdict back. */
function withdrawn(
  { of, minus, withdrawnBy }: EvidenceOf<'difference'>,
  primary: VerdictDecision,
  estimate: IntervalEstimate | undefined,
  samples: readonly Sample[],
  observations: Evidence['observations'],
): VerdictDecision {
  if (withdrawnBy === undefined || estimate === undefined) return primary;
  const rows = rowsWithin(observations, withdrawnBy.statistic, withdrawnBy.scope);
  const [x, y] = [of, minus].map((_, i) => valuesAt(samples[i].usable, rows));
  if (x.length < 2 || y.length < 2) return withNote(primary, `not checked: ${withdrawnBy.words}`);
  const other = welchInterval(x, y, CLAIMS_LEVEL);
  const opposite = estimate.estimate > 0 ? other.high < 0 : other.low > 0;
  return withdrawIfOpposite(primary, opposite, withdrawnBy.words);
}

interface Control {
  readonly label: string;
  readonly runs: readonly Subject[];
  readonly values: readonly number[];
}

/** Runs in which the statistic must be seen to work, and the leak report of all runs that count. */
function assayOf(
  part: ClaimPart,
  { of, control }: EvidenceOf<'mean'>,
  sample: Sample,
  conditions: readonly Condition[],
  observations: Evidence['observations'],
  steps: number,
  learnedAccuracy: number,
): { readonly passed: boolean; readonly reason: string } | undefined {
  if (control === undefined) return undefined;
  const { tasks, statistic, above, leaks, luck } = control;
  const controls = conditions
    .filter(
      ({ design }) =>
        isAt(design, part.place, steps) &&
        design.startKind === 'scratch' &&
        tasks.some((own) => own.join() === design.tasks.join()),
    )
    .map(({ label, design, runs }): Control => {
      const [operation] = design.tasks;
      const learned = runs.filter((run) => run.final && hasLearned(run, operation, learnedAccuracy) === true);
      const rows = rowsWithin(observations, statistic, { ...of.scope, operation });
      return { label, runs: learned, values: valuesAt(learned, rows) };
    });
  const counted = [...sample.usable, ...controls.flatMap(({ runs }) => runs)];
  const shown = rowsWithin(observations, leaks);
  const leaky = counted.filter(({ id }) => shown.get(id)?.value !== 0).map(({ run }) => run);
  const enough = controls.filter(({ values }) => values.length > 1);
  const lucky = beyondLuck(enough, rowsWithin(observations, luck));
  const read = enough.map((one) => ({ ...one, ...controlInterval(one.values) }));
  const texts = read.map(
    ({ label, values, low, high }) =>
      `${label} ${mean(values).toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}] in ${values.length} runs`,
  );
  const failed = (reason: string) => ({ passed: false, reason });
  if (leaky.length > 0)
    return failed(`held-out operands were trained, or not looked for, in ${leaky.join(', ')}`);
  if (enough.length === 0) {
    const names = tasks.map((own) => own.join('+')).join(' or ');
    return failed(`no two runs of ${names} at the same place that know what they were trained on`);
  }
  if (lucky !== undefined) return failed(`${lucky} has held-out operands right beyond luck: a leak`);
  return read.some(({ low }) => low > above) && read.every(({ high }) => high >= above)
    ? { passed: true, reason: `recognised as memorizers: ${texts.join(', ')}` }
    : failed(`no memorizer is recognised above ${above}: ${texts.join(', ')}`);
}

/**
 * Over seeds by t, since a few controls must do: the bounded interval, which the claim itself takes, is above 0.8 from 34
 * equal values on only. Equal values have no spread to judge by, and get the bounded one.
 */
function controlInterval(values: readonly number[]): IntervalEstimate {
  const clipped = values.map((value) => Math.min(1, Math.max(0, value)));
  return bounded(meanInterval(values, CLAIMS_LEVEL)) ?? boundedMeanInterval(clipped, CLAIMS_LEVEL);
}

/** The first control of which a run knows what nobody can know: least p of its runs, times their number. */
function beyondLuck(controls: readonly Control[], rows: BySubject): string | undefined {
  return controls.find(({ runs }) => {
    const ps = runs.flatMap(({ id }) => rows.get(id)?.null?.p ?? []);
    return ps.length > 0 && ps.length * Math.min(...ps) < 1 - CLAIMS_LEVEL;
  })?.label;
}

/** No selection of seeds in silence: `2 of SUM, pairs, d=16` for every condition with runs that lie beside those given. */
function notGiven(conditions: readonly Condition[], observations: Evidence['observations']): string[] {
  const rows = rowsWithin(observations, NOT_GIVEN);
  return conditions.flatMap(({ label, subjects }) => {
    const count = subjects.reduce((sum, { id }) => sum + (rows.get(id)?.value ?? 0), 0);
    return count === 0 ? [] : [`${count} of ${label}`];
  });
}

/** Seeds named in a note, which is for the first screen. */
const MOST_NAMED = 6;

function leftOutNotes(samples: readonly Sample[]): string[] {
  return samples.flatMap(({ name, condition, leftOut }) => {
    if (condition === undefined || leftOut.length === 0) return [];
    const named = leftOut.length > MOST_NAMED ? '' : ` (seed ${leftOut.map(({ seed }) => seed).join(', ')})`;
    return [`left out: ${leftOut.length} of ${condition.runs.length} ${name}${named}`];
  });
}
