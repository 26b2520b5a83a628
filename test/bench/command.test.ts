/** The command line of bench/main.mjs: its rows and what it refuses. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';

function bench(...args: string[]): { code: number | null; out: string; err: string } {
  const main = join(packageRoot(), 'bench/main.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

describe('npm run bench', () => {
  it('lists every row once, those of the goals among them', () => {
    const { code, out } = bench('--list');
    const ids = out.trim().split('\n');
    expect(code).toBe(0);
    expect(new Set(ids).size).toBe(ids.length);
    const goals = [
      'efficiency d=128',
      'pytorch d=16',
      'pytorch-real d=32',
      'time-to-98',
      'jax d=64',
      'threads d=64',
    ];
    const own = [
      'side-by-side d=16',
      'wasm d=32',
      'generate',
      'evaluation depth=2',
      'capture training',
      'quick',
    ];
    expect(ids).toEqual(expect.arrayContaining([...goals, ...own, 'memory d=128']));
  });

  it('refuses a row that does not exist in one line, with exit code 2', () => {
    const { code, err } = bench('--only', 'tpu');
    expect(code).toBe(2);
    expect(err).toMatch(/^--only: found "tpu", expected a row \(--list\) or one of efficiency, .*\.\n$/);
  });
});
