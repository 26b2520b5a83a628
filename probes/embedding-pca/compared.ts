/** The numbers of one embedding on which any two conditions can be compared, learned or not. Pure. */
import type { ComparedStatistic } from '../contract.js';
import type { EmbeddingResult } from './combine.js';

export function embeddingStatisticsBySubject({ groups }: EmbeddingResult): ComparedStatistic[] {
  const seeds = groups.flatMap((group) => group.seeds);
  const statistic = (
    id: string,
    title: string,
    of: (seed: (typeof seeds)[number]) => number,
  ): ComparedStatistic => ({
    id,
    title,
    unit: '1',
    values: seeds.map((seed) => ({ subject: seed.subject, value: of(seed) })),
  });
  return [
    statistic('order', 'Order of the numbers as named', ({ embedding }) => embedding.order.asNamed.value),
    statistic('ring', 'Ring structure beyond chance', ({ embedding }) => embedding.circular.excess),
    statistic('closure', 'Closure of the curve', ({ embedding }) => embedding.closure.asNamed),
  ];
}
