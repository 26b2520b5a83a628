/** Training on a data file by the command line. */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, withFolder } from '../helpers/cli.js';
import { PUBLIC_FILE } from '../listops/files/public-lines.js';

const SHORT = ['--steps', '2', '--d-model', '8', '--batch', '4', '--quiet'];

describe('sumlens train --data', () => {
  it('trains on public lines, prints intervals, and finds the run again under another name of the file', async () => {
    await withFolder((folder) => {
      const flags = ['--format', 'direct', '--max-tokens', '32', ...SHORT];
      const { code, stdout, stderr } = runCli(['train', '--data', PUBLIC_FILE, ...flags], folder);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^max-med-min-sum-file-d8-s1-[0-9a-f]{12} is trained: budget at step 2\n/);
      expect(stdout).toMatch(/^held out {2}all +\d+\/\d+ +[\d.]+% +[\d.]+% \.\. +[\d.]+% /m);
      const copy = join(folder, 'copy.tsv');
      copyFileSync(PUBLIC_FILE, copy);
      const again = runCli(['train', '--data', copy, ...flags], folder);
      expect([again.code, again.stdout.split('\n')[0]]).toEqual([
        0,
        expect.stringContaining('was trained before'),
      ]);
    });
  });

  it.each([
    ['a wrong label', '3\t[MAX 1 3 ]\n4\t[MAX 1 3 ]\n', 'bad.tsv line 2: found label 4, expected 3 '],
    ['an empty file', '', 'bad.tsv: found an empty file, '],
    [
      'lines that are too long',
      `7\t[MAX ${'7 '.repeat(90)}]\n`,
      'bad.tsv: found 1 of 1 lines longer than --n-ctx 64 ',
    ],
  ])('refuses %s with one line, exit code 2, and no run', async (_, text, message) => {
    await withFolder((folder) => {
      writeFileSync(join(folder, 'bad.tsv'), text);
      const { code, stdout, stderr } = runCli(['train', '--data', 'bad.tsv', ...SHORT], folder);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/^sumlens: --data: [^\n]+\n$/);
      expect(stderr).toContain(message);
      expect(existsSync(join(folder, 'checkpoints'))).toBe(false);
    });
  });

  it('refuses a directory, and limits without a file', async () => {
    await withFolder((folder) => {
      mkdirSync(join(folder, 'dir.tsv'));
      expect(runCli(['sample', '--data', 'dir.tsv'], folder)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining('it is a directory, expected a file') as string,
      });
      expect(runCli(['train', '--max-tokens', '9'], folder).code).toBe(2);
    });
  });
});
