/** Helpers of the set-up scripts: hashing of inputs, stamps, child processes. node: imports only. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of package.json. */
export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Every file below the given files and folders, sorted, that `accept` wants. */
export function filesBelow(paths, accept = () => true) {
  const found = [];
  const visit = (path, entry) => {
    if (entry?.isDirectory()) {
      for (const below of readdirSync(path, { withFileTypes: true })) visit(join(path, below.name), below);
    } else if (entry?.isSymbolicLink()) visit(path, statSync(path, { throwIfNoEntry: false }));
    else if (entry !== undefined && accept(path)) found.push(path);
  };
  for (const path of paths) visit(path, statSync(path, { throwIfNoEntry: false }));
  return found.sort();
}

/** SHA-256 of a file, by path: a source is an input of several steps, and no step writes one */
const digests = new Map();

function digestOf(path) {
  if (!digests.has(path)) digests.set(path, createHash('sha256').update(readFileSync(path)).digest('hex'));
  return digests.get(path);
}

/** SHA-256 over the names and digests of files, and over any further strings. */
export function hashOf(files, ...more) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${relative(ROOT, file)}\0${digestOf(file)}\0`);
  for (const text of more) hash.update(`${text}\0`);
  return hash.digest('hex');
}

/**
 * Does one step when its inputs changed since it last succeeded, or when `output` is missing. Without a stamp `isDone`
 * may say that somebody else did it.
 * @param {{name: string, stamp: string, hash: string, output: string, log: (line: string) => void, isDone?: () => boolean, work: () => void | Promise<void>}} step
 */
export async function whenChanged({ name, stamp, hash, output, log, isDone = () => false, work }) {
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return false;
  const keep = () => {
    mkdirSync(dirname(stamp), { recursive: true });
    writeFileSync(`${stamp}.new`, hash);
    renameSync(`${stamp}.new`, stamp);
  };
  if (existsSync(output) && !existsSync(stamp) && isDone()) {
    keep();
    return false;
  }
  log(`set-up: ${name}`);
  const begin = performance.now();
  await work();
  keep();
  log(`set-up: ${name}: done in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  return true;
}

/** Runs a program and returns what it printed; throws one readable error with its last lines when it fails. */
export function runProgram(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 << 20, ...options });
  if (result.error) throw new SetupError(`${command} could not be started: ${result.error.message}.`);
  if (result.status !== 0) {
    const tail = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim().split('\n').slice(-15).join('\n');
    throw new SetupError(
      `${command} ${args.join(' ')} ended with ${result.status ?? result.signal}.\n${tail}`,
    );
  }
  return result.stdout ?? '';
}

/** A failure that set-up explains by itself: shown without a stack. */
export class SetupError extends Error {}

/** The first of the named programs that is on PATH. */
export function onPath(...names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(':')) {
      if (folder !== '' && existsSync(join(folder, name))) return join(folder, name);
    }
  }
  return undefined;
}

/** Bundles a program of the sources or tests for Node, with packages left outside. @returns its path */
export async function bundleForNode(entry, outfile) {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [join(ROOT, entry)],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'warning',
  });
  return outfile;
}

/** Does what bundles, then ends the bundler's service: it would stay, at over 200 MB, beside the program started next. */
export async function thenEndBundler(work) {
  try {
    return await work();
  } finally {
    const { stop } = await import('esbuild');
    await stop();
  }
}
