/**
 * The page /playground with many runs, and reports with a playground under the viewer's sandbox: every run can be found, and
 * axe has nothing to object to.
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readBytes } from '../../src/io/files.js';
import { packageRoot } from '../../src/io/package-root.js';
import { renderReport } from '../../src/report/page.js';
import { parseReport } from '../../src/report/parse-report.js';
import { loadPlaygroundRuntime, loadReportRuntime } from '../../src/report/write.js';
import { NO_BROWSER, openBrowser } from '../helpers/browser.js';
import { describeNeeding } from '../helpers/needs.js';
import { MIXED, SUM_ONLY, referenceDocument } from '../playground/documents.js';
import { sampleConfig, writeRun } from './sample-runs.js';
import { testViewer, type TestViewer } from './test-viewer.js';
import { axeViolations, WatchedPages, type WatchOptions } from './watched-page.js';

/** More than the lists hold. */
const MANY = 420;
/** A run whose evaluations are gone: it stands last. */
const LAST = 'z-last';
/** Named: which are the best is known once the curves of all have been read. */
const BOTH = `playground#model=${MIXED}&model=${SUM_ONLY}`;

describeNeeding(NO_BROWSER, 'the playground among many runs', () => {
  let viewer: TestViewer;
  let browser: Browser;
  const pages = new WatchedPages();
  beforeAll(async () => {
    viewer = await testViewer(({ checkpointsDir, reportsDir }) => {
      const reference = join(packageRoot(), 'checkpoints', 'reference');
      for (const run of [MIXED, SUM_ONLY])
        cpSync(join(reference, run), join(checkpointsDir, run), { recursive: true });
      cpSync(join(reference, SUM_ONLY), join(checkpointsDir, LAST), { recursive: true });
      rmSync(join(checkpointsDir, LAST, 'metrics.jsonl'));
      for (let seed = 1; seed <= MANY; seed++)
        writeRun(checkpointsDir, { config: sampleConfig(['MAX'], seed), until: 250, name: `many-${seed}` });
      const example = join(packageRoot(), 'reports', 'example', 'report.json');
      const models = [referenceDocument(MIXED), referenceDocument(SUM_ONLY)];
      mkdirSync(join(reportsDir, 'with-playground'));
      cpSync(example, join(reportsDir, 'with-playground', 'report.json'));
      writeFileSync(
        join(reportsDir, 'with-playground', 'index.html'),
        renderReport(parseReport(readBytes(example), example), loadReportRuntime(), {
          ...loadPlaygroundRuntime(),
          models,
        }),
      );
    });
    browser = await openBrowser();
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await viewer.stop();
  });
  const opened = (path: string, options?: WatchOptions): Promise<Page> =>
    pages.open({ browser, viewer }, path, options);
  const answered = async (page: Page | Frame): Promise<void> => {
    for (const place of [0, 1])
      await page.locator('.pg-model').nth(place).locator('.pg-written').waitFor({ timeout: 60_000 });
  };
  const words = async (page: Page | Frame, place: number): Promise<string> =>
    (await page.locator('.pg-model').nth(place).locator('.pg-written .pg-word').allInnerTexts()).join(' ');

  it('finds a run that the lists are too short for, by its name, its settings and by keyboard', async () => {
    const page = await opened(BOTH);
    await answered(page);
    const options = page.getByLabel('First model').locator('option');
    const said = page.locator('#pg-found');
    await said.filter({ hasText: `${MANY + 3} runs, the first 400 in the lists: type more` }).waitFor();
    expect(await options.count()).toBe(400);
    expect(await page.locator(`option[value="${LAST}"]`).count()).toBe(0);
    await page.getByLabel('Find runs').focus();
    await page.keyboard.type(LAST);
    await said.filter({ hasText: `1 of ${MANY + 3} runs` }).waitFor();
    // the one that is shown stays in the list
    expect(await options.count()).toBe(2);
    await page.keyboard.press('Tab');
    await page.keyboard.press('End');
    await page.locator('.pg-model h3 + p', { hasText: `${LAST}@16000` }).waitFor();
    await answered(page);
    expect(await words(page, 0)).toBe('s ( SUM 7 3 6 ) > 6 e');
    expect(new URL(page.url()).hash).toContain(`model=${LAST}`);
    await page.getByLabel('Find runs').fill('tasks:MAX seed>=419');
    await said.filter({ hasText: `2 of ${MANY + 3} runs` }).waitFor();
    await page.getByLabel('Find runs').fill('nothing:1');
    await said.filter({ hasText: 'No column, operation or setting is called nothing' }).waitFor();
    expect(await pages.closeAll()).toEqual([]);
  }, 120_000);

  it.each([
    ['light', { colorScheme: 'light' }],
    ['dark', { colorScheme: 'dark' }],
    ['390 pixels', { width: 390 }],
  ] as const)(
    'has nothing to complain of for axe: %s',
    async (_, options) => {
      const page = await opened(`${BOTH}&other=%28SUM+8+3+6%29&change=L1.attn%3Azero`, options);
      await answered(page);
      await page.locator('.pg-swap').nth(1).waitFor();
      await page.locator('#pg-found').waitFor();
      expect(await axeViolations(page)).toEqual([]);
      const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
      expect(overflow).toBeLessThanOrEqual(0);
      expect(await pages.closeAll()).toEqual([]);
    },
    120_000,
  );

  it('a report with a playground answers in the sandbox that the viewer puts it into', async () => {
    const page = await opened('reports/with-playground');
    const frame = await (await page.locator('iframe').elementHandle())?.contentFrame();
    if (frame === null || frame === undefined) throw new Error('The page of a report has a frame.');
    await answered(frame);
    expect(await frame.evaluate('origin')).toBe('null');
    await frame.getByLabel('Expression').fill('(SUM 9 9)');
    expect(await words(frame, 0)).toBe('s ( SUM 9 9 ) > 8 e');
    await frame.getByRole('button', { name: 'layer 1 attention' }).first().click();
    await frame.getByRole('button', { name: /^layer 1 attention switched off/ }).waitFor();
    expect(await frame.locator('.pg-verdict').first().innerText()).toContain('Before the changes: 8 with');
    await frame.getByRole('button', { name: 'Undo all' }).click();
    expect(await frame.locator('.pg-verdict').first().innerText()).toBe('Right.');
    expect(await pages.closeAll()).toEqual([]);
  }, 120_000);
});
