/** One run in a child process, as the pool attempts it. */
import { UserError } from '../../errors.js';
import { jobEntryPath } from '../../jobs/entry-path.js';
import { startJob } from '../../jobs/start.js';
import { parseProgress } from '../../train/train-job.js';
import type { TrainProgress } from '../../train/pace.js';
import type { EngineChoice } from '../../train/train-run.js';
import type { SweepRun } from './plan/expand.js';
import type { Attempt } from './pool.js';
import { jsonOfJob, parseResult, SWEEP_ENTRY } from './protocol.js';

export interface ChildOptions {
  /** the checkpoints folder */
  readonly root: string;
  readonly engine: EngineChoice;
  /** name of the sweep */
  readonly sweep: string;
  /** a child that says nothing for so long is ended, and tried again */
  readonly silentMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: TrainProgress) => void;
}

/** Training tells its step twice a second; an evaluation or a module may be silent for minutes. */
const SILENT_MS = 15 * 60_000;
const WATCH_EVERY_MS = 1000;

export async function attemptInChild(
  { config, modules, givesMoments }: Pick<SweepRun, 'config' | 'modules' | 'givesMoments'>,
  options: ChildOptions,
): Promise<Attempt> {
  const { root, engine, sweep, signal, silentMs = SILENT_MS } = options;
  let lastHeard = performance.now();
  let isSilent = false;
  const job = startJob({
    entry: jobEntryPath(SWEEP_ENTRY),
    job: jsonOfJob({
      kind: 'run',
      config,
      root,
      engine,
      modules,
      sweep,
      ...(givesMoments === true && { moments: true }),
    }),
    onMessage: (message) => {
      lastHeard = performance.now();
      if (typeof message === 'object' && message !== null && 'step' in message) {
        options.onProgress?.(parseProgress(message));
      }
    },
    ...(signal !== undefined && { signal }),
  });
  const watch = setInterval(() => {
    if (isSilent || performance.now() - lastHeard < silentMs) return;
    isSilent = true;
    job.cancel();
  }, WATCH_EVERY_MS);
  const end = await job.done;
  clearInterval(watch);
  switch (end.kind) {
    case 'ok':
      try {
        return { kind: 'finished', line: parseResult(end.result) };
      } catch (error) {
        return { kind: 'failed', message: String(error), final: error instanceof UserError };
      }
    case 'failed':
      return { kind: 'failed', message: end.message, final: end.userError };
    case 'timeout':
      return { kind: 'failed', message: 'It took longer than allowed.', final: false };
    case 'interrupted':
      return isSilent
        ? { kind: 'failed', message: `It said nothing for ${silentMs / 1000} s.`, final: false }
        : { kind: 'interrupted' };
  }
}
