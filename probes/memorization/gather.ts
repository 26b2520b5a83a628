/** Numbers of single runs gathered into points, means with intervals and chance levels. Pure. */
import { meanInterval } from '../../src/analysis/intervals.js';
import type { MemorizationCondition, MemorizationRun } from '../../src/report/charts/memorization-data.js';
import type { PlacedPoint, PointsData } from '../../src/report/charts/memorization-points.js';
import { mean } from '../../src/tensor/sum.js';

const LEVEL = 0.95;

/** One number of one run, with chance where it has one. */
export interface Pick {
  readonly panel: string;
  readonly category: string;
  readonly value: number;
  readonly chance?: number;
}

export function gather(
  conditions: readonly MemorizationCondition[],
  pick: (run: MemorizationRun, condition: MemorizationCondition) => readonly Pick[],
  order: (a: Pick, b: Pick) => number = () => 0,
): PointsData {
  const all = conditions
    .flatMap((condition) =>
      condition.runs.flatMap((run) =>
        pick(run, condition).map((one) => ({ ...one, condition: condition.label, seed: run.seed })),
      ),
    )
    .filter(({ value }) => Number.isFinite(value))
    .sort(order);
  const places = new Map<string, (typeof all)[number][]>();
  for (const one of all) {
    const key = JSON.stringify([one.panel, one.category, one.condition]);
    places.set(key, [...(places.get(key) ?? []), one]);
  }
  const groups = [...places.values()];
  return {
    conditions: conditions.map(({ label }) => label),
    points: all.map(({ panel, category, condition, seed, value }): PlacedPoint => ({
      panel,
      category,
      condition,
      seed,
      value,
    })),
    means: groups.map((group) => {
      const [{ panel, category, condition }] = group;
      const { estimate, low, high } = meanInterval(
        group.map(({ value }) => value),
        LEVEL,
      );
      const isFinite = Number.isFinite(low) && Number.isFinite(high);
      return {
        panel,
        category,
        condition,
        estimate,
        low: isFinite ? low : null,
        high: isFinite ? high : null,
      };
    }),
    chances: groups.flatMap((group) => {
      const [{ panel, category, condition }] = group;
      const known = group.flatMap(({ chance }) => (chance === undefined ? [] : [chance]));
      return known.length === 0 ? [] : [{ panel, category, condition, chance: mean(known) }];
    }),
  };
}

/** Shares of answers: nothing beyond 0 and 1 is drawn. */
export function shares(data: PointsData): PointsData {
  return {
    ...data,
    means: data.means.map((row) => ({
      ...row,
      low: row.low === null ? null : Math.max(0, row.low),
      high: row.high === null ? null : Math.min(1, row.high),
    })),
  };
}
