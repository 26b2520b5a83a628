/** `--option name=value` of `sumlens probe`: what it refuses. That it reaches a module is run with the documentation's commands. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../../src/io/package-root.js';
import { runCli } from '../../helpers/cli.js';

const RUN = join('checkpoints', 'reference', 'sum-pairs-d16-s1-45202e910ba4');

it.each([
  [['all'], ['codeStages=2'], /option: found one for "all", expected a module by name/],
  [['parity-probe'], ['codeStages'], /option: found "codeStages", expected name=value/],
  [
    ['parity-probe'],
    ['codeStage=2'],
    /option of parity-probe: found "codeStage", expected one of relabellings,/,
  ],
  [['parity-probe'], ['codeStages=-1'], /codeStages: found -1, expected a whole number from 0/],
  [['parity-probe'], ['codeStages=all'], /codeStages: found "all", expected a whole number from 0/],
])('%j --option %j is refused in one line', ([module], [text], message) => {
  const { code, stdout, stderr } = runCli(['probe', module, RUN, '--option', text], packageRoot());
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
});
