/** Which processor one-thread contenders run on: all the same one, the last that this process may use. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Processors this process may use; [] where the system does not tell. */
function allowed() {
  try {
    const line = /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync('/proc/self/status', 'utf8'));
    return line[1].split(',').flatMap((part) => {
      const [from, to = from] = part.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, i) => from + i);
    });
  } catch {
    return [];
  }
}

const ALL = allowed();
const HAS_TASKSET = spawnSync('taskset', ['--version']).status === 0;

/** The processor of one-thread contenders; undefined where processes cannot be pinned. */
export const ONE_CPU = HAS_TASKSET && ALL.length > 1 ? ALL.at(-1) : undefined;
export const N_CPUS = ALL.length;

/** Puts every thread of this process on ONE_CPU, or back on all. */
export function pinSelf(one) {
  if (ONE_CPU === undefined) return;
  const list = one ? String(ONE_CPU) : ALL.join(',');
  spawnSync('taskset', ['-a', '-p', '-c', list, String(process.pid)]);
}
