/** Which numbers the pairs give, an operation each. Controls are the same model before training unless said otherwise. */
import { type NullNumbers, RANGES, type Statistic, type StatisticRow } from '../../src/evidence/statistic.js';
import type { NeuronMeasurement, OperationNumbers, TestNumbers } from './measure.js';

const PERMUTED = 'labels of the numbers permuted, one-sided';
const BEFORE = 'before training';

const nullOf = ({ nullMean, null95, p, midP }: TestNumbers): NullNumbers => ({
  mean: nullMean,
  high: null95,
  p,
  midP,
});

/** Rows of every operation, with its scope and number of pairs. */
const ofEach =
  (rows: (own: OperationNumbers) => readonly StatisticRow[]) =>
  ({ operations }: NeuronMeasurement): StatisticRow[] =>
    operations.flatMap((own) =>
      rows(own).map(({ scope, ...row }) => ({
        scope: { operation: own.operation, ...scope },
        ...row,
        examples: own.examples,
      })),
    );

/** Operations whose result is a + b, of NADD a - b: for others the key frequencies say nothing of an answer. */
const SUMS: readonly string[] = ['SUM', 'NADD'];
const hasKeys = ({ operation, keys }: OperationNumbers): boolean =>
  SUMS.includes(operation) && keys.length > 0;

const control = (value: number | undefined): { control?: number } =>
  value === undefined ? {} : { control: value };

export const NEURON_STATISTICS: readonly Statistic<NeuronMeasurement>[] = [
  {
    id: 'one-frequency',
    title: 'Neurons of one frequency',
    formula: 'sum over neurons of max over k of power at (k,0), (0,k), (k,k), (k,-k) / power of all neurons',
    unit: 'accuracy',
    range: RANGES.share,
    sentence:
      'share of the variance of the last neurons at the best frequency of each (a clock near 1, a table low)',
    tested: 'own-null',
    testMethod: PERMUTED,
    controlName: BEFORE,
    of: ofEach(({ neurons, untrained }) =>
      neurons === null
        ? []
        : [
            {
              value: neurons.oneFrequency.value,
              null: nullOf(neurons.oneFrequency),
              ...control(untrained.neurons?.oneFrequency),
            },
          ],
    ),
  },
  {
    id: 'sum-share',
    title: 'Neurons that follow a + b',
    formula: 'power of the neurons at (k, k) / power at all frequencies but (0, 0)',
    unit: 'accuracy',
    range: RANGES.share,
    sentence: 'share of the variance of the last neurons that depends on a + b alone (NADD: a - b)',
    tested: 'own-null',
    testMethod: PERMUTED,
    controlName: BEFORE,
    of: ofEach(({ neurons, untrained }) =>
      neurons === null
        ? []
        : [{ value: neurons.sum.value, null: nullOf(neurons.sum), ...control(untrained.neurons?.sum) }],
    ),
  },
  {
    id: 'key-frequencies',
    title: 'Key frequencies of the logits',
    formula: 'fewest k that hold 90 % of the power at (k, k) of the centred number logits',
    unit: '1',
    range: { low: 1 },
    sentence: 'how many frequencies of a + b hold 90 % of its power in the logits (a table needs nearly all)',
    counts: 'learned',
    of: ofEach((own) => (hasKeys(own) ? [{ value: own.keys.length }] : [])),
  },
  {
    id: 'excluded-loss',
    title: 'Excluded loss',
    formula: 'loss without the waves of a + b at the key frequencies - loss',
    unit: 'nats',
    sentence: 'loss added by taking the key frequencies of a + b out of the logits',
    counts: 'learned',
    controlName: 'waves of a - b at the same frequencies',
    reference: 0,
    of: ofEach((own) =>
      hasKeys(own)
        ? [{ value: own.loss.excluded - own.loss.intact, control: own.loss.differences - own.loss.intact }]
        : [],
    ),
  },
  {
    id: 'restricted-loss',
    title: 'Restricted loss',
    formula: 'loss of the mean logits and the waves of a + b at the key frequencies - loss',
    unit: 'nats',
    sentence: 'loss added by leaving nothing of the logits but their mean and the key frequencies of a + b',
    counts: 'learned',
    reference: 0,
    of: ofEach((own) => (hasKeys(own) ? [{ value: own.loss.restricted - own.loss.intact }] : [])),
  },
  {
    id: 'logit-sum-share',
    title: 'Logits that follow a + b',
    formula: 'power of the centred number logits at (k, k) / power at all frequencies but (0, 0)',
    unit: 'accuracy',
    range: RANGES.share,
    sentence:
      'share of the variance of the logits that depends on a + b alone; near 1 by need where SUM is right',
    detail: true,
    controlName: BEFORE,
    of: ofEach(({ logits, untrained }) =>
      logits === null ? [] : [{ value: logits.sum, ...control(untrained.logits?.sum) }],
    ),
  },
  {
    id: 'pair-accuracy',
    title: 'Accuracy on all pairs',
    formula: 'share of the n x n pairs answered right, held-out ones among them',
    unit: 'accuracy',
    range: RANGES.share,
    sentence: 'share of all pairs of numbers answered right',
    detail: true,
    of: ofEach(({ accuracy }) => [{ value: accuracy }]),
  },
  {
    id: 'frequency-share',
    title: 'Power at one frequency of a + b',
    formula: 'power at (k, k) / power at all frequencies but (0, 0)',
    unit: 'accuracy',
    range: RANGES.share,
    sentence: 'share of the variance that is a wave of a + b of one frequency',
    detail: true,
    controlName: BEFORE,
    of: ofEach(({ neurons, logits, untrained }) => [
      ...(neurons?.byFrequency ?? []).map((test, k) => ({
        scope: { part: 'neurons', frequency: k + 1 },
        value: test.value,
        null: nullOf(test),
        ...control(untrained.neurons?.byFrequency[k]),
      })),
      ...(logits?.byFrequency ?? []).map((value, k) => ({
        scope: { part: 'logits', frequency: k + 1 },
        value,
        ...control(untrained.logits?.byFrequency[k]),
      })),
    ]),
  },
  {
    id: 'best-frequency',
    title: 'Neurons by best frequency',
    formula: 'power of the neurons whose best frequency is k / power of all neurons',
    unit: 'accuracy',
    range: RANGES.share,
    sentence: 'share of the variance of the last neurons in those whose best frequency is k',
    detail: true,
    of: ofEach(({ neurons }) =>
      (neurons?.best ?? []).map((value, k) => ({ scope: { frequency: k + 1 }, value })),
    ),
  },
];
