/**
 * Interleaved timing: in every round each contender does its block of work once, in turn, and a ratio is taken within
 * the round, so that whatever slows the machine down for a while slows all of them.
 */
import { summary } from './statistics.mjs';

export const ROUNDS = 20;

/**
 * @param {{name: string, run: () => unknown}[]} contenders - `run` does one block and returns (a promise of)
 *   {wallMs, cpuMs} of it
 * @returns {Promise<Record<string, {wallMs: number, cpuMs: number}[]>>} of each contender, by round
 */
export async function interleave(contenders, { rounds = ROUNDS, warmup = 2 } = {}) {
  const found = Object.fromEntries(contenders.map(({ name }) => [name, []]));
  for (let round = -warmup; round < rounds; round++) {
    // every other round backwards: nobody is always behind the same neighbour
    const order = round % 2 === 0 ? contenders : [...contenders].reverse();
    for (const { name, run } of order) {
      const time = await run();
      if (round >= 0) found[name].push(time);
    }
  }
  return found;
}

/** Times `work` in this process: wall and processor milliseconds, of all its threads. */
export function timed(work) {
  const cpu = process.cpuUsage();
  const begin = performance.now();
  work();
  const wallMs = performance.now() - begin;
  const used = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (used.user + used.system) / 1000 };
}

/** The same for work that returns a promise. */
export async function timedAsync(work) {
  const cpu = process.cpuUsage();
  const begin = performance.now();
  await work();
  const wallMs = performance.now() - begin;
  const used = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (used.user + used.system) / 1000 };
}

/** Share of the wall time in which one-thread contenders waited for a processor: near 0 on a quiet machine. */
export function waitedShare(rounds) {
  const total = (kind) =>
    Object.values(rounds)
      .flat()
      .reduce((sum, time) => sum + time[kind], 0);
  return Math.max(0, 1 - total('cpuMs') / total('wallMs'));
}

/**
 * Ratios a / b round by round.
 * @param a - value of the numerator from one round's time; likewise b
 * @returns {{wall: object, cpu: object, waited: number}} median and quartiles by wall and by processor time
 */
export function ratios(rounds, a, b) {
  const by = (kind) =>
    summary(rounds[a.of].map((time, i) => a.value(time[kind]) / b.value(rounds[b.of][i][kind])));
  return { wall: by('wallMs'), cpu: by('cpuMs'), waited: waitedShare(rounds) };
}

/** How many times faster `ours` did `work` units than `theirs`: rate over rate. */
export function speedRatio(rounds, [ours, workOurs], [theirs, workTheirs]) {
  return ratios(
    rounds,
    { of: ours, value: (ms) => workOurs / ms },
    { of: theirs, value: (ms) => workTheirs / ms },
  );
}
