/** CPU quotas of control groups: planted folders in the form that Linux gives them. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { quotaCores, usableCores } from '../../src/jobs/cores.js';
import { temporaryFolder } from '../io/temporary.js';

function groups(files: Readonly<Record<string, string>>): string {
  const root = temporaryFolder();
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

describe('quotaCores', () => {
  it.each<[string, Record<string, string>, string, number]>([
    ['none', {}, '0::/\n', Infinity],
    ['version 2, without a quota', { 'cpu.max': 'max 100000\n' }, '0::/\n', Infinity],
    ['version 2 in a container, --cpus=1', { 'cpu.max': '100000 100000\n' }, '0::/\n', 1],
    ['--cpus=2.5: two processes that never wait', { 'cpu.max': '250000 100000\n' }, '0::/\n', 2],
    ['--cpus=0.5', { 'cpu.max': '50000 100000\n' }, '0::/\n', 1],
    ['of a group above', { 'a/cpu.max': '300000 100000\n', 'a/b/cpu.max': 'max 100000' }, '0::/a/b\n', 3],
    [
      'version 1',
      { 'cpu,cpuacct/x/cpu.cfs_quota_us': '200000\n', 'cpu,cpuacct/x/cpu.cfs_period_us': '100000\n' },
      '12:pids:/x\n4:cpu,cpuacct:/x\n',
      2,
    ],
    [
      'version 1, without a quota',
      { 'cpu/cpu.cfs_quota_us': '-1\n', 'cpu/cpu.cfs_period_us': '100000\n' },
      '4:cpu:/\n',
      Infinity,
    ],
    ['nonsense', { 'cpu.max': 'x' }, 'what\n', Infinity],
  ])('reads %s', (_, files, own, expected) => {
    expect(quotaCores(groups(files), own)).toBe(expected);
  });

  it('never makes more than there are', () => {
    expect(usableCores()).toBeGreaterThanOrEqual(1);
    expect(usableCores()).toBeLessThanOrEqual(availableParallelism());
  });
});
