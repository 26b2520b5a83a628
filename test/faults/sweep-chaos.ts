/**
 * P16: a sweep over worker processes, one of them killed every five seconds and the queue server restarted (it forgets
 * everything) several times. Every run is there once, with the bytes of one trained alone, and never had two writers.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openRun } from '../../src/checkpoint/store.js';
import { Rng } from '../../src/tensor/rng.js';
import { trainRun } from '../../src/train/train-run.js';
import { expandPlan } from '../../src/workflows/sweep/plan/expand.js';
import { parsePlan } from '../../src/workflows/sweep/plan/plan.js';
import { readResults } from '../../src/workflows/sweep/results/results-file.js';
import { startCli } from '../helpers/cli.js';
import { startRedis, type TestQueue } from '../helpers/redis.js';
import { TINY_PLAN } from '../workflows/sweep/tiny.js';
import { inFolder, must, Tally, type Outcome, type Trial } from './trial.js';
import { wait } from './cli-run.js';

export interface Chaos extends Trial {
  readonly workers: number;
  readonly restarts: number;
  readonly killEveryMs?: number;
  /** default Redis */
  readonly startServer?: () => Promise<TestQueue>;
}

export function trySweepChaos({
  workers: nWorkers,
  restarts: wanted,
  killEveryMs = 5000,
  startServer = startRedis,
  ...trial
}: Chaos): Promise<Outcome> {
  return inFolder(async (folder) => {
    const { count } = trial;
    const tally = new Tally(trial);
    const text = TINY_PLAN.replace('[4, 6, 8]', '[4]').replace('1..2', `1..${count / 2}`);
    writeFileSync(join(folder, 'plan.yaml'), text);
    const results = join(folder, 'reports', 'tiny', 'results.jsonl');
    const finished = (): number =>
      existsSync(results) ? readFileSync(results, 'utf8').split('\n').length - 1 : 0;
    const queue = await startServer();
    const rng = new Rng(trial.seed, 'sweep');
    const startWorker = (): ReturnType<typeof startCli> =>
      startCli(['worker', '--queue', queue.url, '--jobs', '1', '--quiet'], folder);
    const workers = Array.from({ length: nWorkers }, startWorker);
    const sweep = startCli(['sweep', 'plan.yaml', '--queue', queue.url, '--retries', '10', '--json'], folder);
    let stdout = '';
    let stderr = '';
    sweep.stdout?.on('data', (chunk) => (stdout += String(chunk)));
    sweep.stderr?.on('data', (chunk) => (stderr += String(chunk)));
    let code: number | null | undefined;
    sweep.on('exit', (value) => (code = value));
    let kills = 0;
    let restarts = 0;
    try {
      let lastKill = performance.now();
      while (code === undefined) {
        await wait(100);
        trial.onProgress?.(finished() / 2, count);
        if (restarts < wanted && finished() >= ((restarts + 1) * count) / (wanted + 1)) {
          await queue.restart();
          restarts++;
        }
        if (finished() === 0 || performance.now() - lastKill < killEveryMs) continue;
        const victim = rng.below(nWorkers);
        workers[victim].kill('SIGKILL');
        workers[victim] = startWorker();
        kills++;
        lastKill = performance.now();
      }
    } finally {
      sweep.kill('SIGKILL');
      for (const worker of workers) worker.kill('SIGKILL');
      await queue.stop();
    }
    must(code === 0, `the sweep ends with ${code ?? 'a signal'}: ${stderr.slice(-300)}`);
    const said = JSON.parse(stdout) as { runs: number; finished: number; failed: readonly unknown[] };
    must(
      said.runs === count && said.finished === count && said.failed.length === 0,
      `it says ${stdout.slice(0, 200)}`,
    );
    must(restarts === wanted, `the server was restarted ${restarts} times`);
    must(kills > 0, 'no worker was killed');
    must(finished() === count, `${finished()} lines of results, expected one a run`);
    const lines = readResults(results);
    const root = join(folder, 'checkpoints');
    const there = readdirSync(root).filter((name) => !name.startsWith('.'));
    must(there.length === count, `${there.length} runs on disk, expected ${count}`);
    const serial = join(folder, 'serial');
    let done = 0;
    for (const { id, config } of expandPlan(parsePlan(text, 'plan.yaml'))) {
      await trainRun(config, { root: serial, engine: 'auto', threads: 1 });
      await tally.run(id, () => {
        const [one, other] = [openRun(join(root, id)), openRun(join(serial, id))];
        const { weightsSha256 } = other.loadStep('final');
        must(one.loadStep('final').weightsSha256 === weightsSha256, 'other weights than of the serial run');
        must(lines.get(id)?.weightsSha256 === weightsSha256, 'other weights in the results');
        must(JSON.stringify(one.readMetrics()) === JSON.stringify(other.readMetrics()), 'other metrics');
        must(one.verify().length === 0, one.verify().join(' '));
      });
      trial.onProgress?.((count + ++done) / 2, count);
    }
    return tally.outcome(`${nWorkers} workers, ${kills} killed, ${restarts} restarts of the server`);
  });
}
