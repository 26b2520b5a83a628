/** A static site: what is written, what is refused, and that a plain web server under a sub-path is all it needs. */
import { createServer, type Server } from 'node:http';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/io/package-root.js';
import { type SiteOptions, writeSite } from '../../../src/workflows/reports/site.js';
import { axeViolations } from '../../helpers/axe.js';
import { NO_BROWSER, openBrowser, watchedPage } from '../../helpers/browser.js';
import { describeNeeding } from '../../helpers/needs.js';

let folder: string;
let options: SiteOptions;
const example = join(packageRoot(), 'reports', 'example');
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sumlens-site-'));
  options = {
    reports: [example],
    out: join(folder, 'site'),
    // 18 MB of page and data
    noPaper: true,
    checkpointsDir: join(packageRoot(), 'checkpoints'),
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('writeSite', () => {
  it('writes the pages, and in the place of an older site the same bytes again', () => {
    const { pages, notes } = writeSite(options);
    expect(pages).toEqual(['index.html', 'playground/index.html', 'reports/example/index.html']);
    expect(notes).toEqual([]);
    const first = readFileSync(join(options.out, 'index.html'), 'utf8');
    const drawn = readFileSync(join(options.out, 'reports/example/index.html'));
    expect(drawn.equals(readFileSync(join(example, 'index.html')))).toBe(true);
    writeSite(options);
    expect(readFileSync(join(options.out, 'index.html'), 'utf8')).toBe(first);
    expect(readdirSync(folder)).toEqual(['site']);
  });

  it('takes a saved comparison along as it is, and refuses half of one', () => {
    const saved = join(folder, 'two-runs');
    mkdirSync(saved);
    const comparison = { checkpoints: [1, 2, 3], conditions: [1], of: ['a'] };
    writeFileSync(
      join(saved, 'comparison.json'),
      JSON.stringify({ kind: 'comparison', version: 1, title: 'Two <runs>', comparison }),
    );
    const reports = [example, saved];
    expect(() => writeSite({ ...options, reports })).toThrow(
      /^report: found .*two-runs", expected a saved comparison: comparison.json with its index.html/,
    );
    writeFileSync(join(saved, 'index.html'), '<p>as it was saved');
    const { pages } = writeSite({ ...options, reports });
    expect(pages).toContain('reports/two-runs/index.html');
    expect(readFileSync(join(options.out, 'reports/two-runs/index.html'), 'utf8')).toBe('<p>as it was saved');
    const first = readFileSync(join(options.out, 'index.html'), 'utf8');
    expect(first).toMatch(/Two &lt;runs&gt;<\/a><\/h3>\s*<p>\s*3 checkpoints in 1\s+condition;/);
    expect(first).toContain('reports/two-runs/comparison.json');
    writeFileSync(join(saved, 'comparison.json'), '{"kind":"report"}');
    expect(() => writeSite({ ...options, reports })).toThrow('expected a saved comparison');
    rmSync(saved, { recursive: true });
    writeSite(options);
  });

  it('refuses in one line, and leaves what is there', () => {
    const said = (change: Partial<SiteOptions>): string => {
      try {
        writeSite({ ...options, ...change });
      } catch (error) {
        return (error as Error).message;
      }
      return 'nothing';
    };
    const other = join(folder, 'other');
    mkdirSync(other);
    writeFileSync(join(other, 'mine.txt'), 'x');
    expect(said({ out: other })).toContain('expected a folder that does not exist yet, or an older site');
    expect(readdirSync(other)).toEqual(['mine.txt']);
    expect(said({ reports: [] })).toBe(
      'site: found no report, expected one or more report.json or folders that hold one.',
    );
    expect(said({ reports: [example, example] })).toContain('reports in folders of different names');
    expect(said({ reports: [join(folder, 'none')] })).toContain('expected a report.json that exists');
    expect(
      said({ playground: ['sum-pairs-d16-s1-45202e910ba4@all', 'sum-pairs-d16-s3-7f9c94d408b2'] }),
    ).toMatch(/^--playground: found "\d+ checkpoints", expected one or 2\. Name a step/);
  });
});

describeNeeding(NO_BROWSER, 'a site on a plain web server', () => {
  let server: Server;
  let url: string;
  let browser: Browser;
  const asked: string[] = [];
  beforeAll(async () => {
    browser = await openBrowser();
    writeSite(options);
    server = createServer((request, response) => {
      const path = new URL(request.url ?? '/', 'http://x').pathname;
      asked.push(path);
      const inside = path.startsWith('/some/where/') ? path.slice('/some/where/'.length) : 'none';
      const file = join(options.out, inside.endsWith('/') || inside === '' ? `${inside}index.html` : inside);
      try {
        const body = readFileSync(file);
        response.setHeader('Content-Type', file.endsWith('.html') ? 'text/html' : 'application/json');
        response.end(body);
      } catch {
        response.statusCode = 404;
        response.end();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/some/where/`;
  });
  afterAll(async () => {
    await browser.close();
    server.close();
  });

  it('works under a sub-path, keeps nothing, and its playground answers', async () => {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('console', (message) => {
      const isIcon = message.location().url.endsWith('/favicon.ico');
      if (['error', 'warning'].includes(message.type()) && !isIcon) problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(url);
    await page.getByRole('link', { name: 'Ask a model' }).click();
    await page.locator('.pg-model').nth(1).locator('.pg-written').waitFor();
    await page.getByLabel('Expression').fill('(SUM 9 9)');
    const words = await page.locator('.pg-model').first().locator('.pg-word').allInnerTexts();
    expect(words.join(' ')).toBe('s ( SUM 9 9 ) > 8 e');
    await page.getByRole('link', { name: 'sumlens' }).click();
    await page.locator('.card a').first().click();
    await page.locator('h1').waitFor();
    expect(new URL(page.url()).pathname).toBe('/some/where/reports/example/index.html');
    expect(problems).toEqual([]);
    expect(asked.filter((path) => !path.startsWith('/some/where/') && path !== '/favicon.ico')).toEqual([]);
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.evaluate('localStorage.length + sessionStorage.length')).toBe(0);
    await page.close();
  });

  it('works from a disk, and asks for nothing but its own files', async () => {
    const watched = await watchedPage(browser);
    const { page } = watched;
    await page.goto(pathToFileURL(join(options.out, 'index.html')).href);
    await page.getByRole('link', { name: 'Ask a model' }).click();
    await page.locator('.pg-model').nth(1).locator('.pg-written').waitFor();
    await page.getByRole('button', { name: 'layer 1 attention' }).first().click();
    expect(await page.locator('.pg-verdict').first().innerText()).toContain('Before the changes: 6 with');
    expect(new URL(page.url()).hash).toBe('#playground&change=L1.attn%3Azero');
    await watched.close();
    expect(watched.problems).toEqual([]);
    expect(watched.requests).toEqual([]);
  });

  it.each([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['390 pixels', { viewport: { width: 390, height: 800 } }],
  ] as const)(
    'has nothing that axe objects to, and fits: %s',
    async (_, look) => {
      const context = await browser.newContext(look);
      const page = await context.newPage();
      // the reports are the very bytes that the tests of reports look at
      for (const path of ['', 'playground/index.html#playground&other=%28SUM+8+3+6%29']) {
        await page.goto(`${url}${path}`);
        if (path.startsWith('playground')) await page.locator('.pg-swap').nth(1).waitFor();
        else await page.locator('h1').waitFor();
        expect(await axeViolations(page), path).toEqual([]);
        const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
        expect(overflow, path).toBeLessThanOrEqual(0);
      }
      await context.close();
    },
    120_000,
  );
});
