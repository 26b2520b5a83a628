/** What set-up starts does not stay beside the program that comes after it in the same process. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';

const moduleOf = (name: string): string =>
  JSON.stringify(pathToFileURL(join(packageRoot(), 'src', 'setup', name)).href);

/** Prints how many child processes there are after bundling, and after the bundler was ended. */
const SCRIPT = `
import { readdirSync, readFileSync } from 'node:fs';
import { thenEndBundler } from ${moduleOf('common.mjs')};
import { buildPlayground } from ${moduleOf('build-playground.mjs')};
const [root, outdir] = process.argv.slice(1);
const children = () =>
  readdirSync('/proc').filter((pid) => {
    try {
      const stat = readFileSync('/proc/' + pid + '/stat', 'utf8');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return state !== 'Z' && Number(parent) === process.pid;
    } catch {
      return false;
    }
  }).length;
let during = 0;
await thenEndBundler(async () => {
  await buildPlayground({ root, outdir });
  during = children();
});
for (let tries = 0; children() > 0 && tries < 200; tries++) await new Promise((end) => setTimeout(end, 50));
console.log(JSON.stringify({ during, after: children() }));
`;

it.skipIf(process.platform !== 'linux')('ends the service of the bundler', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sumlens-bundler-'));
  try {
    const args = ['--input-type=module', '-e', SCRIPT, packageRoot(), folder];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual({ during: 1, after: 0 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
