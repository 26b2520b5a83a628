/**
 * The child's side of a job: is given its work, runs one function, sends its result. The child ends when its parent
 * does, even in the middle of an endless computation.
 */
import { Worker } from 'node:worker_threads';
import { UserError, errorMessage } from '../errors.js';
import { canonicalJson, type Json } from '../io/json.js';
import type { ChildMessage, JobMessage } from './protocol.js';

export interface JobContext {
  /** passes a message to the parent's onMessage; non-finite numbers arrive as strings */
  send(message: Json): void;
  /** aborted when the job shall stop: publish what is worth keeping, then throw InterruptedError or return */
  readonly signal: AbortSignal;
}

/** Thrown by a job that stopped because it was asked to. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  constructor() {
    super('Interrupted.');
  }
}

const REPEAT_MS = 1000;
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs a job's work; to be called once, by an entry file, and awaited by nobody. The exit code is 0, 1 for a failure,
 * 130 or 143 when interrupted.
 */
export function runJobEntry(work: (job: Json, context: JobContext) => Promise<Json> | Json): void {
  const controller = new AbortController();
  let exitCode = 143;
  const stop = (code: number): void => {
    exitCode = code;
    controller.abort();
  };
  let firstAt: number | undefined;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      const now = performance.now();
      if (firstAt === undefined) {
        firstAt = now;
        stop(EXIT_CODES[name]);
      } else if (now - firstAt >= REPEAT_MS) process.exit(EXIT_CODES[name]);
    });
  }
  const given = new Promise<Json>((resolve, reject) => {
    process.on('message', (message) => {
      if (typeof message !== 'object' || message === null || !('kind' in message)) return;
      if (message.kind === 'cancel') stop(EXIT_CODES.SIGTERM);
      // sent by startJob alone
      if (message.kind === 'job') resolve((message as JobMessage).job);
    });
    if (process.send === undefined)
      reject(new UserError('job: found no parent process, expected one that sends the job.'));
  });
  process.on('disconnect', endWithParent);
  startWatchdog();

  const send = (message: ChildMessage): Promise<void> =>
    new Promise((resolve) => {
      if (process.send === undefined || !process.connected) resolve();
      // the parent may be gone by now, which endWithParent deals with
      else process.send(JSON.parse(canonicalJson(message)), undefined, {}, () => resolve());
    });
  const context: JobContext = {
    send: (message) => void send({ kind: 'message', message }),
    signal: controller.signal,
  };
  // the time limit of the work is counted from here: a busy machine takes seconds to start a process
  void send({ kind: 'ready' })
    .then(() => perform(work, given, context, () => send({ kind: 'started' })))
    .then(async (answer) => {
      await send(answer);
      return answer.kind === 'result' ? 0 : answer.kind === 'failed' ? 1 : exitCode;
    })
    .then((code) => {
      process.exit(code);
    });
}

async function perform(
  work: (job: Json, context: JobContext) => Promise<Json> | Json,
  given: Promise<Json>,
  context: JobContext,
  begins: () => Promise<void>,
): Promise<ChildMessage> {
  try {
    const job = await given;
    // a time limit counts from here
    await begins();
    return { kind: 'result', result: await work(job, context) };
  } catch (error) {
    if (error instanceof InterruptedError || isAbort(error, context.signal)) return { kind: 'interrupted' };
    return { kind: 'failed', message: errorMessage(error), userError: error instanceof UserError };
  }
}

/** signal.throwIfAborted() and Node's own functions throw this; any other error stays a failure, also while stopping. */
function isAbort(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && error instanceof Error && error.name === 'AbortError';
}

/** Ends this process and all it started, at once: whatever was published is whole. */
function endWithParent(): void {
  try {
    // startJob made this process the leader of its group
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    process.kill(process.pid, 'SIGKILL');
  }
}

/** An endless loop in the main thread never sees `disconnect`; a thread of its own sees that the parent changed. */
function startWatchdog(): void {
  const code = `
    const { workerData } = require('node:worker_threads');
    setInterval(() => {
      if (process.ppid === workerData.parent) return;
      try { process.kill(-process.pid, 'SIGKILL'); } catch { process.kill(process.pid, 'SIGKILL'); }
    }, 500);`;
  const watchdog = new Worker(code, { eval: true, workerData: { parent: process.ppid } });
  // without a watchdog the job still ends with its parent as soon as its event loop turns
  watchdog.on('error', () => undefined);
  watchdog.unref();
}
