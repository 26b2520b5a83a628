/**
 * Child process of the viewer's page of comparison: measures what is not cached of some checkpoints, or writes their report.
 * The same steps as `sumlens compare`, with messages in place of a terminal.
 */
import { PROBES } from '../../probes/index.js';
import { RunError } from '../errors.js';
import { type JobContext, runJobEntry } from '../jobs/child.js';
import type { Json } from '../io/json.js';
import { packageVersion } from '../io/package-root.js';
import { shellWord } from '../io/shell-word.js';
import { join } from 'node:path';
import { findNotGiven } from './not-given.js';
import { isComparable } from './comparable.js';
import { measureCheckpoints, type ProbeProgress } from './probe-checkpoints.js';
import { distinctRefs, probeAndReport } from './probe-job.js';
import type { CheckpointRef } from './probe-plan.js';
import { findSubjects } from './subjects.js';

export interface CompareWork {
  /** addresses of checkpoints with the folders of their runs */
  readonly texts: readonly string[];
  readonly checkpointsDir: string;
  readonly reportsDir: string;
  /** cheaper options, for many steps */
  readonly series: boolean;
  /** children at a time */
  readonly parallel: number;
  /** write a report; absent: measure, and no more */
  readonly report?: { readonly name: string; readonly title: string };
}

/** What could not be measured, a sentence each. */
export interface CompareResult {
  readonly failures: readonly string[];
}

export type CompareMessage = ProbeProgress;

const MOST_FAILURES = 20;

async function compare(work: CompareWork, context: JobContext): Promise<CompareResult> {
  const { texts, checkpointsDir, reportsDir, series, parallel } = work;
  const { signal } = context;
  const found = findSubjects(texts, checkpointsDir);
  const damaged = [...found.damaged, ...found.passedOver];
  if (found.refs.length === 0)
    throw new RunError(damaged.at(0)?.reason ?? 'There is no checkpoint to measure.');
  const request = {
    probes: PROBES.map((probe) => ({ probe })),
    engine: 'auto' as const,
    parallel,
    series,
    signal,
    onProgress: ({ module, subject, done, total, share }: CompareMessage) =>
      context.send({ module, subject, done, total, share }),
  };
  if (work.report === undefined) {
    const { refs } = distinctRefs(found.refs);
    const { modules } = await measureCheckpoints({ ...request, refs, cacheDir: join(reportsDir, '.cache') });
    const failures = modules.flatMap(({ probe, outcomes }) =>
      [...outcomes].flatMap(([subject, outcome]) =>
        'failed' in outcome ? [`${probe.name} failed on ${subject}: ${outcome.failed}`] : [],
      ),
    );
    return { failures: failures.slice(0, MOST_FAILURES) };
  }
  const { name, title } = work.report;
  const { failures } = await probeAndReport({
    ...request,
    title,
    name,
    command: commandOf(found.refs, name, series),
    notGiven: findNotGiven({ refs: found.refs, texts, root: checkpointsDir }),
    refs: found.refs,
    damaged,
    reportsDir,
    version: packageVersion(),
    kind: 'comparison',
  });
  return {
    failures: failures
      .slice(0, MOST_FAILURES)
      .map(
        ({ module, subject, reason }) =>
          `${module} failed${subject === undefined ? '' : ` on ${subject}`}: ${reason}`,
      ),
  };
}

/** What makes the report again in a terminal; checkpoints that `compare` refuses are shown beside each other by `probe all`. */
function commandOf(refs: readonly CheckpointRef[], name: string, series: boolean): string {
  const names = refs.map(({ subject }) => subject.id).sort();
  const head = refs.length > 1 && isComparable(refs) ? ['compare'] : ['probe', 'all'];
  return ['sumlens', ...head, ...names, ...(series ? ['--series'] : []), '--name', name]
    .map(shellWord)
    .join(' ');
}

runJobEntry(
  async (job, context) => (await compare(job as unknown as CompareWork, context)) as unknown as Json,
);
