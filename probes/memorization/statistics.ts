/** Which numbers the answers give. Scopes name operation, operand count and level; the primary operation alone but where said. */
import type { StatisticInfo } from '../../src/evidence/statistic.js';
import { BALANCE_LIMIT } from '../../src/listops/regimes.js';

/** Result-token loss at which SUM-only and mixed runs are matched, nats. */
export const MATCHED_NATS = 0.02;
const ONE_ANSWER = 'one fixed answer';
const INDEX = {
  title: 'Memorization index M',
  formula: '(acc_trained - acc_held) / (acc_trained - c)',
  unit: '1',
  counts: 'learned',
} as const;
/** Nothing is 0, in every run that has learned. */
const AGAINST_0 = { tested: 'against-0', counts: 'learned', reference: 0 } as const;

export const MEMORIZATION_STATISTICS = [
  {
    ...INDEX,
    id: 'index',
    sentence:
      'memorization index (0: held-out operands are answered like trained ones; 1: no better than one fixed answer)',
  },
  {
    ...INDEX,
    id: 'index-matched',
    title: 'Memorization index M, runs of equal loss',
    sentence: `memorization index of runs with at most ${MATCHED_NATS} nats on trained results`,
  },
  {
    id: 'held',
    title: 'Accuracy on held-out operands',
    formula: 'share of held-out multisets right, orders averaged',
    unit: 'accuracy',
    sentence: 'accuracy on held-out operands',
    controlName: ONE_ANSWER,
  },
  {
    id: 'trained',
    title: 'Accuracy on trained operands',
    formula: 'accuracy on result tokens, operand counts weighted alike',
    unit: 'accuracy',
    sentence: 'accuracy on operands that training may show',
  },
  {
    id: 'gap',
    title: 'Accuracy lost on held-out operands',
    formula: 'accuracy on trained - accuracy on held-out multisets',
    unit: 'accuracy',
    sentence: 'accuracy lost on held-out operands',
    ...AGAINST_0,
  },
  {
    id: 'repeated',
    title: 'Different against equal operands',
    formula: 'accuracy on distinct - accuracy on repeated operands',
    unit: 'accuracy',
    sentence: 'trained pairs of different numbers minus pairs of equal ones (drawn half as often)',
    ...AGAINST_0,
  },
  {
    id: 'order',
    title: 'Same answer whichever way it is written',
    formula: 'agreement of orders - agreement of different multisets',
    unit: '1',
    sentence: 'the same answer whichever way held-out operands are written, beyond chance',
    ...AGAINST_0,
  },
  {
    id: 'coset',
    title: 'Wrong answers right up to a coset',
    formula: 'share of wrong answers right modulo a divisor of n - even share',
    unit: '1',
    sentence:
      'wrong answers on held-out operands that are right modulo a divisor of n, beyond wrong answers drawn evenly',
    ...AGAINST_0,
  },
  {
    id: 'near',
    title: 'Wrong answers off by one',
    formula: 'share of wrong answers at difference 1 or n-1 - even share',
    unit: '1',
    sentence: 'wrong answers on held-out operands that are off by one, beyond an even spread',
    ...AGAINST_0,
  },
  {
    id: 'expression',
    title: 'New expressions',
    formula: 'share of chains without an error',
    unit: 'accuracy',
    sentence: 'whole chains right in new expressions, every reduction in them trained',
    counts: 'learned',
  },
  {
    id: 'expression-gap',
    title: 'Accuracy lost in new expressions',
    formula: 'result tokens right in shown - in new expressions',
    unit: 'accuracy',
    sentence:
      'accuracy lost in new expressions against expressions that training has shown, which are shorter',
    ...AGAINST_0,
  },
  {
    id: 'signal-ratio',
    title: 'Balance of the hold-out',
    formula: 'max / min over k of the first-order signal of the hold-out',
    unit: '1',
    sentence: `how uneven a signal the hold-out itself gives (1: balanced; above ${BALANCE_LIMIT}: not)`,
    compared: false,
    reference: 1,
  },
  {
    id: 'leaks',
    title: 'Held-out sets that training showed',
    formula: "held-out sets in the run's first examples, drawn again and read as tokens",
    unit: '1',
    sentence: 'held-out operand sets that training showed, in any order (must be 0)',
    detail: true,
  },
  {
    id: 'held-share',
    title: 'Share held out',
    formula: 'held pairs or triples over all there are',
    unit: 'accuracy',
    sentence: 'share of pairs or triples held out',
    detail: true,
  },
  {
    id: 'accuracy',
    title: 'Accuracy by operation and number of operands',
    formula: 'share of multisets right, orders averaged',
    unit: 'accuracy',
    sentence: 'accuracy of every operation on operands of one level',
    detail: true,
    controlName: ONE_ANSWER,
  },
  {
    id: 'loss',
    title: 'Loss on trained operands',
    formula: 'mean loss on the result, nats',
    unit: 'nats',
    sentence: 'loss on the results of operands that training may show',
    detail: true,
  },
  {
    id: 'modulo',
    title: 'Right up to a coset',
    formula: 'share of answers right modulo a divisor of n, 2 operands',
    unit: 'accuracy',
    sentence: 'answers that are right modulo a divisor of n',
    detail: true,
    controlName: ONE_ANSWER,
  },
  {
    id: 'stratum',
    title: 'Equal operands and 0',
    formula: 'share of multisets right, orders averaged, 2 operands',
    unit: 'accuracy',
    sentence: 'accuracy on pairs of different or equal numbers, with or without 0',
    detail: true,
  },
  {
    id: 'agreement',
    title: 'Agreement of orders',
    formula: 'pairs of orders of a multiset with the same answer, right or wrong',
    unit: 'accuracy',
    sentence: 'the same answer whichever way the operands are written',
    detail: true,
    controlName: 'different operands',
  },
  {
    id: 'by-draws',
    title: 'Accuracy by draws in training',
    formula: 'share of multisets right, by powers of ten of their draws in training',
    unit: 'accuracy',
    sentence: 'accuracy on operands that training drew so often',
    detail: true,
  },
  {
    id: 'beyond',
    title: 'Beyond training',
    formula: 'share of result tokens right, the chain before them given',
    unit: 'accuracy',
    sentence: 'accuracy on more operands, deeper nesting and new expressions',
    detail: true,
    controlName: ONE_ANSWER,
  },
  {
    id: 'no-number',
    title: 'Answers that are no number',
    formula: 'share of answers that are no number',
    unit: 'accuracy',
    sentence: 'answers beyond training that are no number',
    detail: true,
  },
] as const satisfies readonly StatisticInfo[];
export type MemorizationStatistic = (typeof MEMORIZATION_STATISTICS)[number]['id'];
