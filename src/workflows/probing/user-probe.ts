/**
 * Modules from a user's own file. Their top level and `isCompatible` run in a child process with a time limit before
 * anything of them runs here, so that one that never finishes is one clear line and not a command that hangs.
 */
import { resolve } from 'node:path';
import type { Probe } from '../../../probes/contract.js';
import type { RunConfig } from '../../config/run-config.js';
import { RunError, UserError } from '../../errors.js';
import { jobEntryPath } from '../../jobs/entry-path.js';
import { startJob } from '../../jobs/start.js';
import type { Json } from '../../report/schema.js';
import { syntaxMistake } from './bundle-probe.js';
import { lateText, PROBE_ENTRY } from './measure-checkpoints.js';
import type { CompatibleJob } from './probe-entry.js';
import { loadProbe } from './probe-plan.js';

/** A module may take this long to load: enough for one that opens TensorFlow.js. */
const LOAD_LIMIT_MS = 20_000;

/** What `isCompatible` answered of one configuration. */
export type Compatibility = { readonly answer: true | string } | { readonly failed: string };

/**
 * Loads a module of the user's, once it was seen to load in time.
 * @throws UserError when it is no module, or its loading does not finish
 */
export async function loadUserProbe(path: string, timeLimitMs = LOAD_LIMIT_MS): Promise<Probe> {
  const end = await askChild({ kind: 'compatible', probe: path, configs: [] }, timeLimitMs);
  switch (end.kind) {
    case 'ok':
      return loadProbe(path);
    case 'timeout':
      throw new UserError(
        `probe: ${path} could not be loaded: it ${lateText(timeLimitMs)}; expected a module that exports its probe at once. Look for an await or a loop outside its functions, or give it longer with --time-limit.`,
      );
    case 'failed': {
      if (!end.userError) throw new RunError(`probe: ${path}: ${end.message}`);
      const mistake = end.message.includes('could not be loaded') ? await syntaxMistake(path) : undefined;
      throw new UserError(mistake === undefined ? end.message : `probe: ${mistake}.`);
    }
    case 'interrupted':
      throw new RunError(`probe: ${path}: its loading was interrupted.`);
  }
}

/** Asks a module of the user's about configurations. @returns one answer each, in their order */
export async function askCompatible(
  source: string,
  configs: readonly RunConfig[],
  timeLimitMs: number,
  signal?: AbortSignal,
): Promise<Compatibility[]> {
  const end = await askChild({ kind: 'compatible', probe: resolve(source), configs }, timeLimitMs, signal);
  signal?.throwIfAborted();
  switch (end.kind) {
    case 'ok':
      return end.result as unknown as Compatibility[];
    case 'failed':
      return configs.map(() => ({ failed: end.message }));
    case 'timeout':
      return configs.map(() => ({ failed: `isCompatible ${lateText(timeLimitMs)}` }));
    case 'interrupted':
      return configs.map(() => ({ failed: 'its process was interrupted' }));
  }
}

function askChild(
  work: CompatibleJob,
  timeLimitMs: number,
  signal?: AbortSignal,
): ReturnType<typeof startJob>['done'] {
  return startJob({
    entry: jobEntryPath(PROBE_ENTRY),
    job: work as unknown as Json,
    timeLimitMs,
    ...(signal === undefined ? {} : { signal }),
  }).done;
}
