/**
 * Brings the measurements of one module together in a child process, so that a module that throws or never returns is
 * one failed section, and puts its part of the report into the form that every reader relies on.
 */
import type { ComparedStatistic, Measured, Options, Probe } from '../../probes/contract.js';
import { benjaminiHochberg } from '../analysis/multiple-testing.js';
import { errorMessage } from '../errors.js';
import { jobEntryPath } from '../jobs/entry-path.js';
import { startJob } from '../jobs/start.js';
import { checkModuleReport } from '../report/parse-report.js';
import type { Finding, Json, ModuleReport } from '../report/schema.js';
import { lateText, type Outcome, PROBE_ENTRY } from './measure-checkpoints.js';
import type { CombineJob } from './probe-entry.js';
import type { CheckpointRef } from './probe-plan.js';
import { sideBySide } from './side-by-side.js';

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
  /** add differences between all conditions, and their picture */
  readonly sideBySide: boolean;
  readonly signal?: AbortSignal | undefined;
}

export async function combineModule(
  module: MeasuredModule,
  refs: readonly CheckpointRef[],
  settings: CombineSettings,
): Promise<{ readonly report: ModuleReport; readonly failures: readonly Failure[] }> {
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
  const { version, title, question, text } = probe;
  const head = { version, title, question, text, options, leftOut };
  const without = (status: 'failed' | 'incompatible', reason: string): ModuleReport => ({
    ...head,
    status,
    reason,
    findings: [],
    charts: [],
  });
  if (measured.length === 0) {
    const status = failures.length === 0 && incompatible.size > 0 ? 'incompatible' : 'failed';
    return { report: without(status, leftOut.at(0)?.reason ?? 'there was no checkpoint'), failures };
  }
  try {
    const { compared, ...own } = await combineInChild(module, measured, settings);
    const added = settings.sideBySide ? sideBySide(compared, refs) : { findings: [], charts: [] };
    const report: ModuleReport = {
      ...head,
      status: 'ok',
      ...own,
      findings: readjusted(own.findings, added.findings).map(withoutEmptyInterval),
      charts: [...own.charts, ...added.charts],
    };
    // what a module of the user's own returns is not known to the compiler
    return { report: checkModuleReport(report, `module ${probe.name}`), failures };
  } catch (error) {
    settings.signal?.throwIfAborted();
    const reason = errorMessage(error);
    return { report: without('failed', reason), failures: [...failures, { module: probe.name, reason }] };
  }
}

type Combined = Pick<ModuleReport, 'result' | 'findings' | 'charts'> & {
  readonly compared: readonly ComparedStatistic[];
};

async function combineInChild(
  { source, options }: MeasuredModule,
  measured: readonly Measured<Json>[],
  { timeLimitMs, signal }: CombineSettings,
): Promise<Combined> {
  const work: CombineJob = { kind: 'combine', probe: source, options, measured };
  const end = await startJob({
    entry: jobEntryPath(PROBE_ENTRY),
    job: work as unknown as Json,
    timeLimitMs,
    ...(signal === undefined ? {} : { signal }),
  }).done;
  switch (end.kind) {
    case 'ok':
      return end.result as unknown as Combined;
    case 'failed':
      throw new Error(end.message);
    case 'timeout':
      throw new Error(`bringing its measurements together ${lateText(timeLimitMs)}`);
    case 'interrupted':
      signal?.throwIfAborted();
      throw new Error('its process was interrupted');
  }
}

/** Findings added to a module's own: the Benjamini-Hochberg correction is of all exploratory ones together. */
function readjusted(own: readonly Finding[], added: readonly Finding[]): Finding[] {
  const all = [...own, ...added];
  if (added.every(({ p }) => p === undefined)) return all;
  const isTested = ({ claim, p }: Finding): boolean => claim === undefined && p !== undefined;
  const corrected = benjaminiHochberg(all.filter(isTested).flatMap(({ p }) => p ?? []));
  let next = 0;
  return all.map((finding) =>
    isTested(finding) ? { ...finding, pAdjusted: Number(corrected[next++].toPrecision(9)) } : finding,
  );
}

/** An interval without an end says nothing: fewer than two seeds bound nothing, and the finding says that instead. */
function withoutEmptyInterval(finding: Finding): Finding {
  const { interval, ...rest } = finding;
  if (interval === undefined) return finding;
  if (Number.isFinite(interval.low) && Number.isFinite(interval.high)) return finding;
  const note = 'no interval: fewer than two seeds in a condition';
  return { ...rest, reason: finding.reason === undefined ? note : `${finding.reason}; ${note}` };
}
