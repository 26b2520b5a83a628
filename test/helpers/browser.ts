/**
 * A real browser for tests: Chromium from CHROMIUM_PATH or PATH through playwright-core. Where there is none, or
 * SUMLENS_NO_BROWSER=1 is set, tests are skipped (needs.ts). The network is off: any request that is not file:, data: or
 * blob: is refused and recorded.
 */
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { findChromium } from '../../src/setup/test-tools.mjs';
import { missingBrowser } from './needs.js';

/** Why there is no browser, for `describeNeeding`; undefined where there is one. */
export const NO_BROWSER = missingBrowser();

/**
 * @param environment - added to the variables of this process
 * @throws Error when no Chromium is found
 */
export async function openBrowser(environment: Readonly<Record<string, string>> = {}): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(`No browser: ${NO_BROWSER ?? 'it is gone.'}`);
  const set = Object.entries(process.env).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return chromium.launch({
    executablePath,
    env: { ...(Object.fromEntries(set) as Record<string, string>), ...environment },
    // the sandbox cannot start as root in a container; the pages are our own
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  });
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
