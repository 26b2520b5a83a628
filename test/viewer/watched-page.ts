/** A page of the viewer in a browser that writes down everything that should not happen. */
import type { Browser, Page } from 'playwright-core';
import type { TestViewer } from './test-viewer.js';

export interface WatchOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly width?: number;
}

/** Pages of one test file, opened on its viewer. */
export class WatchedPages {
  private readonly opened: { readonly page: Page; readonly problems: string[] }[] = [];

  /** @param path - below the viewer's root, without the first `/` */
  async open(
    { browser, viewer }: { readonly browser: Browser; readonly viewer: TestViewer },
    path: string,
    { colorScheme = 'light', width = 1280 }: WatchOptions = {},
  ): Promise<Page> {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
    const page = await context.newPage();
    const problems: string[] = [];
    this.opened.push({ page, problems });
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(`uncaught: ${error.message}`));
    page.on('dialog', (dialog) => {
      problems.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(viewer.viewer.url)) problems.push(`request elsewhere: ${request.url()}`);
    });
    page.on('requestfailed', (request) => {
      if (request.failure()?.errorText !== 'net::ERR_ABORTED') problems.push(`failed: ${request.url()}`);
    });
    await page.addInitScript(`
      window.pwned = () => console.error('pwned');
      document.addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective + ' ' + e.blockedURI));
    `);
    await page.goto(`${viewer.viewer.url}${path}`);
    return page;
  }

  /** console errors and warnings, uncaught errors, violations of the content policy, dialogs, requests to elsewhere */
  problemsOf(page: Page): string[] {
    return this.opened.find((entry) => entry.page === page)?.problems ?? [];
  }

  /** Closes all that are open. @returns the problems of all of them */
  async closeAll(): Promise<string[]> {
    const closed = this.opened.splice(0);
    for (const { page } of closed) await page.context().close();
    return closed.flatMap(({ problems }) => problems);
  }
}

export { axeViolations } from '../helpers/axe.js';
