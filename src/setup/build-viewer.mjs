/**
 * Bundles the viewer's front end into dist/viewer: the script of the frame, one of each page, what they share, one style
 * sheet, the shell page and the icon; and script and styles that a saved comparison carries in its file.
 */
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** @param {{root: string, log?: (line: string) => void, outDir?: string}} options */
export async function buildViewer({ root, log = () => undefined, outDir = join(root, 'dist', 'viewer') }) {
  const from = join(root, 'src', 'viewer', 'web');
  mkdirSync(outDir, { recursive: true });
  // names of chunks hold a hash: those of an earlier build would stay for ever
  for (const name of readdirSync(outDir)) if (name.endsWith('.js')) rmSync(join(outDir, name));
  const shared = {
    outdir: outDir,
    bundle: true,
    minify: true,
    target: ['es2022', 'chrome117', 'firefox115', 'safari17'],
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
    tsconfig: join(from, 'tsconfig.json'),
  };
  await build({
    ...shared,
    entryPoints: { app: join(from, 'main.tsx'), styles: join(from, 'styles', 'index.css') },
    splitting: true,
    chunkNames: '[name]-[hash]',
    format: 'esm',
  });
  await build({
    ...shared,
    entryPoints: [
      { in: join(from, 'offline', 'comparison.tsx'), out: 'comparison' },
      { in: join(from, 'styles', 'comparison.css'), out: 'comparison' },
    ],
    format: 'iife',
  });
  for (const name of ['index.html', 'icon.svg']) copyFileSync(join(from, name), join(outDir, name));
  copyFileSync(join(root, 'src', 'engine', 'wasm', 'kernels.wasm'), join(outDir, 'kernels.wasm'));
  log(`viewer: bundled into ${outDir}`);
}
