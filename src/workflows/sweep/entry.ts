/**
 * The child process of a sweep: trains one run, measures its last checkpoint and answers with the line for results.jsonl;
 * or measures how fast this machine is. Started by src/jobs; what it is asked and answers is protocol.ts.
 */
import { openRun } from '../../checkpoint/store.js';
import { parseRunConfig } from '../../config/parse.js';
import { openEngine } from '../../engine/registry.js';
import { errorMessage } from '../../errors.js';
import type { Json } from '../../io/json.js';
import { packageVersion } from '../../io/package-root.js';
import { InterruptedError, type JobContext, runJobEntry } from '../../jobs/child.js';
import { jsonOf } from '../../train/train-job.js';
import { trainRun } from '../../train/train-run.js';
import { checkpointRef } from '../probing/probe-plan.js';
import { calibrate } from './plan/calibrate.js';
import { resultOfRun } from './finished-run.js';
import { observe } from './observe.js';
import type { RunJob, SweepJob } from './protocol.js';
import type { ResultLine } from './results/result-line.js';

async function trainAndMeasure(job: RunJob, context: JobContext): Promise<Json> {
  const config = parseRunConfig(job.config, 'job');
  const { dir, reason } = await trainRun(config, {
    root: job.root,
    engine: job.engine,
    threads: 1,
    versions: { node: process.version, sumlens: packageVersion(), sweep: job.sweep },
    signal: context.signal,
    onProgress: (progress) => {
      context.send(jsonOf(progress));
    },
  });
  if (reason === 'interrupted') throw new InterruptedError();
  const store = openRun(dir);
  const measured: { observations: ResultLine['observations']; leftOut: ResultLine['leftOut'] } = {
    observations: [],
    leftOut: [],
  };
  if (job.modules.length > 0) {
    const { engine } = await openEngine(job.engine, { threads: 1 });
    try {
      const ref = checkpointRef(store, 'final');
      for (const module of job.modules) {
        context.signal.throwIfAborted();
        try {
          const found = await observe(module, ref, engine, () => context.send({ measuring: module }));
          if (typeof found === 'string') measured.leftOut.push({ module, reason: found });
          else measured.observations.push(...found);
        } catch (error) {
          measured.leftOut.push({ module, reason: errorMessage(error) });
        }
      }
    } finally {
      engine.dispose();
    }
  }
  // configurations and numbers are plain JSON
  return resultOfRun(store, measured, { moments: job.moments === true }) as unknown as Json;
}

runJobEntry((input, context) => {
  const job = input as unknown as SweepJob;
  return job.kind === 'run' ? trainAndMeasure(job, context) : calibrate(job, context);
});
