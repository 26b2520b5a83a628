/**
 * Brings the measurements of one module together, so that a module that throws or never returns is one failed section, and
 * puts its part of the report into the form that every reader relies on. Modules of the user's, and ours when there is much
 * to bring together, in a child process: to start one costs more than the work on a few checkpoints.
 */
import type { Measured, Options, Probe } from '../../../probes/contract.js';
import { errorMessage } from '../../errors.js';
import { canonicalJson } from '../../io/json.js';
import type { Finding } from '../../evidence/finding.js';
import type { Observation } from '../../evidence/statistic.js';
import { jobEntryPath } from '../../jobs/entry-path.js';
import { startJob } from '../../jobs/start.js';
import { checkModuleReport, checkObservations } from '../../report/parse-report.js';
import type { Json, ModuleReport } from '../../report/schema.js';
import { combineMeasurements, type CombinedModule } from './combine-measurements.js';
import { lateText, type Outcome, PROBE_ENTRY } from './measure-checkpoints.js';
import type { CombineJob } from './probe-entry.js';
import type { CheckpointRef } from './probe-plan.js';

export interface MeasuredModule {
  readonly probe: Probe;
  /** name, or path of the module's file */
  readonly source: string;
  readonly options: Options;
  /** subject id -> why the module does not apply */
  readonly incompatible: ReadonlyMap<string, string>;
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/** A module or a checkpoint of it that failed; what is merely incompatible is not here. */
export interface Failure {
  readonly module: string;
  /** absent: the module as a whole */
  readonly subject?: string;
  readonly reason: string;
}

export interface CombineSettings {
  readonly timeLimitMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** A module's part of the report before its findings are made, which needs the other modules' subjects too. */
export interface ModuleOutcome {
  readonly report: Omit<ModuleReport, 'findings'>;
  readonly observations: readonly Observation[];
  readonly further: readonly Finding[];
  readonly failures: readonly Failure[];
}

/** Some tenths of a second a module. */
const MOST_MEASURED_HERE = 64;

/** One of ours, by name. */
export function isOwn({ probe, source }: Pick<MeasuredModule, 'probe' | 'source'>): boolean {
  return source === probe.name;
}

export async function combineModule(
  module: MeasuredModule,
  refs: readonly CheckpointRef[],
  settings: CombineSettings,
): Promise<ModuleOutcome> {
  const { probe, options, incompatible, outcomes } = module;
  const measured: Measured<Json>[] = [];
  const leftOut: { subject: string; reason: string }[] = [];
  const failures: Failure[] = [];
  for (const { subject, config } of refs) {
    const outcome = outcomes.get(subject.id);
    if (outcome !== undefined && 'measurement' in outcome) {
      measured.push({ subject, config, measurement: outcome.measurement });
      continue;
    }
    const notApplicable = incompatible.get(subject.id);
    const reason = outcome?.failed ?? notApplicable ?? 'not measured';
    leftOut.push({ subject: subject.id, reason });
    if (notApplicable === undefined) failures.push({ module: probe.name, subject: subject.id, reason });
  }
  const { version = 1, title, question, text } = probe;
  const head = { version, title, question, ...(text === undefined ? {} : { text }), options, leftOut };
  const without = (
    status: 'failed' | 'incompatible',
    reason: string,
    failed: readonly Failure[],
  ): ModuleOutcome => ({
    report: { ...head, status, reason, statistics: [], charts: [] },
    observations: [],
    further: [],
    failures: failed,
  });
  if (measured.length === 0) {
    const status = failures.length === 0 && incompatible.size > 0 ? 'incompatible' : 'failed';
    return without(status, leftOut.at(0)?.reason ?? 'there was no checkpoint', failures);
  }
  try {
    const { statistics, charts, observations, further } =
      isOwn(module) && measured.length <= MOST_MEASURED_HERE
        ? combineHere(module, measured)
        : await combineInChild(module, measured, settings);
    const report: ModuleReport = { ...head, status: 'ok', statistics, findings: further, charts };
    const where = `module ${probe.name}`;
    // what a module of the user's own returns is not known to the compiler; the report as a whole is checked when it is written
    const { findings, ...checked } = isOwn(module) ? report : checkModuleReport(report, where);
    return {
      report: checked,
      observations: isOwn(module) ? observations : checkObservations(observations, where),
      further: findings,
      failures,
    };
  } catch (error) {
    settings.signal?.throwIfAborted();
    const reason = errorMessage(error);
    return without('failed', reason, [...failures, { module: probe.name, reason }]);
  }
}

/** The same values as a child would send. */
function combineHere(
  { probe, options }: MeasuredModule,
  measured: readonly Measured<Json>[],
): CombinedModule {
  return JSON.parse(canonicalJson(combineMeasurements(probe, options, measured))) as CombinedModule;
}

async function combineInChild(
  { source, options }: MeasuredModule,
  measured: readonly Measured<Json>[],
  { timeLimitMs, signal }: CombineSettings,
): Promise<CombinedModule> {
  const work: CombineJob = { kind: 'combine', probe: source, options, measured };
  const end = await startJob({
    entry: jobEntryPath(PROBE_ENTRY),
    job: work as unknown as Json,
    timeLimitMs,
    ...(signal === undefined ? {} : { signal }),
  }).done;
  switch (end.kind) {
    case 'ok':
      return end.result as unknown as CombinedModule;
    case 'failed':
      throw new Error(end.message);
    case 'timeout':
      throw new Error(`bringing its measurements together ${lateText(timeLimitMs)}`);
    case 'interrupted':
      signal?.throwIfAborted();
      throw new Error('its process was interrupted');
  }
}
