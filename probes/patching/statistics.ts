/** Which numbers patching gives: shares of the way to the corrupted answer. Controls are the same model before training. */
import type { Scope } from '../../src/evidence/scope.js';
import type { Statistic, StatisticRow } from '../../src/evidence/statistic.js';
import { numberOf } from '../../src/report/report-json.js';
import type { JsonArray } from '../../src/report/schema.js';
import { type Patched, type PatchingMeasurement, STAGES } from './measure.js';

const SHARE = 'mean of (logit difference - clean) / mean of (corrupted - clean)';
const SHARED = {
  unit: '1',
  controlName: 'before training',
  counts: 'learned',
  reference: 0,
} as const;

/** One row for every scope of a table of the trained and the untrained model. */
function rowsOf(
  m: PatchingMeasurement,
  table: (own: Patched['trained']) => JsonArray,
  scopes: (own: Patched) => readonly (Scope | undefined)[],
): StatisticRow[] {
  return m.measured.flatMap((own) =>
    scopes(own).flatMap((scope, i): StatisticRow[] =>
      scope === undefined
        ? []
        : [
            {
              scope: { operation: own.operation, ...scope, method: `${own.corruption} changed` },
              value: numberOf(table(own.trained).data[i]),
              control: numberOf(table(own.untrained).data[i]),
              examples: own.pairs,
            },
          ],
    ),
  );
}

/** With shared blocks a layer is a pass, which no layer is compared with. */
const layerScope = ({ sharedBlocks }: PatchingMeasurement, layer: number, part?: string): Scope =>
  sharedBlocks
    ? { part: part === undefined ? `pass ${layer}` : `${part}, pass ${layer}` }
    : { ...(part === undefined ? {} : { part }), layer };

/** Scopes of [layers, stages, positions]. */
const placeScopes = (
  m: PatchingMeasurement,
  own: Patched,
  keep: (stage: string, position: string) => boolean,
  withStage: boolean,
) =>
  Array.from({ length: m.layers }, (_, layer) =>
    STAGES.flatMap((stage) =>
      own.positions.map((position): Scope | undefined =>
        keep(stage, position)
          ? { ...layerScope(m, layer, withStage ? stage : undefined), position }
          : undefined,
      ),
    ),
  ).flat();

export const PATCHING_STATISTICS: readonly Statistic<PatchingMeasurement>[] = [
  {
    ...SHARED,
    id: 'arrived',
    title: 'Arrived where the result is predicted',
    formula: `${SHARE}, resid_mid at the last position`,
    sentence:
      'how far the answer moves with the other prompt put in where the result is predicted, after attention',
    of: (m) =>
      rowsOf(
        m,
        ({ places }) => places,
        (own) =>
          placeScopes(m, own, (stage, position) => stage === 'resid_mid' && position === 'result', false),
      ),
  },
  {
    ...SHARED,
    id: 'direct',
    title: 'Direct paths to the logits',
    formula: `${SHARE}, one sender straight to the logits, every other sublayer held at its clean write`,
    sentence: 'how far the answer moves by what one part writes straight to the logits',
    of: (m) =>
      rowsOf(
        m,
        ({ paths }) => paths,
        () => m.paths.map(({ from, to }) => (to === 'logits' ? { part: from } : undefined)),
      ),
  },
  {
    ...SHARED,
    id: 'place',
    title: 'Moved by one place',
    formula: `${SHARE}, residual stream at one position`,
    sentence: 'how far the answer moves with the residual stream of the other prompt put in at one place',
    detail: true,
    map: { x: ['position'], y: ['layer', 'part'] },
    of: (m) =>
      rowsOf(
        m,
        ({ places }) => places,
        (own) => placeScopes(m, own, () => true, true),
      ),
  },
  {
    ...SHARED,
    id: 'head',
    title: 'Moved by one head',
    formula: `${SHARE}, attn.z of one head at all positions`,
    sentence: 'how far the answer moves with one head of the other prompt put in',
    detail: true,
    of: (m) =>
      rowsOf(
        m,
        ({ heads }) => heads,
        () =>
          Array.from({ length: m.layers * m.heads }, (_, i) => ({
            part: `head ${m.sharedBlocks ? 'pass ' : ''}${Math.floor(i / m.heads)}.${i % m.heads}`,
          })),
      ),
  },
  {
    ...SHARED,
    id: 'path',
    title: 'Moved along one path',
    formula: `${SHARE}, one sender through one receiver, every sublayer between held at its clean write`,
    sentence: 'how far the answer moves by what one part tells another directly',
    detail: true,
    of: (m) =>
      rowsOf(
        m,
        ({ paths }) => paths,
        () => m.paths.map(({ from, to }) => ({ part: `${from} to ${to}` })),
      ),
  },
];
