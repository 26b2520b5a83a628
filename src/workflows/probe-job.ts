/** Checkpoints in, report out: what `run`, `probe` and `compare` share. */
import { join } from 'node:path';
import type { Options, Probe } from '../../probes/contract.js';
import type { EngineChoice } from '../train/train-run.js';
import { UserError } from '../errors.js';
import { writeReport } from '../report/write.js';
import type { Report } from '../report/schema.js';
import { buildReport, labelRefs } from './build-report.js';
import { probeCheckpoints, type ProbeProgress } from './probe-checkpoints.js';
import { type CheckpointRef, sortRefs } from './probe-plan.js';

export interface ProbeJobOptions {
  readonly title: string;
  /** name of the folder below reportsDir */
  readonly name: string;
  readonly refs: readonly CheckpointRef[];
  readonly probes: readonly { readonly probe: Probe; readonly source?: string; readonly options?: Options }[];
  readonly engine: EngineChoice;
  readonly parallel: number;
  readonly reportsDir: string;
  readonly version: string;
  readonly timeLimitMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ProbeProgress) => void;
}

export interface ProbeJobResult {
  readonly report: Report;
  readonly reportDir: string;
  readonly pagePath: string;
}

/** Probes what is not cached, and publishes report.json and index.html under `<reportsDir>/<name>/`. */
export async function probeAndReport(options: ProbeJobOptions): Promise<ProbeJobResult> {
  if (options.refs.length === 0) {
    throw new UserError(
      'checkpoints: found none, expected at least one. Name a run of checkpoints/, see "sumlens probe --help".',
    );
  }
  const refs = labelRefs(sortRefs(labelRefs(options.refs)));
  const { probes, engine, parallel, timeLimitMs, signal, onProgress } = options;
  const modules = await probeCheckpoints({
    refs,
    probes,
    engine,
    parallel,
    cacheDir: join(options.reportsDir, '.cache'),
    ...(timeLimitMs === undefined ? {} : { timeLimitMs }),
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  const report = buildReport({ title: options.title, version: options.version, refs, modules });
  const reportDir = join(options.reportsDir, options.name);
  const { pagePath } = writeReport(report, reportDir);
  return { report, reportDir, pagePath };
}
