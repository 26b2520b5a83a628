/** A damaged last checkpoint as the commands meet it: the step that stands in for it is named, and so is the damage. */
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/io/package-root.js';
import { runCli, withFolder } from '../../helpers/cli.js';

const REFERENCE = join(packageRoot(), 'checkpoints', 'reference');
const RUN = readdirSync(REFERENCE).find((name) => name.startsWith('sum-')) ?? 'no reference run';

/** A copy of a reference run with one bit of its last weights changed. */
function damagedCopy(folder: string): { readonly last: number; readonly before: number } {
  const dir = join(folder, 'checkpoints', RUN);
  cpSync(join(REFERENCE, RUN), dir, { recursive: true });
  const steps = readdirSync(join(dir, 'steps')).sort();
  const weights = join(dir, 'steps', steps.at(-1) ?? '', 'model.safetensors');
  const bytes = readFileSync(weights);
  bytes[bytes.length - 5] ^= 4;
  writeFileSync(weights, bytes);
  return { last: Number(steps.at(-1)), before: Number(steps.at(-2)) };
}

describe('a damaged last checkpoint', () => {
  it('is said by sample and export, with the step used in its place', async () => {
    await withFolder((folder) => {
      const { before } = damagedCopy(folder);
      const said = new RegExp(
        `model\\.safetensors: found SHA-256 .* Step ${before} is used in its place\\.\n`,
      );
      const sampled = runCli(['sample', RUN, '--count', '1'], folder);
      expect(sampled.code, sampled.stderr).toBe(0);
      expect(sampled.stdout).toContain(`${RUN}@${before}: greedy answers`);
      expect(sampled.stderr).toMatch(said);
      const json = runCli(['sample', RUN, '--count', '1', '--json'], folder).stdout;
      expect(JSON.parse(json)).toMatchObject({ notes: [expect.stringContaining('is used in its place')] });
      const exported = runCli(['export', RUN, '--to', 'nanogpt', '--out', 'there', '--json'], folder);
      expect(exported.code, exported.stderr).toBe(0);
      expect(exported.stderr).toMatch(said);
      expect(exported.stdout).toContain('is used in its place');
    });
  });

  it('is left out of a report by name, and the exit code says so', async () => {
    await withFolder((folder) => {
      const { last, before } = damagedCopy(folder);
      const probed = runCli(['probe', 'embedding-pca', RUN, '--name', 'r', '--json'], folder);
      expect(probed.code).toBe(1);
      expect(probed.stderr).toContain(`${RUN}@${last} was left out: `);
      const report = JSON.parse(probed.stdout) as {
        subjects: { step: number }[];
        modules: Record<string, { leftOut: { subject: string; reason: string }[] }>;
      };
      expect(report.subjects.map(({ step }) => step)).toEqual([before]);
      expect(report.modules['embedding-pca'].leftOut).toEqual([
        {
          subject: `${RUN}@${last}`,
          reason: expect.stringContaining(`Step ${before} is used in its place.`) as string,
        },
      ]);
    });
  });
});

describe('names that look like steps', () => {
  it('are taken for paths where there is such a path', async () => {
    await withFolder((folder) => {
      const home = join(folder, 'me@corp');
      mkdirSync(home);
      cpSync(join(REFERENCE, RUN), join(home, RUN), { recursive: true });
      const at = runCli(['sample', join(home, RUN), '--count', '1'], folder);
      expect(at.code, at.stderr).toBe(0);
      expect(runCli(['sample', join(home, `${RUN}@0`), '--count', '1'], folder).stdout).toContain(
        `${RUN}@0:`,
      );
      const step = join(home, RUN, 'steps', '000000');
      expect(runCli(['sample', step, '--count', '1'], folder).stdout).toContain(`${RUN}@0:`);
      const { stderr } = runCli(['sample', join(home, 'nothing')], folder);
      expect(stderr).toContain('found no such run');
      symlinkSync(join(home, RUN), join(folder, 'a@b'));
      expect(runCli(['sample', './a@b', '--count', '1'], folder).code).toBe(0);
    });
  });
});

describe('train --out .', () => {
  it('keeps the folder that the command was started in', async () => {
    await withFolder((folder) => {
      const here = join(folder, 'empty');
      mkdirSync(here);
      const args = ['train', '--tasks', 'SUM', '--steps', '2', '--d-model', '8', '--out', '.', '--quiet'];
      const first = runCli(args, here);
      expect(first.stderr).toBe('');
      expect(first.code).toBe(0);
      expect(readdirSync(here)).toContain('config.json');
      expect(runCli(args, here).stdout).toContain('was trained before');
      rmSync(here, { recursive: true });
    });
  });
});

describe('run', () => {
  it('gives the reason of every run when none could be trained, exit code 1', async () => {
    await withFolder((folder) => {
      writeFileSync(join(folder, 'file'), '');
      const { code, stdout, stderr } = runCli(
        ['run', 'smoke', '--checkpoints', 'file/runs', '--json', '--quiet'],
        folder,
      );
      expect(code).toBe(1);
      const { report, failed } = JSON.parse(stdout) as {
        report: null;
        failed: { run: string; reason: string }[];
      };
      expect(report).toBeNull();
      expect(failed.length).toBeGreaterThan(1);
      for (const { run, reason } of failed) {
        expect(reason).toMatch(/file is a file, expected a folder \(ENOTDIR\)\.$/);
        expect(stderr).toContain(`run ${run} failed: ${reason}\n`);
      }
    });
  });
});
