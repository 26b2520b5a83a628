/** Bundles the playground for pages that carry it: dist/playground.js and dist/playground.css. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Measured 0.16 MB; with kernels and two models a page may have 6 MB in all. */
const LARGEST_BYTES = 300_000;

/** @param {{ root: string, outdir?: string, log?: (line: string) => void }} options */
export async function buildPlayground({ root, outdir = join(root, 'dist'), log = () => undefined }) {
  const { build } = await import('esbuild');
  mkdirSync(outdir, { recursive: true });
  const from = join(root, 'src', 'playground', 'view');
  const { metafile } = await build({
    entryPoints: [
      { in: join(from, 'standalone.tsx'), out: 'playground' },
      { in: join(from, 'playground.css'), out: 'playground' },
    ],
    outdir,
    bundle: true,
    minify: true,
    format: 'iife',
    platform: 'browser',
    target: ['es2022', 'chrome117', 'firefox115', 'safari17'],
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    absWorkingDir: root,
    tsconfig: join(from, 'tsconfig.json'),
  });
  const sizeBytes = Math.max(0, ...Object.values(metafile.outputs).map(({ bytes }) => bytes));
  if (sizeBytes === 0 || sizeBytes > LARGEST_BYTES) {
    throw new Error(
      `dist/playground.js has ${sizeBytes} bytes, expected 1 to ${LARGEST_BYTES}. Look at what src/playground imports.`,
    );
  }
  log(`playground: ${Math.round(sizeBytes / 1000)} kB`);
}
