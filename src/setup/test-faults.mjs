/**
 * `npm run test:faults`: set-up, then the program that tries the promises of docs/reliability.md. Arguments after `--` go to
 * it (--only P9,P11, --short, --seed 7).
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bundleForNode, ROOT } from './common.mjs';
import { setUpOrExit } from './setup.mjs';

await setUpOrExit();
const program = await bundleForNode('test/faults/program.ts', join(ROOT, 'build', 'faults', 'program.mjs'));
const { status } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
