/** "What we find" of README.md is what `npm run make:findings` makes of the shipped results: no number in it is by hand. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/io/package-root.js';
import { makeFindings, PICTURE, readReadme, withFindings } from '../../src/setup/findings.mjs';

describe('npm run make:findings', () => {
  it('would change nothing: README.md and its picture are those of reports/paper/results.jsonl', async () => {
    const { text, svg } = await makeFindings();
    const readme = readReadme();
    const picture = join(packageRoot(), PICTURE);
    expect(withFindings(readme, text)).toBe(readme);
    expect(existsSync(picture) ? readFileSync(picture, 'utf8') : undefined).toBe(svg);
    // it opens the page: nothing but what the project is comes before
    expect(readme.match(/^## .*$/m)?.[0]).toBe('## What we find');
  }, 120_000);

  it('says so when the marks are gone', () => {
    expect(() => withFindings('# sumlens\n', 'text')).toThrow('README.md lacks the marks');
  });
});
