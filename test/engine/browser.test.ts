/** The WASM engine gives its own same bytes in Node and in Chromium; the bundle shows that it needs nothing of Node. */
import { build } from 'esbuild';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readWasmModule } from '../../src/engine/registry.js';
import { NO_BROWSER, openBrowser, watchedPage } from '../helpers/browser.js';
import { describeNeeding } from '../helpers/needs.js';
import { type BrowserTrace, runInBrowser } from './browser-run.js';

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [new URL('browser-run.ts', import.meta.url).pathname],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    globalName: 'sumlensRun',
    target: 'es2022',
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}

describeNeeding(NO_BROWSER, 'the WASM engine in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await openBrowser();
  });
  afterAll(async () => browser.close());

  it('gives the bytes that it gives in Node: training, gradients, activations, generation', async () => {
    const wasm = readWasmModule();
    const expected = await runInBrowser(wasm);
    const watched = await watchedPage(browser);
    const { page, problems, requests } = watched;
    await page.addScriptTag({ content: `${await bundle()};globalThis.sumlensRun = sumlensRun;` });
    const found: BrowserTrace = await page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const bundled = globalThis as unknown as {
        readonly sumlensRun: { readonly runInBrowser: (wasm: Uint8Array) => Promise<BrowserTrace> };
      };
      return bundled.sumlensRun.runInBrowser(bytes);
    }, Buffer.from(wasm).toString('base64'));
    await watched.close();
    expect(problems).toEqual([]);
    expect(requests).toEqual([]);
    expect(found.kernelHash).toBe(expected.kernelHash);
    expect(found.losses).toEqual(expected.losses);
    expect(found.generated).toEqual(expected.generated);
    expect(expected.bits.length).toBeGreaterThan(10_000);
    expect(found.bits.length).toBe(expected.bits.length);
    expect(found.bits.findIndex((word, i) => word !== expected.bits[i])).toBe(-1);
  });
});
