/** `npm ci --ignore-scripts` in a copy of the working tree: the toolkit works, and nothing installs again with scripts. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';
import { itNeeding } from '../helpers/needs.js';

const ROOT = packageRoot();
const isAsked = process.env['REQUIRE_ALL'] === '1' || process.env['SUMLENS_SLOW'] === '1';
const reason = !isAsked
  ? 'installs every package again; done where REQUIRE_ALL=1 or SUMLENS_SLOW=1.'
  : existsSync(join(ROOT, '.git'))
    ? undefined
    : 'needs a git checkout.';

const folder = mkdtempSync(join(tmpdir(), 'sumlens-scripts-'));
// tens of thousands of files
afterAll(() => rmSync(folder, { recursive: true, force: true }), 300_000);

/** What git has or would take; of the runs only what git has. */
function copyTree(): void {
  const list = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  for (const path of list.split('\0')) {
    if (path === '' || !existsSync(join(ROOT, path))) continue;
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
}

function run(command: string, ...args: readonly string[]): { code: number | null; output: string } {
  // the settings of an enclosing "npm test" must not reach this one
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_registry)|SUMLENS_|VITEST)/.test(name),
  );
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
    env: Object.fromEntries(own),
    timeout: 400_000,
  });
  return { code: status, output: stdout + stderr };
}

itNeeding(
  reason,
  'works after npm ci --ignore-scripts',
  () => {
    copyTree();
    const cached = process.env['SUMLENS_OFFLINE'] === '1' ? '--offline' : '--prefer-offline';
    const installed = run('npm', 'ci', '--ignore-scripts', cached, '--no-audit', '--no-fund');
    expect([installed.code, installed.output.slice(-2000)]).toEqual([0, expect.anything()]);

    const built = run('npm', 'run', 'build');
    expect([built.code, built.output.slice(-2000)]).toEqual([0, expect.anything()]);
    expect(built.output).toContain('set-up: TypeScript build: done');
    // a second installation, with scripts, would be announced
    expect(built.output).not.toContain('set-up: packages');

    const cli = (...args: readonly string[]) => run(process.execPath, 'dist/src/cli/main.js', ...args);
    const doctor = cli('doctor');
    expect([doctor.code, doctor.output]).toEqual([0, expect.stringMatching(/self-test +wasm: passed/)]);
    expect(cli('new-probe', 'mine').code).toBe(0);
    // TypeScript of a user's own: esbuild works without its script
    const tiny = ['--tasks', 'SUM', '--modulus', '4', '--d-model', '4', '--steps', '2', '--batch', '4'];
    const trained = cli('train', ...tiny, '--engine', 'wasm', '--out', 'checkpoints/tiny');
    expect([trained.code, trained.output]).toEqual([0, expect.anything()]);
    const probed = cli('probe', './mine.ts', 'checkpoints/tiny', '--name', 'mine', '--engine', 'wasm');
    expect([probed.code, probed.output]).toEqual([0, expect.anything()]);
    expect(existsSync(join(folder, 'reports', 'mine', 'index.html'))).toBe(true);
  },
  900_000,
);
