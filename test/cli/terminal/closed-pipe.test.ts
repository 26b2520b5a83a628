/** A reader that goes away: no stack, no failure, and a training goes on without one. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/io/package-root.js';
import { CLI } from '../../helpers/cli.js';
import { describeNeeding, missingProgram } from '../../helpers/needs.js';
import { temporaryFolder } from '../../io/temporary.js';

const ROOT = packageRoot();

/** @returns the exit codes of a pipeline, and what its commands wrote to standard error */
function pipeline(command: string, cwd: string): { readonly codes: string; readonly stderr: string } {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('SUMLENS_'));
  const { stdout, stderr } = spawnSync('bash', ['-c', `${command} >/dev/null; echo "\${PIPESTATUS[@]}"`], {
    cwd,
    encoding: 'utf8',
    timeout: 100_000,
    env: { ...Object.fromEntries(own), NODE: process.execPath, CLI, ROOT },
  });
  return { codes: stdout.trim(), stderr };
}

describeNeeding(missingProgram('bash'), 'a reader that goes away', () => {
  it.each([
    '"$NODE" "$CLI" report --schema | head -1',
    '"$NODE" "$CLI" train --help | head -1',
    '"$NODE" "$CLI" verdicts "$ROOT/reports/paper/results.jsonl" --json | head -c 100',
    '"$NODE" "$CLI" sample --tasks SUM --json | head -c 10',
    // gone before the first byte
    '"$NODE" "$CLI" verdicts "$ROOT/reports/paper/results.jsonl" --json | true',
  ])(
    '%s',
    (command) => {
      const { codes, stderr } = pipeline(command, temporaryFolder());
      expect([codes, stderr]).toEqual(['0 0', '']);
    },
    110_000,
  );

  it('leaves a training that tells its progress to nobody to its end', () => {
    const folder = temporaryFolder();
    const tiny = '--tasks SUM --modulus 4 --d-model 4 --steps 40 --batch 4 --evaluate-every 2 --warmup 2';
    const { codes } = pipeline(`"$NODE" "$CLI" train ${tiny} --out run 2>&1 | true`, folder);
    expect(codes).toBe('0 0');
    expect(readFileSync(join(folder, 'run', 'end.json'), 'utf8')).toContain('40');
    expect(existsSync(join(folder, 'run', 'lock'))).toBe(false);
  }, 110_000);
});

describe('train --help', () => {
  it('says each default, and which operations there are', () => {
    const { stdout } = spawnSync(process.execPath, [CLI, 'train', '--help'], { encoding: 'utf8' });
    const flags = stdout.replace(/\n {10,}/g, ' ').split('\n');
    const line = (flag: string): string => flags.find((text) => text.trim().startsWith(`${flag} `)) ?? '';
    for (const flag of [
      '--lr',
      '--d-model',
      '--steps',
      '--batch',
      '--regime',
      '--modulus',
      '--operands',
      '--schedule',
    ]) {
      expect(line(flag), flag).toMatch(/\(default [^)]+/);
    }
    for (const operation of ['MAX', 'MIN', 'MED', 'SUM', 'FIRST', 'LATIN', 'TABLE']) {
      expect(line('--tasks')).toContain(operation);
    }
  });
});
