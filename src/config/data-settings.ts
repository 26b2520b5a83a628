/** THE table of the settings of a run's data: a row a field of DataConfig. A field without a row does not compile. */
import { DEFAULT_DATA, type DataConfig } from '../listops/data-config.js';
import { DATA_RULES } from '../listops/data-rules.js';
import type { Row } from './setting.js';

type Rows<T> = { readonly [K in keyof Required<T>]: Row<T[K]> };

const from = <K extends keyof DataConfig>(
  key: K,
): { default: DataConfig[K]; rule: (typeof DATA_RULES)[K] } => ({
  default: DEFAULT_DATA[key],
  rule: DATA_RULES[key],
});

export const DATA_SETTINGS: Rows<DataConfig> = {
  tasks: {
    ...from('tasks'),
    flag: 'tasks',
    argument: 'A+B+C',
    help: 'operations, joined with +',
    reason: 'the joint task of the paper, whose advantage is the question',
  },
  modulus: {
    ...from('modulus'),
    flag: 'modulus',
    help: 'numbers are 0..n-1',
    reason: 'ten numbers, as in the paper; 10 = 2 x 5 shows the plateaus of a composite modulus',
  },
  depth: {
    ...from('depth'),
    flag: 'depth',
    help: 'greatest nesting of expressions',
    reason: 'depth 1 shows the contrast within seconds',
  },
  operands: {
    ...from('operands'),
    flag: 'operands',
    argument: 'a..b',
    help: 'fewest and most operands',
    reason: 'two operands make a table, three need composition; both are enumerable',
  },
  nesting: {
    ...from('nesting'),
    flag: 'nesting',
    argument: 'p',
    help: 'probability that an operand is an expression',
    reason: 'at depth 2 about half of all expressions are nested; without effect at depth 1',
  },
  format: {
    ...from('format'),
    flag: 'format',
    help: 'every reduction written out, or the result alone',
    reason: 'chain of thought, as in the paper: every reduction is written out',
  },
  loss: {
    ...from('loss'),
    flag: 'loss',
    help: 'tokens that are trained on',
    reason: 'a random prompt cannot be predicted, so its loss is noise',
  },
  regime: {
    ...from('regime'),
    flag: 'regime',
    help: 'what is held out of training',
    reason: 'a hold-out changes the learning problem, so nothing is held out unless asked for',
  },
  holdoutSeed: {
    ...from('holdoutSeed'),
    default: 1,
    derived: { from: (config) => config.seed, text: 'the run seed' },
    flag: 'holdout-seed',
    help: 'seed of the hold-out',
    reason: 'the run seed: equal seeds hold out the same in every condition',
  },
  holdoutMethod: {
    ...from('holdoutMethod'),
    flag: 'holdout-method',
    help: 'pairs of equal numbers held out in their share of all pairs, with --regime pairs',
    reason:
      'absent: the hold-outs of earlier runs stay what they were, with twice as many pairs of equal numbers',
  },
  medianOfEven: {
    ...from('medianOfEven'),
    flag: 'median-of-even',
    help: 'median of an even number of operands',
    reason: 'the lower of the two middle values is always one of the operands',
  },
  tableSeed: {
    ...from('tableSeed'),
    flag: 'table-seed',
    help: 'seed of relabelling and random tables',
    reason: 'one fixed relabelling and table for all runs, so that conditions differ in tasks alone',
  },
  fixedSize: {
    ...from('fixedSize'),
    flag: 'fixed-size',
    help: 'train on a set of n examples instead of always new ones',
    reason: 'absent: examples are never repeated, so that memorizing examples cannot help',
  },
  window: {
    ...from('window'),
    flag: 'window',
    help: 'batches of n tokens cut anywhere from the set instead of whole examples',
    reason: 'absent: every example is whole and starts at position 0',
  },
  notation: {
    ...from('notation'),
    implied: 'standard',
    flag: 'notation',
    help: "(SUM 7 3), or the paper's add_10 ( 7 3 )",
    reason: 'one vocabulary for all runs, whatever they are trained on',
  },
  digitSkew: {
    ...from('digitSkew'),
    implied: 0,
    flag: 'digit-skew',
    help: 'unequal numbers: k is drawn with a probability proportional to (k + 1)^-x',
    reason: 'all numbers alike, so that one operand of SUM tells nothing of the result',
  },
  file: {
    ...from('file'),
    help: 'lines of a file instead of generated examples, described by --data',
    reason: 'absent: examples are generated',
  },
};
