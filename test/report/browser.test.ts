/** The page in a real browser, opened from disk with the network off. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { renderReport, type ReportRuntime } from '../../src/report/page.js';
import type { Report } from '../../src/report/schema.js';
import { buildReportRuntime } from '../../src/setup/build-report.mjs';
import { NO_BROWSER, openBrowser, watchedPage, type WatchedPage } from '../helpers/browser.js';
import { describeNeeding } from '../helpers/needs.js';
import { exampleReport } from './example-report.js';
import { HOSTILE } from './hostile.js';

const folder = mkdtempSync(join(tmpdir(), 'sumlens-report-'));
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Ready {
  readonly drawn: number;
  readonly total: number;
  readonly failed: number;
}
const ready = (page: Page) => page.evaluate<Ready>('window.sumlensReport.ready');
const drawAll = (page: Page) => page.evaluate('window.sumlensReport.drawAll()');

/** For every chart: marks whose box meets the plot area of a view, and whether the picture fits its place. */
const MARKS = `[...document.querySelectorAll('[data-chart]')].map((place) => {
  const inside = (a, b) => a.left < b.right + 1 && a.right > b.left - 1 && a.top < b.bottom + 1 && a.bottom > b.top - 1;
  const plots = [...place.querySelectorAll('path.background')].map((e) => e.getBoundingClientRect());
  const marks = [...place.querySelectorAll('.role-mark > *')].filter((e) => {
    const box = e.getBoundingClientRect();
    return (box.width > 0 || box.height > 0) && plots.some((plot) => inside(box, plot));
  });
  return { id: place.dataset.chart, name: place.dataset.name, marks: marks.length };
})`;

/** For every mark that says something under the pointer: the chart, and the lines that it says. */
const TOLD = `[...document.querySelectorAll('.role-mark > *')].flatMap((mark) => {
  const before = document.getElementById('tooltip');
  if (before !== null) before.hidden = true;
  const { x, y, width, height } = mark.getBoundingClientRect();
  const at = { bubbles: true, clientX: x + width / 2, clientY: y + height / 2 };
  mark.dispatchEvent(new PointerEvent('pointermove', at));
  mark.dispatchEvent(new MouseEvent('mousemove', at));
  const tip = document.getElementById('tooltip');
  if (tip === null || tip.hidden) return [];
  const lines = [...tip.querySelectorAll('dt')].map((dt) => dt.textContent + '=' + dt.nextElementSibling.textContent);
  return [[mark.closest('.plot').dataset.name, lines]];
})`;

interface Marks {
  readonly id: string;
  readonly name: string;
  readonly marks: number;
}

describeNeeding(NO_BROWSER, 'the report page in a browser', () => {
  let browser: Browser;
  let runtime: ReportRuntime = { script: '', styles: '' };
  let size = 0;
  const open: WatchedPage[] = [];

  beforeAll(async () => {
    const root = join(import.meta.dirname, '..', '..');
    const built = await buildReportRuntime({ root, outdir: folder });
    const [script, styles] = [built.script, built.styles].map((path) => readFileSync(path, 'utf8'));
    runtime = { script, styles };
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function show(report: Report, options: Parameters<typeof watchedPage>[1] = {}): Promise<WatchedPage> {
    const file = join(folder, `report-${open.length}.html`);
    const text = renderReport(report, runtime);
    size = Buffer.byteLength(text);
    writeFileSync(file, text);
    const watched = await watchedPage(browser, { viewport: { width: 1280, height: 900 }, ...options });
    open.push(watched);
    await watched.page.goto(pathToFileURL(file).href);
    return watched;
  }

  function expectQuiet({ problems, requests }: WatchedPage): void {
    expect(problems).toEqual([]);
    expect(requests).toEqual([]);
  }

  it('draws every chart of a full report with marks inside the plot area, without a request or a message', async () => {
    const watched = await show(exampleReport());
    await drawAll(watched.page);
    const { drawn, total, failed } = await ready(watched.page);
    expect({ drawn, failed }).toEqual({ drawn: total, failed: 0 });
    expect(total).toBe(9);
    for (const { name, marks } of await watched.page.evaluate<Marks[]>(MARKS))
      expect(marks, name).toBeGreaterThan(0);
    expectQuiet(watched);
    expect(size).toBeLessThan(3_000_000);
    await watched.close();
  });

  it('draws the headline pictures at once and the rest when scrolled to', async () => {
    const watched = await show(exampleReport());
    await watched.page.waitForFunction('window.sumlensReport.ready.drawn >= 2', undefined, {
      timeout: 15_000,
    });
    expect((await ready(watched.page)).drawn).toBeLessThan(7);
    await watched.page.locator('[data-name=embedding-plane]').scrollIntoViewIfNeeded();
    await watched.page.waitForSelector('[data-name=embedding-plane] svg', { timeout: 15_000 });
    // what is folded away waits until it is opened
    expect(await watched.page.locator('[data-name=loss-curves] svg').count()).toBe(0);
    // by keyboard: charts drawn above it meanwhile would move it away from under a pointer
    const more = watched.page.locator('details.more', { hasText: 'Loss by role' });
    await more.locator('> summary').press('Enter');
    expect(await more.evaluate((details) => (details as { readonly open?: boolean }).open)).toBe(true);
    // it may lie below the window, or be pushed there: a reader scrolls on
    const curves = watched.page.locator('[data-name=loss-curves]');
    const drawnAfterScrolling = async () => {
      await watched.page.evaluate("document.querySelector('[data-name=loss-curves]').scrollIntoView()");
      return curves.locator('svg').count();
    };
    await expect.poll(drawnAfterScrolling, { timeout: 30_000, interval: 200 }).toBe(1);
    expectQuiet(watched);
    await watched.close();
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has no accessibility violation (${colorScheme})`, async () => {
      const watched = await show(exampleReport({ seeds: 2 }), { colorScheme });
      await drawAll(watched.page);
      await watched.page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))");
      await watched.page.evaluate(axeSource);
      const violations = await watched.page.evaluate<string[]>(
        'axe.run().then((r) => r.violations.map((v) => v.id + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 150)).join(" | ")))',
      );
      expect(violations).toEqual([]);
      await watched.close();
    });
  }

  it('switches the theme by its button, redraws, and needs no storage', async () => {
    const watched = await show(exampleReport({ seeds: 1 }), { colorScheme: 'light' });
    await watched.page.waitForFunction('window.sumlensReport.ready.drawn >= 2');
    const ground = () =>
      watched.page.evaluate("getComputedStyle(document.querySelector('.plot svg text')).fill");
    const before = await ground();
    await watched.page.click('#theme');
    await watched.page.waitForFunction("document.documentElement.dataset.theme === 'dark'");
    await expect.poll(ground).not.toBe(before);
    expect(await watched.page.getAttribute('#theme', 'aria-pressed')).toBe('true');
    expectQuiet(watched);
    await watched.close();
  });

  it('fits a screen of 360 pixels without scrolling sideways', async () => {
    const watched = await show(exampleReport(), { viewport: { width: 360, height: 740 } });
    await drawAll(watched.page);
    expect(await watched.page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    const wider = await watched.page.evaluate(
      "[...document.querySelectorAll('.plot')].filter((p) => p.scrollWidth > p.clientWidth + 1).map((p) => p.dataset.name)",
    );
    expect(wider).toEqual([]);
    await watched.close();
  });

  it('shows every module of the example report on a narrow screen without scrolling sideways', async () => {
    const path = join(import.meta.dirname, '..', '..', 'reports', 'example', 'report.json');
    const report = JSON.parse(readFileSync(path, 'utf8')) as Report;
    const watched = await show(report, { viewport: { width: 390, height: 800 } });
    await drawAll(watched.page);
    expect(await watched.page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    const beyond = await watched.page.evaluate(
      `[...document.querySelectorAll('.plot')].flatMap((plot) => {
        const { left, right } = plot.getBoundingClientRect();
        return [...plot.querySelectorAll('svg text')]
          .filter((text) => text.textContent !== '' && (text.getBoundingClientRect().right > right + 1 || text.getBoundingClientRect().left < left - 1))
          .map((text) => plot.dataset.name + ': ' + text.textContent);
      })`,
    );
    expect(beyond).toEqual([]);
    await watched.close();
  });

  it('tells under the pointer what a mark shows: nothing twice, and nothing that was not computed', async () => {
    const path = join(import.meta.dirname, '..', '..', 'reports', 'example', 'report.json');
    const watched = await show(JSON.parse(readFileSync(path, 'utf8')) as Report);
    await drawAll(watched.page);
    const told = await watched.page.evaluate<readonly (readonly [string, readonly string[]])[]>(TOLD);
    expect(new Set(told.map(([name]) => name)).size).toBeGreaterThan(15);
    for (const [name, lines] of told) {
      expect(lines.join('; '), name).not.toMatch(/null|NaN|undefined|object/);
      expect(lines.length, `${name}: ${lines.join('; ')}`).toBeGreaterThan(1);
      const values = lines
        .map((line) => line.slice(line.indexOf('=') + 1))
        .filter((value) => /[A-Z]/.test(value));
      expect(new Set(values).size, `${name}: ${lines.join('; ')}`).toBe(values.length);
    }
    expectQuiet(watched);
    await watched.close();
  });

  it('draws everything, in light colours, before it is printed', async () => {
    const watched = await show(exampleReport({ seeds: 2 }), { colorScheme: 'dark' });
    await watched.page.evaluate(
      "window.addEventListener('afterprint', () => (window.printed = { ...window.sumlensReport.ready }))",
    );
    await watched.page.pdf({ path: join(folder, 'page.pdf') });
    const printed = await watched.page.evaluate<Ready>('window.printed');
    expect(printed.drawn).toBe(printed.total);
    expectQuiet(watched);
    await watched.close();
  });

  it('runs nothing that stands in a name, label or text, and asks for nothing', async () => {
    // all strings at once, each in another place, then each alone in every place
    let at = 0;
    const mixed = exampleReport({
      seeds: 2,
      points: 5,
      text: (usual) => `${HOSTILE[at++ % HOSTILE.length]} ${usual}`,
    });
    const each = HOSTILE.map((text) =>
      exampleReport({ seeds: 1, points: 3, conditions: 3, text: (usual) => text + usual }),
    );
    const isEvery = process.env.EVERY_HOSTILE_STRING === '1';
    for (const report of [mixed, ...each.filter((_, i) => isEvery || i % 6 === 0)]) {
      const watched = await show(report);
      await drawAll(watched.page);
      await watched.page.mouse.move(500, 500);
      const failures = "[...document.querySelectorAll('.plot .notice')].map((e) => e.textContent)";
      expect(await watched.page.evaluate(failures)).toEqual([]);
      const { drawn, total } = await ready(watched.page);
      expect(drawn).toBe(total);
      expect(await watched.page.evaluate("'pwned' in window || 'pwned' in parent")).toBe(false);
      expect(
        await watched.page.evaluate(
          "document.querySelectorAll('iframe, object, embed, img, form:not(.vega-bindings), base, link').length",
        ),
      ).toBe(0);
      expectQuiet(watched);
      await watched.close();
    }
  }, 600_000);

  it('draws every chart where labels are names of what objects have anyway', async () => {
    const names = [
      'constructor',
      'toString',
      '"}',
      '__proto__',
      'hasOwnProperty',
      'valueOf',
      '\\"}',
      'length',
    ];
    const given = new Map<string, string>();
    const text = (usual: string): string => {
      const name = given.get(usual) ?? names[given.size] ?? usual;
      given.set(usual, name);
      return name;
    };
    const watched = await show(exampleReport({ seeds: 2, points: 5, text }));
    await drawAll(watched.page);
    const failures = "[...document.querySelectorAll('.plot .notice')].map((e) => e.textContent)";
    expect(await watched.page.evaluate(failures)).toEqual([]);
    const { drawn, total, failed } = await ready(watched.page);
    expect({ drawn, failed }).toEqual({ drawn: total, failed: 0 });
    for (const { name, marks } of await watched.page.evaluate<Marks[]>(MARKS))
      expect(marks, name).toBeGreaterThan(0);
    expectQuiet(watched);
    await watched.close();
  });

  it('opens a report with nothing in it, and one whose numbers are all NaN', async () => {
    const full = exampleReport({ seeds: 2, points: 4 });
    const empty: Report = {
      ...full,
      subjects: [],
      observations: [],
      claims: [],
      training: [],
      modules: {},
    };
    const nan: Report = {
      ...full,
      training: full.training.map((record) => ({
        ...record,
        points: record.points.map(({ step }) => ({
          step,
          trainLossNats: 'NaN',
          lossByRole: { result: 'NaN' },
        })),
        final: [],
      })),
    };
    for (const report of [empty, nan]) {
      const watched = await show(report);
      await drawAll(watched.page);
      const { drawn, total, failed } = await ready(watched.page);
      expect({ drawn, failed }).toEqual({ drawn: total, failed: 0 });
      expectQuiet(watched);
      await watched.close();
    }
  });
});
