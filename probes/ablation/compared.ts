/** The numbers of one run on which any two conditions can be compared, learned or not. Pure. */
import type { ComparedStatistic } from '../contract.js';
import type { AblationResult, SeedResult } from './result.js';

export function ablationStatisticsBySubject({ seeds }: AblationResult): ComparedStatistic[] {
  const statistic = (
    id: string,
    title: string,
    unit: string,
    of: (seed: SeedResult) => number | null | undefined,
  ): ComparedStatistic => ({
    id,
    title,
    unit,
    values: seeds.flatMap((seed) => {
      const value = of(seed);
      return value === null || value === undefined ? [] : [{ subject: seed.id, value }];
    }),
  });
  return [
    statistic(
      'share',
      'Feed-forward share of the causal effect',
      '1',
      ({ doses }) => doses.find(({ method }) => method === 'resample')?.share,
    ),
    statistic('freeze', 'Share lost with attention patterns frozen', '1', ({ freeze }) => freeze?.lost),
  ];
}
