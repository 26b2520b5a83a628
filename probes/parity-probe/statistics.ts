/** Which numbers a checkpoint gives. Controls are the same run before training, or an equal random disturbance. */
import type { Scope } from '../../src/evidence/scope.js';
import { RANGES, type StatisticInfo } from '../../src/evidence/statistic.js';
import type { LabellingName } from './measurement.js';

const BEFORE = 'before training';
const OWN_NULL = { tested: 'own-null', controlName: BEFORE } as const;
const DETAIL = { detail: true } as const;
const READ = 'held-out accuracy, folds by set of numbers';
const STRICT = 'leave-pair-out parity of the mean activation of each value';

const BITS = 'bits of the online code / labels';

/** In place of the residual stream: the sum of the operands' embeddings. */
export const BAG = 'bag of numbers';

/** Where a cell is, as data. @param stage - 0 the embedding, then attention and feed-forward in turn */
export function stageScope(stage: number, sharedBlocks: boolean): Scope {
  if (stage === 0) return { part: 'embedding' };
  const part = stage % 2 === 1 ? 'attention' : 'feed-forward';
  return { part: sharedBlocks ? `${part} pass` : part, layer: Math.floor((stage - 1) / 2) };
}

/** Selectivity: the score of a labelling less that of random labels of the same class sizes. */
function selectivity<Id extends LabellingName>(id: Id, title: string, sentence: string, isControl = false) {
  return {
    id,
    title,
    formula: 'leave-pair-out score - mean of its relabellings (selectivity)',
    unit: '1',
    range: RANGES.signed,
    sentence: `${sentence}, from the token embeddings, beyond random labels`,
    testMethod: 'every relabelling with the same class sizes, one-sided',
    reference: 0,
    ...(isControl ? { compared: false } : {}),
    ...OWN_NULL,
  } as const;
}

export const PARITY_STATISTICS = [
  {
    id: 'parity-power',
    title: 'Parity power (octaves)',
    formula: 'log2((n-1) x share of centred embedding variance at k = n/2)',
    unit: 'octaves',
    sentence:
      'parity in the number embeddings, above isotropic noise (an odd number of numbers has no k = n/2, and gives none)',
    ...OWN_NULL,
    testMethod: 'every labelling into equal halves, one-sided',
    reference: 0,
  },
  selectivity('parity', 'Even or odd', 'parity of a held-out pair of numbers'),
  selectivity('half', 'Low or high half', 'low against high numbers'),
  selectivity(
    'residue3',
    'Residue modulo 3 (control)',
    'residue modulo 3 (a control: 3 has no meaning in the tasks)',
    true,
  ),
  selectivity('prime', 'Prime or not (control)', 'prime or not (a control)', true),
  {
    id: 'value',
    title: 'Value (R²)',
    formula: 'leave-one-out R² of ridge regression',
    unit: '1',
    range: { high: 1 },
    sentence: 'value of a held-out number, from the token embeddings',
    testMethod: 'numbers permuted, one-sided',
    reference: 0,
    compared: false,
    ...OWN_NULL,
  },
  {
    id: 'parity-trained',
    title: 'Even or odd, gained by training',
    formula: 'selectivity of parity - the same before training',
    unit: '1',
    range: { low: -2, high: 2 },
    sentence: 'parity score of the token embeddings, trained minus before training',
    reference: 0,
    compared: false,
  },
  {
    id: 'affine-rank',
    title: 'Rank of the centred embeddings',
    formula: 'rank of the centred embeddings',
    unit: '1',
    range: RANGES.positive,
    sentence:
      'rank of the centred embeddings; at n - 1 they separate every labelling, so accuracy without held-out numbers means nothing',
    compared: false,
    controlName: BEFORE,
  },
  {
    id: 'readable',
    title: 'Result readable where it is predicted',
    formula: READ,
    unit: 'accuracy',
    range: RANGES.share,
    sentence: 'result, or its residue, read where it is predicted after the last layer',
    counts: 'learned',
    controlName: BEFORE,
  },
  {
    id: 'strict-parity',
    title: 'Parity of results not fitted on',
    formula: `${STRICT} after the last layer - 1/2`,
    unit: '1',
    range: { low: -0.5, high: 0.5 },
    sentence: 'parity of results the probe was not fitted on, where the result is predicted',
    counts: 'learned',
    controlName: BEFORE,
    reference: 0,
  },
  {
    id: 'code-saved',
    title: 'Parity shorter than random labels',
    formula: `${BITS}, random labels of the results - parity, after the last layer`,
    unit: 'bits',
    sentence:
      'bits a label that parity of the result saves beside random labels, where it is predicted, after the last layer',
    counts: 'learned',
    controlName: BEFORE,
    reference: 0,
  },
  {
    id: 'look-ahead',
    title: 'Final answer readable before the inner step',
    formula: READ,
    unit: 'accuracy',
    range: RANGES.share,
    sentence: 'final answer read at the closing bracket, before the inner result is written',
    counts: 'learned',
    controlName: BEFORE,
  },
  {
    id: 'causal',
    title: 'Loss without the parity direction, beyond equal moves',
    formula: 'loss without the parity direction - loss after equal random moves, result tokens',
    unit: 'nats',
    sentence:
      'loss added by removing the parity direction of the number tokens, beyond as large random moves',
    reference: 0,
    counts: 'learned',
  },
  {
    id: 'accuracy-lost',
    title: 'Accuracy lost without the parity direction',
    formula: 'accuracy intact - accuracy without the parity direction, result tokens',
    unit: 'accuracy',
    range: RANGES.signed,
    sentence: 'accuracy lost by removing the parity direction of the number tokens',
    controlName: 'lost by as large random moves',
    reference: 0,
    counts: 'learned',
  },
  {
    id: 'answers',
    title: 'Accuracy with numbers changed in the input',
    formula: 'share of result tokens right',
    unit: 'accuracy',
    range: RANGES.share,
    sentence: 'accuracy on results with the number tokens changed',
    ...DETAIL,
    counts: 'learned',
  },
  {
    id: 'answer-loss',
    title: 'Loss with numbers changed in the input',
    formula: 'loss of result tokens',
    unit: 'nats',
    range: RANGES.positive,
    sentence: 'loss on results with the number tokens changed',
    ...DETAIL,
    counts: 'learned',
  },
  {
    id: 'removed-share',
    title: 'Variance along the parity direction',
    formula: 'share of the squared norm of the centred embeddings along the parity direction',
    unit: '1',
    range: RANGES.share,
    sentence: 'share of the variance of the numbers along the parity direction',
    ...DETAIL,
    counts: 'learned',
  },
  {
    id: 'readout',
    title: 'Readable in the residual stream',
    formula: READ,
    unit: 'accuracy',
    range: RANGES.share,
    sentence: 'what is asked at a position, or its residue, read after a layer',
    map: { x: ['position'], y: ['part', 'layer'] },
    ...DETAIL,
    controlName: BEFORE,
  },
  {
    id: 'strict-readout',
    title: 'Parity of values not fitted on, in the residual stream',
    formula: STRICT,
    unit: '1',
    range: RANGES.share,
    sentence: 'parity of values the probe was not fitted on, read after a layer',
    ...DETAIL,
    controlName: BEFORE,
  },
  {
    id: 'code-parity',
    title: 'Code length of parity',
    formula: BITS,
    unit: 'bits',
    range: RANGES.positive,
    sentence: 'bits a label of parity of the result where it is predicted, 1 without the model',
    ...DETAIL,
    controlName: BEFORE,
    reference: 1,
  },
  {
    id: 'code-random',
    title: 'Code length of random labels',
    formula: `${BITS}, mean over random labellings of the results`,
    unit: 'bits',
    range: RANGES.positive,
    sentence: 'bits a label of random labels of the result where it is predicted',
    ...DETAIL,
    controlName: BEFORE,
    reference: 1,
  },
  {
    id: 'frequency',
    title: 'Frequency of the result',
    formula: 'held-out R² of cos and sin of 2 pi k s / n by ridge regression',
    unit: '1',
    range: { high: 1 },
    sentence: 'frequency k of the result, read where it is predicted after a layer',
    ...DETAIL,
    controlName: BEFORE,
  },
] as const satisfies readonly StatisticInfo[];
export type ParityStatistic = (typeof PARITY_STATISTICS)[number]['id'];
