/**
 * Names a process so that another one is not taken for it: host, PID namespace, pid and start time. A pid alone names
 * nothing: it is used again, and containers that share a folder count their own. Reads /proc where there is one.
 */
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { errorCode } from '../errors.js';
import { sha256Hex } from './sha256.js';

export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** clock ticks since boot at which it started, with the boot's id; undefined where /proc does not show it */
  readonly started: string | undefined;
  /** PID namespace that `pid` counts in; undefined where /proc is missing, and in locks of older versions */
  readonly namespace?: string | undefined;
}

/** `unknown`: it cannot be seen from here, as it is on another host or in another PID namespace. */
export type Fate = 'alive' | 'ended' | 'unknown';

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const bootId = (): string | undefined =>
  orUndefined(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());

/** A /proc that was mounted for another namespace shows other processes under our numbers. */
const procIsOurs = (): boolean => orUndefined(() => readlinkSync('/proc/self')) === String(process.pid);

/**
 * Start of a process, `gone` when it is a zombie. Undefined where /proc does not show it, which does not mean that it
 * ended: with hidepid the processes of other users are not there.
 */
function startOf(pid: number): string | undefined {
  const boot = bootId();
  if (boot === undefined || !procIsOurs()) return undefined;
  return orUndefined(() => {
    // after the command name in parentheses: state is field 3, the start time field 22 (proc(5))
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? 'gone' : `${boot}:${fields[19]}`;
  });
}

let own: ProcessIdentity | undefined;

export function ownIdentity(): ProcessIdentity {
  own ??= {
    host: hostname(),
    pid: process.pid,
    started: startOf(process.pid),
    namespace: orUndefined(() => readlinkSync('/proc/self/ns/pid')),
  };
  return own;
}

let origin: string | undefined;

/** Eight letters that differ between hosts, boots and PID namespaces: where pids can be compared, they are equal. */
export function ownOrigin(): string {
  origin ??= sha256Hex(`${hostname()} ${bootId() ?? ''} ${ownIdentity().namespace ?? ''}`).slice(0, 8);
  return origin;
}

/** What has become of a process. `ended` only when it is certain. */
export function fateOf(identity: ProcessIdentity): Fate {
  if (identity.host !== hostname()) return 'unknown';
  const { namespace } = ownIdentity();
  const boot = bootId();
  if (boot !== undefined && identity.started !== undefined && !identity.started.startsWith(`${boot}:`)) {
    return 'ended';
  }
  if (namespace !== undefined && identity.namespace !== undefined && namespace !== identity.namespace) {
    return 'unknown';
  }
  const started = startOf(identity.pid);
  if (started === 'gone') return 'ended';
  if (started !== undefined && identity.started !== undefined) {
    return started === identity.started ? 'alive' : 'ended';
  }
  try {
    process.kill(identity.pid, 0);
    return 'alive';
  } catch (error) {
    return errorCode(error) === 'ESRCH' ? 'ended' : 'alive';
  }
}
