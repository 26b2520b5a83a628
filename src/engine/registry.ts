/** Choosing an engine: explicit, with the reason in one line, and never a silent fallback. Node only. */
import { join } from 'node:path';
import { errorMessage, UserError } from '../errors.js';
import { exists, readBytes } from '../io/files.js';
import { packageRoot } from '../io/package-root.js';
import type { Engine, EngineName, OpenEngineOptions } from './engine.js';
import { openNativeEngine } from './native/engine.js';
import { loadAddon } from './native/load.js';
import { openWasmEngine } from './wasm/engine.js';

export const WASM_FILE = 'src/engine/wasm/kernels.wasm';

export interface OpenedEngine {
  readonly engine: Engine;
  /** one line: which engine, and why */
  readonly note: string;
}

/**
 * Opens an engine.
 * @param name - `auto`: native if it loads, else wasm; an engine named explicitly opens or throws a UserError with the
 *   remedy
 */
export async function openEngine(
  name: 'auto' | EngineName,
  options: OpenEngineOptions,
): Promise<OpenedEngine> {
  if (name === 'wasm') return { engine: await openWasm(), note: 'engine wasm (asked for)' };
  const loaded = loadAddon();
  if (loaded.kind === 'loaded') {
    const engine = openNativeEngine(loaded.addon, options);
    const why = name === 'native' ? 'asked for' : 'the fastest here';
    return { engine, note: `engine native, ${engine.isa} (${why})` };
  }
  if (name === 'native') throw new UserError(`engine "native" could not be loaded: ${loaded.reason}`);
  return { engine: await openWasm(), note: `engine wasm, as native is not available: ${loaded.reason}` };
}

/** The bytes of the committed module. Throws a UserError when the file is missing. */
export function readWasmModule(): Uint8Array {
  const path = join(packageRoot(), WASM_FILE);
  if (!exists(path))
    throw new UserError(`engine "wasm": ${WASM_FILE} is missing. Install the package again.`);
  return readBytes(path);
}

async function openWasm(): Promise<Engine> {
  return openWasmEngine(readWasmModule());
}

export type EngineReport =
  | { readonly name: EngineName; readonly available: true; readonly isa: string; readonly kernelHash: string }
  | { readonly name: EngineName; readonly available: false; readonly reason: string };

/** What each engine would say, fastest first; for `doctor`. */
export async function engineReport(): Promise<EngineReport[]> {
  const reports: EngineReport[] = [];
  for (const name of ['native', 'wasm'] as const) {
    try {
      const { engine } = await openEngine(name, { threads: 1 });
      reports.push({ name, available: true, isa: engine.isa, kernelHash: engine.kernelHash });
      engine.dispose();
    } catch (error) {
      reports.push({ name, available: false, reason: errorMessage(error) });
    }
  }
  return reports;
}
