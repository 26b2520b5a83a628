/** What a command costs: wall time, and the processor time of it and of all that it started. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './project.mjs';
import { summary } from './statistics.mjs';

const MAIN = join(ROOT, 'dist/src/cli/main.js');
const YARDSTICK = join(ROOT, 'bench/children/yardstick.mjs');
/** of /proc: clock ticks in a second */
const TICKS = 100;

/** Processor seconds of ended children of this process and of theirs (proc(5): cutime, cstime). */
function childrenSeconds() {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / TICKS;
}

/** @returns {Promise<{cpu: number, wall: number}>} seconds */
export async function costOf(args) {
  const [cpu, begin] = [childrenSeconds(), performance.now()];
  let errors = '';
  const code = await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    child.stderr.on('data', (chunk) => (errors += chunk));
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`${args.slice(1, 3).join(' ')} ended with ${code}: ${errors.slice(-300)}`);
  return { cpu: childrenSeconds() - cpu, wall: (performance.now() - begin) / 1000 };
}

/** The same of the built command line. */
export const sumlens = (...args) => costOf([MAIN, ...args]);
export const yardstick = () => costOf([YARDSTICK]);

/**
 * Processor time of a command over that of the yardstick right before it.
 * @param {(round: number) => Promise<{cpu: number, wall: number}>} run
 */
export async function inYardsticks(run, rounds) {
  const ratios = [];
  const cpu = [];
  const wall = [];
  for (let round = 0; round < rounds; round++) {
    const unit = await yardstick();
    const cost = await run(round);
    ratios.push(cost.cpu / unit.cpu);
    cpu.push(cost.cpu);
    wall.push(cost.wall);
  }
  const text = (values) => `${summary(values).median.toFixed(2)} s`;
  return { wall: summary(ratios), note: `processor time ${text(cpu)}, wall time ${text(wall)}` };
}
