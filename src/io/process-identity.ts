/** Names a process so that a recycled pid is not taken for it: host, pid and start time. Reads /proc where there is one. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { errorCode } from '../errors.js';

export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** clock ticks since boot at which it started, with the boot's id; undefined where /proc is missing */
  readonly started: string | undefined;
}

/** Start of a process, `gone` when it ended (a zombie counts as ended), undefined where /proc is missing. */
function startOf(pid: number): string | undefined {
  let boot: string;
  try {
    boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
  try {
    // after the command name in parentheses: state is field 3, the start time field 22 (proc(5))
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? 'gone' : `${boot}:${fields[19]}`;
  } catch {
    return 'gone';
  }
}

let own: ProcessIdentity | undefined;

export function ownIdentity(): ProcessIdentity {
  own ??= { host: hostname(), pid: process.pid, started: startOf(process.pid) };
  return own;
}

/** False only when it is certain that the process has ended; a process of another host counts as alive. */
export function mayBeAlive(identity: ProcessIdentity): boolean {
  if (identity.host !== hostname()) return true;
  const started = startOf(identity.pid);
  if (started === 'gone') return false;
  if (started !== undefined && identity.started !== undefined) return started === identity.started;
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) !== 'ESRCH';
  }
}
