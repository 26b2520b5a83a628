/**
 * `npm run make:findings`: from reports/paper/results.jsonl alone, the report beside it, "What we find" of README.md and its
 * picture; the same bytes every time.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { ROOT } from './common.mjs';
import { setUpOrExit } from './setup.mjs';

await setUpOrExit();
const { status } = spawnSync(
  process.execPath,
  [
    join(ROOT, 'dist', 'src', 'cli', 'main.js'),
    'sweep',
    'paper',
    '--size',
    'paper',
    '--name',
    'paper',
  ].concat(['--report-only', '--reports', join(ROOT, 'reports')]),
  { cwd: ROOT, stdio: 'inherit' },
);
if (status !== 0) process.exit(status ?? 1);
// after the set-up: it needs the built project
const { makeFindings, PICTURE, readReadme, withFindings } = await import('./findings.mjs');
const { text, svg } = await makeFindings();
writeFileSync(join(ROOT, 'README.md'), withFindings(readReadme(), text));
if (svg !== undefined) writeFileSync(join(ROOT, PICTURE), svg);
