/**
 * The first screen: what was found in a few sentences of plain words, and the pictures that show it. Everything is computed from
 * the report; nothing here decides anything.
 */
import { claimById } from '../../evidence/claims-file.js';
import { type Condition, hasLearned, PRIMARY } from '../../evidence/conditions.js';
import type { Evidence } from '../../evidence/evidence.js';
import type { Difference } from '../../evidence/summaries.js';
import { VERDICT } from '../../evidence/verdict.js';
import { counted, percent, readable } from '../charts/common.js';
import { depthSentence, startSentence } from '../charts/start-and-company-text.js';
import { START_AND_COMPANY, startCounts } from '../charts/start-and-company.js';
import { differenceName, forestChart, pairName } from '../marks/forest.js';
import { type HeatCell, heatMapChart } from '../marks/heat-map.js';
import type { ChartSpec, Report } from '../schema.js';
import { allDifferences, amongLearned } from './differences.js';

export interface Answer {
  readonly sentences: readonly string[];
  readonly charts: readonly ChartSpec[];
}

/** Differences named in the picture of the first screen. */
const ON_FIRST_SCREEN = 8;

export function answer(report: Report, evidence: Evidence): Answer {
  const first = headlines(report);
  const isMany = evidence.conditions.length > MOST_IN_STRIP;
  const all = isMany ? ofTasksAlone(evidence) : allDifferences(evidence);
  const differences = amongLearned(all);
  return {
    sentences: [
      ...learnedSentences(evidence.conditions, first),
      ...differenceSentence(differences),
      ...claimsSentence(report),
    ],
    charts: [
      ...openingOf(evidence.conditions, first),
      ...(differences.length === 0
        ? []
        : [
            forestChart(differences, {
              id: 'largest-differences',
              title: 'The largest differences',
              note: `Differences between ${isMany ? 'SUM alone and a mixture of the same size and training,' : 'conditions'}${differences.length < all.length ? ' of which a run learned SUM' : ''}, all runs.`,
              most: ON_FIRST_SCREEN,
            }),
          ]),
    ],
  };
}

/** Pictures that say most at a glance, the first that there is; any other headline comes after them. */
const FIRST: readonly string[] = [START_AND_COMPANY, 'learned-by-size', 'embedding-plane'];

/** More conditions are counted and not named, and a strip of them says less than the course over sizes. */
const MOST_IN_STRIP = 24;

const isCourse = (first: readonly ChartSpec[]): boolean => first.some(({ id }) => id === START_AND_COMPANY);

function openingOf(conditions: readonly Condition[], first: readonly ChartSpec[]): ChartSpec[] {
  if (!isCourse(first)) return [learnedStrip(conditions), ...first];
  return conditions.length > MOST_IN_STRIP ? [...first] : [...first, learnedStrip(conditions)];
}

/** Differences between SUM alone and a mixture of the same size and training: what any two of many conditions differ in says little. */
function ofTasksAlone(evidence: Evidence): Difference[] {
  const pairs = new Set(evidence.comparisons.map(({ sumOnly, mixed }) => pairOf(sumOnly?.id, mixed?.id)));
  return allDifferences(evidence, (a, b) => pairs.has(pairOf(a.id, b.id)));
}

const pairOf = (...ids: readonly (string | undefined)[]): string => [...ids].sort().join(' ');

/** One picture of the modules: of those that they put first. */
function headlines({ modules }: Report): ChartSpec[] {
  const all = Object.values(modules).flatMap(({ charts }) =>
    charts.filter(({ headline }) => headline === true),
  );
  const [first] = [...FIRST.flatMap((id) => all.filter((chart) => chart.id === id)), ...all];
  return first === undefined ? [] : [first];
}

/** The operation that is asked about: SUM where any run has it, else what most runs have. */
function askedOf(conditions: readonly Condition[]): string | undefined {
  const all = conditions.flatMap(({ runs }) => runs.flatMap(({ accuracy }) => Object.keys(accuracy ?? {})));
  if (all.includes(PRIMARY)) return PRIMARY;
  const counts = new Map<string, number>();
  for (const name of all) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).at(0)?.[0];
}

/** Conditions of the same answer are named together; more than this of them are counted. */
const MOST_NAMED = 3;

function learnedSentences(conditions: readonly Condition[], first: readonly ChartSpec[]): string[] {
  if (conditions.length <= MOST_IN_STRIP || !isCourse(first)) return learnedSentence(conditions);
  const counts = startCounts(conditions);
  const depths = [...new Set(counts.map(({ depth }) => depth))];
  return [...depths.map((depth) => depthSentence(depth, counts)), startSentence(counts)];
}

function learnedSentence(conditions: readonly Condition[]): string[] {
  const operation = askedOf(conditions);
  if (operation === undefined) return [];
  const rows = conditions.flatMap((condition) => {
    const asked = condition.runs.filter((run) => hasLearned(run, operation) !== null);
    const learned = asked.filter((run) => hasLearned(run, operation) === true).length;
    return asked.length === 0 ? [] : [{ label: condition.label, learned, runs: asked.length }];
  });
  const isMany = rows.length > MOST_IN_STRIP;
  const names = (some: readonly (typeof rows)[number][]): string => {
    if (isMany) return counted(some.length, 'condition');
    const shown = some
      .slice(0, MOST_NAMED)
      .map(({ label, runs }) => `${label} (${runs} ${runs === 1 ? 'seed' : 'seeds'})`);
    const rest = some.length - shown.length;
    return `${shown.join('; ')}${rest > 0 ? ` and ${rest} more` : ''}`;
  };
  const all = rows.filter(({ learned, runs }) => learned === runs);
  const none = rows.filter(({ learned }) => learned === 0);
  const some = rows.filter(({ learned, runs }) => learned > 0 && learned < runs);
  const parts = [
    ...(all.length === 0 ? [] : [`by every seed of ${names(all)}`]),
    ...(some.length === 0
      ? []
      : isMany
        ? [`by some seeds of ${names(some)}`]
        : [
            `by ${some
              .slice(0, MOST_NAMED)
              .map(({ label, learned, runs }) => `${learned} of ${runs} seeds of ${label}`)
              .join(
                '; ',
              )}${some.length > MOST_NAMED ? ` and by some of ${some.length - MOST_NAMED} more` : ''}`,
          ]),
    ...(none.length === 0 ? [] : [`by no seed of ${names(none)}`]),
  ];
  return parts.length === 0 ? [] : [`${operation} was learned ${parts.join('; ')}.`];
}

/** Beyond this a spread is so small that how often it fits says nothing more. */
const MOST_SPREADS = 50;

function differenceSentence(differences: readonly Difference[]): string[] {
  const [first] = differences.filter(
    ({ interval }) => interval !== undefined && (interval.low > 0 || interval.high < 0),
  );
  if (first === undefined) {
    return differences.length === 0
      ? []
      : ['No two conditions differ by more than their seeds do: every interval of a difference covers 0.'];
  }
  const { estimate, interval, spreads = 0 } = first;
  return [
    `The clearest difference is in ${lower(differenceName(first))}: ${pairName(first)} is ${readable(estimate)} (95 % interval ${readable(interval?.low)} to ${readable(interval?.high)}), ${Math.abs(spreads) > MOST_SPREADS ? `more than ${MOST_SPREADS}` : readable(Math.abs(spreads), 2)} times the spread of one seed.`,
  ];
}

function claimsSentence({ claims }: Report): string[] {
  const parts = claims.filter(({ part }) => part !== undefined);
  if (parts.length === 0) return [];
  const decided = parts.filter(({ verdict }) => verdict !== VERDICT.tooFew);
  if (decided.length === 0) {
    return [
      `None of the ${parts.length} statements under test can be decided with these runs; the table says what each lacks.`,
    ];
  }
  const named = decided.map(({ claim, part, verdict, interim }) => {
    const { origin } = claimById(claim);
    return `${part ?? claim}${origin === 'own' ? ' (our own)' : ''} is ${verdict}${interim ? ' (interim)' : ''}`;
  });
  return [
    `Of ${parts.length} statements under test ${decided.length === 1 ? 'one is' : `${decided.length} are`} decided: ${named.join(', ')}.`,
  ];
}

function lower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** A cell for each seed of each condition: how much of the operation it answers right. */
function learnedStrip(conditions: readonly Condition[]): ChartSpec {
  const operation = askedOf(conditions) ?? PRIMARY;
  const cells = conditions.flatMap((condition) =>
    condition.runs.flatMap((run): HeatCell[] => {
      const value = run.accuracy?.[operation];
      return value === undefined ? [] : [{ panel: '', x: String(run.seed), y: condition.label, value }];
    }),
  );
  return heatMapChart(cells, {
    id: 'learned-strip',
    title: `Who learned ${operation}`,
    note: 'One cell a seed, accuracy on result tokens of trained prompts; 95 % counts as learned.',
    x: 'Seed',
    y: 'Condition',
    value: 'Accuracy (%)',
    diverging: false,
    domain: [0, 1],
    cell: 20,
    columns: 1,
    summary: conditions
      .flatMap(({ label }) => {
        const own = cells.filter(({ y }) => y === label).map(({ value }) => value);
        const [low, high] = [Math.min(...own), Math.max(...own)].map((value) => percent(value, 0));
        return own.length === 0 ? [] : [`${label}: ${low === high ? low : `${low} to ${high}`}.`];
      })
      .join(' '),
    format: '.0%',
  });
}
