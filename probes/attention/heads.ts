/**
 * Heads of several runs brought into one order. The number of a head means nothing across seeds: each layer's heads are matched
 * to those of a reference run by what they read (Hungarian method), and the reference's are in descending order of their weight
 * on operands. The untrained models, as control, are matched among themselves in the same way.
 */
import { cheapestAssignment } from '../../src/analysis/geometry/assignment.js';
import { hasLearned } from '../../src/evidence/conditions.js';
import { groupBy } from '../../src/evidence/group-by.js';
import { nine, type Observation, RANGES, type StatisticInfo } from '../../src/evidence/statistic.js';
import type { Measured } from '../contract.js';
import { type AttentionMeasurement, type HeadNumbers } from './measure.js';
import { BEFORE, layerScope, readsOf, weightOf } from './statistics.js';

type Which = 'trained' | 'untrained';

export const HEAD_WEIGHT: StatisticInfo = {
  id: 'head-weight',
  title: 'What a head reads',
  formula:
    'sum of the weights on tokens of a kind at the position before the result, heads matched over runs',
  unit: '1',
  range: RANGES.share,
  sentence: 'share of the attention of a head that goes to tokens of a kind where the result is predicted',
  detail: true,
  controlName: BEFORE,
};

export const HEAD_ENTROPY: StatisticInfo = {
  id: 'head-entropy',
  title: 'Entropy of a head',
  formula: '- sum w ln w at the position before the result, heads matched over runs',
  unit: 'nats',
  range: { low: 0, high: 'null mean' },
  sentence: 'entropy of the attention of a head where the result is predicted',
  detail: true,
  controlName: BEFORE,
};

/** [operations] profiles of one layer's heads, by operation. */
function layerOf(m: AttentionMeasurement, which: Which, layer: number): Map<string, readonly HeadNumbers[]> {
  return new Map(m.operations.map((one) => [one.operation, one[which][layer]]));
}

/**
 * @returns [heads] the head of `m` that stands where the reference has its own; squared distance of the weights, over the
 * operations that both have
 */
export function matchHeads(
  reference: ReadonlyMap<string, readonly HeadNumbers[]>,
  own: ReadonlyMap<string, readonly HeadNumbers[]>,
): number[] {
  const n = [...reference.values()].at(0)?.length ?? 0;
  const shared = [...reference.keys()].filter((operation) => own.has(operation));
  const cost = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (__, j) =>
      shared.reduce((sum, operation) => {
        const [a, b] = [reference.get(operation)?.[i].weights, own.get(operation)?.[j].weights];
        return sum + (a ?? []).reduce((squares, weight, r) => squares + (weight - (b?.[r] ?? 0)) ** 2, 0);
      }, 0),
    ),
  );
  return cheapestAssignment(cost);
}

/** Heads by weight on operands on the first operation, largest first. */
function inOrder(heads: ReadonlyMap<string, readonly HeadNumbers[]>): Map<string, HeadNumbers[]> {
  const first = [...heads.values()].at(0) ?? [];
  const weight = weightOf('operands');
  const order = first.map((_, head) => head).sort((a, b) => weight(first[b]) - weight(first[a]) || a - b);
  return new Map([...heads].map(([operation, own]) => [operation, order.map((head) => own[head])]));
}

/** @param measured - every measurement; @param last - those of the last checkpoints, of which the first that learned is the reference */
export function matchedHeads(
  measured: readonly Measured<AttentionMeasurement>[],
  last: readonly Measured<AttentionMeasurement>[],
): Observation[] {
  const shapeOf = ({ measurement: { operations, sharedBlocks } }: Measured<AttentionMeasurement>): string =>
    [sharedBlocks, operations.at(0)?.trained.length, operations.at(0)?.trained.at(0)?.length].join();
  return [...groupBy(measured, shapeOf)].flatMap(([shape, group]) => {
    const known = last.filter((one) => shapeOf(one) === shape);
    const reference = known.find(({ subject }) => hasLearned(subject) !== false) ?? known.at(0);
    if (reference === undefined) return [];
    const layers = reference.measurement.operations.at(0)?.trained ?? [];
    return group.flatMap(({ subject, measurement: m }) =>
      layers.flatMap((_, layer) => {
        const place = (which: Which): Map<string, HeadNumbers[]> => {
          const own = layerOf(m, which, layer);
          const match = matchHeads(inOrder(layerOf(reference.measurement, which, layer)), own);
          return new Map([...own].map(([operation, heads]) => [operation, match.map((head) => heads[head])]));
        };
        const [trained, untrained] = [place('trained'), place('untrained')];
        return m.operations.flatMap(({ operation, prompts, uniform }) =>
          (trained.get(operation) ?? []).flatMap((head, h): Observation[] => {
            const before = untrained.get(operation)?.[h] ?? head;
            const part = `head ${h + 1}${m.sharedBlocks ? ' pass' : ''}`;
            const scope = { operation, ...layerScope(layer, m.sharedBlocks), part };
            const rest = { subject: subject.id, examples: prompts };
            return [
              ...readsOf(m).map((read) => ({
                ...rest,
                statistic: `attention/${HEAD_WEIGHT.id}`,
                scope: { ...scope, position: read },
                value: nine(weightOf(read)(head)),
                null: { mean: nine(weightOf(read)(uniform)) },
                control: nine(weightOf(read)(before)),
              })),
              {
                ...rest,
                statistic: `attention/${HEAD_ENTROPY.id}`,
                scope,
                value: nine(head.entropyNats),
                null: { mean: nine(uniform.entropyNats) },
                control: nine(before.entropyNats),
              },
            ];
          }),
        );
      }),
    );
  });
}
