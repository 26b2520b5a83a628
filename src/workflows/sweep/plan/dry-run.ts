/** What a plan would do: runs, parameters, core-hours on this machine, and the verdicts that it can reach. */
import { RunError } from '../../../errors.js';
import { jobEntryPath } from '../../../jobs/entry-path.js';
import { resultOf, startJob } from '../../../jobs/start.js';
import type { EngineChoice } from '../../../train/train-run.js';
import { secondsOf, timedConfigs } from './calibrate.js';
import type { PlanCost } from './cost.js';
import type { SweepRun } from './expand.js';
import { jsonOfJob, SWEEP_ENTRY, type UpdateCost } from '../protocol.js';
import { reachOf } from './reach.js';
import type { ResultLine } from '../results/result-line.js';

export const CALIBRATION_SECONDS = 5;

/** Times this machine for five seconds and counts. Writes nothing. */
export async function dryRun(
  runs: readonly SweepRun[],
  done: ReadonlyMap<string, ResultLine>,
  claims: readonly string[],
  engine: EngineChoice,
  signal?: AbortSignal,
): Promise<PlanCost> {
  const left = runs.filter(({ id }) => !done.has(id));
  const hours = await hoursOf(left, engine, signal);
  const rows = new Map<string, SweepRun[]>();
  for (const run of runs) {
    for (const { part, arm } of run.places) {
      const key = `${part}\n${arm}`;
      rows.set(key, [...(rows.get(key) ?? []), run]);
    }
  }
  const sum = (some: readonly SweepRun[]): number =>
    some.reduce((total, { id }) => total + (hours.get(id) ?? 0), 0);
  return {
    rows: [...rows].map(([key, own]) => {
      const [part, arm] = key.split('\n');
      const parameters = own.map((run) => run.parameters);
      const steps = own.map(({ config }) => config.training.steps);
      return {
        part,
        arm,
        runs: own.length,
        left: own.filter(({ id }) => !done.has(id)).length,
        fewestParameters: Math.min(...parameters),
        mostParameters: Math.max(...parameters),
        fewestSteps: Math.min(...steps),
        mostSteps: Math.max(...steps),
        coreHours: sum(own),
      };
    }),
    runs: runs.length,
    left: left.length,
    coreHours: sum(left),
    claims: reachOf(claims, runs),
  };
}

async function hoursOf(
  runs: readonly SweepRun[],
  engine: EngineChoice,
  signal: AbortSignal | undefined,
): Promise<Map<string, number>> {
  if (runs.length === 0) return new Map();
  const configs = timedConfigs(runs.map(({ config }) => config));
  const begin = performance.now();
  let startSeconds = 0;
  const end = await startJob({
    entry: jobEntryPath(SWEEP_ENTRY),
    job: jsonOfJob({ kind: 'calibrate', configs, engine, seconds: CALIBRATION_SECONDS }),
    // every run begins with the start of a process
    onStart: () => {
      startSeconds = (performance.now() - begin) / 1000;
    },
    ...(signal !== undefined && { signal }),
  }).done;
  const costs = resultOf(end) as unknown as readonly UpdateCost[];
  if (costs.length !== configs.length) throw new RunError('sweep child: found another number of timings.');
  const timed = configs.map((config, i) => ({ config, cost: costs[i] }));
  return new Map(runs.map(({ id, config }) => [id, (startSeconds + secondsOf(config, timed)) / 3600]));
}
