/** Which numbers the attention of the position before the result gives: of layers, the mean over heads. Heads: heads.ts. */
import type { Scope } from '../../src/evidence/scope.js';
import { RANGES, type Statistic, type StatisticRow } from '../../src/evidence/statistic.js';
import { mean } from '../../src/tensor/sum.js';
import { type AttentionMeasurement, type HeadNumbers, type Read, READ } from './measure.js';

export const BEFORE = 'before training';

/** With shared blocks a layer is one pass, which no layer is compared with. */
export const layerScope = (layer: number, sharedBlocks: boolean): Scope =>
  sharedBlocks ? { part: 'attention pass', layer } : { layer };

/** One row a layer and operation, mean over heads; chance is attention to every position alike. */
function ofLayers(
  m: AttentionMeasurement,
  pick: (head: HeadNumbers) => number,
  scope: Scope = {},
): StatisticRow[] {
  return m.operations.flatMap(({ operation, prompts, uniform, trained, untrained }) =>
    trained.map((heads, layer) => ({
      scope: { operation, ...layerScope(layer, m.sharedBlocks), ...scope },
      value: mean(heads.map(pick)),
      control: mean(untrained[layer].map(pick)),
      null: { mean: pick(uniform) },
      examples: prompts,
    })),
  );
}

/** What the notation of a run has. */
export function readsOf({ operations }: AttentionMeasurement): Read[] {
  return READ.filter((_, i) => operations.some(({ uniform }) => uniform.weights[i] > 0));
}

export const weightOf =
  (read: Read) =>
  ({ weights }: HeadNumbers): number =>
    weights[READ.indexOf(read)];

export const ATTENTION_STATISTICS: readonly Statistic<AttentionMeasurement>[] = [
  {
    id: 'operand-weight',
    title: 'Attention to operands',
    formula: 'sum of the weights on operands at the position before the result, mean over heads and prompts',
    unit: '1',
    range: RANGES.share,
    sentence: 'share of the attention that goes to the operands where the result is predicted',
    counts: 'learned',
    controlName: BEFORE,
    of: (m) => ofLayers(m, weightOf('operands')),
  },
  {
    id: 'entropy',
    title: 'Entropy of attention',
    formula: '- sum w ln w at the position before the result, mean over heads and prompts',
    unit: 'nats',
    range: { low: 0, high: 'null mean' },
    sentence: 'entropy of the attention where the result is predicted (0: one position is read)',
    counts: 'learned',
    controlName: BEFORE,
    of: (m) => ofLayers(m, ({ entropyNats }) => entropyNats),
  },
  {
    id: 'entropy-share',
    title: 'Entropy of attention, of the most possible',
    formula: 'entropy / ln(number of positions), mean over heads and prompts',
    unit: '1',
    range: RANGES.share,
    sentence:
      'entropy of the attention where the result is predicted, as a share of that of uniform attention',
    detail: true,
    controlName: BEFORE,
    of: (m) => ofLayers(m, ({ entropyShare }) => entropyShare),
  },
  {
    id: 'weight',
    title: 'Attention by what is read',
    formula:
      'sum of the weights on tokens of a kind at the position before the result, mean over heads and prompts',
    unit: '1',
    range: RANGES.share,
    sentence: 'share of the attention that goes to tokens of a kind where the result is predicted',
    detail: true,
    controlName: BEFORE,
    of: (m) => readsOf(m).flatMap((read) => ofLayers(m, weightOf(read), { position: read })),
  },
];
