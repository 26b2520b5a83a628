/**
 * Bundles the entry of each child process into one file, in the place of the one that TypeScript wrote: a child starts in a
 * third of the time, since Node opens one file instead of hundreds. The optional TensorFlow.js packages stay outside.
 */
import { join } from 'node:path';

/** Entries for jobEntryPath of src/jobs. */
export const CHILD_ENTRIES = [
  'src/workflows/probing/probe-entry',
  'src/workflows/sweep/entry',
  'src/train/entry',
];

/** Made with each bundle, and removed with it when TypeScript is built again. */
export const LAST_MAP = `dist/${CHILD_ENTRIES.at(-1)}.js.map`;

/**
 * @param {{ root: string, outDir?: string }} options - root: the folder of package.json; outDir: default dist
 * @returns {Promise<string[]>} paths of the bundles
 */
export async function buildChildren({ root, outDir = join(root, 'dist') }) {
  const { build } = await import('esbuild');
  await build({
    absWorkingDir: root,
    entryPoints: CHILD_ENTRIES.map((entry) => ({ in: `${entry}.ts`, out: entry })),
    outdir: outDir,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['@tensorflow/*'],
    sourcemap: 'linked',
    sourcesContent: false,
    // names of classes and functions stay: errors and modules are told apart by them
    keepNames: true,
    // packages in the older module format ask for the modules of Node by require
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
    legalComments: 'none',
    logLevel: 'warning',
  });
  return CHILD_ENTRIES.map((entry) => join(outDir, `${entry}.js`));
}
