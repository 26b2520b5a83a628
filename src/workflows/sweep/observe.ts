/** What a probe module says of one checkpoint by itself, as rows of numbers. */
import type { Engine } from '../../engine/engine.js';
import { metricNumber } from '../../train/metrics.js';
import { measureOne } from '../measure-one.js';
import { type CheckpointRef, resolveOptions, selectProbes } from '../probe-plan.js';
import type { ObservedStatistic } from './result-line.js';

/**
 * @param progress - called now and then while the module works
 * @returns its statistics, or why it does not fit the run
 * @throws what the module throws
 */
export async function observe(
  module: string,
  ref: CheckpointRef,
  engine: Engine,
  progress: () => void,
): Promise<ObservedStatistic[] | string> {
  const [probe] = selectProbes([module]);
  const compatible = probe.isCompatible(ref.config);
  if (compatible !== true) return compatible;
  const options = resolveOptions(probe);
  const measurement = await measureOne(probe, options, ref, engine, progress);
  const result = probe.combine([{ subject: ref.subject, config: ref.config, measurement }], options);
  const statistics = probe.compared?.(result) ?? [];
  return statistics.flatMap(({ id, unit, values }) =>
    values
      .filter(({ subject }) => subject === ref.subject.id)
      .map(({ value }) => ({ statistic: `${module}/${id}`, unit, value: metricNumber(value) })),
  );
}
