/** Which numbers direct attribution gives. */
import type { Scope } from '../../src/evidence/scope.js';
import type { Statistic, StatisticRow } from '../../src/evidence/statistic.js';
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

function rowsOf(
  m: AttributionMeasurement,
  of: (found: Contributions, value: number) => number | undefined,
  heads: boolean,
): StatisticRow[] {
  const { operations, sharedBlocks } = m;
  if (operations.length === 0) return [];
  const [first] = operations;
  // each model ranks its own heads, so that the control is as favoured by the ranking
  const [own, before] = [ranked(first.trained), ranked(first.untrained)];
  return operations.flatMap(({ operation, prompts, trained, untrained }) => {
    const controls = partsOf(untrained, before, sharedBlocks);
    return partsOf(trained, own, sharedBlocks).flatMap(({ scope, value, isHead }, i) => {
      const shown = of(trained, value);
      if (shown === undefined || (isHead === true && !heads)) return [];
      const control = of(untrained, controls[i].value);
      return [
        {
          scope: { operation, ...scope },
          value: shown,
          ...(control === undefined ? {} : { control }),
          examples: prompts,
        },
      ];
    });
  });
}

const BEFORE = 'before training';

export const ATTRIBUTION_STATISTICS: readonly Statistic<AttributionMeasurement>[] = [
  {
    id: 'feed-forward-share',
    title: 'Feed-forward share, direct',
    formula:
      'F / (F + A), A and F the contributions of attention and of feed-forward layers, negative ones as 0',
    unit: '1',
    sentence:
      'feed-forward share of what attention and feed-forward layers write directly for the right result',
    counts: 'learned',
    reference: 0.5,
    controlName: BEFORE,
    of: (m) =>
      m.operations.flatMap(({ operation, prompts, trained, untrained }) => {
        const value = feedForwardShare(trained);
        const control = feedForwardShare(untrained);
        return value === undefined
          ? []
          : [
              {
                scope: { operation },
                value,
                ...(control === undefined ? {} : { control }),
                examples: prompts,
              },
            ];
      }),
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
    of: (m) => rowsOf(m, ({ margin }, value) => (margin < LEAST_MARGIN ? undefined : value / margin), false),
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
    of: (m) => rowsOf(m, (_, value) => value, true),
  },
  {
    id: 'margin',
    title: 'Margin of the right result',
    formula: 'mean over prompts of: logit of the right result - mean over numbers',
    unit: 'nats',
    sentence: 'how far the logit of the right result stands above the mean over the numbers',
    compared: false,
    controlName: BEFORE,
    of: (m) =>
      m.operations.map(({ operation, prompts, trained, untrained }) => ({
        scope: { operation },
        value: trained.margin,
        control: untrained.margin,
        examples: prompts,
      })),
  },
  {
    id: 'sum-error',
    title: 'Error of the sum',
    formula: "largest |sum of the parts - margin of the model's own logits| over prompts",
    unit: 'nats',
    sentence: 'how far the parts are from summing to the margin of the right result',
    detail: true,
    of: (m) =>
      m.operations.map(({ operation, prompts, trained }) => ({
        scope: { operation },
        value: trained.sumError,
        examples: prompts,
      })),
  },
];
