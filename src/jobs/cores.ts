/** How many processes are worth starting: cores this process may use, and no more than its CPU quota pays for. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

/**
 * Cores by the quota of a control group and of all above it, in full cores; Infinity without a quota. A container's own
 * group is at the root of what it sees.
 * @param root - where control groups are mounted
 * @param own - text of /proc/self/cgroup
 */
export function quotaCores(root = '/sys/fs/cgroup', own = read('/proc/self/cgroup') ?? ''): number {
  // "0::/user.slice/x" (version 2), "4:cpu,cpuacct:/x" (version 1)
  const groups = own.split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === '') return ancestors(path).map((group) => join(root, group));
    if (!(controllers ?? '').split(',').includes('cpu')) return [];
    return ancestors(path).flatMap((group) => [join(root, 'cpu', group), join(root, controllers, group)]);
  });
  const candidates = new Set([root, join(root, 'cpu'), join(root, 'cpu,cpuacct'), ...groups]);
  return Math.min(...[...candidates].map(quotaOf));
}

/** `/a/b`, `/a`, `/` */
function ancestors(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return parts.map((_, i) => `/${parts.slice(0, i + 1).join('/')}`).concat('/');
}

function quotaOf(group: string): number {
  const [quota, period] =
    read(join(group, 'cpu.max'))?.trim().split(' ') ??
    ['cpu.cfs_quota_us', 'cpu.cfs_period_us'].map((name) => read(join(group, name))?.trim());
  const cores = Number(quota) / Number(period);
  return cores > 0 ? Math.max(1, Math.floor(cores)) : Infinity;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** At least 1. */
export function usableCores(): number {
  return Math.max(1, Math.min(availableParallelism(), quotaCores()));
}
