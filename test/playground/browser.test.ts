/** The playground in Chromium: the same bits as in Node, and everything that can be done on its page, without a network. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openEngine, readWasmModule } from '../../src/engine/registry.js';
import { packageRoot } from '../../src/io/package-root.js';
import { readPlaygroundDocument } from '../../src/playground/document.js';
import { openPlayer } from '../../src/playground/player.js';
import { parseReport } from '../../src/report/parse-report.js';
import { renderReport } from '../../src/report/page.js';
import { loadPlaygroundRuntime, loadReportRuntime } from '../../src/report/write.js';
import { readBytes } from '../../src/io/files.js';
import { axeViolations } from '../helpers/axe.js';
import { NO_BROWSER, openBrowser, watchedPage, type WatchedPage } from '../helpers/browser.js';
import { describeNeeding } from '../helpers/needs.js';
import { type BrowserLooks, looks } from './browser-look.js';
import { MIXED, SUM_ONLY, randomDocument, referenceDocument } from './documents.js';

describeNeeding(NO_BROWSER, 'the playground in Chromium', () => {
  let browser: Browser;
  let folder: string;
  let url: string;
  beforeAll(async () => {
    browser = await openBrowser();
    folder = mkdtempSync(join(tmpdir(), 'sumlens-playground-'));
    const source = join(packageRoot(), 'reports', 'example', 'report.json');
    const models = [referenceDocument(MIXED), referenceDocument(SUM_ONLY)];
    const playground = { ...loadPlaygroundRuntime(), models };
    const page = renderReport(parseReport(readBytes(source), source), loadReportRuntime(), playground);
    const policy =
      /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1].replaceAll('&#39;', "'") ?? '';
    expect(/script-src ('sha256-[^']*' ){2}'wasm-unsafe-eval';/.test(policy)).toBe(true);
    expect(policy).not.toContain("'unsafe-eval'");
    expect(policy).not.toContain("'unsafe-inline'");
    writeFileSync(join(folder, 'index.html'), page);
    url = pathToFileURL(join(folder, 'index.html')).href;
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function opened(state = '', options = {}): Promise<WatchedPage> {
    const watched = await watchedPage(browser, { viewport: { width: 1280, height: 900 }, ...options });
    await watched.page.goto(`${url}${state === '' ? '' : `#playground&${state}`}`);
    return watched;
  }
  async function closed(watched: WatchedPage): Promise<void> {
    const { problems, requests } = watched;
    await watched.close();
    expect(problems).toEqual([]);
    expect(requests).toEqual([]);
  }
  const column = (page: Page, place: number) => page.locator('.pg-model').nth(place);
  /** The words of the sequence. */
  const words = async (page: Page, place: number): Promise<string> =>
    (await column(page, place).locator('.pg-written .pg-word').allInnerTexts()).join(' ');

  it('computes the bits that WASM gives in Node', async () => {
    const wasm = readWasmModule();
    const documents = [referenceDocument(MIXED), referenceDocument(SUM_ONLY), randomDocument()];
    const expected = await looks(wasm, documents);
    const { outputFiles } = await build({
      entryPoints: [new URL('browser-look.ts', import.meta.url).pathname],
      bundle: true,
      write: false,
      platform: 'browser',
      format: 'iife',
      globalName: 'sumlensLooks',
      target: 'es2022',
      logLevel: 'silent',
    });
    const watched = await watchedPage(browser);
    await watched.page.addScriptTag({
      content: `${outputFiles[0].text};globalThis.sumlensLooks = sumlensLooks;`,
    });
    const found: BrowserLooks = await watched.page.evaluate(
      async ([base64, own]) => {
        const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
        const bundled = globalThis as unknown as {
          readonly sumlensLooks: { readonly looks: typeof looks };
        };
        return bundled.sumlensLooks.looks(bytes, JSON.parse(own) as unknown[]);
      },
      [Buffer.from(wasm).toString('base64'), JSON.stringify(documents)] as const,
    );
    expect(expected.bits.length).toBeGreaterThan(3000);
    expect(found.bits.length).toBe(expected.bits.length);
    expect(found.bits.findIndex((word, i) => word !== expected.bits[i])).toBe(-1);
    expect(found.text).toBe(expected.text);
    await closed(watched);
  });

  it('shows what both models write, with the numbers of the player in Node', async () => {
    const watched = await opened();
    const { page } = watched;
    await column(page, 1).locator('.pg-written').waitFor();
    const { engine } = await openEngine('wasm', { threads: 1 });
    const changes = [{ part: 'L1.attn', how: 'zero' }] as const;
    await column(page, 0).getByRole('button', { name: 'layer 1 attention' }).click();
    for (const [place, run] of [MIXED, SUM_ONLY].entries()) {
      const player = openPlayer(engine, readPlaygroundDocument(referenceDocument(run)));
      const { words: expected, total } = player.look({ ask: '(SUM 7 3 6)', changes });
      expect(await words(page, place)).toBe(expected.join(' '));
      const caption = await column(page, place).locator('.pg-parts caption').innerText();
      expect(caption.replace('\u2212', '-')).toContain(`${total < 0 ? '' : '+'}${total.toFixed(2)} in all`);
    }
    engine.dispose();
    expect(new URL(page.url()).hash).toBe('#playground&change=L1.attn%3Azero');
    await page.getByRole('button', { name: 'Undo all' }).click();
    expect(await words(page, 0)).toBe('s ( SUM 7 3 6 ) > 6 e');
    expect(new URL(page.url()).hash).toBe('#playground');
    await closed(watched);
  });

  it('can be done with the keyboard alone, and says what it does', async () => {
    const watched = await opened();
    const { page } = watched;
    await column(page, 1).locator('.pg-written').waitFor();
    await page.getByLabel('Expression').focus();
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('(SUM 2 4)');
    expect(await words(page, 0)).toBe('s ( SUM 2 4 ) > 6 e');
    await page.getByLabel('holds it at its mean').focus();
    await page.keyboard.press('ArrowRight');
    // what is swapped in begins as the neighbour
    expect(await page.getByRole('textbox', { name: 'Other prompt' }).inputValue()).toBe('(SUM 3 4)');
    const cell = page.getByRole('grid').first().getByRole('button').first();
    await cell.focus();
    for (let i = 0; i < 4; i++) await page.keyboard.press('ArrowDown');
    for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowRight');
    const label = await page.evaluate('document.activeElement.getAttribute("aria-label")');
    expect(label).toBe('after layer 1, position 6 >, 100 %');
    await page.keyboard.press('Enter');
    expect(await words(page, 0)).toBe('s ( SUM 2 4 ) > 7 e');
    expect(await page.locator('.pg-written button').first().innerText()).toContain('\u2717');
    const said = await page.locator('.pg-hidden[role=status]').innerText();
    expect(said).toMatch(
      /^MAX\+MED\+SUM.*: With stream after layer 1 from the other prompt at position 6: 7 with .*, wrong\. SUM/,
    );
    await column(page, 0).locator('.pg-written button').nth(1).focus();
    await page.keyboard.press('Enter');
    expect(new URL(page.url()).hash).toContain('token=1');
    await column(page, 0).getByRole('button', { name: 'L1H0' }).focus();
    await page.getByRole('region', { name: `Pattern of L1H0, ${MIXED}@16000` }).waitFor();
    // a row says what it looks at, from the largest weight on, and shows it
    const row = column(page, 0).locator('.pg-triangle tbody tr').nth(6);
    const { engine } = await openEngine('wasm', { threads: 1 });
    const player = openPlayer(engine, readPlaygroundDocument(referenceDocument(MIXED)));
    const { patterns, words: own } = player.look({
      ask: '(SUM 2 4)',
      donor: '(SUM 3 4)',
      changes: [{ part: 'L1.resid_post', at: 6, how: 'swap' }],
      token: 1,
    });
    const T = own.length - 1;
    const weights = Array.from(patterns[1].weights.subarray(6 * T, 6 * T + 7), (w) => Math.round(100 * w));
    const most = weights.indexOf(Math.max(...weights));
    expect(
      (await row.getByRole('img').getAttribute('aria-label'))?.startsWith(
        `${own[most]} at ${most}: ${weights[most]}`,
      ),
    ).toBe(true);
    const shade = await page.evaluate(
      "getComputedStyle(document.querySelectorAll('.pg-triangle tbody tr')[6].querySelector('.pg-weights')).backgroundImage",
    );
    expect(shade).toMatch(/, linear-gradient\(to right, /);
    const box = await row.locator('.pg-weights').boundingBox();
    if (box === null) throw new Error('The row is in sight.');
    await page.mouse.move(box.x + ((most + 0.5) * box.width) / 7, box.y + box.height / 2);
    const title = await row.locator('.pg-weights').getAttribute('title');
    expect(title).toMatch(new RegExp(`^> to .* at ${most}: `));
    engine.dispose();
    await closed(watched);
  });

  it('opens an address as it was left, and says in one line what it cannot read', async () => {
    const state = 'ask=%28MAX+2+9%29&change=L0.mlp%3Amean&model=' + encodeURIComponent(`${MIXED}@16000`);
    const watched = await opened(state);
    const { page } = watched;
    await page.locator('.pg-written').waitFor();
    expect(await page.locator('.pg-model').count()).toBe(1);
    expect(await page.getByLabel('Expression').inputValue()).toBe('(MAX 2 9)');
    expect(await page.locator('.pg-parts small').innerText()).toBe('held at its mean');
    await page.getByLabel('Expression').fill('(MAX 2 <img src=x>');
    const problem = page.locator('#pg-unread');
    expect(await problem.innerText()).toMatch(/^expression at position 8: found "<img"/);
    // the last answer stays in sight
    expect(await words(page, 0)).toContain('s ( MAX 2 9 ) >');
    await page.getByLabel('Expression').fill('(MAX 2 9)');
    expect(await problem.isVisible()).toBe(false);
    await closed(watched);
    for (const [wrong, line] of [
      [
        'change=L0.attn:burn',
        'This address could not be read: change: found "L0.attn:burn", expected one of zero, mean, swap after ":".',
      ],
      [
        'model=none',
        `model "none": found no such model in this page, expected ${MIXED}@16000 or ${SUM_ONLY}@16000.`,
      ],
    ]) {
      const again = await opened(wrong);
      expect(await again.page.locator('.pg-problem[role=alert]').first().innerText()).toBe(line);
      await closed(again);
    }
  });

  it.each([
    { name: 'light', options: { colorScheme: 'light' } },
    { name: 'dark', options: { colorScheme: 'dark' } },
    { name: '390 pixels', options: { viewport: { width: 390, height: 800 } } },
  ])('has nothing that axe objects to, and fits: $name', async ({ options }) => {
    const watched = await opened('other=%28SUM+8+3+6%29&change=L1.attn%3Azero', options);
    const { page } = watched;
    await page.locator('.pg-swap').nth(1).waitFor();
    expect(await axeViolations(page)).toEqual([]);
    const beyond = await page.evaluate(
      "[...document.querySelectorAll('#playground *')].filter((e) => !e.closest('.pg-wide, .pg-hidden') && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.className)",
    );
    expect(beyond).toEqual([]);
    await watched.close();
  });
});
