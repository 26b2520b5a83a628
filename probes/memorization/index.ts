/**
 * Memory or rule: accuracy on operands that training showed against operands held out of it, the memorization index, and
 * what wrong answers look like. Hold-outs are closed under order and checked for leaks; LATIN and TABLE, which can only be
 * memorized, are the control.
 */
import { ofRows } from '../../src/evidence/statistic.js';
import type { Probe } from '../contract.js';
import { missingControls, SAME_HOLDOUT, sameHoldout, sharesAbove } from './controls.js';
import { measureMemorization, type MeasureOptions, type MemorizationMeasurement } from './measure.js';
import { memorizationPictures } from './pictures.js';
import { MEMORIZATION_STATISTICS } from './statistics.js';

const COUNTS = [1, 100_000] as const;

export const memorization: Probe<MemorizationMeasurement, MeasureOptions> = {
  name: 'memorization',
  title: 'Memory or rule?',
  question:
    'Does a model know how to compute the result, or does it remember the results of the operands it was shown?',
  version: 4,
  options: {
    beyondPrompts: {
      default: 200,
      reason: 'prompts of each kind beyond training; an accuracy to 3.5 % at worst, in a few milliseconds',
      series: 50,
      range: COUNTS,
    },
    leakExamples: {
      default: 1000,
      range: COUNTS,
      reason:
        'training examples read again in search of a held-out set; a leak of 1 in 300 is found with 96 %',
    },
  },
  text: {
    shows:
      'How a model answers operands that training never showed, in any order, beside those that it did. The memorization index M is the accuracy lost, over the accuracy that there is to lose above one fixed answer: 0 for a model with a rule, 1 for a table of what was seen. The maps show every pair of numbers, where it was trained and where it was not; the errors and the coset rows show whether wrong answers are near, or right modulo a divisor of n, which is a sign of arithmetic half learned. Order agreement asks whether a + b and b + a are the same to the model.',
    doesNotShow:
      'That a model without loss on held-out pairs adds: a rule of another kind would do as well, and with three operands in training the held pair can be reached through a trained triple (level pair-closed; only pair-only, --operands 2..2, excludes it). A hold-out also changes what is learned: it gives SUM a weak signal that the full data lacks, so this says nothing of runs in the regime full, whose pairs were all trained and which are described here without an index. Few pairs are held out, so one run is a coarse number: read the runs together. An index of runs that have not learned their trained pairs means little.',
    method:
      'Every operation of the run on every list of operands (all where there are at most 20,000, else a seeded sample of 1,000 multisets in up to 4 orders), result token, greedy, one forward pass; the first generated token is the result, so this is the free-running answer. Each multiset counts once, its orders averaged. M = (acc_trained - acc_held) / (acc_trained - c), c the majority rate of the held results; no M when trained accuracy leads c by less than 0.1. Levels: expression (new nested expression), triple (held triples, pairs trained), pair-closed (held pairs, and every longer list that contains one), pair-only (two operands are all there is). Statistics of the index are of runs that have learned; an index of the others is kept in the table. C5: SUM-only runs at modulus 23 with two operands, trained accuracy of at least 0.99, M between 0 and 1, mean with a bounded-mean interval, each hold-out once; its assay: LATIN- or TABLE-only runs at the same place must come out above 0.8, no training example may show a held-out pair, and held-out entries of a random table must not be right beyond luck. Draws in training: the mean of the distribution at depth 1, otherwise the first 20,000 examples drawn again.',
  },
  isCompatible: ({ data, model }) => {
    if (data.regime === 'ordered-triples') {
      return 'its hold-out is of ordered triples: the same operands were trained in another order, so that nothing can be told of memorizing; train it with --regime triples or pairs';
    }
    if (data.file !== undefined) {
      return `its examples are lines of ${data.file.name}: whole lines were held out of training, not operands, and how often it saw each list of operands is not counted`;
    }
    // "s ( OP a b ) >": the result is predicted at the last of these
    const shortest = data.operands[0] + 5;
    return model.nCtx >= shortest
      ? true
      : `its context of ${model.nCtx} tokens is shorter than the shortest prompt (${shortest})`;
  },
  measure: measureMemorization,
  statistics: ofRows(MEMORIZATION_STATISTICS),
  further: [SAME_HOLDOUT],
  combine: ({ last, evidence }) => ({
    observations: sameHoldout(last),
    findings: [...missingControls(last, evidence), ...sharesAbove(evidence)],
    pictures: memorizationPictures(last, evidence),
  }),
};
