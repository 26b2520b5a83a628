/** The page as those read it who do not look at a bright wide screen: on paper, as plain text, in forced colours. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { OPERATION_NAMES } from '../../src/listops/language/operations.js';
import { packageRoot } from '../../src/io/package-root.js';
import { renderReport, type ReportRuntime } from '../../src/report/page.js';
import type { Report } from '../../src/report/schema.js';
import { buildReportRuntime } from '../../src/setup/build-report.mjs';
import { NO_BROWSER, openBrowser, watchedPage, type WatchedPage } from '../helpers/browser.js';
import { describeNeeding } from '../helpers/needs.js';
import { exampleReport } from './example-report.js';

/** A4 within the margins of the page, at 96 pixels an inch. */
const PAPER = { width: Math.floor(((210 - 2 * 12) / 25.4) * 96), height: 1000 };
const OPERATIONS = OPERATION_NAMES.slice(0, 10);

/** Ten operations, of which every run learned each. */
function many(): Report {
  const report = exampleReport({ seeds: 2, points: 4 });
  const all = Object.fromEntries(OPERATIONS.map((name) => [name, 1]));
  return {
    ...report,
    subjects: report.subjects.map((subject) => ({ ...subject, accuracy: all, learned: all, final: true })),
  };
}

describeNeeding(NO_BROWSER, 'the report page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sumlens-reading-'));
  const open: WatchedPage[] = [];
  let browser: Browser;
  let runtime: ReportRuntime;

  beforeAll(async () => {
    const built = await buildReportRuntime({ root: packageRoot(), outdir: folder });
    const [script, styles] = [built.script, built.styles].map((path) => readFileSync(path, 'utf8'));
    runtime = { script, styles };
    browser = await openBrowser();
  });
  afterEach(async () => {
    for (const watched of open.splice(0)) await watched.close();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function show(report: Report, options: BrowserContextOptions): Promise<Page> {
    const file = join(folder, 'page.html');
    writeFileSync(file, renderReport(report, runtime));
    const watched = await watchedPage(browser, options);
    open.push(watched);
    await watched.page.goto(pathToFileURL(file).href);
    return watched.page;
  }

  it('has all of every table, picture and command on paper', async () => {
    const page = await show(many(), { viewport: PAPER });
    await page.emulateMedia({ media: 'print' });
    await page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))");
    await page.evaluate('window.sumlensReport.drawAll()');
    expect(await page.locator('.conditions thead th').count()).toBe(4 + OPERATIONS.length);
    const beyond = await page.evaluate<string[]>(`[...document.querySelectorAll('th, td, pre, .plot svg')]
      .filter((e) => e.getBoundingClientRect().width > 0)
      .filter((e) => e.getBoundingClientRect().right > ${PAPER.width} + 1 || (e.tagName === 'PRE' && e.scrollWidth > e.clientWidth + 1))
      .map((e) => e.tagName + ': ' + e.textContent.slice(0, 60))`);
    expect(beyond).toEqual([]);
  });

  it('reads rightly as text: what a selection copies and what is left without style sheet', async () => {
    const page = await show(many(), { viewport: { width: 1280, height: 900 } });
    const texts = await page.evaluate<string[]>(
      "[document.querySelector('.conditions').innerText, document.querySelector('.conditions').textContent]",
    );
    for (const text of texts) {
      expect(text).toContain('2 of 2 (100 %)');
      expect(text).not.toMatch(/of \d\d+ %/);
      expect(text).toMatch(/2 \(\d/);
    }
  });

  it('draws everything where the browser cannot say what is near', async () => {
    const page = await show(exampleReport({ seeds: 1, points: 4 }), {});
    await page.addInitScript('delete window.IntersectionObserver');
    await page.reload();
    const isDrawn = 'window.sumlensReport.ready.drawn === window.sumlensReport.ready.total';
    await page.waitForFunction(isDrawn, undefined, { timeout: 30_000 });
    expect(await page.locator('.plot .waiting:visible').count()).toBe(0);
  });

  it('grows by little for each condition: 34 of them are not ten times the page of three', async () => {
    const heights: number[] = [];
    for (const conditions of [3, 34]) {
      const page = await show(exampleReport({ seeds: 1, points: 4, conditions }), {
        viewport: { width: 1280, height: 900 },
      });
      await page.evaluate('window.sumlensReport.drawAll()');
      heights.push(await page.evaluate<number>('document.documentElement.scrollHeight'));
      const labels = await page.evaluate<string[]>(
        "[...document.querySelectorAll('[data-name=accuracy-curves] .role-legend-label text')].map((e) => e.textContent)",
      );
      expect(new Set(labels).size).toBe(conditions);
    }
    expect(heights[1]).toBeLessThan(3 * heights[0]);
  });

  it('keeps the dots of conditions apart in forced colours, and pictures on their own ground', async () => {
    const page = await show(exampleReport({ seeds: 2 }), { forcedColors: 'active' });
    const dots = await page.evaluate<string[]>(
      "[...document.querySelectorAll('.conditions .swatch')].map((dot) => getComputedStyle(dot).backgroundColor)",
    );
    expect(dots.length).toBeGreaterThan(3);
    expect(new Set(dots).size).toBe(dots.length);
    await page.waitForFunction('window.sumlensReport.ready.drawn >= 2');
    const kept = "getComputedStyle(document.querySelector('.plot svg')).forcedColorAdjust";
    expect(await page.evaluate(kept)).toBe('none');
  });
});
