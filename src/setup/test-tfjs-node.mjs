/**
 * The conformance suite on the engine `tfjs:tensorflow`, with @tensorflow/tfjs-node set up first: `npm run test:tfjs-node`.
 * Its last line is `tfjs:tensorflow: passed`, `failed` or `not available: <reason>`; only `failed` ends with code 1.
 * @tensorflow/tfjs-node is optional, so that a machine which cannot have it has lost nothing.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './common.mjs';

const LIMIT_MS = 10 * 60_000;
const SUITE = 'test/engine/conformance';

const begin = performance.now();
const left = () => Math.max(1, Math.round(LIMIT_MS - (performance.now() - begin)));
const finish = (outcome) => {
  console.log(`tfjs:tensorflow: ${outcome}`);
  process.exit(outcome.startsWith('failed') ? 1 : 0);
};

const setUp = spawnSync(process.execPath, [join(ROOT, 'src', 'setup', 'setup-tfjs-node.mjs')], {
  cwd: ROOT,
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
  timeout: left(),
});
if (setUp.status !== 0) {
  const reason = /not available: (.*)/.exec(setUp.stdout)?.[1];
  if (reason !== undefined) finish(`not available: ${reason}`);
  finish(
    setUp.error ? 'not available: setting it up took over 10 minutes' : 'failed: set-up ended with an error',
  );
}
process.stdout.write(setUp.stdout);

const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
const suite = spawnSync(process.execPath, [vitest, 'run', SUITE], {
  cwd: ROOT,
  env: { ...process.env, REQUIRE_ENGINES: 'tfjs:tensorflow' },
  stdio: ['ignore', 'inherit', 'inherit'],
  timeout: left(),
});
finish(suite.status === 0 ? 'passed' : suite.error ? 'failed: over 10 minutes' : 'failed');
