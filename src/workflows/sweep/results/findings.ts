/**
 * What a plan found, in Markdown: the answer in five sentences, its picture, the table of verdicts, what comes out otherwise
 * than the paper says. Every number and every verdict is computed from the result lines; nothing here decides anything.
 */
import type { ClaimResult } from '../../../evidence/claims.js';
import { decidedInWords, listed, type PlanVerdicts } from '../../../evidence/plan-verdicts.js';
import { type Claim, type ClaimPart, CLAIMS } from '../../../evidence/claims-file.js';
import { conditionsOf } from '../../../evidence/conditions.js';
import { groupBy } from '../../../evidence/group-by.js';
import { grouped } from '../../../evidence/results.js';
import { VERDICT, verdictText } from '../../../evidence/verdict.js';
import { readable } from '../../../report/charts/common.js';
import { depthSentence, startSentence } from '../../../report/charts/start-and-company-text.js';
import { startAndCompany, startCounts } from '../../../report/charts/start-and-company.js';
import type { ChartSpec } from '../../../report/schema.js';
import { decideTable } from '../../verdicts.js';
import type { SweepRun } from '../plan/expand.js';
import type { ResultLine } from './result-line.js';
import { resultsOfPlan } from '../sweep.js';
import { type PartStanding, type Standing, standingOf } from './standing.js';
import { tableOfResults } from './table.js';

export interface Findings {
  /** without the picture's place */
  readonly sentences: readonly string[];
  /** Markdown: table, progress, what differs */
  readonly table: string;
  readonly differences: string;
  readonly progress: string;
  readonly picture: ChartSpec | undefined;
}

/**
 * @param all - lines of results.jsonl by the ids of the runs
 * @param runs - of the plan
 */
export function findingsOf(all: ReadonlyMap<string, ResultLine>, runs: readonly SweepRun[]): Findings {
  const results = resultsOfPlan(runs, all);
  const standing = standingOf(runs, results);
  // what came first in the file changes nothing
  const lines = [...results.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const table = tableOfResults(lines);
  const conditions = conditionsOf(table.subjects);
  const counts = startCounts(conditions);
  const decided = decideTable(table);
  const rows = CLAIMS.flatMap((claim) => rowsOf(claim, decided, standing));
  return {
    sentences: [
      ...[1, 2].map((depth) => depthSentence(depth, counts)),
      startSentence(counts, startVerdicts(rows)),
      paperSentence(rows),
      ownSentence(rows),
    ],
    table: tableText(rows),
    differences: differencesText(rows),
    progress: progressText(standing, rows),
    picture: startAndCompany(conditions).at(0),
  };
}

interface Row {
  readonly claim: Claim;
  readonly part: ClaimPart;
  readonly result: ClaimResult;
  readonly interim: boolean;
  /** the verdict as it is printed */
  readonly verdict: string;
  readonly standing: PartStanding | undefined;
}

function rowsOf(claim: Claim, decided: readonly ClaimResult[], { parts }: Standing): Row[] {
  return claim.parts.flatMap((part) => {
    const result = decided.find((one) => one.part === part.id);
    if (result === undefined) return [];
    const standing = parts.find((one) => one.part === part.id);
    const isLeft = standing !== undefined && standing.finished < standing.runs;
    const interim = result.verdict !== VERDICT.tooFew && (result.interim || isLeft);
    const verdict = verdictText({ verdict: result.verdict, interim });
    return [{ claim, part, result, interim, verdict, standing }];
  });
}

/** @param name - of the folder of the results */
export function planVerdictsOf(
  name: string,
  claims: readonly ClaimResult[],
  standing: Standing,
): PlanVerdicts {
  const { runs, finished } = standing;
  const rows = CLAIMS.flatMap((claim) => rowsOf(claim, claims, standing));
  return {
    plan: name,
    runs,
    finished,
    parts: rows.map(({ claim, part, result, interim, standing: own }) => ({
      claim: claim.id,
      part: part.id,
      verdict: result.verdict,
      interim,
      runs: own?.runs ?? 0,
      finished: own?.finished ?? 0,
    })),
  };
}

/** What M1 and M2 say, where they are decided. */
function startVerdicts(rows: readonly Row[]): string {
  const decided = rows.filter(
    ({ claim, result }) => ['M1', 'M2'].includes(claim.id) && result.verdict !== VERDICT.tooFew,
  );
  const verdicts = decided.map(({ part, verdict }) => `${verdict} (${part.id}, ${part.name})`).join(' and ');
  return verdicts === '' ? '' : `; that what joint training saves is only a flat start is ${verdicts}`;
}

/** `C1a and C2a supported; C3a contradicted; the others undecided` */
function verdictList(rows: readonly Row[]): string {
  const decided = decidedInWords(
    rows.map(({ part, result, interim }) => ({ part: part.id, verdict: result.verdict, interim })),
  );
  const open = rows.filter(({ result }) => result.verdict === VERDICT.tooFew);
  const undecided = open.length === 0 ? [] : [`${listed(open.map(({ part }) => part.id))} undecided`];
  return [...(decided === '' ? [] : [decided]), ...undecided].join('; ');
}

const paperSentence = (rows: readonly Row[]): string =>
  `Of the paper's claims: ${verdictList(rows.filter(({ claim }) => claim.origin === 'paper'))}.`;

const ownSentence = (rows: readonly Row[]): string =>
  `Of our own, about why joint training helps: ${verdictList(rows.filter(({ claim }) => claim.origin === 'own'))}.`;

function tableText(rows: readonly Row[]): string {
  const head = ['claim', 'verdict', 'estimate', 'interval', 'runs'];
  const body = rows.map(({ claim, part, result, verdict, standing }) => [
    `${part.id} ${claim.text}${claim.parts.length > 1 || part.name.startsWith('depth') ? ` (${part.name})` : ''}`,
    verdict,
    estimateText(result),
    result.interval === undefined
      ? ''
      : `[${endText(result.interval.low, '-')}, ${endText(result.interval.high, '+')}]`,
    standing === undefined ? '' : `${standing.finished} of ${standing.runs}`,
  ]);
  return [head, head.map(() => '---'), ...body]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

function estimateText({ estimate, bound, unit }: ClaimResult): string {
  const of = unit === '1' ? '' : ` ${unit}`;
  if (bound !== undefined) return `${bound.side === 'above' ? '>' : '<'} ${readable(bound.value)}${of}`;
  return estimate === undefined ? '' : `${readable(estimate)}${of}`;
}

function endText(value: number | string, sign: string): string {
  return typeof value === 'number' && Number.isFinite(value) ? readable(value) : `${sign}infinity`;
}

/** Why what was found may be otherwise than in the paper, by claim. */
const MAY: Readonly<Record<string, string>> = {
  C1: 'the paper counts parameters over its own pipeline, and an operation alone may fail for its start and not for its size',
  C2: 'the paper trains one shared block for 20,000 steps and more, and counts where learning begins in another way',
  C3: 'SUM alone cannot tell the numbers i from u i, so its embeddings have their structure under other names; a look by name finds less, and parity is measured by its share of the variance instead of by a probe that has a floor',
  C4: 'replaced parts are compared by the dose at which answers break; the loss at full dose says little, because attention is the only way between positions',
  C5: 'pairs are held out unordered, at every step, balanced so that the hold-out itself teaches nothing; in the published data every ordered triple that is held out is present in another order',
  C6: 'pretraining also moves the token embeddings away from a flat start, which copying alone does too',
};

/** What was mended after runs had been seen, by part of a claim: a rule is fixed beforehand, a fault of measuring is not. */
const MENDED: Readonly<Record<string, string>> = {
  C6b: 'its first verdict, an open one, came from a fault: runs that had trained on MAX and MED and then on SUM were asked whole expressions of all three, and what they had forgotten counted against SUM. The same runs, with the same weights to the byte, were asked expressions of SUM as the arm from scratch is',
};

function differencesText(rows: readonly Row[]): string {
  const against = rows.filter(
    ({ claim, result }) =>
      claim.origin === 'paper' &&
      (result.verdict === VERDICT.contradicted || result.verdict === VERDICT.notSupported),
  );
  const items = [...groupBy(against, ({ claim }) => claim.id)].map(
    ([id, own]) =>
      `- ${own.map(({ part, verdict }) => `${part.id} (${part.name}) is ${verdict}`).join(', ')}: ${MAY[id] ?? 'the reason is open'}.`,
  );
  const isExplained = rows.some(
    ({ part, result }) => ['M1', 'M2'].includes(part.id) && result.verdict === VERDICT.supported,
  );
  const reading = isExplained
    ? [
        '- Where M1 or M2 holds, a saving of parameters (C1, C2, C6) is one of optimization from a small start: the same sizes learn SUM alone when the token embeddings begin larger.',
      ]
    : [];
  const mended = rows.flatMap(({ part }) =>
    MENDED[part.id] === undefined
      ? []
      : [`- ${part.id} (${part.name}) was measured again after it had been seen: ${MENDED[part.id]}.`],
  );
  const general =
    '- The models differ too: two blocks of their own weights, one head, tied embeddings, learned positions and loss on the answer alone; the published pipeline applies one block five times (preset `authors`).';
  return [...items, ...reading, ...mended, general].join('\n');
}

function progressText({ runs, finished }: Standing, rows: readonly Row[]): string {
  if (finished >= runs) return `All ${grouped(runs)} runs of the plan are finished.`;
  const lacking = rows.filter(
    ({ result, standing }) =>
      result.verdict === VERDICT.tooFew && standing !== undefined && standing.finished < standing.runs,
  );
  const names = listed(lacking.map(({ part }) => part.id));
  const left = [
    ...(lacking.length === 0
      ? []
      : [`for lack of the others ${names} ${lacking.length === 1 ? 'is' : 'are'} undecided`]),
    ...(rows.some(({ interim }) => interim) ? ['what is marked interim may change'] : []),
  ];
  return `${grouped(finished)} of ${grouped(runs)} runs of the plan are finished; ${left.length === 0 ? 'no claim waits for the others' : left.join(', and ')}.`;
}
