/** `verify` and `repair` as commands: what is printed where, and exit codes. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/io/package-root.js';
import { runCli, withFolder } from '../../helpers/cli.js';

const REFERENCE = join(packageRoot(), 'checkpoints', 'reference');
const RUN = readdirSync(REFERENCE).find((name) => name.startsWith('sum-')) ?? 'no reference run';

/** A copy of a reference run with one bit of step 64 changed. */
function damagedCopy(folder: string): string {
  const dir = join(folder, 'checkpoints', RUN);
  cpSync(join(REFERENCE, RUN), dir, { recursive: true });
  const weights = join(dir, 'steps', '000064', 'model.safetensors');
  const bytes = readFileSync(weights);
  bytes[bytes.length - 5] ^= 4;
  writeFileSync(weights, bytes);
  return dir;
}

describe('verify', () => {
  it('finds nothing wrong with the runs that ship, exit code 0', async () => {
    await withFolder((folder) => {
      const { code, stdout, stderr } = runCli(['verify', REFERENCE], folder);
      expect(stderr).toBe('');
      expect(stdout).toBe('6 runs, 36 readable steps: nothing is wrong.\n');
      expect(code).toBe(0);
    });
  });

  it('has one line a finding and exit code 1; --json has all of it, --quiet the findings alone', async () => {
    await withFolder((folder) => {
      damagedCopy(folder);
      const found = runCli(['verify', 'checkpoints', '--verbose'], folder);
      expect(found.code).toBe(1);
      expect(found.stdout).toMatch(
        /steps\/000064\/model\.safetensors: found SHA-256 [0-9a-f]{12}\.\.\., expected [0-9a-f]{12}\.\.\.: the file is damaged\. Run "sumlens repair" on this run, or train it again\.\n/,
      );
      expect(found.stdout).toMatch(/\n1 run, 5 readable steps: 1 error\.\n$/);
      expect(found.stdout).toMatch(/\nsum-\S+ +16000 +[0-9a-f]{12} +[0-9.]+\n/);
      expect(runCli(['verify', 'checkpoints', '--quiet'], folder).stdout.trim().split('\n')).toHaveLength(1);
      const { stdout, code } = runCli(['verify', 'checkpoints', '--json'], folder);
      expect(code).toBe(1);
      expect(JSON.parse(stdout)).toMatchObject({
        errors: 1,
        findings: [{ kind: 'damaged-step', level: 'error', step: 64 }],
        steps: [{ step: 0, distance: 0 }, { step: 256 }, { step: 1024 }, { step: 4096 }, { step: 16000 }],
      });
    });
  });

  it('refuses what is no folder of these, exit code 2', async () => {
    await withFolder((folder) => {
      mkdirSync(join(folder, 'empty'));
      writeFileSync(join(folder, 'file'), '');
      for (const [args, words] of [
        [['verify', 'nothing'], 'nothing: found nothing there, expected a folder.'],
        [['verify', 'file'], 'file: found a file, expected a folder.'],
        [['verify', 'empty'], 'empty: found no run, no published checkpoints and no cache'],
        [['repair', 'empty'], 'empty: found no run, no published checkpoints and no cache'],
        [['verify'], 'missing required argument'],
      ] as const) {
        const { code, stdout, stderr } = runCli(args, folder);
        expect(stderr.trim().split('\n')).toHaveLength(1);
        expect(stderr).toContain(words);
        expect(stdout).toBe('');
        expect(code).toBe(2);
      }
    });
  });

  it('compares exported steps with each other', async () => {
    await withFolder((folder) => {
      for (const step of [0, 256, 4096]) {
        const args = ['export', `${join(REFERENCE, RUN)}@${step}`, '--to', 'nanogpt', '--quiet'];
        expect(runCli(args, folder).code).toBe(0);
      }
      expect(runCli(['verify', 'exports'], folder).stdout).toBe(
        '1 published training, 3 readable steps: nothing is wrong.\n',
      );
      const weights = (step: number): string =>
        join(folder, 'exports', `${RUN}-${step}-nanogpt`, 'model.safetensors');
      cpSync(weights(4096), weights(0));
      const { code, stdout } = runCli(['verify', 'exports'], folder);
      expect(code).toBe(1);
      expect(stdout).toContain(
        'steps 0 and 4096 hold the same files, expected other weights after an update.',
      );
    });
  });
});

describe('repair', () => {
  it('prints a plan and changes nothing; does it with --yes; then nothing is wrong', async () => {
    await withFolder((folder) => {
      const dir = damagedCopy(folder);
      const planned = runCli(['repair', 'checkpoints'], folder);
      expect(planned.code).toBe(1);
      expect(planned.stdout).toMatch(
        /steps\/000064 is moved into \.damaged\/; a mark in its place .*\nNothing was changed: pass --yes to do this\.\n$/,
      );
      expect(readdirSync(dir)).not.toContain('.damaged');
      const json = runCli(['repair', 'checkpoints', '--json'], folder);
      expect(JSON.parse(json.stdout)).toMatchObject({ plan: [{ kind: 'move-step', step: 64 }], done: [] });
      const done = runCli(['repair', 'checkpoints', '--yes'], folder);
      expect(done.code, done.stderr).toBe(0);
      expect(done.stdout).toMatch(/\n1 done\. 1 run, 5 readable steps: nothing is wrong \(1 note\)\.\n$/);
      expect(readdirSync(join(dir, '.damaged'))).toEqual(['steps-000064']);
      expect(readdirSync(join(dir, 'steps', '000064'))).toEqual(['moved-aside']);
      expect(runCli(['sample', RUN, '--count', '1'], folder).code).toBe(0);
      expect(runCli(['repair', 'checkpoints', '--yes'], folder).code).toBe(0);
      expect(runCli(['repair', REFERENCE], folder).stdout).toBe('Nothing to do.\n');
    });
  });
});
