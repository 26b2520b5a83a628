/**
 * The address is the state of the front end: which page, and what it shows. Links between pages load nothing anew, and
 * going back comes to the place that was left. An address is of plain letters (guard.ts), so queries have an encoding of their own.
 */
import { computed, signal } from '@preact/signals';
import { type Query, queryOf, queryText } from './query.js';

export type { Query };

export interface Place {
  /** below the viewer's root: `/`, `/runs/<address>` */
  readonly path: string;
  readonly query: Query;
}

/** Where the viewer is served: empty, or the path that a proxy puts before it. */
const BASE = new URL('..', import.meta.url).pathname.replace(/\/$/, '');
/** How long a page may take to become as tall as it was. */
const RESTORE_MS = 3000;
/** How long after scrolling its place is written into the history. */
const NOTED_MS = 250;

const here = signal<Place>(placeNow());
export const place = computed(() => here.value);

/** Scroll positions of this visit by entry of the history. */
const positions = new Map<string, number>();
let entry = entryNow();
let entries = 0;
let isPage: (path: string) => boolean = () => false;

/** The address of a page for an `href`. @param path - `/...` below the viewer's root */
export function href(path: string, query: Query = {}): string {
  // an address made from data must stay on this server
  if (!/^\/(?![/\\])/.test(path)) return '#';
  const text = queryText(query);
  return `${BASE}${path}${text === '' ? '' : `?${text}`}`;
}

/** Opens a page. `replace`: in place of this entry of the history, where the page stays the same. */
export function go(path: string, query: Query = {}, { replace = false } = {}): void {
  const to = href(path, query);
  if (replace) {
    history.replaceState(history.state, '', to);
    here.value = { path, query };
    return;
  }
  positions.set(entry, window.scrollY);
  entries += 1;
  entry = `${Math.round(performance.timeOrigin)}-${entries}`;
  history.pushState({ entry }, '', to);
  here.value = { path, query };
  window.scrollTo(0, 0);
  document.getElementById('main')?.focus({ preventScroll: true });
}

/** Changes some of what the query says and keeps the rest; undefined or empty: left out. */
export function setQuery(
  changes: Readonly<Record<string, string | undefined>>,
  options: { readonly replace?: boolean } = { replace: true },
): void {
  const { path, query } = here.value;
  const next = Object.entries({ ...query, ...changes }).filter(
    (pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '',
  );
  go(path, Object.fromEntries(next), options);
}

/** Follows links and the back button. @param knows - whether the front end has a page at that path */
export function startRouter(knows: (path: string) => boolean): void {
  isPage = knows;
  history.scrollRestoration = 'manual';
  if (entryNow() === '') {
    entry = `${Math.round(performance.timeOrigin)}-0`;
    history.replaceState({ entry }, '');
  }
  document.addEventListener('click', followLink);
  window.addEventListener('popstate', () => {
    // scroll events have noted where the entry that was left stood
    entry = entryNow();
    here.value = placeNow();
    restore(positions.get(entry) ?? yOf(history.state));
  });
  let timer = 0;
  const noted = (): void => {
    positions.set(entry, window.scrollY);
    // kept for when the page is loaded again, or another document takes over; browsers allow this only so often
    clearTimeout(timer);
    timer = window.setTimeout(() => history.replaceState({ entry, y: window.scrollY }, ''), NOTED_MS);
  };
  window.addEventListener('scroll', noted, { passive: true });
  restore(yOf(history.state));
}

function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (link === null || link.target !== '' || link.hasAttribute('download')) return;
  const url = new URL(link.href, location.href);
  if (url.origin !== location.origin || url.hash !== '' || !url.pathname.startsWith(BASE)) return;
  const path = url.pathname.slice(BASE.length) || '/';
  if (!isPage(path)) return;
  event.preventDefault();
  go(path, queryOf(url.search));
}

/** Scrolls down again as soon as the page is tall enough, unless somebody scrolls first. */
function restore(y: number): void {
  if (y === 0) {
    window.scrollTo(0, 0);
    return;
  }
  const until = performance.now() + RESTORE_MS;
  const own = entry;
  const touch = new AbortController();
  for (const name of ['wheel', 'pointerdown', 'keydown']) {
    window.addEventListener(name, () => touch.abort(), { signal: touch.signal, passive: true });
  }
  const attempt = (): void => {
    if (touch.signal.aborted || entry !== own) return;
    if (document.documentElement.scrollHeight >= y + window.innerHeight || performance.now() > until) {
      window.scrollTo(0, y);
      touch.abort();
    } else requestAnimationFrame(attempt);
  };
  requestAnimationFrame(attempt);
}

function placeNow(): Place {
  const { pathname, search } = location;
  const path = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : pathname;
  return { path: path || '/', query: queryOf(search) };
}

function entryNow(): string {
  const state: unknown = history.state;
  return typeof state === 'object' && state !== null && 'entry' in state ? String(state.entry) : '';
}

function yOf(state: unknown): number {
  return typeof state === 'object' && state !== null && 'y' in state ? Number(state.y) || 0 : 0;
}
