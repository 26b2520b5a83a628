/**
 * `npm test`: tools of the tests where they can be installed, set-up, then every test; ends with what was skipped and why,
 * and `N passed, N failed`. Arguments after `--` go to vitest (a folder or file name). REQUIRE_ALL=1 (continuous
 * integration) makes a skipped test a failure.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './common.mjs';
import { setUpOrExit } from './setup.mjs';
import { closingLines } from './test-summary.mjs';
import { installTestTools } from './test-tools.mjs';

installTestTools(console.error);
await setUpOrExit();

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
  { cwd: ROOT, stdio: 'inherit' },
);

let summary;
try {
  summary = JSON.parse(readFileSync(results, 'utf8'));
} catch {
  // it ended before it could write: counted as one failure
}
const { lines, isOk } = closingLines(summary, {
  status: run.status,
  requireAll: process.env.REQUIRE_ALL === '1',
});
for (const line of lines) console.log(line);
process.exitCode = isOk ? 0 : 1;
