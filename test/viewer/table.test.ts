/** The table of very many runs, and what the first page shows when there is nothing, no answer, paper, or other colours. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { resolveRunConfig } from '../../src/config/parse.js';
import { NO_BROWSER, openBrowser } from '../helpers/browser.js';
import { describeNeeding } from '../helpers/needs.js';
import { writeRun } from './sample-runs.js';
import { testViewer, type TestViewer } from './test-viewer.js';

const RUNS = 1500;
/** A row of the table is some twenty elements. */
const MOST_DRAWN = 80;

let many: TestViewer;
let none: TestViewer;
let browser: Browser;
const pages: Page[] = [];

async function opened(of: TestViewer, path = '', options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  pages.push(page);
  await page.goto(`${of.viewer.url}${path}`);
  return page;
}

describeNeeding(NO_BROWSER, 'the table of runs in a browser', () => {
  beforeAll(async () => {
    many = await testViewer(({ checkpointsDir }) => {
      for (let i = 0; i < RUNS; i++) {
        const config = resolveRunConfig({
          data: { tasks: ['SUM'] },
          model: { dModel: 8 * (1 + (i % 30)) },
          training: { steps: 500 },
          seed: i,
        });
        writeRun(checkpointsDir, { config, until: 500, end: 'budget', publishes: false });
      }
    });
    none = await testViewer(() => undefined);
    browser = await openBrowser();
  }, 120_000);
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.context().close();
  });
  afterAll(async () => {
    await browser?.close();
    await many?.stop();
    await none?.stop();
  });

  it('draws of many rows those that the window shows, down to the last one', async () => {
    const page = await opened(many, '?group=none');
    await page.getByRole('link', { name: 'SUM, full, d=8, seed 30', exact: true }).waitFor();
    const table = page.getByRole('table', { name: 'Runs' });
    expect(await table.getAttribute('aria-rowcount')).toBe(String(RUNS + 1));
    const drawn = (): Promise<number> => page.locator('.runs-body > .run-row').count();
    expect(await drawn()).toBeLessThan(MOST_DRAWN);
    const height = await page.evaluate<number>(`document.querySelector('.runs-body').offsetHeight`);
    expect(height).toBe(RUNS * 38);
    await page.evaluate('window.scrollTo(0, document.documentElement.scrollHeight)');
    await page.locator(`[aria-rowindex="${RUNS + 1}"]`).waitFor();
    expect(await drawn()).toBeLessThan(MOST_DRAWN);
    // rows have the height that their place was reckoned with
    const heights = await page.evaluate<number[]>(
      `[...document.querySelectorAll('.runs-body > .run-row')].map((row) => row.getBoundingClientRect().height)`,
    );
    expect(new Set(heights)).toEqual(new Set([38]));
  });

  it('closes groups of many runs, and comes back to the place within them', async () => {
    const page = await opened(many);
    await page.getByRole('button', { name: 'SUM, full, d=8', exact: true }).waitFor();
    expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe('31');
    const button = page.getByRole('button', { name: 'SUM, full, d=80', exact: true });
    await button.click();
    expect(await button.getAttribute('aria-expanded')).toBe('true');
    const link = page.getByRole('link', { name: 'seed 1149' });
    for (let i = 0; i < 40 && (await link.count()) === 0; i++) {
      await page.mouse.wheel(0, 500);
      await page.waitForTimeout(50);
    }
    await link.scrollIntoViewIfNeeded();
    await page.waitForTimeout(400);
    const before = await page.evaluate<number>('window.scrollY');
    expect(before).toBeGreaterThan(500);
    await link.dispatchEvent('click');
    await page.getByRole('heading', { name: 'Learning curves' }).waitFor();
    await page.goBack();
    await link.waitFor();
    await expect.poll(() => page.evaluate<number>(`Math.abs(window.scrollY - ${before})`)).toBeLessThan(2);
  });

  it.each([
    ['narrow', { viewport: { width: 390, height: 800 } }, [64]],
    ['wide', {}, [46]],
  ] as const)(
    'gives rows of a %s window the height that is reckoned with',
    async (_name, options, expected) => {
      const page = await opened(many, '', options);
      await page.getByRole('button', { name: 'SUM, full, d=8', exact: true }).waitFor();
      const heights = await page.evaluate<number[]>(
        `[...document.querySelectorAll('.runs-body > .run-row')].map((row) => row.getBoundingClientRect().height)`,
      );
      expect([...new Set(heights)]).toEqual(expected);
    },
  );

  it('says what to do where there is no run and no report', async () => {
    const page = await opened(none);
    await page.getByText('No run yet.').waitFor();
    await page.getByRole('link', { name: 'Reports' }).click();
    await page.getByText('No report yet.').waitFor();
  });

  it('waits in sight, says when the viewer fails or does not answer, and keeps what it showed', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    pages.push(page);
    let answer: 'wait' | 'fail' | 'answer' | 'lost' = 'wait';
    await page.route('**/api/runs', async (route) => {
      while (answer === 'wait') await new Promise((resolve) => setTimeout(resolve, 50));
      if (answer === 'fail')
        await route.fulfill({ status: 500, json: { error: 'The viewer failed on this.' } });
      else if (answer === 'lost') await route.abort('connectionrefused');
      else await route.continue();
    });
    await page.goto(many.viewer.url);
    await page.locator('.skeleton').waitFor();
    answer = 'fail';
    await page.getByText('The viewer failed on this.').waitFor();
    answer = 'answer';
    await page.getByRole('table', { name: 'Runs' }).waitFor();
    expect(await page.getByText('The viewer failed on this.').count()).toBe(0);
    answer = 'lost';
    await page.getByText('The viewer does not answer; trying again.').waitFor();
    expect(await page.locator('.runs-body > .run-row').count()).toBeGreaterThan(5);
    answer = 'answer';
    await expect.poll(() => page.getByText('The viewer does not answer').count(), { timeout: 8000 }).toBe(0);
  });

  it('stands still for those who want that, and keeps chosen rows apart in forced colours', async () => {
    const page = await opened(many, '', { reducedMotion: 'reduce', forcedColors: 'active' });
    await page.getByRole('checkbox', { name: 'Choose all of SUM, full, d=8', exact: true }).check();
    await page.getByRole('button', { name: 'SUM, full, d=8', exact: true }).click();
    await page.locator('[data-chosen]').first().waitFor();
    const outline = await page.evaluate<string>(
      `getComputedStyle(document.querySelector('[data-chosen]')).outlineStyle`,
    );
    expect(outline).toBe('solid');
    expect(
      await page.evaluate(`document.getAnimations().filter((one) => one.playState === 'running').length`),
    ).toBe(0);
  });

  it('prints every row, and none of what can only be pressed', async () => {
    const page = await opened(many, '?q=dModel~3C~3D24');
    await page
      .getByRole('row', { name: /seed 0/ })
      .first()
      .waitFor();
    await page.evaluate(`window.dispatchEvent(new Event('beforeprint'))`);
    await page.emulateMedia({ media: 'print' });
    await expect.poll(() => page.locator('.runs-body > .run-row').count()).toBe(RUNS / 10 + 3);
    for (const part of ['.toolbar', '.top', '.edit'])
      expect(await page.locator(part).first().isVisible()).toBe(false);
  });
});
