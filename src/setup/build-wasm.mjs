/**
 * Compiles what git holds compiled to WebAssembly: the engine's kernels (src/engine/wasm/kernels.wasm) and the logistic fits
 * of the probes (src/analysis/kernels/logistic-module.ts, which holds its module as text, so that it runs wherever the
 * analyses do). Only the compiler version recorded in targets.json gives the same bytes, so any other keeps the committed
 * files. node: imports only.
 */
import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildFolder, compile, compilerVersion, readTargets, wasmHash } from './kernel-sources.mjs';

const FILE = 'src/engine/wasm/kernels.wasm';

/**
 * Builds the engine's module, or says why the committed one stays. The file is replaced only when its bytes change.
 * @param {{root: string, log?: (line: string) => void, check?: boolean}} options - `check`: compare, replace nothing;
 *   a difference is then `unavailable`
 * @returns {Promise<{status: 'built' | 'current' | 'unavailable', reason: string, path: string}>}
 */
export async function buildWasm(options) {
  const targets = readTargets(options.root);
  const { flags } = targets.wasm;
  // relative paths: an absolute one could reach the module's bytes
  const args = [...flags, `-DKERNEL_HASH=${wasmHash(options.root, targets)}`, ...targets.kernels];
  return buildModule(options, targets.wasm, FILE, args, (made) => made);
}

/** The same for the fits of the probes. @param {{root: string, log?: (line: string) => void, check?: boolean}} options */
export async function buildLogistic(options) {
  const { wasm, logistic } = readTargets(options.root);
  const text = (made) =>
    `/** Made from ${basename(logistic.source)} by src/setup/build-wasm.mjs: the WebAssembly module, in base64. */\n` +
    `export const LOGISTIC_MODULE =\n  '${made.toString('base64')}';\n`;
  return buildModule(options, wasm, logistic.module, [...logistic.flags, logistic.source], (made) =>
    Buffer.from(text(made)),
  );
}

function buildModule({ root, log = () => {}, check = false }, wasm, file, args, written) {
  const path = join(root, file);
  const { compiler, linker, version } = wasm;
  const unavailable = (reason) => ({ status: 'unavailable', reason, path });
  const found = compilerVersion(compiler);
  if (found !== version || compilerVersion(linker) === undefined) {
    return unavailable(`${version} with ${linker} is not installed; the committed ${file} is used.`);
  }
  const work = buildFolder(dirname(path), '.build-');
  try {
    const made = join(work, basename(file));
    const problem = compile(compiler, [...args, '-o', made], root);
    if (problem !== undefined) return unavailable(`${compiler} failed: ${problem}`);
    const bytes = written(readFileSync(made));
    if (existsSync(path) && bytes.equals(readFileSync(path))) {
      return { status: 'current', reason: 'the committed bytes are what the sources give', path };
    }
    if (check)
      return unavailable(`${file} is not what the sources give. Run "node src/setup/build-wasm.mjs".`);
    writeFileSync(made, bytes);
    chmodSync(made, 0o644); // the linker makes it a program
    renameSync(made, path);
    log(`built ${file}, ${bytes.length} bytes, with ${found}`);
    return { status: 'built', reason: `compiled with ${found}`, path };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const options = { root, log: console.log, check: process.argv.includes('--check') };
  for (const [name, build] of [
    ['wasm engine', buildWasm],
    ['logistic fits', buildLogistic],
  ]) {
    const { status, reason } = await build(options);
    console.log(`${name}: ${status}: ${reason}`);
    if (status === 'unavailable') process.exitCode = 1;
  }
}
