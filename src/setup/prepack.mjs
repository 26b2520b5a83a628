/**
 * Before `npm pack`: set-up, then the native addon into prebuilds/linux-x64, so that an installed package needs no compiler
 * and no install script. Refuses an addon that asks for a newer C library than promised. node: imports only.
 */
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildNative } from './build-native.mjs';
import { ROOT, runProgram, SetupError } from './common.mjs';
import { setUpOrExit } from './setup.mjs';

/** Debian 10, Ubuntu 18.10, RHEL 8: also the oldest that Node 20's own binaries run on. */
export const OLDEST_GLIBC = [2, 28];

/**
 * Versions of the C library that a shared object asks for, as `objdump -T` prints them, newest first.
 * @returns {[number, number, number][]}
 */
export function glibcVersions(path) {
  const found = new Set(runProgram('objdump', ['-T', path]).match(/GLIBC_[0-9.]+/g) ?? []);
  const parts = [...found].map((name) => name.slice('GLIBC_'.length).split('.').map(Number));
  return parts
    .map(([major, minor, patch = 0]) => [major, minor, patch])
    .sort((a, b) => b[0] - a[0] || b[1] - a[1] || b[2] - a[2]);
}

/** Builds the addon and puts it where src/engine/native/load.ts looks in a package. */
export async function makePrebuild({ root, log }) {
  const { status, reason, path } = await buildNative({ root, log });
  if (status === 'unavailable') {
    throw new SetupError(`the package needs the native addon, which could not be built: ${reason}`);
  }
  const [newest] = glibcVersions(path);
  if (newest !== undefined && (newest[0] - OLDEST_GLIBC[0] || newest[1] - OLDEST_GLIBC[1]) > 0) {
    throw new SetupError(
      `build/kernels.node asks for glibc ${newest.join('.')}, expected ${OLDEST_GLIBC.join('.')} or older. ` +
        'Give the new symbols their old version (see .symver in src/engine/native/pool.c).',
    );
  }
  const folder = join(root, 'prebuilds', 'linux-x64');
  rmSync(join(root, 'prebuilds'), { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ['kernels.node.sha256', 'kernels.node']) {
    copyFileSync(join(root, 'build', name), join(folder, `${name}.new`));
    renameSync(join(folder, `${name}.new`), join(folder, name));
  }
  const hash = readFileSync(join(folder, 'kernels.node.sha256'), 'utf8').split('\n')[0];
  log(`prebuilds/linux-x64/kernels.node: kernels ${hash.slice(0, 12)}, glibc ${newest?.join('.') ?? 'none'}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await setUpOrExit();
  try {
    await makePrebuild({ root: ROOT, log: console.error });
  } catch (error) {
    console.error(error instanceof SetupError ? `prepack failed: ${error.message}` : error);
    process.exit(1);
  }
}
