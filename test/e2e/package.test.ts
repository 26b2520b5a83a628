/** The packed tarball in an empty project: what a user of the library gets, types and all, without install scripts. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';
import { parseReport } from '../../src/report/parse-report.js';
import { buildNative } from '../../src/setup/build-native.mjs';
import { glibcVersions, makePrebuild } from '../../src/setup/prepack.mjs';
import { itNeeding, missingProgram } from '../helpers/needs.js';

const PROGRAM = `
import { getPreset, loadCheckpoint, openEngine, runProbe, train, UserError, writeReport } from 'sumlens';
import type { Finding, Report } from 'sumlens';

const { engine, note } = await openEngine('auto', { threads: 1 });
console.log(note);
engine.dispose();

const runs: string[] = [];
for (const config of getPreset('smoke').runs) {
  const { run, accuracy } = await train(config, { root: 'checkpoints' });
  console.log(run, accuracy.SUM);
  runs.push(run);
}
const checkpoints = runs.map((run) => loadCheckpoint(\`\${run}@final\`));
const weights: Float32Array = checkpoints[0].parameters;
const report: Report = await runProbe('embedding-pca', checkpoints, { title: 'My report' });
const findings: readonly Finding[] = report.modules['embedding-pca'].findings;
console.log(weights.length, findings.length, report.modules['embedding-pca'].status);
console.log(writeReport(report, 'reports/mine').pagePath);
try {
  loadCheckpoint('no-such-run');
} catch (error) {
  console.log(error instanceof UserError);
}
`;

let folder: string;
let project: string;

// what "npm pack" runs first; without a C compiler there is no addon to pack, and a package without one is tested instead
const root = packageRoot();
const { status, reason } = await buildNative({ root });
const native = status !== 'unavailable';
const noPrebuild = native ? missingProgram('objdump') : reason;
if (!native && /\bnative\b/.test(process.env['REQUIRE_ENGINES'] ?? '')) {
  throw new Error('REQUIRE_ENGINES names native, which cannot be built here.');
}

function npm(args: readonly string[], cwd: string): string {
  // the settings of an enclosing "npm test" must not reach this one
  const environment = Object.entries(process.env).filter(([name]) => !/^(npm_|SUMLENS_)/.test(name));
  const registry = process.env['npm_config_registry'];
  return execFileSync('npm', [...args], {
    cwd,
    encoding: 'utf8',
    env: {
      ...Object.fromEntries(environment),
      ...(registry === undefined ? {} : { npm_config_registry: registry }),
    },
    timeout: 150_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sumlens-package-'));
  project = join(folder, 'project');
  mkdirSync(project);
  if (native) await makePrebuild({ root, log: () => undefined });
  else rmSync(join(root, 'prebuilds'), { recursive: true, force: true });
  npm(['pack', '--ignore-scripts', '--pack-destination', folder], packageRoot());
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  writeFileSync(join(project, 'package.json'), '{ "name": "project", "private": true, "type": "module" }\n');
  // where continuous integration has taken the network away, its cache holds what is asked for
  const cached = process.env['SUMLENS_OFFLINE'] === '1' ? '--offline' : '--prefer-offline';
  const flags = ['--ignore-scripts', '--omit=optional', cached, '--no-audit', '--no-fund'];
  npm(['install', ...flags, join(folder, tarball)], project);
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const installed = (...parts: readonly string[]): string => join(project, 'node_modules', 'sumlens', ...parts);

describe('the packed package', () => {
  it('holds what it needs at run time, and no sources, tests or runs', () => {
    for (const path of [
      'dist/src/cli/program.js',
      'dist/src/cli/main.js',
      'dist/src/index.d.ts',
      'dist/src/workflows/probing/probe-entry.js',
      'dist/src/train/entry.js',
      'dist/report-runtime.js',
      'dist/report-runtime.css',
      'dist/report-figures.js',
      'dist/viewer/index.html',
      'dist/viewer/app.js',
      'src/engine/wasm/kernels.wasm',
      'src/config/plans/thresholds.yaml',
      'package.json',
      'LICENSE',
      // messages and the README point to them
      'docs/files.md',
      'docs/methods.md',
      'docs/tutorial.md',
      'docs/concepts.md',
      'docs/api.md',
      'docs/images/report.png',
    ]) {
      expect(existsSync(installed(path)), path).toBe(true);
    }
    for (const path of ['test', 'dist/test', 'checkpoints', 'reports', 'bench', 'src/cli', 'build']) {
      expect(existsSync(installed(path)), path).toBe(false);
    }
  });

  it('type-checks and runs a short program: train, load, probe, report', () => {
    writeFileSync(join(project, 'program.ts'), PROGRAM);
    const options = {
      compilerOptions: {
        target: 'ES2023',
        module: 'NodeNext',
        moduleResolution: 'NodeNext',
        strict: true,
        noEmitOnError: true,
        skipLibCheck: false,
        types: ['node'],
        typeRoots: [join(packageRoot(), 'node_modules', '@types')],
      },
      files: ['program.ts'],
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(options));
    const compiler = join(packageRoot(), 'node_modules', 'typescript', 'bin', 'tsc');
    const compiled = spawnSync(process.execPath, [compiler, '-p', '.'], { cwd: project, encoding: 'utf8' });
    expect(compiled.stdout).toBe('');
    expect(compiled.status).toBe(0);

    const { stdout, stderr, status } = spawnSync(process.execPath, ['program.js'], {
      cwd: project,
      encoding: 'utf8',
      timeout: 100_000,
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const lines = stdout.trim().split('\n');
    // one line says which engine, and why not the native one where no binary came with the package
    expect(lines[0]).toMatch(native ? /^engine native, / : /^engine wasm, as native .*kernels\.node/);
    expect(lines).toHaveLength(8);
    expect(lines[5]).toMatch(/^\d+ [1-9]\d* ok$/);
    expect(lines[7]).toBe('true');
    const report = parseReport(readFileSync(join(project, 'reports', 'mine', 'report.json')), 'report');
    expect(report.title).toBe('My report');
    expect(report.subjects).toHaveLength(4);
    expect(readFileSync(join(project, 'reports', 'mine', 'index.html'), 'utf8')).toContain('<!doctype html>');
  }, 150_000);

  it('type-checks and runs the scripts of docs/lens.md, which have no cast', () => {
    const scripts = [
      ...readFileSync(installed('docs', 'lens.md'), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm),
    ].map((match) => match[1]);
    expect(scripts).toHaveLength(4);
    for (const script of scripts) expect(script).not.toMatch(/\bas (?!const\b)|<any>|\bany\b|!\.|@ts-/);
    const names = scripts.map((script, i) => {
      writeFileSync(join(project, `lens-${i}.ts`), script);
      return `lens-${i}.ts`;
    });
    const options = {
      compilerOptions: {
        target: 'ES2023',
        module: 'NodeNext',
        strict: true,
        noEmitOnError: true,
        skipLibCheck: false,
        types: ['node'],
        typeRoots: [join(packageRoot(), 'node_modules', '@types')],
      },
      files: names,
    };
    writeFileSync(join(project, 'tsconfig.lens.json'), JSON.stringify(options));
    const compiler = join(packageRoot(), 'node_modules', 'typescript', 'bin', 'tsc');
    const compiled = spawnSync(process.execPath, [compiler, '-p', 'tsconfig.lens.json'], {
      cwd: project,
      encoding: 'utf8',
    });
    expect([compiled.stdout, compiled.status]).toEqual(['', 0]);
    // they name a run of the clone
    cpSync(join(packageRoot(), 'checkpoints', 'reference'), join(project, 'checkpoints', 'reference'), {
      recursive: true,
    });
    const outputs = names.map((name) => {
      const ran = spawnSync(process.execPath, [name.replace('.ts', '.js')], {
        cwd: project,
        encoding: 'utf8',
      });
      expect([ran.stderr, ran.status]).toEqual(['', 0]);
      return ran.stdout;
    });
    // the last stage of the logit lens is the model's answer to (SUM 7 3 6), 6
    expect(outputs[0]).toMatch(/^blocks\.1\.resid_post 6 /m);
    expect(outputs[1].trim().split('\n')).toHaveLength(8);
    expect(outputs[2]).toMatch(/^L0H0 reads /m);
    // results of modules: contributions, rows of a report, the head of its table
    expect(outputs[3]).toMatch(/^SUM \d+\.\d\d \[/);
    expect(outputs[3]).toMatch(/^sum-pairs-d16-s1-45202e910ba4 [01] 0\.\d\d$/m);
    expect(outputs[3]).toMatch(/^subject,run,step,seed,/m);
  }, 150_000);

  it('has a command that runs', () => {
    const bin = join(project, 'node_modules', '.bin', 'sumlens');
    const { stdout, status } = spawnSync(bin, ['probe', '--list'], { cwd: project, encoding: 'utf8' });
    expect(status).toBe(0);
    expect(stdout).toContain('embedding-pca');
    const { version } = JSON.parse(readFileSync(installed('package.json'), 'utf8')) as { version: string };
    expect(spawnSync(bin, ['--version'], { cwd: project, encoding: 'utf8' }).stdout.trim()).toBe(version);
  });

  it('needs no install script', () => {
    const { scripts } = JSON.parse(readFileSync(installed('package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    for (const name of ['preinstall', 'install', 'postinstall', 'prepare'])
      expect(scripts).not.toHaveProperty(name);
  });

  itNeeding(noPrebuild, 'holds an addon for linux-x64 that asks for no glibc above 2.28', () => {
    const versions = glibcVersions(installed('prebuilds', 'linux-x64', 'kernels.node'));
    expect(versions.length).toBeGreaterThan(0);
    for (const [major, minor] of versions) expect(major * 1000 + minor).toBeLessThanOrEqual(2028);
  });

  it('works with WASM where its addon is for another machine, and says so', () => {
    const bin = join(project, 'node_modules', '.bin', 'sumlens');
    rmSync(installed('prebuilds'), { recursive: true, force: true });
    const { stdout, status } = spawnSync(bin, ['doctor'], { cwd: project, encoding: 'utf8' });
    expect(stdout).toMatch(/^native +not available: .*kernels\.node not found\. Pass --engine wasm\.$/m);
    expect(stdout).toMatch(/self-test +wasm: passed/);
    expect(status).toBe(0);
  });

  it('passes publint: entry points, types, files and formats agree', async () => {
    const { publint } = await import('publint');
    const { formatMessage } = await import('publint/utils');
    const pkgDir = installed();
    const { messages, pkg } = await publint({ pkgDir, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });
});
