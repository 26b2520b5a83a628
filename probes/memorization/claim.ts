/**
 * C5: whether SUM-only models memorize, by the index on closed, unordered pair hold-outs, and the assay that makes a low
 * index mean something. Evidence goes in here; analysis/verdict.ts names what comes out.
 */
import { assayLimit, CLAIMS_LEVEL, claimPart } from '../../src/evidence/claims-file.js';
import { meanInterval } from '../../src/analysis/intervals.js';
import { luckyShareP } from '../../src/analysis/memorization-index.js';
import { type VerdictDecision, decideVerdict, withNote } from '../../src/evidence/verdict.js';
import { BALANCE_LIMIT } from '../../src/listops/regimes.js';
import type { MemorizationCondition } from '../../src/report/charts/memorization-data.js';
import { percent } from '../../src/report/charts/common.js';
import type { Finding } from '../../src/report/schema.js';
import { mean, standardDeviation } from '../../src/tensor/sum.js';
import { estimated } from '../claim-parts.js';
import { C5_ACCURACY, type MemorizationResult } from './combine.js';
import type { Control } from './controls.js';
import { byHoldout, heldExamples, indicesOf, primaryCell } from './finding-parts.js';

/** A control is recognised as a memorizer when the interval of its mean index is above this. */
export const ASSAY_INDEX = assayLimit('C5', 'index');
/** Operands of the prompts that C5 reads. */
const PAIR = 2;

export interface Assay {
  readonly passed: boolean;
  readonly reason: string;
}

/** One finding a SUM-only condition with pairs held out; one without numbers when there is none. */
export function c5Findings(result: MemorizationResult): Finding[] {
  const several = result.claims.length > 1;
  if (result.claims.length === 0) return [withoutRuns(result)];
  return result.claims.map(({ sumOnly, controls }, i) =>
    c5(result.conditions[sumOnly], assayOf(result, sumOnly, controls), several ? `-${i + 1}` : ''),
  );
}

const CLAIM = claimPart('C5');
const HEAD = { claim: 'C5', statistic: CLAIM.statistic, unit: CLAIM.unit };

function withoutRuns({ conditions }: MemorizationResult): Finding {
  const decision = decideVerdict({
    rule: CLAIM.rule,
    usable: [{ condition: 'SUM-only in the regime pairs', runs: 0 }],
    nMin: CLAIM.nMin,
  });
  const note = conditions.some(({ tasks }) => tasks.join() === 'SUM')
    ? 'the SUM-only runs here were trained on every pair, so nothing tells memory from rule'
    : 'no run was trained on SUM alone with pairs held out';
  return {
    id: 'c5',
    ...HEAD,
    statement: 'SUM-only models may memorize: not measured, since no SUM-only run held pairs out.',
    n: { seeds: 0, examples: 0 },
    verdict: decision.verdict,
    reason: [decision.reason, note].join('; '),
  };
}

function c5(condition: MemorizationCondition, assay: Assay, suffix: string): Finding {
  const usable = indicesOf(condition, PAIR, (run) => run.leftOut === null);
  const values = byHoldout(usable);
  const interval = values.length === 0 ? undefined : meanInterval(values, CLAIMS_LEVEL);
  const decision = decideVerdict({
    rule: CLAIM.rule,
    usable: [{ condition: condition.label, runs: values.length }],
    nMin: CLAIM.nMin,
    assay,
    ...(interval === undefined ? {} : { estimate: interval.estimate, interval }),
    ...(values.length < 2 ? {} : { sd: standardDeviation(values) }),
  });
  const noted = notes(condition, usable.length, values.length, assay).reduce<VerdictDecision>(
    withNote,
    decision,
  );
  return {
    id: `c5${suffix}`,
    ...HEAD,
    statement: `SUM-only models memorize, with ${heldText(condition)} held out (${condition.label}): ${usable.length} of ${condition.runs.length} runs answer at least ${percent(C5_ACCURACY, 0)} of trained prompts right at their last two evaluations and count.${details(condition)}`,
    ...(interval === undefined ? {} : estimated(interval)),
    n: { seeds: usable.length, examples: heldExamples(condition, PAIR) },
    verdict: noted.verdict,
    reason: [noted.reason, ...noted.notes].join('; '),
  };
}

/** `9.1 % of pairs`, which hold-out being named where it is triples. */
export function heldText({ heldShare, level }: MemorizationCondition): string {
  return `${percent(heldShare)} of ${level === 'triple' ? 'triples' : 'pairs'}`;
}

/** What stands with the numbers and would be too long for the table of claims. */
function details(condition: MemorizationCondition): string {
  const each = indicesOf(condition, PAIR, (run) => run.leftOut === null)
    .map(({ run, m }) => `seed ${run.seed} ${m.toFixed(2)}`)
    .join(', ');
  const closed =
    'Trained triples (x+y)+b with x+y=a touch the held pair {a,b} inside: only --operands 2..2 excludes that.';
  return [
    ...(each === '' ? [] : [` Index by seed: ${each}.`]),
    ...(condition.level === 'pair-closed' ? [` ${closed}`] : []),
  ].join('');
}

function notes(condition: MemorizationCondition, runs: number, holdouts: number, assay: Assay): string[] {
  const { runs: all, primary } = condition;
  const left = all.flatMap((run) => {
    const index = run.indices.find((row) => row.operation === primary && row.arity === PAIR);
    const reason =
      run.leftOut ??
      (index?.m == null
        ? 'has no index, since the most frequent held result is nearly always right'
        : undefined);
    return reason === undefined ? [] : [`seed ${run.seed} ${reason}`];
  });
  const unbalanced = all.filter(({ signalRatio }) => !(Number(signalRatio) <= BALANCE_LIMIT));
  return [
    ...(left.length === 0 ? [] : [`left out: ${left.join(', ')}`]),
    ...(holdouts < runs ? [`${runs} runs hold out ${holdouts} different sets, each counted once`] : []),
    ...(unbalanced.length === 0
      ? []
      : [`the hold-out is not balanced in seed ${unbalanced.map(({ seed }) => seed).join(', ')}`]),
    // a failed assay is named by the verdict's own reason, unless too few runs came first
    ...(assay.passed || runs < CLAIM.nMin ? [assay.reason] : []),
  ];
}

/** Whether a memorizer is recognised as one, and no held-out set was shown. */
export function assayOf(result: MemorizationResult, sumOnly: number, controls: readonly Control[]): Assay {
  const conditions = [sumOnly, ...controls.map(({ condition }) => condition)].map(
    (index) => result.conditions[index],
  );
  const leaking = conditions.flatMap(({ runs }) => runs.filter(({ leaks }) => leaks > 0));
  if (leaking.length > 0) {
    return { passed: false, reason: `training showed held-out pairs (${leaking[0].subject})` };
  }
  if (controls.length === 0) {
    return { passed: false, reason: 'control not run: no LATIN- or TABLE-only runs with pairs held out' };
  }
  const lucky = controls
    .filter(({ task, twoOnly }) => task === 'TABLE' && twoOnly)
    .map(({ condition }) => tableLuck(result.conditions[condition]))
    .find(({ p }) => p < 1 - CLAIMS_LEVEL);
  if (lucky !== undefined) {
    return {
      passed: false,
      reason: `a leak: TABLE on two operands has ${percent(lucky.share, 0)} of its held-out pairs right, of which nothing can be known but by luck (p <= ${lucky.p.toPrecision(2)})`,
    };
  }
  const shown = controls.map((control) => controlText(result.conditions[control.condition], control));
  const recognised = shown.filter(({ low }) => low > ASSAY_INDEX);
  const missed = shown.filter(({ high }) => high < ASSAY_INDEX);
  const text = shown.map(({ text }) => text).join(', ');
  return recognised.length > 0 && missed.length === 0
    ? { passed: true, reason: `assay passed: ${text}` }
    : { passed: false, reason: `no memorizer is recognised above ${ASSAY_INDEX}: ${text}` };
}

/**
 * The entries of a random table are independent and uniform, so that whoever saw the others has a held-out pair right with
 * chance 1/n. More than luck can explain means that held-out pairs were shown.
 */
function tableLuck(condition: MemorizationCondition): { readonly share: number; readonly p: number } {
  const held = condition.runs.flatMap((run) => {
    const cell = primaryCell(condition, run, PAIR, true);
    return cell === undefined ? [] : [{ sets: run.heldSets, accuracy: cell.accuracy }];
  });
  if (held.length === 0) return { share: 0, p: 1 };
  // a pair that several runs hold out is one question, of the greater weight
  const weights = new Map<string, number>();
  for (const { sets } of held) {
    for (const set of sets) {
      const weight = 1 / sets.length / held.length;
      weights.set(set.join(' '), (weights.get(set.join(' ')) ?? 0) + weight);
    }
  }
  const share = mean(held.map(({ accuracy }) => accuracy));
  return { share, p: luckyShareP(share, 1 / Math.max(...weights.values()), 1 / condition.n) };
}

/** A control is asked whether it knows its trained pairs, since longer folds of a table are another task. */
function controlText(
  condition: MemorizationCondition,
  { differs }: Control,
): { readonly low: number; readonly high: number; readonly text: string } {
  const values = byHoldout(
    indicesOf(
      condition,
      PAIR,
      (run) => run.final && (primaryCell(condition, run, PAIR, false)?.accuracy ?? 0) >= C5_ACCURACY,
    ),
  );
  const other = differs.length === 0 ? '' : `, other ${differs.join(', ')}`;
  if (values.length === 0) {
    return {
      low: -Infinity,
      high: Infinity,
      text: `no run of ${condition.label} knows its trained pairs${other}`,
    };
  }
  const { estimate, low, high } = meanInterval(values, CLAIMS_LEVEL);
  const range = Number.isFinite(low) ? ` [${low.toFixed(2)}, ${high.toFixed(2)}]` : ', no interval';
  return {
    low,
    high,
    text: `${condition.label} M ${estimate.toFixed(2)}${range} of ${values.length} runs${other}`,
  };
}
