/** Results of modules for programs: measured in this process, typed by module, and the numbers of a report as rows. */
import { MODULES } from '../../../probes/index.js';
import type { Options, Probe } from '../../../probes/contract.js';
import type { EngineChoice } from '../../engine/engine.js';
import { openEngine } from '../../engine/registry.js';
import { UserError } from '../../errors.js';
import type { Observation } from '../../evidence/statistic.js';
import type { Subject } from '../../evidence/subject.js';
import type { Report } from '../../report/schema.js';
import { measureOne } from './measure-one.js';
import { type CheckpointRef, resolveOptions } from './probe-plan.js';

/** By module: what `measure` found in one checkpoint. Plain JSON; means over prompts, in the units that docs/methods.md states. */
export type ModuleResults = {
  readonly [Name in keyof typeof MODULES]: Awaited<ReturnType<(typeof MODULES)[Name]['measure']>>;
};

export interface MeasureModuleOptions {
  /** of the module; default what it declares */
  readonly options?: Options;
  /** default auto: the fastest that is here */
  readonly engine?: EngineChoice;
}

/**
 * Measures one module on one checkpoint, in this process and without a cache.
 * @throws UserError where the module does not apply to the run, or for an option that it does not have
 */
export async function measureModule<Name extends keyof ModuleResults>(
  name: Name,
  checkpoint: CheckpointRef,
  { options = {}, engine: choice = 'auto' }: MeasureModuleOptions = {},
): Promise<ModuleResults[Name]> {
  // what is measured by a name has the type of that name
  const module = MODULES[name] as unknown as Probe<ModuleResults[Name]>;
  const probe = module as unknown as Probe;
  const applies = probe.isCompatible?.(checkpoint.config) ?? true;
  if (applies !== true)
    throw new UserError(`${name} does not apply to ${checkpoint.subject.id}: ${applies}.`);
  const resolved = resolveOptions(probe, options);
  const { engine } = await openEngine(choice, { threads: 1 });
  try {
    const measured = await measureOne(module, resolved, checkpoint, engine, () => undefined);
    return measured;
  } finally {
    engine.dispose();
  }
}

/** One number of one checkpoint, with the checkpoint it is of: a row of the tidy table. */
export interface ObservationRow extends Omit<Observation, 'subject'> {
  readonly subject: Subject;
}

/** Every number of a report, of every module and checkpoint. `toCsv(report)` writes the same rows. */
export function observations({
  subjects,
  observations: rows,
}: Pick<Report, 'subjects' | 'observations'>): ObservationRow[] {
  const byId = new Map(subjects.map((subject) => [subject.id, subject]));
  return rows.map(({ subject: id, ...row }) => {
    const subject = byId.get(id);
    if (subject === undefined) throw new RangeError(`report: found a number of ${id}, which is no subject.`);
    return { subject, ...row };
  });
}
