/** A contender in a process of its own, asked by JSON lines: {"op": ...} in, one answer out. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What keeps every numeric library at one thread. */
export const ONE_THREAD = {
  OMP_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  NUMEXPR_NUM_THREADS: '1',
};

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{env?: Record<string, string>, cpu?: number}} options - cpu: the only processor it may run on
 */
export function startPeer(command, args, { env = {}, cpu } = {}) {
  const pinned = cpu === undefined ? [command, ...args] : ['taskset', '-c', String(cpu), command, ...args];
  const child = spawn(pinned[0], pinned.slice(1), {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let complaint = '';
  child.stderr.on('data', (text) => (complaint = (complaint + text).slice(-4000)));
  const waiting = [];
  let gone;
  const leave = (reason) => {
    gone ??= new Error(`${command}: ${reason}`);
    for (const { reject } of waiting.splice(0)) reject(gone);
  };
  const lastLine = () => complaint.trim().split('\n').at(-1) ?? '';
  child.on('error', (error) => leave(error.message));
  child.on('close', (code, signal) => leave(`ended (${signal ?? code}) ${lastLine()}`.trim()));
  child.stdin.on('error', () => undefined);
  createInterface({ input: child.stdout }).on('line', (line) => {
    const next = waiting.shift();
    if (next === undefined) return;
    const answer = JSON.parse(line);
    if (answer.error === undefined) next.resolve(answer);
    else next.reject(new Error(answer.error));
  });
  return {
    /** one request at a time */
    ask(request) {
      if (gone !== undefined) return Promise.reject(gone);
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        child.stdin.write(`${JSON.stringify(request)}\n`);
      });
    },
    pid: child.pid,
    /** @returns once it has ended */
    close() {
      if (gone !== undefined) return Promise.resolve();
      return new Promise((resolve) => {
        child.on('close', () => resolve());
        child.stdin.end();
        const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
        timer.unref();
      });
    },
  };
}
