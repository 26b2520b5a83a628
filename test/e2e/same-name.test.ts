/** Two commands that make a report of one name together, and a shell that lets few files be open. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { takeLock, releaseLock } from '../../src/io/lock.js';
import { CLI, runCli, withFolder } from '../helpers/cli.js';

const TRAIN = 'train --tasks SUM --modulus 4 --d-model 8 --layers 1 --n-ctx 16 --steps 20 --batch 8 --quiet';

it('of two reports with one name made together the second is refused in one line, and none is lost', async () => {
  await withFolder((folder) => {
    expect(runCli([...TRAIN.split(' '), '--out', 'run'], folder)).toMatchObject({ code: 0 });
    const probe = ['probe', 'embedding-pca', 'run', '--name', 'mine', '--quiet'];
    const lock = join(folder, 'reports', '.cache', 'names', 'mine.lock');
    mkdirSync(dirname(lock), { recursive: true });
    // this process is the one that makes the other report
    const held = takeLock(lock, 'report mine');
    const second = runCli(probe, folder);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(
      /^sumlens: --name: the report mine is being made by process \d+ on .*\. Wait until it ends, or give this one another name\.\n$/,
    );
    expect(existsSync(join(folder, 'reports', 'mine'))).toBe(false);
    releaseLock(held);
    // afterwards it is made again
    expect(runCli(probe, folder)).toMatchObject({ code: 0 });
    expect(existsSync(lock)).toBe(false);
  });
}, 300_000);

it('says in one line that too few files may be open, whatever the limit', async () => {
  await withFolder((folder) => {
    for (const limit of [120, 40, 22]) {
      const script = `ulimit -n ${limit}; exec "$0" "$1" doctor --help`;
      const { status, stderr } = spawnSync('sh', ['-c', script, process.execPath, CLI], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect([0, 1]).toContain(status);
      if (status === 1) expect(stderr).toMatch(/^sumlens: too many files are open: .* ulimit -n 1024\.\n$/);
      else expect(stderr).toBe('');
    }
  });
});
