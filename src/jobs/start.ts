/**
 * Starts, watches and cancels one child process that does heavy work. What the work is, is not known here: messages are
 * JSON, and the directory the child publishes is the truth. The child's side is in child.ts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { RunError, errorMessage, printable } from '../errors.js';
import { canonicalJson, type Json } from '../io/json.js';
import { CANCEL, type ChildMessage, type JobMessage } from './protocol.js';

export interface JobOptions {
  /** absolute path of a JavaScript module that calls runJobEntry; see jobEntryPath */
  readonly entry: string;
  readonly job: Json;
  readonly onMessage?: (message: Json) => void;
  /** killed, with everything it started, after so long; counted from when its work begins */
  readonly timeLimitMs?: number;
  /** the child's code is loaded and its work begins */
  readonly onStart?: () => void;
  /** aborting is the same as cancel() */
  readonly signal?: AbortSignal;
  /** from the first request to stop until the group is killed; default 30,000 */
  readonly graceMs?: number;
  /** additional arguments of node itself, e.g. `--max-old-space-size=512` */
  readonly nodeArguments?: readonly string[];
  /** environment variables beside this process's own, which go first */
  readonly environment?: Readonly<Record<string, string>>;
}

export type JobResult =
  | { readonly kind: 'ok'; readonly result: Json }
  | {
      readonly kind: 'failed';
      readonly message: string;
      /** the input was bad: exit code 2 */ readonly userError: boolean;
    }
  | {
      readonly kind: 'interrupted';
      /** absent: cancelled by the program */ readonly signal?: StopSignal;
      /** it did not end by itself: what it had not published is lost */ readonly killed?: true;
    }
  | { readonly kind: 'timeout' };

export type StopSignal = 'SIGINT' | 'SIGTERM';

export interface Job {
  /** undefined when it could not be started; `done` then says why */
  readonly pid: number | undefined;
  /** never rejects */
  readonly done: Promise<JobResult>;
  /** asks the child to stop; a second call kills it */
  cancel(): void;
}

/** A child that has not begun its work by then is taken to be stuck, where there is a time limit. */
export const START_LIMIT_MS = 30_000;
const REPEAT_MS = 1000;
const DEFAULT_GRACE_MS = 30_000;
const TAIL_CHARACTERS = 4000;

/** Starts a child in its own process group. While it runs, SIGINT and SIGTERM of this process are passed on to it. */
export function startJob(options: JobOptions): Job {
  // a number that is not finite becomes a string, and what is undefined is left out, as in every message
  const work: JobMessage = { kind: 'job', job: JSON.parse(canonicalJson(options.job)) as Json };
  const child = spawn(process.execPath, [...(options.nodeArguments ?? []), options.entry], {
    detached: true,
    env: { ...options.environment, ...process.env },
    // stdout of a child must never reach ours, which may have to be one JSON document
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'json',
  });
  return watch(child, work, options);
}

function watch(child: ChildProcess, work: JobMessage, options: JobOptions): Job {
  const stopper = createStopper(child, options.graceMs ?? DEFAULT_GRACE_MS);
  const tail = keepTail(child);
  let answer: JobResult | undefined;
  let startError: string | undefined;
  let timedOut = false;

  child.on('message', (message: ChildMessage) => {
    if (message.kind === 'ready') {
      // the child may have ended in the meantime, which `exit` tells
      child.send(work, () => undefined);
    } else if (message.kind === 'started') {
      limit(options.timeLimitMs);
      options.onStart?.();
    } else if (message.kind === 'message') options.onMessage?.(message.message);
    else if (message.kind === 'result') answer = { kind: 'ok', result: message.result };
    else if (message.kind === 'failed') {
      answer = { kind: 'failed', message: message.message, userError: message.userError };
    } else answer = { kind: 'interrupted' };
  });
  child.on('error', (error) => {
    startError = errorMessage(error);
  });
  let timer: NodeJS.Timeout | undefined;
  const limit = (ms: number | undefined): void => {
    clearTimeout(timer);
    if (ms === undefined) return;
    timer = setTimeout(() => {
      timedOut = true;
      killGroup(child.pid);
    }, ms);
  };
  if (options.timeLimitMs !== undefined) limit(Math.max(options.timeLimitMs, START_LIMIT_MS));
  const onInterrupt = (): void => stopper.signal('SIGINT');
  const onTerminate = (): void => stopper.signal('SIGTERM');
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onTerminate);
  // a child that was stopped (Ctrl-Z) does not see that its parent has ended
  const onExit = (): void => killGroup(child.pid);
  process.on('exit', onExit);
  const onAbort = (): void => stopper.cancel();
  if (options.signal?.aborted === true) onAbort();
  options.signal?.addEventListener('abort', onAbort, { once: true });

  const done = new Promise<JobResult>((resolve) => {
    let finished = false;
    const finish = (code: number | null, killedBy: string | null): void => {
      if (finished) return;
      finished = true;
      clearTimeout(timer);
      stopper.dispose();
      process.off('SIGINT', onInterrupt);
      process.off('SIGTERM', onTerminate);
      process.off('exit', onExit);
      options.signal?.removeEventListener('abort', onAbort);
      // whatever the child left running
      killGroup(child.pid);
      resolve(outcome(code, killedBy));
    };
    const outcome = (code: number | null, killedBy: string | null): JobResult => {
      if (timedOut) return { kind: 'timeout' };
      if (answer?.kind === 'ok' || answer?.kind === 'failed') return answer;
      const stopped = stopper.requested();
      if (answer?.kind === 'interrupted' || stopped !== undefined) {
        return {
          kind: 'interrupted',
          ...(stopped !== undefined && stopped !== 'cancel' && { signal: stopped }),
          ...(answer === undefined && { killed: true }),
        };
      }
      if (startError !== undefined) return failed(`could not be started: ${startError}`);
      const ended = killedBy === null ? `exit code ${code ?? 'unknown'}` : `signal ${killedBy}`;
      const last = tail();
      return failed(`ended with ${ended} and no result.${last === '' ? '' : ` Its last words: ${last}`}`);
    };
    // `close` comes after the pipes are drained, but not when a grandchild keeps them open: then `exit` and a moment
    child.on('close', finish);
    child.on('exit', (code, killedBy) => {
      killGroup(child.pid);
      setTimeout(() => finish(code, killedBy), 500).unref();
    });
    child.on('error', () => {
      if (child.pid === undefined) finish(null, null);
    });
  });
  return { pid: child.pid, done, cancel: () => stopper.cancel() };
}

const failed = (problem: string): JobResult => ({
  kind: 'failed',
  message: `The child process ${problem}`,
  userError: false,
});

interface Stopper {
  /** passes a signal on; ignores repeats within a second, then kills the group */
  signal(name: StopSignal): void;
  cancel(): void;
  /** what was asked for first */
  requested(): StopSignal | 'cancel' | undefined;
  dispose(): void;
}

function createStopper(child: ChildProcess, graceMs: number): Stopper {
  let first: { what: StopSignal | 'cancel'; at: number } | undefined;
  let grace: NodeJS.Timeout | undefined;
  const begin = (what: StopSignal | 'cancel'): void => {
    first = { what, at: performance.now() };
    grace = setTimeout(() => killGroup(child.pid), graceMs);
    if (what !== 'cancel') child.kill(what);
    else if (child.connected) child.send(CANCEL, () => undefined);
    else child.kill('SIGTERM');
  };
  return {
    signal(name) {
      if (first === undefined) begin(name);
      else if (performance.now() - first.at >= REPEAT_MS) killGroup(child.pid);
    },
    cancel() {
      if (first === undefined) begin('cancel');
      else killGroup(child.pid);
    },
    requested: () => first?.what,
    dispose: () => clearTimeout(grace),
  };
}

/** The end of what the child printed, on one line. */
function keepTail(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      text = (text + chunk).slice(-TAIL_CHARACTERS);
    });
  }
  return () => {
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    // of a JavaScript error the message says more than the stack below it
    const error = lines.findLast((line) => /^\w*Error\b/.test(line));
    return printable((error ?? lines.slice(-3).join(' ')).trim(), 500);
  };
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // nobody of the group is left
  }
}

/** Result of a job, or its failure as an error. @throws RunError */
export function resultOf(outcome: JobResult): Json {
  if (outcome.kind === 'ok') return outcome.result;
  throw new RunError(
    outcome.kind === 'failed' ? outcome.message : `The child process ended: ${outcome.kind}.`,
  );
}
