/** The pages of the viewer in Chromium: lists, runs, reports, keyboard, narrow windows, axe. */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { VERDICT } from '../../src/evidence/verdict.js';
import { packageRoot } from '../../src/io/package-root.js';
import { colorAt, placesOf } from '../../src/palette.js';
import { renderReport } from '../../src/report/page.js';
import { buildReportRuntime } from '../../src/setup/build-report.mjs';
import { NO_BROWSER, openBrowser } from '../helpers/browser.js';
import { describeNeeding } from '../helpers/needs.js';
import { exampleReport } from '../report/example-report.js';
import { evalLine, sampleConfig, trainLine, writeReport, writeRun } from './sample-runs.js';
import { testViewer, type TestViewer } from './test-viewer.js';
import { axeViolations, WatchedPages, type WatchOptions } from './watched-page.js';

const HOSTILE = [
  '<img src=x onerror=pwned()>',
  '"><script>pwned()<\u2215script>',
  "'-pwned()-'",
  'javascript:pwned()',
  '{{constructor.constructor("pwned()")()}}',
  '${pwned()}',
  '<svg onload=pwned()>',
  '</title><script>pwned()</script>'.replaceAll('/', '\u2215'),
  '\u202egnp.exe',
  'a\u0000b'.replace('\u0000', '\u2400'),
  '__proto__',
  '<iframe srcdoc="<script>parent.pwned()">',
];

/** What a report tries from inside its frame; it writes down what succeeded. */
const PRYING = `<ul id="log"></ul><script>
const log = (text) => { const li = document.createElement('li'); li.textContent = text; document.getElementById('log').append(li); };
const attempt = (name, fn) => { try { fn(); log(name + ': reached'); } catch { log(name + ': refused'); } };
attempt('parent', () => parent.document.title);
attempt('storage', () => localStorage.setItem('x', '1'));
attempt('cookie', () => document.cookie);
attempt('top', () => { top.location.href; });
fetch('/api/runs').then((r) => r.text()).then(() => log('api: reached'), () => log('api: refused'));
</script>`;

let viewer: TestViewer;
let browser: Browser;
let running = '';
let doomed = '';
let hostileRun = '';
let unlearned = '';
const pages = new WatchedPages();

const watched = (path: string, options?: WatchOptions): Promise<Page> =>
  pages.open({ browser, viewer }, path, options);
const problemsOf = (page: Page): string[] => pages.problemsOf(page);

/** Background of the first such element, as `#rrggbb`. */
async function swatchOf(page: Page, selector: string): Promise<string> {
  const text = await page
    .locator(selector)
    .first()
    .evaluate((element: unknown) => {
      const { getComputedStyle: styleOf } = globalThis as unknown as {
        readonly getComputedStyle: (of: unknown) => { readonly backgroundColor: string };
      };
      return styleOf(element).backgroundColor;
    });
  const channels = (text.match(/\d+/g) ?? []).slice(0, 3).map(Number);
  return `#${channels.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

describeNeeding(NO_BROWSER, 'the pages of the viewer in a browser', () => {
  beforeAll(async () => {
    const runtime = mkdtempSync(join(tmpdir(), 'sumlens-runtime-'));
    const built = await buildReportRuntime({ root: packageRoot(), outdir: runtime });
    const [script, styles] = [built.script, built.styles].map((path) => readFileSync(path, 'utf8'));
    rmSync(runtime, { recursive: true });
    viewer = await testViewer(({ checkpointsDir, reportsDir }) => {
      const mixed = ['MAX', 'MED', 'SUM'] as const;
      for (const seed of [1, 2, 3])
        writeRun(checkpointsDir, { config: sampleConfig(mixed, seed), end: 'budget' });
      writeRun(checkpointsDir, {
        config: sampleConfig(['SUM'], 1, 'pairs'),
        end: 'interrupted',
        until: 4000,
      });
      running = writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 1), until: 1000, running: true });
      doomed = writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 2), until: 1000, running: true });
      hostileRun = writeRun(checkpointsDir, {
        config: sampleConfig(['FIRST', 'SUM'], 9),
        until: 1000,
        running: true,
      });
      unlearned = writeRun(checkpointsDir, {
        config: sampleConfig(['MED', 'SUM'], 7),
        end: 'budget',
        best: 0.12,
      });
      HOSTILE.forEach((name, i) => {
        mkdirSync(join(checkpointsDir, name.replaceAll('/', '_')));
        writeReport(reportsDir, `hostile-${i}`, { title: name });
      });
      // a proper run under a name that no address can hold
      writeRun(checkpointsDir, {
        config: sampleConfig(['SUM'], 5),
        name: '<b onclick=pwned()>run',
        end: 'solved',
      });
      const strange = HOSTILE.map((name) => evalLine(1100, { [name]: 0.5 }));
      const roles = Object.fromEntries(HOSTILE.map((name) => [name, 0.5]));
      const row = { kind: 'train', step: 1150, lossNats: '<b>', lossByRole: roles };
      appendFileSync(
        join(checkpointsDir, hostileRun, 'metrics.jsonl'),
        `${[...strange, JSON.stringify(row), '<script>pwned()</script>'].join('\n')}\n`,
      );
      writeReport(reportsDir, 'quick', { body: PRYING });
      writeReport(reportsDir, 'sections');
      writeFileSync(
        join(reportsDir, 'sections', 'index.html'),
        renderReport(exampleReport({ seeds: 1 }), { script, styles }),
      );
      writeReport(reportsDir, 'plain', { title: 'A plain report' });
    });
    browser = await openBrowser();
  });
  afterEach(async () => {
    await pages.closeAll();
  });
  afterAll(async () => {
    await browser?.close();
    await viewer?.stop();
  });

  it('lists runs by condition, and hostile names as text', async () => {
    const page = await watched('');
    const group = page.getByRole('row', { name: 'MAX+MED+SUM, full, d=16' });
    await group.waitFor();
    // rows that the window does not show are not drawn
    await page.setViewportSize({ width: 1280, height: 2600 });
    await page.getByRole('row', { name: '<svg onload=pwned()>' }).waitFor();
    const text = await page.locator('main').innerText();
    for (const name of HOSTILE) expect(text).toContain(name);
    expect(await page.locator('main :is(img, script, iframe, b[onclick])').count()).toBe(0);
    expect(await page.locator('.run-row.group').count()).toBe(6);
    expect(await group.innerText()).toContain('3 runs · 8,080 parameters · 3 of 3 learned');
    const labels = (await page.locator('.run-row.group:has(.swatch) .group-label').allInnerTexts()).sort();
    const color = colorAt('light', placesOf(labels).get('MAX+MED+SUM, full, d=16') ?? -1);
    expect(await swatchOf(page, '.run-row.group:has-text("MAX+MED+SUM, full") .swatch')).toBe(color);
    expect(await page.locator('.run-row path.line').count()).toBe(9);
    expect(problemsOf(page)).toEqual([]);
  });

  it('never shows a run that ended at chance as done well', async () => {
    const page = await watched('');
    const row = page.getByRole('row', { name: unlearned });
    await row.waitFor();
    const badge = row.locator('.badge');
    expect(await badge.innerText()).toBe('not learned');
    expect(await badge.getAttribute('class')).toBe('badge warn');
    await row.getByRole('link').click();
    await page.getByText('The budget is used up, and this run has not learned: SUM is right in').waitFor();
    expect(problemsOf(page)).toEqual([]);
  });

  it('searches, filters, sorts and groups, all of it in the address, and comes back to it', async () => {
    const page = await watched('');
    const names = (): Promise<string[]> => page.locator('.run-row .name a').allInnerTexts();
    const search = page.getByRole('searchbox', { name: 'Search runs' });
    await search.waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('dModel>=16 tasks:MED -seed:2');
    await expect.poll(names).toEqual(['seed 1', 'seed 3', 'seed 7']);
    await expect.poll(() => page.url()).toContain('?q=dModel~3E~3D16~20tasks:MED~20-seed:2');
    await page.getByRole('button', { name: /^not learned/ }).click();
    await expect.poll(names).toEqual(['seed 7']);
    await page.getByRole('link', { name: 'seed 7' }).click();
    await page.getByRole('heading', { name: 'Learning curves' }).waitFor();
    await page.goBack();
    await expect.poll(names).toEqual(['seed 7']);
    expect(await search.inputValue()).toBe('dModel>=16 tasks:MED -seed:2');
    await page.reload();
    await expect.poll(names).toEqual(['seed 7']);
    await search.fill('dModle>2');
    await page.getByText('No column, operation or setting is called dModle.').waitFor();
    await search.fill('nothing-like-this');
    await page.getByText('No run is like that.').waitFor();
    await page.getByRole('button', { name: 'Show all' }).click();
    await page.getByRole('combobox', { name: 'Group by' }).selectOption('none');
    await page.getByRole('button', { name: 'accuracy' }).click();
    await expect.poll(() => page.locator('.run-row.group').count()).toBe(0);
    const header = page.getByRole('columnheader', { name: 'accuracy' });
    await expect.poll(() => header.getAttribute('aria-sort')).toBe('descending');
    const shares = (await page.locator('.run-row:not(.head) .accuracy').allInnerTexts()).flatMap((text) => {
      const [, share] = /([\d.]+) %/.exec(text) ?? [];
      return share === undefined ? [] : [Number(share)];
    });
    expect(shares.length).toBeGreaterThan(6);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    expect(problemsOf(page)).toEqual([]);
  });

  it('keeps tags and a note of a run, whatever they say, and finds the run by them', async () => {
    const page = await watched('');
    await page.getByRole('button', { name: `Tags and note of ${unlearned}` }).click();
    const dialog = page.getByRole('dialog');
    expect(await axeViolations(page)).toEqual([]);
    await dialog.getByRole('textbox', { name: /^Tags/ }).fill(`look, ${HOSTILE[0]}`);
    await dialog.getByRole('textbox', { name: 'Note' }).fill(`plateau ${HOSTILE[5]}`);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    const row = page.getByRole('row', { name: unlearned });
    await row.getByText(HOSTILE[0], { exact: true }).waitFor();
    await page.getByRole('searchbox').fill('tag:look plateau');
    await expect.poll(() => page.locator('.run-row .name a').count()).toBe(1);
    await row.getByRole('link').click();
    await page.getByText(`plateau ${HOSTILE[5]}`).waitFor();
    await page.getByRole('button', { name: 'Tags and note' }).click();
    await page.getByRole('textbox', { name: /^Tags/ }).fill('');
    await page.getByRole('textbox', { name: 'Note' }).fill('');
    await page.keyboard.press('Escape');
    expect(await page.getByText(`plateau ${HOSTILE[5]}`).count()).toBe(1);
    await page.getByRole('button', { name: 'Tags and note' }).click();
    await page.getByRole('textbox', { name: /^Tags/ }).fill('');
    await page.getByRole('textbox', { name: 'Note' }).fill('');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect.poll(() => page.getByText(`plateau ${HOSTILE[5]}`).count()).toBe(0);
    expect(problemsOf(page)).toEqual([]);
  });

  it('chooses runs for comparing, by keyboard too, and keeps them from page to page', async () => {
    const page = await watched('');
    const first = page.getByRole('checkbox', { name: /^Choose max-med-sum-full-d16-s1/ });
    await first.focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Space');
    await page.getByText('2 runs chosen').waitFor();
    const bar = page.getByRole('region', { name: 'Chosen runs' });
    const target = new URL((await bar.getByRole('link').getAttribute('href')) ?? '', page.url());
    expect(target.pathname).toBe('/compare');
    expect(target.searchParams.get('of')?.split(',')).toHaveLength(2);
    await page.getByRole('link', { name: 'Reports' }).click();
    await page.getByRole('heading', { name: 'Reports' }).waitFor();
    await page.goBack();
    await page.getByText('2 runs chosen').waitFor();
    const all = page.getByRole('checkbox', { name: 'Choose all of MAX+MED+SUM, full, d=16' });
    expect(await all.evaluate((box: unknown) => (box as { indeterminate: boolean }).indeterminate)).toBe(
      true,
    );
    await all.click();
    await page.getByText('3 runs chosen').waitFor();
    await page.getByRole('button', { name: 'Choose none' }).click();
    await expect.poll(() => page.getByText(/runs chosen/).count()).toBe(0);
    expect(problemsOf(page)).toEqual([]);
  });

  it('lists reports with their verdicts, and hostile titles as text', async () => {
    const page = await watched('reports');
    await page.getByRole('link', { name: 'A plain report' }).waitFor();
    const text = await page.locator('main').innerText();
    for (const name of HOSTILE) expect(text).toContain(name);
    expect(await page.locator('main :is(img, script, iframe)').count()).toBe(0);
    const card = page.locator('article', { has: page.getByRole('link', { name: 'A plain report' }) });
    expect(await card.locator('li > .verdict').allInnerTexts()).toHaveLength(3);
    expect(await card.locator('summary .verdict').innerText()).toBe(VERDICT.tooFew);
    expect(problemsOf(page)).toEqual([]);
  });

  it('goes from page to page without loading anew, and back to the place that was left', async () => {
    const page = await watched('reports');
    await page.evaluate('window.isSame = true');
    const link = page.getByRole('link', { name: 'A plain report' });
    await link.scrollIntoViewIfNeeded();
    await page.mouse.wheel(0, 400);
    await expect.poll(() => page.evaluate<number>('window.scrollY')).toBeGreaterThan(300);
    await page.waitForTimeout(300);
    const before = await page.evaluate<number>('window.scrollY');
    const isThere = (): Promise<void> =>
      expect
        .poll(() => page.evaluate<number>(`Math.abs(window.scrollY - ${before})`), { timeout: 5000 })
        .toBeLessThan(2);
    // a click of Playwright would scroll first
    await link.dispatchEvent('click');
    await page.locator('iframe').waitFor();
    expect(await page.evaluate('window.scrollY')).toBe(0);
    expect(await page.title()).toBe('A plain report - sumlens');
    await page.goBack();
    await link.waitFor();
    await isThere();
    await page
      .getByRole('navigation', { name: 'Pages' })
      .getByRole('link', { name: 'Runs' })
      .dispatchEvent('click');
    await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor();
    expect(await page.getByRole('link', { name: 'Runs' }).getAttribute('aria-current')).toBe('page');
    expect(await page.evaluate('window.isSame')).toBe(true);
    // loaded anew, a page still knows where it stood
    await page.goBack();
    await link.waitFor();
    await isThere();
    await page.waitForTimeout(500);
    await page.reload();
    await isThere();
    expect(problemsOf(page)).toEqual([]);
  });

  it('draws the curves of a run, and more as it trains', async () => {
    const page = await watched(`runs/${running}`);
    await page.locator('figure.chart path.line').first().waitFor();
    const chart = page.locator('figure.chart', { hasText: 'Training loss' });
    const before = await chart.locator('path.line').getAttribute('d');
    appendFileSync(
      join(viewer.checkpointsDir, running, 'metrics.jsonl'),
      `${trainLine(4000, 0.123)}\n${evalLine(4000, { SUM: 0.777 })}\n`,
    );
    await page.getByText('77.7 %').first().waitFor();
    await chart.getByText('0.123').waitFor();
    expect(await chart.locator('path.line').getAttribute('d')).not.toBe(before);
    // the curve lies inside its plot
    const inside = await page.evaluate(`[...document.querySelectorAll('path.line')].every((line) => {
      const a = line.getBoundingClientRect(), b = line.closest('svg').getBoundingClientRect();
      return a.width > 0 && a.left >= b.left - 2 && a.right <= b.right + 2 && a.top >= b.top - 2 && a.bottom <= b.bottom + 2;
    })`);
    expect(inside).toBe(true);
    expect(problemsOf(page)).toEqual([]);
  });

  it('cuts off no label of a chart, on a wide and on a narrow screen', async () => {
    for (const width of [1280, 390]) {
      const page = await watched(`runs/${running}`, { width });
      await page.locator('figure.chart path.line').first().waitFor();
      const beyond = await page.evaluate<string[]>(`
        [...document.querySelectorAll('figure.chart svg text')].filter((text) => {
          const [box, frame] = [text, text.ownerSVGElement].map((e) => e.getBoundingClientRect());
          return box.left < frame.left - 0.5 || box.right > frame.right + 0.5;
        }).map((text) => text.textContent)`);
      expect(beyond, `${width} pixels`).toEqual([]);
      expect(await page.locator('figure.chart svg text').count()).toBeGreaterThan(20);
    }
  });

  it('moves a cursor by keyboard and shows the same numbers as a table', async () => {
    const page = await watched(`runs/${doomed}`);
    const chart = page.locator('figure.chart', { hasText: 'Result accuracy' });
    await chart.locator('path.line').first().waitFor();
    await chart.locator('.plot').focus();
    await page.keyboard.press('Home');
    await chart.locator('.legend', { hasText: 'at step 250' }).waitFor();
    await page.keyboard.press('ArrowRight');
    await chart.locator('.legend', { hasText: 'at step 500' }).waitFor();
    await chart.getByText('Numbers').click();
    // the rows are made when the browser tells that the table was opened, which it does in a task of its own
    await chart.locator('tbody tr').first().waitFor();
    expect(await chart.locator('tbody tr').count()).toBe(4);
    expect(problemsOf(page)).toEqual([]);
  });

  it('shows hostile operation and role names of metrics as text, and says what it could not read', async () => {
    const page = await watched(`runs/${hostileRun}`);
    await page.getByText('1 line of metrics.jsonl could not be read').waitFor();
    const legend = await page.locator('main').innerText();
    for (const name of HOSTILE.filter((text) => text !== '__proto__')) expect(legend).toContain(name);
    expect(await page.locator('main :is(img, script, iframe)').count()).toBe(0);
    expect(problemsOf(page)).toEqual([]);
  });

  it('opens a report in a frame that reaches nothing of the viewer', async () => {
    const page = await watched('reports/quick');
    const frame = page.frameLocator('iframe');
    await frame.getByText('api: refused').waitFor();
    const log = await frame.locator('#log').innerText();
    expect(log).not.toContain('reached');
    expect(log).toContain('parent: refused');
    // opened on its own it is no nearer
    const alone = await watched('reports/quick/page');
    await alone.getByText('api: refused').waitFor();
    const aloneLog = await alone.locator('#log').innerText();
    expect(aloneLog).toContain('storage: refused');
    expect(aloneLog).not.toContain('api: reached');
  });

  it('follows the sections of a report in its address, and opens it at the section of an address', async () => {
    const page = await watched('reports/sections');
    const frame = page.frameLocator('iframe');
    await frame.getByRole('navigation').getByRole('link', { name: 'Provenance' }).click();
    await expect.poll(() => new URL(page.url()).hash).toBe('#provenance');
    const y = async (): Promise<number> => Number(await frame.locator('body').evaluate('window.scrollY'));
    expect(await y()).toBeGreaterThan(100);
    await page.reload();
    await expect.poll(y).toBeGreaterThan(100);
    await frame.getByRole('navigation').getByRole('link', { name: 'Claims' }).click();
    await expect.poll(() => new URL(page.url()).hash).toBe('#claims');
    await page.goBack();
    await expect.poll(() => new URL(page.url()).hash).toBe('#provenance');
    // a frame can say a section and nothing else
    for (const said of ['#a/../b', 'https://example.com/', '#<b>', '/runs'])
      await frame.locator('body').evaluate('(_, said) => window.parent.postMessage(said, "*")', said);
    await page.waitForTimeout(200);
    expect(page.url()).toMatch(/reports\/sections#provenance$/);
    expect(problemsOf(page)).toEqual([]);
  });

  it('moves a run to the trash after a question that names it, and not before', async () => {
    const config = sampleConfig(['MED'], 41);
    const run = writeRun(viewer.checkpointsDir, { config, until: 500, end: 'budget' });
    const page = await watched(`runs/${run}`);
    await page.getByRole('button', { name: 'Move to trash' }).click();
    const dialog = page.getByRole('dialog', { name: 'Move this run to the trash?' });
    await dialog.getByText(run, { exact: true }).waitFor();
    expect(await axeViolations(page)).toEqual([]);
    // what is focused first changes nothing
    await page.keyboard.press('Enter');
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0);
    expect(existsSync(join(viewer.checkpointsDir, run, 'config.json'))).toBe(true);
    await page.getByRole('button', { name: 'Move to trash' }).click();
    await dialog.getByRole('button', { name: 'Move to trash' }).click();
    await page.getByRole('heading', { name: 'Runs', exact: true }).waitFor();
    expect(existsSync(join(viewer.checkpointsDir, run))).toBe(false);
    expect(readdirSync(join(viewer.checkpointsDir, '.trash')).join()).toContain(run);
    expect(problemsOf(page)).toEqual([]);
  });

  it('leads from a run to the playground and to its steps side by side', async () => {
    const page = await watched(`runs/${unlearned}`);
    await page.getByRole('link', { name: 'Ask it in the playground' }).click();
    await page.getByRole('heading', { name: 'Playground' }).waitFor();
    expect(new URL(page.url()).hash).toContain(unlearned);
    await page.goBack();
    await page.getByRole('link', { name: 'Compare its steps' }).click();
    await page.getByRole('heading', { name: 'Compare', exact: true }).waitFor();
    expect(page.url()).toContain(`${unlearned}@all`);
  });

  it('says so when the run is deleted while it is looked at', async () => {
    const page = await watched(`runs/${doomed}`);
    await page.locator('figure.chart path.line').first().waitFor();
    rmSync(join(viewer.checkpointsDir, doomed), { recursive: true });
    await page.getByText('The folder of this run is gone.').waitFor();
    expect(await page.locator('figure.chart path.line').count()).toBeGreaterThan(0);
    expect(problemsOf(page)).toEqual([]);
    await page.reload();
    await page.getByRole('heading', { name: 'Not here' }).waitFor();
  });

  it.each(['light', 'dark'] as const)(
    'has nothing to complain of for axe, %s',
    async (colorScheme) => {
      for (const path of [
        '',
        'reports',
        'compare',
        `runs/${running}`,
        `runs/${hostileRun}`,
        'reports/hostile-0',
        'runs/none',
      ]) {
        const page = await watched(path, { colorScheme });
        await page.waitForTimeout(500);
        for (const summary of await page.locator('summary').all()) await summary.click();
        expect(await axeViolations(page), path).toEqual([]);
      }
    },
    120_000,
  );

  it('needs no sideways scrolling at 360 px', async () => {
    for (const path of ['', 'reports', `runs/${running}`, `runs/${hostileRun}`, 'reports/quick']) {
      const page = await watched(path, { width: 360 });
      await page.waitForTimeout(400);
      const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
      expect(overflow, path).toBeLessThanOrEqual(0);
    }
  });

  it('keeps the chosen theme on the next page', async () => {
    const page = await watched('');
    await page.getByRole('button', { name: 'Theme: system' }).click();
    await page.getByRole('button', { name: 'Theme: light' }).click();
    await page.goto(`${viewer.viewer.url}runs/${running}`);
    await page.getByRole('button', { name: 'Theme: dark' }).waitFor();
    expect(await page.evaluate('getComputedStyle(document.body.parentElement).colorScheme')).toBe('dark');
    expect(problemsOf(page)).toEqual([]);
  });
});
