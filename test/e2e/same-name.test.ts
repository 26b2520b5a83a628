/** Two commands that make a report of one name together, and a shell that lets few files be open. */
import { once } from 'node:events';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { until } from '../faults/cli-run.js';
import { CLI, runCli, startCli, withFolder } from '../helpers/cli.js';

const TRAIN = 'train --tasks SUM --modulus 4 --d-model 8 --layers 1 --n-ctx 16 --steps 20 --batch 8 --quiet';

it('of two reports with one name made together the second is refused in one line, and none is lost', async () => {
  await withFolder(async (folder) => {
    expect(runCli([...TRAIN.split(' '), '--out', 'run'], folder)).toMatchObject({ code: 0 });
    const probe = ['probe', 'embedding-pca', 'run', '--name', 'mine', '--quiet'];
    const first = startCli(probe, folder);
    const exit = once(first, 'exit');
    const lock = join(folder, 'reports', '.cache', 'names', 'mine.lock');
    await until(() => existsSync(lock), 'the first report to begin', 120_000);
    const second = runCli(probe, folder);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(
      /^sumlens: --name: the report mine is being made by process \d+ on .*\. Wait until it ends, or give this one another name\.\n$/,
    );
    expect(await exit).toEqual([0, null]);
    expect(JSON.parse(readFileSync(join(folder, 'reports', 'mine', 'report.json'), 'utf8'))).toMatchObject({
      schemaVersion: 2,
    });
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
