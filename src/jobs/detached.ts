/** Children that outlive whoever starts them, and the one child of such a process, whose words go into a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { fileSystem } from '../io/files.js';

/** Variables of the environment that stand for flags stay behind: the arguments alone say what is done. */
function cleanEnvironment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('SUMLENS_'));
  return { ...Object.fromEntries(own), ...more };
}

/** Starts a module of Node in a session of its own and forgets it. @param onError - it could not be started */
export function startDetached(entry: string, args: readonly string[], onError: (error: Error) => void): void {
  const child = spawn(process.execPath, [entry, ...args], {
    detached: true,
    stdio: 'ignore',
    env: cleanEnvironment(),
  });
  child.on('error', onError);
  child.unref();
}

export interface LoggedChild {
  readonly child: ChildProcess;
  /** what it writes to its descriptor 3 */
  readonly progress: Readable;
}

/** Descriptor on which the command line tells its progress. */
const PROGRESS_FD = 3;

/** Starts a module of Node that prints into a file, at its end. */
export function startLogged(entry: string, args: readonly string[], logPath: string): LoggedChild {
  const log = fileSystem().openSync(logPath, 'a');
  try {
    const child = spawn(process.execPath, [entry, ...args], {
      stdio: ['ignore', log, log, 'pipe'],
      env: cleanEnvironment({ SUMLENS_PROGRESS_FD: String(PROGRESS_FD) }),
    });
    // the fourth of the descriptors above is a pipe that only the child writes to
    return { child, progress: child.stdio[PROGRESS_FD] as Readable };
  } finally {
    fileSystem().closeSync(log);
  }
}
