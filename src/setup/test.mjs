/**
 * `npm test`: set-up, a Chromium for the browser tests, then every test; ends with `N passed, N failed`.
 * Arguments after `--` go to vitest (a folder or file name).
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureChromium } from './browser.mjs';
import { ROOT } from './common.mjs';
import { setUpOrExit } from './setup.mjs';

await setUpOrExit();
const environment = { ...process.env };
const browser = ensureChromium(console.error);
if (browser !== undefined) environment.CHROMIUM_PATH = browser;

const results = join(ROOT, 'build', 'test-results.json');
mkdirSync(join(ROOT, 'build'), { recursive: true });
rmSync(results, { force: true });
const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const run = spawnSync(
  process.execPath,
  [
    vitest,
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${results}`,
    ...process.argv.slice(2),
  ],
  { cwd: ROOT, stdio: 'inherit', env: environment },
);

let passed = 0;
let failed = 0;
let skipped = 0;
try {
  const summary = JSON.parse(readFileSync(results, 'utf8'));
  passed = summary.numPassedTests;
  failed = summary.numFailedTests;
  skipped = summary.numPendingTests + summary.numTodoTests;
  // a file that could not even be loaded has no test that failed
  for (const file of summary.testResults) {
    if (file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed')) failed++;
  }
} catch {
  failed = Math.max(failed, 1);
}
if (run.status !== 0 && failed === 0) failed = 1;
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
