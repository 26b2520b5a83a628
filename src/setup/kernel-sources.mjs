/** What the engine's builders share: the list of sources and flags, its hash, compilers. node: imports only. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** src/engine/build/targets.json, which the loader in src/engine/native/load.ts reads too. */
export function readTargets(root) {
  return JSON.parse(readFileSync(join(root, 'src/engine/build/targets.json'), 'utf8'));
}

/**
 * SHA-256 over names and bytes of sources and over the flags; src/engine/native/load.ts computes the same.
 * @param {string[]} files - paths from the root
 * @param {string[]} flags
 */
export function sourceHash(root, files, flags) {
  const hash = createHash('sha256');
  for (const file of files) {
    hash.update(`${file}\0`);
    hash.update(readFileSync(join(root, file)));
    hash.update('\0');
  }
  for (const flag of flags) hash.update(`${flag}\0`);
  return hash.digest('hex');
}

/** Hash of the native addon: kernels and glue. */
export function nativeHash(root, targets) {
  const { kernels, headers, glue, native } = targets;
  const ofSets = native.sets.flatMap((set) => set.flags);
  const flags = [...native.kernelFlags, ...ofSets, ...native.glueFlags, ...native.linkFlags];
  return sourceHash(root, [...kernels, ...headers, ...glue], flags);
}

/** The sets of instructions that an addon holds the kernels for, widest vectors first. @param {'float' | 'double'} real */
export function kernelSets(targets, real = 'float') {
  return real === 'double' ? [targets.native.double.set] : targets.native.sets;
}

/** Hash of the WASM module: kernels only. */
export function wasmHash(root, targets) {
  const { kernels, headers, wasm } = targets;
  return sourceHash(root, [...kernels, ...headers], wasm.flags);
}

/** Compiler flags of one set of kernels. @param {string} name - of the set */
export function kernelFlagsOf(targets, name, real = 'float') {
  const set = kernelSets(targets, real).find((one) => one.name === name);
  return [...targets.native.kernelFlags, ...(set?.flags ?? [])];
}

/** First line of `command --version`, or undefined when there is no such program. */
export function compilerVersion(command) {
  const result = spawnSync(command, ['--version'], { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.split('\n')[0] : undefined;
}

/** Runs a compiler; undefined when it succeeded, else the first lines of what it printed, on one line. */
export function compile(command, args, cwd) {
  const result = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (result.status === 0) return undefined;
  const text = result.error?.message ?? result.stderr;
  return text.trim().split('\n').slice(0, 3).join(' ').slice(0, 400) || `exit code ${result.status}`;
}

const ABANDONED_MS = 3_600_000;

/**
 * A new folder for what a build makes on its way. Those of the same prefix that are an hour old are removed: a build that
 * was killed left them. @returns its path
 */
export function buildFolder(parent, prefix) {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const path = join(parent, name);
    if (Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < ABANDONED_MS) continue;
    rmSync(path, { recursive: true, force: true });
  }
  return mkdtempSync(join(parent, prefix));
}
