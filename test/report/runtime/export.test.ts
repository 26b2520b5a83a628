/** The export dialog in a real browser: every format, the keyboard, both themes, a sandbox; and the figures that it draws. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Frame, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { figuresOf } from '../../../src/report/figures/charts.js';
import { helveticaWidth } from '../../../src/report/figures/helvetica.js';
import { COLUMNS } from '../../../src/report/figures/options.js';
import { renderFigures } from '../../../src/report/figures/render.js';
import { renderReport } from '../../../src/report/page.js';
import { buildReportRuntime } from '../../../src/setup/build-report.mjs';
import { FONTS } from '../../../src/setup/test-tools.mjs';
import { NO_BROWSER, openBrowser, watchedPage, type WatchedPage } from '../../helpers/browser.js';
import { missingFont } from '../../helpers/fonts.js';
import { describeNeeding } from '../../helpers/needs.js';
import { exampleReport } from '../example-report.js';

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'sumlens-export-'));
const report = exampleReport({ seeds: 2, points: 8, conditions: 3 });

describeNeeding(NO_BROWSER, 'the export dialog', () => {
  let browser: Browser;
  let text = '';
  beforeAll(async () => {
    const root = join(import.meta.dirname, '..', '..', '..');
    const built = await buildReportRuntime({ root, outdir: folder });
    const [script, styles] = [built.script, built.styles].map((path) => readFileSync(path, 'utf8'));
    text = renderReport(report, { script, styles });
    writeFileSync(join(folder, 'report.html'), text);
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function show(options: Parameters<typeof watchedPage>[1] = {}): Promise<WatchedPage> {
    const watched = await watchedPage(browser, { viewport: { width: 1280, height: 900 }, ...options });
    await watched.page.goto(pathToFileURL(join(folder, 'report.html')).href);
    return watched;
  }
  const open = (page: Page | Frame) => page.locator('button.export').first().click();
  const choose = (page: Page | Frame, name: string, value: string) =>
    page.locator(`input[name=export-${name}][value=${value}]`).check();
  /** Name and bytes of what is saved. */
  async function saved(page: Page, within: Page | Frame = page): Promise<{ name: string; bytes: Buffer }> {
    const waiting = page.waitForEvent('download');
    await within.locator('#export-save').click();
    const download = await waiting;
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  }

  it('saves every format, named and titled, without a request', async () => {
    const watched = await show({ colorScheme: 'dark' });
    const { page } = watched;
    const title = (await page.locator('figure h3').first().textContent()) ?? '';
    const id = (await page.locator('[data-chart]').first().getAttribute('data-name')) ?? '';
    await open(page);
    const svg = await saved(page);
    expect(svg.name).toBe(`${id}-85mm-7pt.svg`);
    const [figure] = await renderFigures(figuresOf(report), {
      column: 'single',
      fontPt: 7,
      dpi: 300,
      formats: ['svg', 'csv'],
    });
    // the same bytes as without a browser but for the words: of light colours, although the page is dark
    const drawn = (markup: string) => markup.slice(markup.indexOf('<rect'));
    expect(drawn(svg.bytes.toString())).toBe(drawn(String(figure.files[0].bytes)));
    expect(svg.bytes.toString()).toContain(`<title id="title">${title}</title>`);

    await choose(page, 'column', 'double');
    await choose(page, 'format', 'png');
    await page.locator('#export-dpi').selectOption('150');
    const png = await saved(page);
    expect(png.name).toBe(`${id}-175mm-7pt-150dpi.png`);
    expect(png.bytes.readUInt32BE(16)).toBe(Math.round((175 / 25.4) * 150));
    expect(png.bytes.includes(Buffer.from(`Title\0${title}`))).toBe(true);

    await choose(page, 'format', 'pdf');
    await page.locator('#export-font').fill('8.5');
    const pdf = await saved(page);
    expect(pdf.name).toBe(`${id}-175mm-8.5pt.pdf`);
    expect(pdf.bytes.toString('latin1', 0, 8)).toBe('%PDF-1.7');
    writeFileSync(join(folder, 'figure.pdf'), pdf.bytes);
    try {
      expect(execFileSync('pdfinfo', [join(folder, 'figure.pdf')], { encoding: 'utf8' })).toContain(title);
      const words = execFileSync('pdftotext', [join(folder, 'figure.pdf'), '-'], { encoding: 'utf8' });
      expect(words.trim()).not.toBe('');
    } catch (error) {
      // a machine without them: render.test.ts reads the file by itself
      if ((error as { readonly code?: unknown }).code !== 'ENOENT') throw error;
    }

    await choose(page, 'format', 'csv');
    expect(await page.locator('#export-font').isDisabled()).toBe(true);
    const csv = await saved(page);
    expect(csv.name).toBe(`${id}-data.csv`);
    expect(csv.bytes.toString()).toBe(figure.files[1].bytes);
    expect(await page.locator('#export-status').textContent()).toBe(`Saved ${id}-data.csv.`);
    expect([watched.problems, watched.requests]).toEqual([[], []]);
    await watched.close();
  });

  it('saves in a frame whose sandbox allows scripts and downloads alone', async () => {
    const watched = await watchedPage(browser, { viewport: { width: 1000, height: 800 } });
    const { page } = watched;
    const quoted = text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
    await page.setContent(
      `<iframe width="900" height="700" sandbox="allow-scripts allow-downloads" srcdoc="${quoted}"></iframe>`,
    );
    const frame = page.frames()[1];
    await open(frame);
    await choose(frame, 'format', 'pdf');
    expect((await saved(page, frame)).bytes.toString('latin1', 0, 5)).toBe('%PDF-');
    await watched.close();
  });

  it('is used by the keyboard, keeps the focus, closes on Escape and says what is wrong', async () => {
    const watched = await show({ viewport: { width: 390, height: 800 } });
    const { page } = watched;
    await page.locator('button.export').first().focus();
    await page.keyboard.press('Enter');
    const focused = () => page.evaluate<boolean>("document.activeElement.closest('dialog') !== null");
    expect(await focused()).toBe(true);
    const { left, right } = await page.evaluate<{ left: number; right: number }>(
      "(({ left, right }) => ({ left, right }))(document.querySelector('dialog').getBoundingClientRect())",
    );
    expect([left >= 0, right <= 390]).toEqual([true, true]);
    await page.locator('#export-font').fill('99');
    await page.keyboard.press('Enter');
    expect(await page.locator('#export-status').textContent()).toBe('Font size: expected 4 to 24 pt.');
    expect(await page.getAttribute('#export-font', 'aria-invalid')).toBe('true');
    await page.keyboard.press('Escape');
    expect(await page.locator('dialog').isVisible()).toBe(false);
    expect(await page.evaluate("document.activeElement.classList.contains('export')")).toBe(true);
    await watched.close();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has no accessibility violation when open (${colorScheme})`, async () => {
      const watched = await show({ colorScheme });
      const { page } = watched;
      await open(page);
      await page.evaluate(axeSource);
      const violations = await page.evaluate<string[]>(
        "axe.run('dialog').then((r) => r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' ')))",
      );
      expect(violations).toEqual([]);
      await watched.close();
    });
  }

  // in another font the widths are others
  describeNeeding(missingFont(FONTS[0]), 'with a font as wide as Helvetica', () => {
    it('draws no text beyond the edge of a figure, as the browser measures it', async () => {
      const watched = await watchedPage(browser);
      const { page } = watched;
      for (const column of COLUMNS) {
        const figures = await renderFigures(figuresOf(report), {
          column,
          fontPt: 7,
          dpi: 300,
          formats: ['svg'],
        });
        await page.setContent(
          figures.map(({ files }) => String(files[0].bytes).replace(/^<\?xml.*\n/, '')).join(''),
        );
        const beyond = await page.evaluate<string[]>(
          `[...document.querySelectorAll('svg')].flatMap((svg) => {
          const frame = svg.getBoundingClientRect();
          return [...svg.querySelectorAll('text')].filter((text) => {
            const box = text.getBoundingClientRect();
            return text.textContent !== '' && (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1);
          }).map((text) => svg.querySelector('title').textContent + ': ' + text.textContent);
        })`,
        );
        expect(beyond).toEqual([]);
      }
      await watched.close();
    });

    it('measures Helvetica as the browser measures the font that stands in for it', async () => {
      const watched = await watchedPage(browser);
      const { page } = watched;
      const texts = [
        'Accuracy (% of result tokens)',
        'WAVE Ty. 0123456789',
        '\u2013 d\u00e9j\u00e0 vu \u00d7 \u20ac',
      ];
      for (const bold of [false, true]) {
        for (const sample of texts) {
          const width = await page.evaluate<number>(
            `(() => { const c = document.createElement('canvas').getContext('2d'); c.fontKerning = 'none'; c.font = '${bold ? 'bold ' : ''}100px "Liberation Sans"'; return c.measureText(${JSON.stringify(sample)}).width; })()`,
          );
          expect(Math.abs(helveticaWidth(sample, 100, bold) - width), sample).toBeLessThan(1);
        }
      }
      await watched.close();
    });
  });
});
