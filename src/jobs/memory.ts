/** Memory of this process and everything below it, read from /proc. */
import { readFileSync, readdirSync } from 'node:fs';

const PAGE_BYTES = 4096;

/**
 * Resident bytes of a process and its descendants. Pages shared between processes count once for each, so the figure
 * is an upper bound. @returns undefined where there is no /proc
 */
export function treeRssBytes(rootPid: number = process.pid): number | undefined {
  const children = new Map<number, number[]>();
  const resident = new Map<number, number>();
  let names: string[];
  try {
    names = readdirSync('/proc');
  } catch {
    return undefined;
  }
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statFields(name);
    if (fields === undefined) continue;
    const pid = Number(name);
    const parent = Number(fields[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
    resident.set(pid, Number(fields[21]) * PAGE_BYTES);
  }
  let total = 0;
  const queue = [rootPid];
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    total += resident.get(pid) ?? 0;
    queue.push(...(children.get(pid) ?? []));
  }
  return total;
}

/** Fields of /proc/<pid>/stat from the third on (state, ppid, ...; rss is the 24th, proc(5)); undefined when it ended. */
function statFields(pid: string): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

export interface MemorySampler {
  /** highest treeRssBytes seen so far; undefined where there is no /proc */
  peakTreeRssBytes(): number | undefined;
  stop(): void;
}

/** Samples the process tree now and then; does not keep the process alive. */
export function startMemorySampler(intervalMs = 250): MemorySampler {
  let peak: number | undefined;
  const sample = (): void => {
    const bytes = treeRssBytes();
    if (bytes !== undefined && bytes > (peak ?? 0)) peak = bytes;
  };
  sample();
  const timer = setInterval(sample, intervalMs);
  timer.unref();
  return {
    peakTreeRssBytes() {
      sample();
      return peak;
    },
    stop: () => clearInterval(timer),
  };
}
