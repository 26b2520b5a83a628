/** Bad input on the command line: one line that names field, value and what is allowed, exit code 2, nothing left. */
import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runCli, withFolder } from '../helpers/cli.js';

/** command line, and what its one line must say */
const CASES: readonly (readonly [string, readonly string[]])[] = [
  ['train --tasks SUMM', ['SUMM', 'SUM']],
  ['train --tasks SUM --modulus 1', ['--modulus', '1', '2 to 64']],
  ['train --tasks SUM --modulus 65', ['--modulus', '65', '2 to 64']],
  ['train --tasks SUM --modulus 3.5', ['--modulus', '3.5']],
  ['train --tasks SUM --modulus NaN', ['--modulus', 'NaN']],
  ['train --tasks SUM --modulus 1e308', ['--modulus', '1e+308']],
  ['train --tasks SUM --d-model 16 --heads 3', ['--heads', '3', '16']],
  ['train --tasks SUM --d-model 0', ['--d-model', '0']],
  ['train --tasks SUM --d-model -4', ['--d-model', '-4']],
  ['train --tasks SUM --steps ten', ['--steps', 'ten', 'number']],
  ['train --tasks SUM --lr -1', ['--lr', '-1']],
  ['train --tasks SUM --n-ctx 4', ['--n-ctx', '4']],
  ['train --tasks SUM --operands 3..2', ['--operands']],
  ['train --tasks SUM --regime half', ['--regime', 'half', 'full', 'pairs', 'triples']],
  ['train --tasks SUM --engine cuda', ['--engine', 'cuda', 'native', 'wasm']],
  ['train --tasks SUM --threads 0', ['--threads', '0']],
  ['train --tasks SUM --config missing.json', ['--config', 'missing.json']],
  ['train --tasks SUM --no-such-flag', ['--no-such-flag']],
  ['train --tasks SUM --activation tanh', ['--activation', 'tanh', 'gelu', 'relu']],
  ['run quikc', ['quikc', 'quick']],
  ['run smoke --engine cpu', ['--engine', 'cpu', 'auto, native, wasm']],
  ['train --tasks SUM --engine tfjs:foo', ['--engine', 'tfjs:foo', 'Did you mean tfjs?']],
  ['probe all some-run --engine tfjs:wsm', ['--engine', 'tfjs:wsm', 'Did you mean tfjs:wasm?']],
  ['rnu', ['rnu', 'run']],
  ['probe embeding-pca some-run', ['embeding-pca', 'embedding-pca']],
  ['probe all no-such-run', ['no-such-run']],
  ['probe all ../outside', ['../outside']],
  ['probe', ['module']],
  ['probe all', ['checkpoint']],
  ['probe ./no-such-module.js some-run', ['no-such-module.js']],
  ['report no-such-report.json', ['no-such-report.json']],
  ['sample --tasks MAX --count 0', ['--count', '0']],
  ['sample --tasks MAX --nesting 2', ['--nesting', '2']],
  ['serve --port 99999', ['--port', '99999']],
];

describe('bad input on the command line', () => {
  it.each(CASES)('%s', async (line, words) => {
    await withFolder((folder) => {
      const { code, stdout, stderr } = runCli(line.split(' '), folder);
      expect(stderr.trim().split('\n'), 'one line').toHaveLength(1);
      for (const word of words) expect(stderr).toContain(word);
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(stdout).toBe('');
      expect(code).toBe(2);
      expect(readdirSync(folder), 'nothing is left behind').toEqual([]);
      expect(existsSync(`${folder}/checkpoints`)).toBe(false);
    });
  });

  it('shows the stack of an error with --debug', async () => {
    await withFolder((folder) => {
      const { code, stderr } = runCli(['train', '--tasks', 'SUM', '--modulus', '1', '--debug'], folder);
      expect(code).toBe(2);
      expect(stderr).toMatch(/^\s+at /m);
    });
  });

  it('takes values from SUMLENS_ variables and names the variable that is wrong', async () => {
    await withFolder((folder) => {
      const { code, stderr } = runCli(['train', '--tasks', 'SUM'], folder, { SUMLENS_D_MODEL: 'wide' });
      expect(code).toBe(2);
      expect(stderr).toContain('SUMLENS_D_MODEL');
    });
  });
});
