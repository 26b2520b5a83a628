/**
 * Loads TensorFlow.js with one of its back ends. All packages are optional: nothing of them is imported before an engine
 * of theirs is asked for, and a missing or broken one is explained with its remedy. Node only.
 */
import { join } from 'node:path';
import util from 'node:util';
import { errorCode, errorMessage, UserError } from '../../errors.js';
import { exists } from '../../io/files.js';
import { packageRoot } from '../../io/package-root.js';
import type { TensorFlow } from './tensorflow.js';

export const TFJS_BACKENDS = ['tensorflow', 'wasm', 'cpu'] as const;
/** from the fastest to the slowest */
export type TfjsBackend = (typeof TFJS_BACKENDS)[number];

/** Imports a package by its name; the tests pass one that fails. */
export type Importer = (name: string) => Promise<unknown>;

const CORE = '@tensorflow/tfjs-core';
const PACKAGES: Readonly<Record<TfjsBackend, string>> = {
  tensorflow: '@tensorflow/tfjs-node',
  wasm: '@tensorflow/tfjs-backend-wasm',
  cpu: '@tensorflow/tfjs-backend-cpu',
};
const OTHER = 'or pass --engine native or wasm';

const importPackage: Importer = (name) => import(name);

export interface LoadedTensorFlow {
  readonly tf: TensorFlow;
  /** versions of what computes, for the kernel hash */
  readonly versions: readonly string[];
}

/** @throws UserError with the remedy when a package is missing or does not load */
export async function loadTensorFlow(
  backend: TfjsBackend,
  load: Importer = importPackage,
): Promise<LoadedTensorFlow> {
  if (backend === 'tensorflow') addWhatNodeRemoved();
  const core = await loadPackage(backend, CORE, load);
  // before a back end is imported: it would print a banner
  core.enableProdMode();
  const module = await loadPackage(backend, PACKAGES[backend], load);
  // tfjs-node brings the whole API, of the core that it was made with
  const tf = backend === 'tensorflow' ? module : core;
  tf.enableProdMode();
  let reason = 'it cannot be initialised';
  let isReady = false;
  try {
    isReady = await tf.setBackend(backend);
  } catch (error) {
    reason = firstLine(error);
  }
  if (!isReady) throw new UserError(`engine "tfjs:${backend}" could not be loaded: ${reason}.`);
  const names = ['version_core', 'version_wasm', 'version_cpu', 'version'];
  const versions = [core, module].flatMap((found) =>
    names.flatMap((name) => {
      const value = (found as unknown as Readonly<Record<string, unknown>>)[name];
      return value === undefined ? [] : [JSON.stringify(value)];
    }),
  );
  return { tf, versions: [...versions, nativeVersion(tf)] };
}

/** tfjs-node 4.22 uses two functions that Node 23 removed from node:util. */
function addWhatNodeRemoved(): void {
  const functions = util as unknown as Record<string, unknown>;
  functions.isNullOrUndefined ??= (value: unknown): boolean => value === null || value === undefined;
  functions.isArray ??= Array.isArray;
}

async function loadPackage(backend: TfjsBackend, name: string, load: Importer): Promise<TensorFlow> {
  const title = `engine "tfjs:${backend}" could not be loaded`;
  try {
    const module = (await load(name)) as { readonly default?: unknown };
    // a CommonJS package: its exports are the default, and only some of them named
    return (module.default ?? module) as TensorFlow;
  } catch (error) {
    const isNode = name === PACKAGES.tensorflow;
    const remedy =
      isNode && canBuild() ? 'Run "npm run setup:tfjs-node"' : 'Run "npm install --include=optional"';
    const state = isMissing(error, name)
      ? `the optional package ${name} is not installed`
      : isNode
        ? `${name} is installed, but its native library does not load: ${firstLine(error)}`
        : `${name} is installed, but does not load: ${firstLine(error)}`;
    throw new UserError(`${title}: ${state}. ${remedy}, ${OTHER}.`, { cause: error });
  }
}

/** An installed package has no script to build the binding with; a clone has. */
function canBuild(): boolean {
  return exists(join(packageRoot(), 'src/setup/setup-tfjs-node.mjs'));
}

/** Whether it is the package itself that was not found, and not something that it needs. */
function isMissing(error: unknown, name: string): boolean {
  const code = errorCode(error);
  return (
    (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') &&
    errorMessage(error).includes(`'${name}'`)
  );
}

function firstLine(error: unknown): string {
  return errorMessage(error).trim().split('\n')[0].replace(/\.$/, '');
}

/** Version of libtensorflow, where there is one. */
function nativeVersion(tf: TensorFlow): string {
  const { engine } = tf as unknown as {
    readonly engine?: () => { readonly backend?: { readonly binding?: { readonly TF_Version?: string } } };
  };
  return engine?.().backend?.binding?.TF_Version ?? '';
}
