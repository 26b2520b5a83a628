/**
 * `npm run test:faults`: set-up, then the program that tries the promises of docs/reliability.md. Arguments after `--` go to
 * it (--only P9,P11, --short, --seed 7).
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from './common.mjs';
import { setUpOrExit } from './setup.mjs';

await setUpOrExit();
const program = join(ROOT, 'build', 'faults', 'program.mjs');
await build({
  entryPoints: [join(ROOT, 'test', 'faults', 'program.ts')],
  outfile: program,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, [program, ...process.argv.slice(2)], {
  cwd: ROOT,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
