/** Which numbers direct attribution gives. */
import type { Scope } from '../../src/evidence/scope.js';
import { RANGES, type Statistic, type StatisticRow } from '../../src/evidence/statistic.js';
import type { AttributionMeasurement, Contributions } from './measure.js';

/** A margin below this is too small to be divided: shares are of runs whose right results stand out by a factor e. */
export const LEAST_MARGIN = 1;

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** Order of the heads of each layer by what they add on the first operation, largest first. @returns [layers][rank] head */
function ranked({ heads }: Contributions): number[][] {
  return heads.map((own) => own.map((_, head) => head).sort((a, b) => own[b] - own[a] || a - b));
}

/** Every part with its place, heads by rank and each layer's attention as their sum. @param ranks - [layers][rank] head */
function partsOf(
  found: Contributions,
  ranks: readonly (readonly number[])[],
  sharedBlocks: boolean,
): { readonly scope: Scope; readonly value: number; readonly isHead?: true }[] {
  const name = (part: string): string => (sharedBlocks ? `${part} pass` : part);
  return [
    { scope: { part: 'embedding' }, value: found.embedding },
    { scope: { part: 'position' }, value: found.position },
    ...found.heads.flatMap((own, layer) => [
      { scope: { part: name('attention'), layer }, value: sum(own) },
      ...(own.length === 1
        ? []
        : ranks[layer].map((head, rank) => ({
            scope: { part: name(`head of rank ${rank + 1}`), layer },
            value: own[head],
            isHead: true as const,
          }))),
      { scope: { part: name('feed-forward'), layer }, value: found.feedForward[layer] },
    ]),
    { scope: { part: 'biases' }, value: found.biases },
  ];
}

/** Positive contributions only, as a part that speaks against the result does none of the work. */
export function feedForwardShare({ heads, feedForward, margin }: Contributions): number | undefined {
  if (margin < LEAST_MARGIN) return undefined;
  const attention = Math.max(0, sum(heads.flat()));
  const f = Math.max(0, sum(feedForward));
  return attention + f > 0 ? f / (attention + f) : undefined;
}

/** What was asked of one operation, or of one role in it. */
interface Asked {
  readonly scope: Scope;
  readonly examples: number;
  readonly trained: Contributions;
  readonly untrained: Contributions;
}

/** Result against the other numbers, one for each operation. */
const ofResults = ({ operations }: AttributionMeasurement): Asked[] =>
  operations.map(({ operation, prompts, trained, untrained }) => ({
    scope: { operation },
    examples: prompts,
    trained,
    untrained,
  }));

/** The right token against all others, one for each operation and role. */
const byRole = ({ operations }: AttributionMeasurement): Asked[] =>
  operations.flatMap(({ operation, roles, trained, untrained }) =>
    roles.map(({ role, tokens }, i) => ({
      scope: { operation, role },
      examples: tokens,
      trained: trained.roles[i],
      untrained: untrained.roles[i],
    })),
  );

/** One number of each. */
const numbersOf = (
  asked: readonly Asked[],
  of: (found: Contributions) => number | undefined,
): StatisticRow[] =>
  asked.flatMap(({ scope, examples, trained, untrained }) => {
    const value = of(trained);
    const control = of(untrained);
    return value === undefined
      ? []
      : [{ scope, value, ...(control === undefined ? {} : { control }), examples }];
  });

/** One number of each part. @param heads - with the heads one by one */
function partNumbers(
  { operations, sharedBlocks }: AttributionMeasurement,
  asked: readonly Asked[],
  of: (found: Contributions, value: number) => number | undefined,
  heads: boolean,
): StatisticRow[] {
  if (operations.length === 0) return [];
  const [first] = operations;
  // each model ranks its own heads, so that the control is as favoured by the ranking
  const [own, before] = [ranked(first.trained), ranked(first.untrained)];
  return asked.flatMap(({ scope, examples, trained, untrained }) => {
    const controls = partsOf(untrained, before, sharedBlocks);
    return partsOf(trained, own, sharedBlocks).flatMap(({ scope: part, value, isHead }, i) => {
      const shown = of(trained, value);
      if (shown === undefined || (isHead === true && !heads)) return [];
      const control = of(untrained, controls[i].value);
      return [
        {
          scope: { ...scope, ...part },
          value: shown,
          ...(control === undefined ? {} : { control }),
          examples,
        },
      ];
    });
  });
}

const shareOf = ({ margin }: Contributions, value: number): number | undefined =>
  margin < LEAST_MARGIN ? undefined : value / margin;

const BEFORE = 'before training';
const OVER_TOKENS = 'logit of the right token - mean over all tokens';

export const ATTRIBUTION_STATISTICS: readonly Statistic<AttributionMeasurement>[] = [
  {
    id: 'feed-forward-share',
    title: 'Feed-forward share, direct',
    formula:
      'F / (F + A), A and F the contributions of attention and of feed-forward layers, negative ones as 0',
    unit: '1',
    range: RANGES.share,
    sentence:
      'feed-forward share of what attention and feed-forward layers write directly for the right result',
    counts: 'learned',
    reference: 0.5,
    controlName: BEFORE,
    of: (m) => numbersOf(ofResults(m), feedForwardShare),
  },
  {
    id: 'role-feed-forward-share',
    title: 'Feed-forward share, direct, by role',
    formula:
      'F / (F + A) for the margin by role, A and F of attention and of feed-forward layers, negative ones as 0',
    unit: '1',
    range: RANGES.share,
    sentence:
      'feed-forward share of what attention and feed-forward layers write directly for the right token of a role',
    reference: 0.5,
    controlName: BEFORE,
    of: (m) => numbersOf(byRole(m), feedForwardShare),
  },
  {
    id: 'share',
    title: 'Share of the margin',
    formula: 'mean contribution / mean margin, margin = logit of the right result - mean over numbers',
    unit: '1',
    sentence: 'share of the margin of the right result that a part writes directly (all parts together: 1)',
    counts: 'learned',
    reference: 0,
    controlName: BEFORE,
    of: (m) => partNumbers(m, ofResults(m), shareOf, false),
  },
  {
    id: 'role-share',
    title: 'Share of the margin, by role',
    formula: `mean contribution / mean margin over the tokens of a role, margin = ${OVER_TOKENS}`,
    unit: '1',
    sentence:
      'share of the margin of the right token of a role that a part writes directly (all parts together: 1)',
    detail: true,
    reference: 0,
    controlName: BEFORE,
    of: (m) => partNumbers(m, byRole(m), shareOf, false),
  },
  {
    id: 'contribution',
    title: 'Contribution to the margin',
    formula: 'mean over prompts of what a part adds to: logit of the right result - mean over numbers',
    unit: 'nats',
    sentence: 'what a part adds to the margin of the right result',
    detail: true,
    reference: 0,
    controlName: BEFORE,
    of: (m) => partNumbers(m, ofResults(m), (_, value) => value, true),
  },
  {
    id: 'role-contribution',
    title: 'Contribution to the margin, by role',
    formula: `mean over the tokens of a role of what a part adds to: ${OVER_TOKENS}`,
    unit: 'nats',
    sentence: 'what a part adds to the margin of the right token of a role',
    detail: true,
    reference: 0,
    controlName: BEFORE,
    of: (m) => partNumbers(m, byRole(m), (_, value) => value, true),
  },
  {
    id: 'margin',
    title: 'Margin of the right result',
    formula: 'mean over prompts of: logit of the right result - mean over numbers',
    unit: 'nats',
    sentence: 'how far the logit of the right result stands above the mean over the numbers',
    compared: false,
    controlName: BEFORE,
    of: (m) => numbersOf(ofResults(m), ({ margin }) => margin),
  },
  {
    id: 'role-margin',
    title: 'Margin of the right token, by role',
    formula: `mean over the tokens of a role of: ${OVER_TOKENS}`,
    unit: 'nats',
    sentence: 'how far the logit of the right token of a role stands above the mean over all tokens',
    detail: true,
    controlName: BEFORE,
    of: (m) => numbersOf(byRole(m), ({ margin }) => margin),
  },
  {
    id: 'sum-error',
    title: 'Error of the sum',
    formula:
      "largest |sum of the parts - margin of the model's own logits|, over prompts, or tokens of a role",
    unit: 'nats',
    range: RANGES.positive,
    sentence: 'how far the parts are from summing to the margin of the right token',
    detail: true,
    of: (m) =>
      [...ofResults(m), ...byRole(m)].map(({ scope, examples, trained }) => ({
        scope,
        value: trained.sumError,
        examples,
      })),
  },
];
