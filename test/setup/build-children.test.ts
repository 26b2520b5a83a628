/** The bundled children: each is where jobEntryPath looks, needs no file beside it, and no package but the optional ones. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';
import { jobEntryPath } from '../../src/jobs/entry-path.js';
import { buildChildren, CHILD_ENTRIES } from '../../src/setup/build-children.mjs';
import { TRAIN_ENTRY } from '../../src/train/train-job.js';
import { PROBE_ENTRY } from '../../src/workflows/probing/measure-checkpoints.js';
import { SWEEP_ENTRY } from '../../src/workflows/sweep/protocol.js';

let folder: string;
let paths: readonly string[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sumlens-children-'));
  paths = await buildChildren({ root: packageRoot(), outDir: folder });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('are all entries that a job is started with', () => {
  expect([...CHILD_ENTRIES].sort()).toEqual([PROBE_ENTRY, SWEEP_ENTRY, TRAIN_ENTRY].sort());
});

it('import nothing but modules of Node', () => {
  for (const path of paths) {
    const text = readFileSync(path, 'utf8');
    const imported = [...text.matchAll(/^import .*? from "([^"]+)";$/gm)].map((match) => match[1]);
    expect(imported.length).toBeGreaterThan(3);
    expect(imported.filter((name) => !isBuiltin(name))).toEqual([]);
  }
});

it('are what the set-up put into dist', () => {
  CHILD_ENTRIES.forEach((entry, i) => {
    expect(readFileSync(jobEntryPath(entry), 'utf8') === readFileSync(paths[i], 'utf8'), entry).toBe(true);
  });
});
