/** Charts fit their place whatever font draws them: three fonts, a wide and a narrow screen, every text inside its picture. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { renderReport } from '../../src/report/page.js';
import type { Report } from '../../src/report/schema.js';
import { buildReportRuntime } from '../../src/setup/build-report.mjs';
import { FONTS } from '../../src/setup/test-tools.mjs';
import { NO_BROWSER, openBrowser, watchedPage } from '../helpers/browser.js';
import { missingFont, onlyFont } from '../helpers/fonts.js';
import { describeNeeding } from '../helpers/needs.js';
import { exampleReport } from './example-report.js';

const ROOT = join(import.meta.dirname, '..', '..');
const WIDTHS = [1280, 390];
/** Pixels that rounding may give. */
const ROUNDING = 1;

/** What is wider than its place or beyond its picture, in words. */
const BEYOND = `[...document.querySelectorAll('.plot')].flatMap((plot) => {
  const svg = plot.querySelector('svg');
  if (svg === null) return [plot.dataset.name + ': no picture'];
  const [place, frame] = [plot, svg].map((e) => e.getBoundingClientRect());
  const beyond = (box, outer) =>
    Math.max(outer.left - box.left, box.right - outer.right, outer.top - box.top, box.bottom - outer.bottom);
  const texts = [...svg.querySelectorAll('text')].filter((text) => text.textContent !== '');
  return [
    ...(frame.width > place.width + ${ROUNDING} ? [plot.dataset.name + ': ' + frame.width + ' px in ' + place.width] : []),
    ...texts
      .filter((text) => beyond(text.getBoundingClientRect(), frame) > ${ROUNDING})
      .map((text) => plot.dataset.name + ': ' + text.textContent + ': ' + beyond(text.getBoundingClientRect(), frame).toFixed(1) + ' px of ' + frame.width),
  ];
})`;

/** Links of the navigation that are not wholly seen. */
const CUT_OFF = `[...document.querySelectorAll('nav a')].filter((link) => {
  const [box, row] = [link, link.parentElement].map((e) => e.getBoundingClientRect());
  return box.right > row.right + ${ROUNDING} || box.right > innerWidth;
}).map((link) => link.textContent)`;

/** Width of a line in the font that the browser has, pixels. */
const LINE = `(() => {
  const context = document.createElement('canvas').getContext('2d');
  context.font = '100px sans-serif';
  return context.measureText('MAX+MED+SUM, pairs, d=16').width;
})()`;

describeNeeding(NO_BROWSER, 'charts in any font', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sumlens-fonts-'));
  const pages: string[] = [];
  const lines: number[] = [];

  beforeAll(async () => {
    const built = await buildReportRuntime({ root: ROOT, outdir: folder });
    const [script, styles] = [built.script, built.styles].map((path) => readFileSync(path, 'utf8'));
    const modules = JSON.parse(
      readFileSync(join(ROOT, 'reports', 'example', 'report.json'), 'utf8'),
    ) as Report;
    // the names of conditions are as long as those of runs that differ in everything
    const long = exampleReport({
      conditions: 5,
      text: (usual) => `${usual}, without biases, untied, 3 blocks`,
    });
    for (const report of [modules, long]) {
      const path = join(folder, `report-${pages.length}.html`);
      writeFileSync(path, renderReport(report, { script, styles }));
      pages.push(path);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  for (const font of FONTS) {
    describeNeeding(missingFont(font), font.family, () => {
      let browser: Browser;
      beforeAll(async () => {
        browser = await openBrowser(onlyFont(font, join(folder, font.debian)));
      });
      afterAll(async () => {
        await browser?.close();
      });

      it.each(WIDTHS)('fits into a window of %d pixels', async (width) => {
        for (const path of pages) {
          const watched = await watchedPage(browser, { viewport: { width, height: 900 } });
          const { page, problems } = watched;
          await page.goto(pathToFileURL(path).href);
          await page.evaluate('window.sumlensReport.drawAll()');
          expect(await page.evaluate(BEYOND)).toEqual([]);
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
          expect(await page.evaluate(CUT_OFF)).toEqual([]);
          expect(problems).toEqual([]);
          if (width === WIDTHS[0]) lines.push(await page.evaluate<number>(LINE));
          await watched.close();
        }
      });
    });
  }

  it('draws with as many fonts as are there', () => {
    const present = FONTS.filter((font) => missingFont(font) === undefined);
    expect(new Set(lines).size).toBe(present.length);
  });
});
