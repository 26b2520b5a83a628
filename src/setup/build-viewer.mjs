/** Bundles the viewer's front end: one script, one style sheet, the shell page and the icon, in dist/viewer. */
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

/** @param {{root: string, log?: (line: string) => void, outDir?: string}} options */
export async function buildViewer({ root, log = () => undefined, outDir = join(root, 'dist', 'viewer') }) {
  const from = join(root, 'src', 'viewer', 'web');
  mkdirSync(outDir, { recursive: true });
  await build({
    entryPoints: { app: join(from, 'main.ts'), styles: join(from, 'styles.css') },
    outdir: outDir,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome117', 'firefox115', 'safari17'],
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
    tsconfig: join(from, 'tsconfig.json'),
  });
  for (const name of ['index.html', 'icon.svg']) copyFileSync(join(from, name), join(outDir, name));
  log(`viewer: bundled into ${outDir}`);
}
