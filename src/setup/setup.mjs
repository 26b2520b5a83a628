/**
 * Brings a clone to a state in which it runs: packages, TypeScript build, native engine, bundles for report and viewer.
 * Each step is done only when its inputs changed. Plain JavaScript, so that it works before anything is installed.
 */
import { chmodSync, existsSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LAST_MAP } from './build-children.mjs';
import { filesBelow, hashOf, ROOT, runProgram, SetupError, thenEndBundler, whenChanged } from './common.mjs';

const STAMPS = join(ROOT, 'build', 'stamps');

/** @param {{log?: (line: string) => void, only?: string}} options - `only`: one of packages, build, native */
export async function setUp({ log = console.error, only } = {}) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(`Node ${process.versions.node} is too old: sumlens needs 20.19 or newer.`);
  }
  if (!existsSync(join(ROOT, 'package-lock.json'))) return; // an installed package is already built
  await installPackages(log);
  if (only === 'packages') return;
  if (only === undefined || only === 'build') {
    await buildTypeScript(log);
    await buildBundles(log);
  }
  if (only === undefined || only === 'native') await buildNativeEngine(log);
}

async function installPackages(log) {
  const inputs = [join(ROOT, 'package-lock.json'), join(ROOT, '.npmrc')];
  // of package.json only what decides which packages there are: a new script is no reason to install them again
  const { dependencies, devDependencies, optionalDependencies, overrides } = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  );
  const wanted = JSON.stringify({ dependencies, devDependencies, optionalDependencies, overrides });
  await whenChanged({
    name: 'packages (npm ci; the optional @tensorflow/tfjs-node may be skipped)',
    stamp: join(ROOT, 'node_modules', '.sumlens-stamp'),
    hash: hashOf(inputs, wanted, `node ${process.versions.modules} ${process.platform} ${process.arch}`),
    output: join(ROOT, 'node_modules', 'typescript', 'package.json'),
    log,
    isDone: packagesAreInstalled,
    work: () => {
      // npm ci would empty the folder that the link points to
      if (lstatSync(join(ROOT, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
        throw new SetupError(
          'node_modules is a link to another folder, whose packages are not the ones wanted here. Remove the link.',
        );
      }
      runProgram('npm', ['ci', '--no-audit', '--no-fund'], { timeout: 15 * 60_000 });
    },
  });
}

/**
 * True when `npm ci`, with whatever flags, has put the packages of the lock file there: its own list of what it installed
 * is written last. Optional packages may be missing.
 */
export function packagesAreInstalled(root = ROOT) {
  const packagesOf = (path) => JSON.parse(readFileSync(join(root, path), 'utf8')).packages ?? {};
  try {
    const installed = packagesOf('node_modules/.package-lock.json');
    return Object.entries(packagesOf('package-lock.json')).every(
      ([path, { version, integrity, optional }]) =>
        path === '' ||
        (installed[path] === undefined
          ? optional === true
          : installed[path].version === version && installed[path].integrity === integrity),
    );
  } catch {
    return false;
  }
}

async function buildTypeScript(log) {
  const isSource = (path) => path.endsWith('.ts') || path.endsWith('.json');
  const inputs = filesBelow([join(ROOT, 'src'), join(ROOT, 'probes'), join(ROOT, 'tsconfig.json')], isSource);
  await whenChanged({
    name: 'TypeScript build',
    stamp: join(STAMPS, 'typescript'),
    hash: hashOf(inputs),
    output: join(ROOT, 'dist', 'src', 'cli', 'main.js'),
    log,
    work: () => {
      for (const folder of ['src', 'probes'])
        rmSync(join(ROOT, 'dist', folder), { recursive: true, force: true });
      const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
      runProgram(process.execPath, [compiler, '-p', join('src', 'setup', 'tsconfig.build.json')]);
      removeOrphans(inputs);
      // npx links to it, and asks npm to make it a program only the first time
      chmodSync(join(ROOT, 'dist', 'src', 'cli', 'main.js'), 0o755);
    },
  });
}

/** Deletes what was compiled from a source that is gone. */
function removeOrphans(sources) {
  const known = new Set(sources.map((path) => relative(ROOT, path).replace(/(\.d)?\.ts$/, '')));
  const compiled = ['src', 'probes'].map((folder) => join(ROOT, 'dist', folder));
  for (const path of filesBelow(compiled, (name) => /\.(js|d\.ts)$/.test(name))) {
    const source = relative(join(ROOT, 'dist'), path).replace(/(\.d\.ts|\.js)$/, '');
    if (!known.has(source)) rmSync(path);
  }
}

async function buildBundles(log) {
  for (const [file, name, folders, output] of [
    ['build-report.mjs', 'buildReportRuntime', ['src'], 'dist/report-runtime.js'],
    ['build-playground.mjs', 'buildPlayground', ['src'], 'dist/playground.js'],
    ['build-viewer.mjs', 'buildViewer', ['src'], 'dist/viewer/app.js'],
    ['build-children.mjs', 'buildChildren', ['src', 'probes'], LAST_MAP],
  ]) {
    const script = join(ROOT, 'src', 'setup', file);
    if (!existsSync(script)) continue;
    const inputs = filesBelow([
      script,
      join(ROOT, 'package-lock.json'),
      ...folders.map((folder) => join(ROOT, folder)),
    ]);
    await whenChanged({
      name: `bundle of the ${basename(file, '.mjs').replace('build-', '')}`,
      stamp: join(STAMPS, file),
      hash: hashOf(inputs),
      output: join(ROOT, output),
      log,
      work: async () => {
        const module = await import(pathToFileURL(script).href);
        await thenEndBundler(() => module[name]({ root: ROOT, log }));
      },
    });
  }
}

async function buildNativeEngine(log) {
  const { buildNative } = await import('./build-native.mjs');
  const { status, reason } = await buildNative({ root: ROOT, log });
  if (status === 'unavailable')
    log(`set-up: native engine not built: ${reason} The WebAssembly engine is used instead.`);
}

/** Runs set-up from a script's first line: one clear message and exit code 1 when it fails. */
export async function setUpOrExit(options) {
  try {
    await setUp(options);
  } catch (error) {
    console.error(error instanceof SetupError ? `set-up failed: ${error.message}` : error);
    process.exit(1);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const at = process.argv.indexOf('--only');
  await setUpOrExit(at === -1 ? {} : { only: process.argv[at + 1] });
}
