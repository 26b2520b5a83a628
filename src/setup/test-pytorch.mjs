/**
 * `npm run test:pytorch`: every reference checkpoint and every export format against PyTorch, with what is installed:
 * torch and numpy (our own module), transformers, TransformerLens. What is missing says `not run`; the last line is
 * `N compared, N failed`. PYTHON names another interpreter; REQUIRE_TORCH=1 makes a missing torch a failure.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, SetupError, runProgram } from './common.mjs';
import { setUpOrExit } from './setup.mjs';

/** Debian's torch belongs to /usr/bin/python3, whatever another python3 on PATH has. */
const INTERPRETERS = process.env.PYTHON ? [process.env.PYTHON] : ['python3', '/usr/bin/python3'];
const REQUIRED = process.env.REQUIRE_TORCH === '1';
const LIMIT_MS = 10 * 60_000;

/** In the order of what they need. */
const CHECKS = [
  { script: 'own_module.py', results: 'own_module.json', needs: ['numpy', 'torch'] },
  { script: 'hugging_face.py', results: 'hugging_face.json', needs: ['numpy', 'torch', 'transformers'] },
  {
    script: 'transformer_lens_check.py',
    results: 'transformer_lens.json',
    needs: ['numpy', 'torch', 'transformer_lens'],
    // version 4 removed HookedTransformer
    test: 'from transformer_lens import HookedTransformer',
  },
];

/** Why a check cannot run with an interpreter, or undefined. */
function missing(python, { needs, test }) {
  const runs = (code) => spawnSync(python, ['-W', 'ignore', '-c', code], { encoding: 'utf8' });
  if (runs('pass').error) return `${python} is missing`;
  for (const name of needs) if (runs(`import ${name}`).status !== 0) return `${name} is missing`;
  if (test === undefined) return undefined;
  const found = runs(test);
  return found.status === 0 ? undefined : `"${test}" fails: ${found.stderr.trim().split('\n').at(-1)}`;
}

const python = INTERPRETERS.find((name) => missing(name, CHECKS[0]) === undefined) ?? INTERPRETERS[0];
const reasons = CHECKS.map((check) => missing(python, check));
if (reasons[0] !== undefined) {
  console.log(`not run: ${reasons[0]}${REQUIRED ? ', but REQUIRE_TORCH is set' : ''}`);
  process.exit(REQUIRED ? 1 : 0);
}

await setUpOrExit();
const folder = mkdtempSync(join(tmpdir(), 'sumlens-pytorch-'));
let compared = 0;
let failed = 0;
try {
  console.log(runProgram(process.execPath, [join(ROOT, 'test', 'pytorch', 'dump.mjs'), folder]).trim());
  CHECKS.forEach(({ script, results }, i) => {
    if (reasons[i] !== undefined) {
      console.log(`${script}: not run: ${reasons[i]}`);
      return;
    }
    const { status, signal, error } = spawnSync(python, [join(ROOT, 'test', 'pytorch', script), folder], {
      stdio: 'inherit',
      timeout: LIMIT_MS,
      // nothing may be looked for on a network, and no cache written beside the sources
      env: { ...process.env, HF_HUB_OFFLINE: '1', PYTHONDONTWRITEBYTECODE: '1' },
    });
    const file = join(folder, results);
    if (status === 0 && existsSync(file)) {
      const counts = JSON.parse(readFileSync(file, 'utf8'));
      compared += counts.compared;
      failed += counts.failed;
      if (counts.compared > 0) return;
    }
    failed++;
    console.log(`${script}: ended with ${error?.message ?? signal ?? status} before it was done`);
  });
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.log(error.message);
  failed++;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${compared} compared, ${failed} failed`);
process.exitCode = failed > 0 || compared === 0 ? 1 : 0;
