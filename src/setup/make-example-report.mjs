/**
 * `npm run make:example-report`: compares the reference runs with every module and writes reports/example, the same
 * bytes every time. Needs the built project and checkpoints/reference.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ROOT } from './common.mjs';
import { setUpOrExit } from './setup.mjs';

const argument = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at === -1 ? fallback : process.argv[at + 1];
};
const reference = join(ROOT, 'checkpoints', 'reference');
const reports = resolve(argument('--reports', join(ROOT, 'reports')));

await setUpOrExit();
if (!existsSync(reference)) {
  console.error('checkpoints/reference: found nothing. Run "npm run make:reference" first.');
  process.exit(1);
}
const runs = readdirSync(reference)
  .filter((name) => existsSync(join(reference, name, 'config.json')))
  .sort();
const cli = join(ROOT, 'dist', 'src', 'cli', 'main.js');
const { status } = spawnSync(
  process.execPath,
  [
    cli,
    'compare',
    ...runs.map((run) => join(reference, run)),
    '--name',
    'example',
    '--reports',
    reports,
    '--engine',
    'native',
  ],
  { cwd: ROOT, stdio: 'inherit' },
);
process.exitCode = status ?? 1;
