/** A sweep as a user runs it: killed at random and gone on with, on a fresh clone, with each way to keep checkpoints. */
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openRun } from '../../src/checkpoint/store.js';
import { Rng } from '../../src/tensor/rng.js';
import { runCli, startCli, withFolder } from '../helpers/cli.js';
import { TINY_PLAN, tinyRuns } from '../workflows/sweep/tiny.js';

const RESULTS = join('reports', 'tiny', 'results.jsonl');

function withPlan(folder: string, text = TINY_PLAN): void {
  writeFileSync(join(folder, 'plan.yaml'), text);
}

/** Lines without the wall clock, in the order of run ids. */
function linesOf(folder: string): string[] {
  const lines = readFileSync(join(folder, RESULTS), 'utf8').split('\n');
  expect(lines.pop()).toBe('');
  return lines.map((line) => line.replace(/"seconds":[\d.e-]+,/, '')).sort();
}

/** Every byte of the runs that must not depend on how they were trained. */
function bytesOf(folder: string): string[] {
  const root = join(folder, 'checkpoints');
  return readdirSync(root)
    .sort()
    .flatMap((run) => [
      readFileSync(join(root, run, 'metrics.jsonl'), 'utf8'),
      ...readdirSync(join(root, run, 'steps')).map((step) =>
        readFileSync(join(root, run, 'steps', step, 'model.safetensors'), 'base64'),
      ),
    ]);
}

/** Waits until the sweep holds its results, or has ended. */
async function untilWorking(folder: string, pid: number | undefined, ended: Promise<unknown>): Promise<void> {
  let isOver = false;
  void ended.then(() => (isOver = true));
  const lock = join(folder, 'reports', 'tiny', 'sweep.lock');
  const isHeld = (): boolean => existsSync(lock) && readFileSync(lock, 'utf8').includes(`"pid":${pid},`);
  while (!isOver && !isHeld()) await new Promise((resolve) => setTimeout(resolve, 10));
}

describe('sumlens sweep', () => {
  it('gives the same results killed at random as left alone', async () => {
    await withFolder(async (folder) => {
      const alone = join(folder, 'alone');
      const killed = join(folder, 'killed');
      for (const place of [alone, killed]) {
        mkdirSync(place);
        withPlan(place);
      }
      const whole = runCli(['sweep', 'plan.yaml', '--jobs', '2', '--json'], alone);
      expect(whole.code, whole.stderr).toBe(0);
      expect(JSON.parse(whole.stdout)).toMatchObject({
        runs: 12,
        finished: 12,
        failed: [],
        interrupted: false,
      });

      const rng = new Rng(1, 'test', 0);
      let kills = 0;
      for (let code: number | null = null; code !== 0;) {
        const child = startCli(['sweep', 'plan.yaml', '--jobs', '2', '--quiet'], killed);
        const ended = once(child, 'exit') as Promise<[number | null]>;
        await untilWorking(killed, child.pid, ended);
        // longer and longer, so that a busy machine gets to the end too
        const timer = setTimeout(() => child.kill('SIGKILL'), (1500 + 500 * kills) * rng.uniform());
        [code] = await ended;
        clearTimeout(timer);
        if (code !== 0) kills++;
        expect(kills).toBeLessThan(60);
      }
      expect(kills).toBeGreaterThan(1);
      expect(linesOf(killed)).toEqual(linesOf(alone));
      expect(linesOf(killed)).toHaveLength(12);
      for (const file of ['report.json', 'observations.csv.gz', 'index.html']) {
        const [a, b] = [alone, killed].map((place) => readFileSync(join(place, 'reports', 'tiny', file)));
        expect(b.equals(a), file).toBe(true);
      }
      expect(bytesOf(killed)).toEqual(bytesOf(alone));

      // a fresh clone has the lines alone: nothing is left to do
      const clone = join(folder, 'clone');
      mkdirSync(join(clone, 'reports', 'tiny'), { recursive: true });
      withPlan(clone);
      cpSync(join(alone, RESULTS), join(clone, RESULTS));
      const again = runCli(['sweep', 'plan.yaml', '--json'], clone);
      expect(JSON.parse(again.stdout)).toMatchObject({ finished: 12 });
      expect(existsSync(join(clone, 'checkpoints'))).toBe(false);

      // a torn last line is dropped and its run's result written again
      const text = readFileSync(join(alone, RESULTS), 'utf8');
      writeFileSync(join(alone, RESULTS), text.slice(0, -20));
      const mended = runCli(['sweep', 'plan.yaml'], alone);
      expect(mended.code, mended.stderr).toBe(0);
      expect(mended.stderr).toContain('bytes of an unfinished last line');
      expect(linesOf(alone)).toEqual(linesOf(killed));
    });
  }, 240_000);

  it('keeps all checkpoints, the last ones or none, and only thins out what it trained', async () => {
    await withFolder((folder) => {
      const [first] = tinyRuns();
      const small = TINY_PLAN.replace('[4, 6, 8]', '[4]').replace('1..2', '[1]');
      withPlan(folder, small);
      // trained by hand before: it stays whole whatever the sweep keeps
      writeFileSync(join(folder, 'first.json'), JSON.stringify(first.config));
      expect(runCli(['train', '--config', 'first.json'], folder).code).toBe(0);
      const runs = join(folder, 'checkpoints');
      const final = runCli(['sweep', 'plan.yaml', '--keep', 'final'], folder);
      expect(final.code, final.stderr).toBe(0);
      const other = readdirSync(runs).find((run) => run !== first.id) ?? '';
      const kept = openRun(join(runs, other));
      expect(kept.steps()).toEqual([60]);
      expect(kept.verify()).toEqual([]);
      expect(existsSync(join(runs, other, 'resume'))).toBe(false);
      expect(openRun(join(runs, first.id)).steps()).toEqual([0, 60]);

      rmSync(join(folder, 'reports'), { recursive: true });
      expect(runCli(['sweep', 'plan.yaml', '--keep', 'none'], folder).code).toBe(0);
      expect(readdirSync(runs)).toEqual([first.id]);
      expect(linesOf(folder)).toHaveLength(2);
    });
  }, 120_000);

  it('trains what others start from first, and again when its checkpoint is gone, to the same results', async () => {
    await withFolder((folder) => {
      const arms = `arms:
  numbers: { data.tasks: [SUM], init: { from: { arm: max, seed: same }, what: numbers } }
  max: { data.tasks: [MAX] }
axes:`;
      const text = TINY_PLAN.replace(/arms:[^]*axes:/, arms).replace('[4, 6, 8]', '[8]');
      withPlan(folder, text);
      const first = runCli(['sweep', 'plan.yaml', '--keep', 'none'], folder);
      expect(first.code, first.stderr).toBe(0);
      expect(readdirSync(join(folder, 'checkpoints'))).toEqual([]);
      const whole = linesOf(folder);
      expect(whole).toHaveLength(4);
      // the lines of the sources alone are left, as on a fresh clone of an unfinished sweep
      const sources = readFileSync(join(folder, RESULTS), 'utf8')
        .split('\n')
        .filter((line) => line.includes('"tasks":["MAX"]}') && !line.includes('"init"'));
      expect(sources).toHaveLength(2);
      writeFileSync(join(folder, RESULTS), `${sources.join('\n')}\n`);
      const second = runCli(['sweep', 'plan.yaml', '--keep', 'none'], folder);
      expect(second.code, second.stderr).toBe(0);
      expect(linesOf(folder)).toEqual(whole);

      withPlan(folder, text.replace('{ arm: max, seed: same }', 'no-such-run@final'));
      const missing = runCli(['sweep', 'plan.yaml'], folder);
      expect(missing.code).toBe(2);
      expect(missing.stderr).toMatch(/^sumlens: plan tiny, arm numbers: init\.from: .*no-such-run.*\n$/);
    });
  }, 120_000);

  it('refuses bad input in one line and starts nothing', async () => {
    await withFolder((folder) => {
      withPlan(folder);
      writeFileSync(
        join(folder, 'typo.yaml'),
        TINY_PLAN.replace('optimizer.warmupSteps', 'optimizer.warmupstep'),
      );
      writeFileSync(join(folder, 'unknown.yaml'), TINY_PLAN.replace('seeds:', 'seedz:'));
      writeFileSync(join(folder, 'empty.yaml'), TINY_PLAN.replace('[4, 6, 8]', '[]'));
      writeFileSync(join(folder, 'huge.yaml'), TINY_PLAN.replace('1..2', '1..166666667'));
      writeFileSync(join(folder, 'twins.yaml'), TINY_PLAN.replace('[MAX, SUM]', '[SUM]'));
      mkdirSync(join(folder, 'reports', 'foreign'), { recursive: true });
      writeFileSync(join(folder, 'reports', 'foreign', 'results.jsonl'), 'hello\n');
      mkdirSync(join(folder, 'reports', 'report'), { recursive: true });
      writeFileSync(join(folder, 'reports', 'report', 'report.json'), '{}');
      for (const [args, message] of [
        [['typo.yaml'], 'Did you mean optimizer.warmupSteps?'],
        [['unknown.yaml'], 'seedz: unknown field'],
        [['empty.yaml'], 'axes.model.dModel: found an empty list'],
        [['huge.yaml'], 'found 1,000,000,002 runs (arms x axes x seeds), expected at most 100,000'],
        [['twins.yaml'], 'arm joint: gives the same run as arm sum'],
        [['no-such-plan.yaml'], 'plan: '],
        [['plan.yaml', '--report-only'], '--report-only: found no result of the plan tiny'],
        [['plan.yaml', '--keep', 'finals'], 'Did you mean final?'],
        [['plan.yaml', '--stop-after', '0'], '--stop-after: found 0'],
        [['plan.yaml', '--name', '../x'], '--name: found "../x"'],
        [['plan.yaml', '--name', 'foreign'], 'line 1: found hello, expected a result of a run'],
        [['plan.yaml', '--name', 'report'], 'holds a report'],
      ] as const) {
        const { code, stderr } = runCli(['sweep', ...args], folder);
        expect(code, stderr).toBe(2);
        expect(stderr).toContain(message);
        expect(stderr.trim().split('\n')).toHaveLength(1);
      }
      expect(existsSync(join(folder, 'checkpoints'))).toBe(false);
      expect(readdirSync(join(folder, 'reports')).sort()).toEqual(['foreign', 'report']);
      appendFileSync(join(folder, 'plan.yaml'), 'claims: [C1]\n');
      const dry = runCli(['sweep', 'plan.yaml', '--dry-run', '--json'], folder);
      expect(dry.code, dry.stderr).toBe(0);
      expect(JSON.parse(dry.stdout)).toMatchObject({
        runs: 12,
        left: 12,
        claims: [
          { claim: 'C1a', reachable: false },
          { claim: 'C1b', reachable: false },
        ],
      });
      expect(existsSync(join(folder, 'checkpoints'))).toBe(false);
    });
  }, 120_000);

  it('lets one process at a time write the results', async () => {
    await withFolder(async (folder) => {
      withPlan(
        folder,
        TINY_PLAN.replace('steps: 60', 'steps: 20000').replace('evaluateEvery: 20', 'evaluateEvery: 20000'),
      );
      const child = startCli(['sweep', 'plan.yaml', '--jobs', '1', '--quiet'], folder);
      while (!existsSync(join(folder, 'reports', 'tiny', 'sweep.lock'))) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const second = runCli(['sweep', 'plan.yaml'], folder);
      expect(second.code).toBe(1);
      expect(second.stderr).toContain(`is held by process ${child.pid}`);
      child.kill('SIGTERM');
      expect(await once(child, 'exit')).toEqual([143, null]);
      expect(existsSync(join(folder, 'reports', 'tiny', 'sweep.lock'))).toBe(false);
    });
  }, 120_000);
});
