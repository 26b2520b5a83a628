/** docs/api.md is what the exported declarations of the build say. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { API_FILE, makeApi } from '../../src/setup/api.mjs';

it('docs/api.md is up to date; else: npm run make:api', async () => {
  const text = await makeApi();
  expect(text.match(/^### /gm)?.length).toBeGreaterThan(90);
  for (const name of ['openModel', 'openLens', 'train', 'runProbe', 'UserError']) {
    expect(text).toContain(`\n### ${name}\n`);
  }
  expect(readFileSync(API_FILE, 'utf8')).toBe(text);
}, 60_000);
