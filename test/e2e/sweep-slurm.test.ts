/** The SLURM script of a sweep, its tasks run by bash as an array would run them: the results are those of the serial sweep. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runsOfShard } from '../../src/workflows/sweep/results/shards.js';
import { runCli, withFolder } from '../helpers/cli.js';
import { TINY_PLAN, tinyRuns } from '../workflows/sweep/tiny.js';

/** Two runs start from others, which must be in their shards. */
const PLAN = TINY_PLAN.replace(
  'joint: { data.tasks: [MAX, SUM] }',
  'after: { data.tasks: [SUM], init: { from: { arm: sum, seed: same }, what: numbers } }',
).replace('[4, 6, 8]', '[4, 8]');

function linesOf(path: string): string[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => line.replace(/"seconds":[\d.e-]+,/, '')).sort();
}

/** One task of the array. @param killAfterMs - sooner than its end, at best */
async function task(script: string, index: number, killAfterMs?: number): Promise<number | null> {
  const child = spawn('bash', [script], {
    env: { ...process.env, SLURM_ARRAY_TASK_ID: String(index) },
    stdio: ['ignore', 'ignore', 'inherit'],
    cwd: '/',
  });
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(timer);
  return code;
}

describe('sumlens sweep --slurm', () => {
  it('writes a script whose tasks, killed and taken up again, give the bytes of the serial sweep', async () => {
    await withFolder(async (folder) => {
      const [serial, array] = ['serial', 'an array'].map((name) => join(folder, name));
      for (const place of [serial, array]) {
        mkdirSync(place);
        writeFileSync(join(place, 'plan.yaml'), PLAN);
      }
      const whole = runCli(['sweep', 'plan.yaml'], serial);
      expect(whole.code, whole.stderr).toBe(0);
      const written = runCli(['sweep', 'plan.yaml', '--slurm', 'sweep.sbatch', '--shards', '3'], array);
      expect(written.code, written.stderr).toBe(0);
      const script = join(array, 'sweep.sbatch');
      expect(readFileSync(script, 'utf8')).toContain('#SBATCH --array=0-2\n');
      expect(existsSync(join(array, 'checkpoints'))).toBe(false);

      // the first task is killed and submitted again; the others run side by side
      await task(script, 0, 1500);
      expect(await Promise.all([0, 1, 2].map((index) => task(script, index)))).toEqual([0, 0, 0]);
      const reports = join(array, 'reports', 'tiny');
      expect(readdirSync(reports)).toEqual(['shards']);
      // a task that has done its share does nothing
      expect(await task(script, 1)).toBe(0);

      const collected = runCli(['sweep', 'plan.yaml', '--report-only'], array);
      expect(collected.code, collected.stderr).toBe(0);
      expect(collected.stderr).toContain('collected 8 results of shards');
      const result = 'reports/tiny/results.jsonl';
      expect(linesOf(join(array, result))).toEqual(linesOf(join(serial, result)));
      for (const file of ['report.json', 'index.html', 'observations.csv.gz']) {
        const [one, other] = [array, serial].map((place) =>
          readFileSync(join(place, 'reports', 'tiny', file)),
        );
        expect(one.equals(other), file).toBe(true);
      }
      // once more nothing is collected and nothing trained
      expect(runCli(['sweep', 'plan.yaml', '--report-only'], array).stderr).not.toContain('collected');
      expect(JSON.parse(runCli(['sweep', 'plan.yaml', '--json'], array).stdout)).toMatchObject({
        finished: 8,
      });
      expect(linesOf(join(array, result))).toHaveLength(8);
    });
  }, 240_000);

  it('refuses what is no shard', async () => {
    await withFolder((folder) => {
      writeFileSync(join(folder, 'plan.yaml'), PLAN);
      for (const [args, message] of [
        [['--shard', '3/3'], '--shard: found "3/3"'],
        [['--shard', 'x'], 'such as 0/32'],
        [['--slurm', '.'], 'a file, not a directory'],
        [['--slurm', 'a.sh', '--shards', '9'], 'at most the 8 runs'],
        [['--shard', '0/2', '--queue', 'redis://127.0.0.1'], '--shard: found with --queue'],
      ] as const) {
        const { code, stderr } = runCli(['sweep', 'plan.yaml', ...args], folder);
        expect(code, stderr).toBe(2);
        expect(stderr).toContain(message);
        expect(stderr.trim().split('\n')).toHaveLength(1);
      }
      expect(existsSync(join(folder, 'checkpoints'))).toBe(false);
    });
  }, 120_000);
});

describe('runsOfShard', () => {
  it('deals every run to one shard', () => {
    const runs = tinyRuns();
    const dealt = [0, 1, 2, 3, 4].map((index) => runsOfShard(runs, { index, of: 5 }).map(({ id }) => id));
    expect(dealt.flat().sort()).toEqual(runs.map(({ id }) => id).sort());
    expect(Math.max(...dealt.map((own) => own.length))).toBeLessThan(5);
  });
});
