/** Checkpoints in, report out: what `run`, `probe` and `compare` share. */
import { join } from 'node:path';
import { printable, RunError, UserError } from '../../errors.js';
import { assertLocked, type Lock, LockedError, takeLock, releaseLock } from '../../io/lock.js';
import { makeDirectory } from '../../io/files.js';
import type { Report } from '../../report/schema.js';
import { writeReport } from '../../report/write.js';
import { buildReport, labelRefs, type ReportInput } from '../reports/build-report.js';
import type { Failure } from './combine-module.js';
import { probeCheckpoints, type ProbeRequest } from './probe-checkpoints.js';
import { type CheckpointRef, type Copy, sortRefs, withoutCopies } from './probe-plan.js';
import type { DamagedSubject } from './subjects.js';

/** What a report says of itself, and of the choice of its runs. */
type Said = Pick<
  ReportInput,
  'kind' | 'title' | 'notes' | 'command' | 'notGiven' | 'subset' | 'beside' | 'version'
>;

export interface ProbeJobOptions extends Omit<ProbeRequest, 'cacheDir'>, Said {
  /** name of the folder below reportsDir */
  readonly name: string;
  /** in any order */
  readonly refs: readonly CheckpointRef[];
  /** checkpoints that could not be read: every module names them as left out */
  readonly damaged?: readonly DamagedSubject[];
  readonly reportsDir: string;
}

export interface ProbeJobResult {
  readonly report: Report;
  readonly reportDir: string;
  readonly pagePath: string;
  /** what could not be measured or brought together; damaged checkpoints are not repeated here */
  readonly failures: readonly Failure[];
  /** checkpoints left out because another one is the same model */
  readonly copies: readonly Copy[];
}

/**
 * Probes what is not cached, and publishes report.json and index.html under `<reportsDir>/<name>/`.
 * @throws RunError when another process is making a report of that name: one of the two would be lost
 */
export async function probeAndReport(options: ProbeJobOptions): Promise<ProbeJobResult> {
  const { reportsDir, name } = options;
  mustHaveCheckpoints(options.refs);
  const cacheDir = join(reportsDir, '.cache');
  const lock = lockName(cacheDir, name);
  try {
    const { report, failures, copies } = await probeReport({ ...options, cacheDir });
    const reportDir = join(reportsDir, name);
    assertLocked(lock);
    const { pagePath } = writeReport(report, reportDir);
    return { report, reportDir, pagePath, failures, copies };
  } finally {
    releaseLock(lock);
  }
}

function lockName(cacheDir: string, name: string): Lock {
  const folder = join(cacheDir, 'names');
  makeDirectory(folder);
  try {
    return takeLock(join(folder, `${name}.lock`), `report ${name}`);
  } catch (error) {
    if (!(error instanceof LockedError)) throw error;
    const { pid, host } = error.holder;
    throw new RunError(
      `--name: the report ${name} is being made by process ${pid} on ${printable(host)}. Wait until it ends, or give this one another name.`,
    );
  }
}

/** @throws UserError */
function mustHaveCheckpoints(refs: readonly CheckpointRef[]): void {
  if (refs.length > 0) return;
  throw new UserError(
    'checkpoints: found none, expected at least one. Name a run of checkpoints/, see "sumlens probe --help".',
  );
}

/** The checkpoints that count, sorted and labelled among each other. @param given - in any order */
export function distinctRefs(given: readonly CheckpointRef[]): {
  readonly refs: readonly CheckpointRef[];
  readonly copies: readonly Copy[];
} {
  const { refs, copies } = withoutCopies(sortRefs(labelRefs(given)));
  return { refs: labelRefs(refs), copies };
}

/** The same without writing anything but the cache of measurements. */
export async function probeReport(
  options: Omit<ProbeJobOptions, 'name' | 'reportsDir'> & { readonly cacheDir: string },
): Promise<Pick<ProbeJobResult, 'report' | 'failures' | 'copies'>> {
  mustHaveCheckpoints(options.refs);
  const { kind, title, notes, command, notGiven, subset, beside, version } = options;
  const { refs, copies } = distinctRefs(options.refs);
  const outcomes = await probeCheckpoints({ ...options, refs });
  const damaged = [...(options.damaged ?? [])].sort((a, b) => (a.subject < b.subject ? -1 : 1));
  const modules = outcomes.map((outcome) => ({
    ...outcome,
    report: { ...outcome.report, leftOut: [...outcome.report.leftOut, ...copies, ...damaged] },
  }));
  const report = buildReport({
    kind,
    title,
    notes,
    command,
    notGiven,
    subset,
    ...(beside === undefined ? {} : { beside }),
    version,
    refs,
    modules,
  });
  return { report, failures: outcomes.flatMap(({ failures }) => failures), copies };
}
