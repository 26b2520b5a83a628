/** How much others load this machine: figures in seconds are those of a machine that has a core for the program. */

/** How many times longer than alone on a core work takes here just now; at least 1. */
export function slowdown(): number {
  const began = performance.now();
  const before = process.cpuUsage();
  let ms: number;
  do {
    const { user, system } = process.cpuUsage(before);
    ms = (user + system) / 1000;
  } while (ms < 100);
  return Math.max(1, (performance.now() - began) / ms);
}
