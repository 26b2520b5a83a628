/** The page of comparison in a browser: measuring, linked planes, the slider, the address, saving, narrow and dark. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { NO_BROWSER, openBrowser, watchedPage } from '../../helpers/browser.js';
import { describeNeeding } from '../../helpers/needs.js';
import { tinyRun } from '../../workflows/probing/probe-files.js';
import { HOSTILE } from '../http/hostile-strings.js';
import { change, detailOf, testViewer, type TestViewer } from '../test-viewer.js';
import { axeViolations, WatchedPages, type WatchOptions } from '../watched-page.js';

/** The modules measure in children; a busy machine takes its time. */
const MEASURING_MS = 120_000;

let viewer: TestViewer;
let browser: Browser;
let runs: string[];
let of: string;
const pages = new WatchedPages();

const open = (path: string, options?: WatchOptions): Promise<Page> =>
  pages.open({ browser, viewer }, path, options);

describeNeeding(NO_BROWSER, 'the page of comparison in a browser', () => {
  beforeAll(async () => {
    runs = [];
    viewer = await testViewer(() => undefined);
    for (const tasks of [['SUM'], ['MAX', 'MED', 'SUM']] as const) {
      for (const seed of [1, 2]) runs.push(await tinyRun(viewer.checkpointsDir, tasks, seed));
    }
    of = runs.map((run) => `${run}@last`).join(',');
    browser = await openBrowser();
  });
  afterEach(async () => {
    expect(await pages.closeAll()).toEqual([]);
  });
  afterAll(async () => {
    await browser?.close();
    await viewer?.stop();
  });

  it('chooses runs from the list, and keeps the choice in the address', async () => {
    const page = await open('compare');
    await page.getByRole('button', { name: 'all 2' }).first().click();
    await page.getByRole('heading', { name: '2 runs, 2 checkpoints' }).waitFor();
    await page.getByText('Choose other runs').click();
    await page.getByRole('button', { name: 'all 2' }).last().click();
    await page.getByRole('heading', { name: '4 runs, 4 checkpoints' }).waitFor();
    await page.reload();
    await page.getByRole('heading', { name: '4 runs, 4 checkpoints' }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: '2 runs, 2 checkpoints' }).waitFor();
    await page
      .getByLabel(/^Step of .* seed 1$/)
      .first()
      .selectOption('all');
    await page.getByRole('heading', { name: '2 runs, 3 checkpoints' }).waitFor();
  });

  it(
    'measures what is missing, then shows differences and maps, and writes the report with verdicts',
    async () => {
      const page = await open(`compare?of=${of}&series=1`);
      await page.getByRole('button', { name: 'Measure what is missing (16)' }).click();
      await page.getByRole('progressbar', { name: 'measured' }).waitFor();
      // it is a job on disk: this page finds it again, others have it too, and ask for no second one
      await page.reload();
      await page.getByRole('progressbar', { name: 'measured' }).waitFor();
      const other = await open(`compare?of=${of}&series=1`);
      await other.getByRole('progressbar', { name: 'measured' }).waitFor();
      await other.getByRole('link', { name: 'All jobs' }).click();
      await other.getByRole('heading', { name: 'measure 4 checkpoints' }).waitFor();
      expect(await other.locator('article.job').count()).toBe(1);
      await page
        .getByRole('button', { name: /^Measure what is missing/ })
        .waitFor({ state: 'detached', timeout: MEASURING_MS });
      await page.locator('.differences').getByRole('rowheader', { name: 'Order as named' }).waitFor();
      expect(await page.locator('.differences tbody tr').count()).toBe(12);
      await page.getByRole('button', { name: /^All \d+ differences$/ }).click();
      const answer = (await (await fetch(`${viewer.viewer.url}api/compare?of=${of}&series=1`)).json()) as {
        differences: readonly unknown[];
        missing: number;
      };
      expect(answer.missing).toBe(0);
      expect(await page.locator('.differences tbody tr').count()).toBe(answer.differences.length);
      expect(await page.locator('.heat td[class*="more"], .heat td[class*="less"]').count()).toBeGreaterThan(
        0,
      );

      await page.getByRole('button', { name: 'Save as report' }).click();
      await page.getByLabel('Name of the report').fill('two-conditions');
      await page.getByRole('combobox', { name: 'with' }).selectOption('verdicts');
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      await page.getByRole('link', { name: 'open it' }).waitFor({ timeout: MEASURING_MS });
      const report = JSON.parse(
        readFileSync(join(viewer.reportsDir, 'two-conditions', 'report.json'), 'utf8'),
      ) as { subjects: readonly { run: string }[]; provenance: { command: string } };
      expect(report.subjects.map(({ run }) => run).sort()).toEqual([...runs].sort());
      expect(report.provenance.command).toMatch(/^sumlens probe all .* --series --name two-conditions$/);
      await page.getByRole('link', { name: 'open it' }).click();
      await page.waitForURL(/\/reports\/two-conditions$/);
    },
    2 * MEASURING_MS,
  );

  it('shows a number in every plane at once, by pointer and by keyboard, and moves through the steps', async () => {
    const page = await open(`compare?of=${of}`);
    await page.locator('.plane').first().waitFor();
    expect(await page.locator('.plane').count()).toBe(4);
    const marked = (): Promise<string[]> => page.locator('.marked text').allTextContents();
    await page.locator('.plane').nth(1).locator('[data-number="7"]').dispatchEvent('pointerenter');
    expect(await marked()).toEqual(['7', '7', '7', '7']);
    await page.locator('.plane').nth(1).locator('[data-number="7"]').dispatchEvent('pointerleave');
    expect(await marked()).toEqual([]);
    await page
      .getByRole('group', { name: 'Number that stands out' })
      .getByRole('button', { name: '3' })
      .focus();
    expect(await marked()).toEqual(['3', '3', '3', '3']);
    await page.keyboard.press('Enter');
    expect(page.url()).toContain('number=3');
    const slider = page.getByRole('slider');
    const before = await page.locator('.plane path').first().getAttribute('d');
    await slider.focus();
    await page.keyboard.press('ArrowLeft');
    expect(page.url()).toContain('step=0');
    expect(await page.locator('.plane path').first().getAttribute('d')).not.toBe(before);
    expect(await page.locator('.legend .at').first().innerText()).toBe('at step 0');
    await page.reload();
    await page.locator('.marked').first().waitFor();
    expect(await slider.getAttribute('aria-valuetext')).toBe('step 0');
  });

  it('saves what it shows as one file, which works from disk with nothing to ask and nothing to keep', async () => {
    const page = await open(`compare?of=${of}&series=1`);
    const name = 'as-shown';
    await page.getByRole('button', { name: 'Save as report' }).click();
    await page.getByLabel('Name of the report').fill(name);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('link', { name: 'open it' }).waitFor();
    const parts = async (from: Page): Promise<Record<string, unknown>> => ({
      // what only the viewer can do is not there, so texts are compared part by part
      differences: await from.locator('.differences tbody').innerText(),
      planes: await from.evaluate<string[]>(
        "[...document.querySelectorAll('.plane path')].map((one) => one.getAttribute('d'))",
      ),
      curves: await from.locator('.chart path.line').count(),
      maps: await from.locator('.heat td').allTextContents(),
      settings: await from.getByRole('region', { name: 'Table of settings' }).innerText(),
      // drawn alike: the styles of all parts are there
      sizes: await from.evaluate<number[]>(
        "[...document.querySelectorAll('.chart, .legend, .plane, .map, .differences, .module')].map((one) => Math.round(one.getBoundingClientRect().height))",
      ),
      modules: await from.locator('.module summary').allTextContents(),
    });
    const shown = await parts(page);
    const file = join(viewer.reportsDir, name, 'index.html');
    const text = readFileSync(file, 'utf8');
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(text)?.[1] ?? '';
    expect(policy).toContain('default-src &#39;none&#39;');
    expect(policy).toContain('connect-src &#39;none&#39;');
    expect(policy).not.toContain('unsafe');
    const watched = await watchedPage(browser, { viewport: { width: 1280, height: 800 } });
    const { page: saved, requests, problems } = watched;
    try {
      await saved.goto(pathToFileURL(file).href);
      await saved.locator('.plane').first().waitFor();
      expect(await parts(saved)).toEqual(shown);
      expect((shown['maps'] as string[]).length).toBeGreaterThan(0);
      const marked = (): Promise<string[]> => saved.locator('.marked text').allTextContents();
      await saved.locator('.plane').nth(2).locator('[data-number="4"]').dispatchEvent('pointerenter');
      expect(await marked()).toEqual(['4', '4', '4', '4']);
      await saved.locator('.plane').nth(2).locator('[data-number="4"]').dispatchEvent('pointerleave');
      await saved
        .getByRole('group', { name: 'Number that stands out' })
        .getByRole('button', { name: '7' })
        .press('Enter');
      await saved.getByRole('slider').press('ArrowLeft');
      expect(await saved.getByRole('slider').getAttribute('aria-valuetext')).toBe('step 0');
      expect(await saved.locator('.legend .at').first().innerText()).toBe('at step 0');
      const address = saved.url();
      expect(address).toMatch(/#number=7&step=0$/);
      expect(await saved.evaluate('Object.keys(localStorage).length + document.cookie.length')).toBe(0);
      await saved.goto('about:blank');
      await saved.goto(address);
      await saved.locator('.marked').first().waitFor();
      expect(await saved.getByRole('slider').getAttribute('aria-valuetext')).toBe('step 0');
      expect(requests).toEqual([]);
      expect(problems).toEqual([]);
    } finally {
      await watched.close();
    }
    // in the viewer it is a report as any other, in a frame of its own origin
    await page.getByRole('link', { name: 'open it' }).click();
    await page.waitForURL(/\/reports\/as-shown$/);
    const frame = page.frameLocator('iframe.report-frame');
    await frame.locator('.plane').first().waitFor();
    await frame.getByRole('slider').press('ArrowLeft');
    expect(await frame.getByRole('slider').getAttribute('aria-valuetext')).toBe('step 0');
    expect(await page.getByRole('link', { name: 'Download comparison.json' }).count()).toBe(1);
    expect(await page.getByRole('link', { name: 'Its numbers as CSV' }).count()).toBe(0);
    const list = await open('reports');
    await list
      .locator('article.report', { hasText: `sumlens ${name}` })
      .getByText(/^Saved comparison: 4 /)
      .waitFor();
  }, 120_000);

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('as a file of its own it is clean for axe and fits, %s at %i px', async (scheme, width) => {
    const file = join(viewer.reportsDir, 'downloaded.html');
    const query = `of=${of}&series=1`;
    const answer = await fetch(`${viewer.viewer.url}api/compare/page?${query}`);
    expect(answer.headers.get('Content-Disposition')).toBe('attachment; filename="comparison.html"');
    writeFileSync(file, await answer.text());
    const watched = await watchedPage(browser, {
      colorScheme: scheme,
      viewport: { width, height: 800 },
    });
    const { page, problems } = watched;
    try {
      await page.goto(`${pathToFileURL(file).href}#number=3`);
      await page.locator('.plane').first().waitFor();
      await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
      expect(await axeViolations(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      expect(problems).toEqual([]);
    } finally {
      await watched.close();
    }
  });

  it('saves no page under a name that is taken or none', async () => {
    const save = (name: string, more: object = {}) =>
      change(viewer.viewer, '/api/compare/report', 'POST', { of: [runs[0]], name, ...more });
    for (const name of ['', '../up', 'a/b', '.cache', 'CON', 'a b', 'x'.repeat(65)]) {
      const answer = await save(name);
      expect(answer.status).toBe(400);
      expect(detailOf(answer)).toMatch(/^name: found /);
    }
    expect(detailOf(await save('new', { title: 'a\nb' }))).toMatch(/^title: found /);
    expect((await save('taken', { title: HOSTILE[0] })).status).toBe(201);
    expect(await save('taken')).toMatchObject({ status: 409 });
    expect(readdirSync(viewer.reportsDir)).not.toContain('new');
  });

  it('executes nothing of hostile strings in a saved page', async () => {
    const titles = HOSTILE.filter((one) => !/\p{Cc}/u.test(one) && one.trim().length <= 200);
    expect(titles.length).toBeGreaterThan(40);
    const watched = await watchedPage(browser);
    const { page, requests, problems } = watched;
    try {
      for (const [i, title] of titles.entries()) {
        const body = { of: [runs[0]], name: `hostile-${i}`, title };
        expect((await change(viewer.viewer, '/api/compare/report', 'POST', body)).status, title).toBe(201);
        await page.goto(pathToFileURL(join(viewer.reportsDir, `hostile-${i}`, 'index.html')).href);
        await page.locator('.plane').first().waitFor();
        expect(await page.locator('main :is(img, script, iframe, object, embed, form, base)').count()).toBe(
          0,
        );
        expect([...requests, ...problems], title).toEqual([]);
      }
    } finally {
      await watched.close();
    }
  }, 240_000);

  it('says what is wrong with an address, and keeps the way to choose', async () => {
    const page = await open('compare?of=none@64');
    await page
      .getByRole('alert')
      .filter({ hasText: 'of: found "none@64", expected a run of the list' })
      .waitFor();
    expect(await page.getByText('Choose other runs').count()).toBe(1);
    // the browser reports the two refusals by itself
    const own = pages.problemsOf(page).splice(0);
    expect(own.filter((text) => !text.includes('400'))).toEqual([]);
  });

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('is clean for axe and fits, %s at %i px', async (scheme, width) => {
    const page = await open(`compare?of=${of}&number=3`, { colorScheme: scheme, width });
    await page.locator('.plane').first().waitFor();
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    expect(await axeViolations(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
  });
});
