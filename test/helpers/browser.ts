/**
 * A real browser for tests: Chromium from CHROMIUM_PATH or PATH through playwright-core. Where there is none, tests fail
 * with the remedy; SUMLENS_NO_BROWSER=1 marks them skipped. The network is off: any request that is not file:, data: or
 * blob: is refused and recorded.
 */
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { ensureChromium } from '../../src/setup/browser.mjs';

/** Un-skip when SUMLENS_NO_BROWSER is unset: `describe.skipIf(NO_BROWSER)`. */
export const NO_BROWSER = process.env.SUMLENS_NO_BROWSER === '1';

/** @throws Error with the remedy when no Chromium is found */
export async function openBrowser(): Promise<Browser> {
  const executablePath = ensureChromium(() => undefined);
  if (executablePath === undefined)
    throw new Error(
      'No Chromium for the browser tests. Install it (Debian: apt-get install chromium), set CHROMIUM_PATH to one, or set SUMLENS_NO_BROWSER=1 to skip them.',
    );
  // the sandbox cannot start as root in a container; the pages are our own
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

export interface WatchedPage {
  readonly page: Page;
  /** requests to anywhere but the file itself */
  readonly requests: string[];
  /** console errors and warnings, uncaught errors, violations of the content policy, dialogs */
  readonly problems: string[];
  close(): Promise<void>;
}

/** A page with the network off that records everything that should not happen. */
export async function watchedPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ offline: true, ...options });
  const page = await context.newPage();
  const requests: string[] = [];
  const problems: string[] = [];
  await context.route(/^(?!file:|data:|blob:)/, async (route) => {
    requests.push(route.request().url());
    await route.abort();
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith('data:') && !url.startsWith('blob:') && request.resourceType() !== 'document')
      requests.push(url);
  });
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));
  page.on('dialog', async (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  await page.addInitScript(
    "document.addEventListener('securitypolicyviolation', (e) => console.error('policy violation: ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample))",
  );
  return { page, requests, problems, close: () => context.close() };
}
