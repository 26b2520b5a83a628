/** Every page: its path, its place in the navigation, and the code that draws it, loaded when it is first opened. */
import type { FunctionComponent } from 'preact';

export interface PageProps {
  /** last part of the path where it ends in `:name`; else empty */
  readonly name: string;
}

export type Page = FunctionComponent<PageProps>;

export interface PageEntry {
  /** `/runs/:name`: any name below; the server gives the shell at the same paths (routes/pages.ts) */
  readonly path: string;
  /** entry of the navigation */
  readonly nav?: string;
  /** path of the entry of the navigation that it belongs to; default: its own */
  readonly under?: string;
  load(): Promise<Page>;
}

export const PAGES: readonly PageEntry[] = [
  { path: '/', nav: 'Runs', load: async () => (await import('./pages/runs.js')).RunsPage },
  { path: '/runs/:name', under: '/', load: async () => (await import('./pages/run.js')).RunPage },
  { path: '/sweeps/:name', under: '/', load: async () => (await import('./pages/sweep.js')).SweepPage },
  { path: '/compare', nav: 'Compare', load: async () => (await import('./pages/compare.js')).ComparePage },
  {
    path: '/playground',
    nav: 'Playground',
    load: async () => (await import('./pages/playground.js')).PlaygroundPage,
  },
  { path: '/jobs', nav: 'Jobs', load: async () => (await import('./pages/jobs.js')).JobsPage },
  { path: '/reports', nav: 'Reports', load: async () => (await import('./pages/reports.js')).ReportsPage },
  {
    path: '/reports/:name',
    under: '/reports',
    load: async () => (await import('./pages/report.js')).ReportPage,
  },
];

export interface FoundPage {
  readonly page: PageEntry;
  readonly name: string;
}

export function pageAt(path: string): FoundPage | undefined {
  for (const page of PAGES) {
    if (page.path === path) return { page, name: '' };
    const [before, after] = page.path.split(':');
    const name = path.slice(before.length);
    if (after !== undefined && path.startsWith(before) && name !== '' && !name.includes('/')) {
      return { page, name };
    }
  }
  return undefined;
}
