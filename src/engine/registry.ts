/** Choosing an engine: explicit, with the reason in one line, and never a silent fallback. Node only. */
import { join } from 'node:path';
import { errorMessage, UserError } from '../errors.js';
import { exists, readBytes } from '../io/files.js';
import { packageRoot } from '../io/package-root.js';
import {
  ENGINE_NAMES,
  type Engine,
  type EngineChoice,
  type EngineName,
  type OpenEngineOptions,
} from './engine.js';
import { openNativeEngine } from './native/engine.js';
import { loadAddon } from './native/load.js';
import { openTfjsEngine } from './tfjs/engine.js';
import { type Importer, TFJS_BACKENDS, type TfjsBackend } from './tfjs/load.js';
import { openWasmEngine } from './wasm/engine.js';

export const WASM_FILE = 'src/engine/wasm/kernels.wasm';

export interface OpenedEngine {
  readonly engine: Engine;
  /** one line: which engine, and why */
  readonly note: string;
}

/**
 * Opens an engine.
 * @param name - `auto`: native if it loads, else wasm, never tfjs; `tfjs`: its fastest back end that loads; an engine
 *   named explicitly opens or throws a UserError with the remedy
 * @param load - how the optional packages of tfjs are imported; the tests pass one that fails
 */
export async function openEngine(
  name: EngineChoice,
  options: OpenEngineOptions,
  load?: Importer,
): Promise<OpenedEngine> {
  switch (name) {
    case 'auto':
    case 'native':
      return openNativeOr(name, options);
    case 'wasm':
      return { engine: await openWasm(), note: 'engine wasm (asked for)' };
    case 'tfjs':
      return openBestTfjs(load);
    case 'tfjs:tensorflow':
    case 'tfjs:wasm':
    case 'tfjs:cpu': {
      const engine = await openTfjsEngine(backendOf(name), load);
      return { engine, note: `engine ${name}, ${engine.isa} (asked for)` };
    }
  }
}

async function openNativeOr(name: 'auto' | 'native', options: OpenEngineOptions): Promise<OpenedEngine> {
  const loaded = loadAddon();
  if (loaded.kind === 'loaded') {
    const engine = openNativeEngine(loaded.addon, options);
    const why = name === 'native' ? 'asked for' : 'the fastest here';
    return { engine, note: `engine native, ${engine.isa} (${why})` };
  }
  if (name === 'native') throw new UserError(`engine "native" could not be loaded: ${loaded.reason}`);
  return { engine: await openWasm(), note: `engine wasm, as native is not available: ${loaded.reason}` };
}

/** The fastest back end that loads; the note says why not a faster one. */
async function openBestTfjs(load?: Importer): Promise<OpenedEngine> {
  const reasons: string[] = [];
  for (const backend of TFJS_BACKENDS) {
    try {
      const engine = await openTfjsEngine(backend, load);
      const why = reasons.length === 0 ? 'its fastest' : `its fastest here: ${reasons.join(' ')}`;
      return { engine, note: `engine ${engine.name}, ${engine.isa} (${why})` };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      reasons.push(error.message);
    }
  }
  // the last is the back end that needs least
  throw new UserError(reasons.at(-1) ?? 'engine "tfjs" has no back end.');
}

function backendOf(name: `tfjs:${TfjsBackend}`): TfjsBackend {
  return name.slice('tfjs:'.length) as TfjsBackend;
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

/** What each engine would say, ours first; for `doctor`. */
export async function engineReport(): Promise<EngineReport[]> {
  const reports: EngineReport[] = [];
  for (const name of ENGINE_NAMES) {
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
