/** The numbers of one run on which any two conditions can be compared, learned or not. Pure. */
import type { ComparedStatistic } from '../contract.js';
import type { ParityResult } from './combine.js';

export function parityStatisticsBySubject({ groups }: ParityResult): ComparedStatistic[] {
  const seeds = groups.flatMap((group) => group.seeds);
  return [
    {
      id: 'parity',
      title: 'Parity score beyond its relabellings',
      unit: '1',
      values: seeds.map(({ subject, embedding: { parity } }) => ({
        subject,
        value: parity.share - parity.nullMean,
      })),
    },
    {
      id: 'causal',
      title: 'Accuracy lost without the parity direction',
      unit: 'accuracy',
      values: seeds.flatMap(({ subject, causal }) =>
        causal === null ? [] : [{ subject, value: causal.intact.accuracy - causal.parity.accuracy }],
      ),
    },
    {
      id: 'look-ahead',
      title: 'Final answer readable before the inner step',
      unit: 'accuracy',
      values: seeds.flatMap(({ subject, ahead }) => (ahead === null ? [] : [{ subject, value: ahead }])),
    },
  ];
}
