/**
 * Bundles the script and styles of report pages into dist/report-runtime.js and .css, and what draws figures without a
 * browser into dist/report-figures.js. A step of the set-up; needs the development packages, so that an installed package
 * carries the finished files.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Measured 0.9 MB; a report may have 3 MB in all. */
const LARGEST_BYTES = 1_300_000;

/**
 * @param {{ root: string, outdir?: string, log?: (line: string) => void }} options - root: the folder of package.json;
 *   outdir: default dist
 * @returns {Promise<{ script: string, styles: string, sizeBytes: number }>} paths of the files and size of the script
 */
export async function buildReportRuntime({ root, outdir = join(root, 'dist'), log = () => {} }) {
  const { build } = await import('esbuild');
  await mkdir(outdir, { recursive: true });
  const shared = {
    bundle: true,
    minify: true,
    outdir,
    absWorkingDir: root,
    logLevel: 'silent',
    legalComments: 'none',
    metafile: true,
  };
  const script = await build({
    ...shared,
    entryPoints: { 'report-runtime': 'src/report/runtime/main.ts' },
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    charset: 'utf8',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  await build({ ...shared, entryPoints: { 'report-runtime': 'src/report/runtime/page.css' } });
  await build({
    ...shared,
    entryPoints: { 'report-figures': 'src/report/figures/render.ts' },
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Vega measures text by node-canvas where there is one: here always by the same widths
    external: ['canvas'],
    banner: {
      js: "import { createRequire as createRequireOfBundle } from 'node:module'; const require = createRequireOfBundle(import.meta.url);",
    },
  });
  const sizeBytes = Math.max(0, ...Object.values(script.metafile.outputs).map(({ bytes }) => bytes));
  if (sizeBytes === 0 || sizeBytes > LARGEST_BYTES) {
    throw new Error(
      `dist/report-runtime.js has ${sizeBytes} bytes, expected 1 to ${LARGEST_BYTES}. Look at what src/report/runtime imports.`,
    );
  }
  log(`report runtime: ${Math.round(sizeBytes / 1000)} kB`);
  return {
    script: join(outdir, 'report-runtime.js'),
    styles: join(outdir, 'report-runtime.css'),
    sizeBytes,
  };
}
