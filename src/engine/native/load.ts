/** Finds and loads the addon, and refuses one that does not belong to the sources. Node only. */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { errorMessage } from '../../errors.js';
import { exists, readBytes, readText } from '../../io/files.js';
import { packageRoot } from '../../io/package-root.js';
import type { Addon } from './memory.js';

export type LoadedAddon =
  | { readonly kind: 'loaded'; readonly addon: Addon; readonly path: string }
  /** one sentence for the user, with the remedy */
  | { readonly kind: 'unavailable'; readonly reason: string };

const TARGETS = 'src/engine/build/targets.json';
const REMEDY = 'Run "npm run build:native", or pass --engine wasm.';
/** in an installed package, which has no sources to build from */
const PACKAGED_REMEDY = 'Pass --engine wasm.';

/**
 * @param options.file - name in build/, for the builds that the tests make; default: kernels.node, then
 *   prebuilds/linux-x64/kernels.node
 */
export function loadAddon(options: { readonly root?: string; readonly file?: string } = {}): LoadedAddon {
  const root = options.root ?? packageRoot();
  const unavailable = (reason: string): LoadedAddon => ({
    kind: 'unavailable',
    reason: `${reason} ${exists(join(root, TARGETS)) ? REMEDY : PACKAGED_REMEDY}`,
  });
  const candidates =
    options.file === undefined
      ? ['build/kernels.node', 'prebuilds/linux-x64/kernels.node']
      : [`build/${options.file}`];
  const path = candidates.find((candidate) => exists(join(root, candidate)));
  if (path === undefined) return unavailable(`${candidates.join(' and ')} not found.`);
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return unavailable(`${path} is for linux-x64, this is ${process.platform}-${process.arch}.`);
  }
  const recorded = join(root, `${path}.sha256`);
  const found = exists(recorded) ? readText(recorded).split('\n')[0] : undefined;
  const wanted = hashOfSources(root) ?? found;
  if (wanted === undefined) return unavailable(`${path} has no ${path}.sha256 beside it.`);
  // compare before loading: an addon of other sources may not even load
  if (found !== undefined && found !== wanted) {
    return unavailable(`${path} was built from other sources than those here.`);
  }
  let addon: Addon;
  try {
    addon = createRequire(import.meta.url)(join(root, path)) as Addon;
  } catch (error) {
    return unavailable(`${path} could not be loaded: ${errorMessage(error).split('\n')[0]}.`);
  }
  if (addon.kernelHash !== wanted) {
    return unavailable(`${path} was built from other sources than those here.`);
  }
  if (!addon.sets.some((set) => set.supported)) {
    return {
      kind: 'unavailable',
      reason: 'This processor has no AVX2 with FMA and BMI2. Pass --engine wasm.',
    };
  }
  return { kind: 'loaded', addon, path };
}

/** The hash that src/setup/kernel-sources.mjs gives; undefined where the sources are not shipped. */
function hashOfSources(root: string): string | undefined {
  const file = join(root, TARGETS);
  if (!exists(file)) return undefined;
  const targets = JSON.parse(readText(file)) as {
    kernels: string[];
    headers: string[];
    glue: string[];
    native: { kernelFlags: string[]; sets: { flags: string[] }[]; glueFlags: string[]; linkFlags: string[] };
  };
  const hash = createHash('sha256');
  for (const name of [...targets.kernels, ...targets.headers, ...targets.glue]) {
    hash.update(`${name}\0`);
    hash.update(readBytes(join(root, name)));
    hash.update('\0');
  }
  const { kernelFlags, sets, glueFlags, linkFlags } = targets.native;
  const flags = [...kernelFlags, ...sets.flatMap((set) => set.flags), ...glueFlags, ...linkFlags];
  for (const flag of flags) hash.update(`${flag}\0`);
  return hash.digest('hex');
}
