/** `probe` and `compare` with --no-report: what is not known yet is measured and kept, and no report is written. */
import { join } from 'node:path';
import type { Failure } from '../../workflows/probing/combine-module.js';
import { measureCheckpoints, type ProbeRequest } from '../../workflows/probing/probe-checkpoints.js';
import { distinctRefs } from '../../workflows/probing/probe-job.js';
import type { CheckpointRef, Copy } from '../../workflows/probing/probe-plan.js';
import type { DamagedSubject } from '../../workflows/probing/subjects.js';

export interface Measured {
  readonly checkpoints: number;
  /** measurements that there are now */
  readonly measurements: number;
  /** those of them that were made just now */
  readonly made: number;
  readonly failures: readonly Failure[];
  /** checkpoints left out because another one is the same model */
  readonly copies: readonly Copy[];
}

export interface MeasureOnly extends Omit<ProbeRequest, 'refs' | 'cacheDir'> {
  /** in any order */
  readonly refs: readonly CheckpointRef[];
  readonly reportsDir: string;
}

export async function measureOnly({ refs: given, reportsDir, ...request }: MeasureOnly): Promise<Measured> {
  const { refs, copies } = distinctRefs(given);
  const { modules, cached } = await measureCheckpoints({
    ...request,
    refs,
    cacheDir: join(reportsDir, '.cache'),
  });
  const all = modules.flatMap(({ probe, outcomes }) =>
    [...outcomes].map(([subject, outcome]) => ({ module: probe.name, subject, outcome })),
  );
  const failures = all.flatMap(({ module, subject, outcome }) =>
    'failed' in outcome ? [{ module, subject, reason: outcome.failed }] : [],
  );
  const measurements = all.length - failures.length;
  return { checkpoints: refs.length, measurements, made: measurements - cached, failures, copies };
}

/** Says what there is; the exit code is 1 when anything failed. */
export function printMeasured(measured: Measured, damaged: readonly DamagedSubject[], isJson: boolean): void {
  const { checkpoints, measurements, made, failures, copies } = measured;
  const text = isJson
    ? JSON.stringify({ checkpoints, measurements, made, failures }, null, 2)
    : `measurements: ${measurements}, of which ${made} made now; checkpoints: ${checkpoints}`;
  process.stdout.write(`${text}\n`);
  for (const { subject, reason } of [...damaged, ...copies])
    console.error(`${subject} was left out: ${reason}`);
  for (const line of failureLines(failures)) console.error(line);
  if (damaged.length + failures.length > 0) process.exitCode = 1;
}

/** One line for each reason of a module. */
export function failureLines(failures: readonly Failure[]): string[] {
  const groups = new Map<string, Failure[]>();
  for (const failure of failures) {
    const key = JSON.stringify([failure.module, failure.subject === undefined, failure.reason]);
    groups.set(key, [...(groups.get(key) ?? []), failure]);
  }
  return [...groups.values()].map(([{ module, subject, reason }, ...others]) => {
    const on = subject === undefined ? '' : ` on ${subject}`;
    return `${module} failed${on}${others.length === 0 ? '' : ` and ${others.length} more`}: ${reason}`;
  });
}
