/** What a probe module says of one checkpoint by itself, as rows of the table of observations. */
import type { Engine } from '../../engine/engine.js';
import { observe as rowsOf } from '../../evidence/statistic.js';
import { measureOne } from '../probing/measure-one.js';
import { type CheckpointRef, resolveOptions, selectProbes } from '../probing/probe-plan.js';
import type { RunObservation } from './results/result-line.js';

/**
 * @param progress - called now and then while the module works
 * @returns its numbers, or why it does not fit the run
 * @throws what the module throws
 */
export async function observe(
  module: string,
  ref: CheckpointRef,
  engine: Engine,
  progress: () => void,
): Promise<RunObservation[] | string> {
  const [probe] = selectProbes([module]);
  const compatible = probe.isCompatible?.(ref.config) ?? true;
  if (compatible !== true) return compatible;
  const measurement = await measureOne(probe, resolveOptions(probe), ref, engine, progress);
  return rowsOf(module, probe.statistics, ref.subject.id, measurement).map(({ subject: _, ...row }) => row);
}
