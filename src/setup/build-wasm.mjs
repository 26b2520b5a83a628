/**
 * Compiles the kernels to src/engine/wasm/kernels.wasm, which git holds. Only the compiler version recorded in
 * targets.json gives the same bytes, so any other keeps the committed file. node: imports only.
 */
import { chmodSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildFolder, compile, compilerVersion, readTargets, wasmHash } from './kernel-sources.mjs';

const FILE = 'src/engine/wasm/kernels.wasm';

/**
 * Builds the module, or says why the committed one stays. The file is replaced only when its bytes change.
 * @param {{root: string, log?: (line: string) => void, check?: boolean}} options - `check`: compare, replace nothing;
 *   a difference is then `unavailable`
 * @returns {Promise<{status: 'built' | 'current' | 'unavailable', reason: string, path: string}>}
 */
export async function buildWasm({ root, log = () => {}, check = false }) {
  const path = join(root, FILE);
  const targets = readTargets(root);
  const { compiler, linker, version, flags } = targets.wasm;
  const unavailable = (reason) => ({ status: 'unavailable', reason, path });
  const found = compilerVersion(compiler);
  if (found !== version || compilerVersion(linker) === undefined) {
    return unavailable(`${version} with ${linker} is not installed; the committed ${FILE} is used.`);
  }
  const work = buildFolder(join(root, 'src/engine/wasm'), '.build-');
  try {
    const made = join(work, 'kernels.wasm');
    // relative paths: an absolute one could reach the module's bytes
    const problem = compile(
      compiler,
      [...flags, `-DKERNEL_HASH=${wasmHash(root, targets)}`, '-o', made, ...targets.kernels],
      root,
    );
    if (problem !== undefined) return unavailable(`${compiler} failed: ${problem}`);
    const bytes = readFileSync(made);
    if (existsSync(path) && bytes.equals(readFileSync(path))) {
      return { status: 'current', reason: 'the committed bytes are what the sources give', path };
    }
    if (check)
      return unavailable(`${FILE} is not what the sources give. Run "node src/setup/build-wasm.mjs".`);
    chmodSync(made, 0o644); // the linker makes it a program
    renameSync(made, path);
    log(`built ${FILE}, ${bytes.length} bytes, with ${found}`);
    return { status: 'built', reason: `compiled with ${found}`, path };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { status, reason } = await buildWasm({
    root,
    log: console.log,
    check: process.argv.includes('--check'),
  });
  console.log(`wasm engine: ${status}: ${reason}`);
  if (status === 'unavailable') process.exit(1);
}
