/**
 * Entry of the script inside a report page: draws charts when they come near the view and all of them before printing,
 * switches between light and dark, exports pictures. No storage, no network; runs under the page's strict content policy.
 */
import { THEME_NAMES, type ThemeName } from '../../palette.js';
import { createDrawing, type Drawing } from './drawing.js';
import { wireExport } from './export.js';

/** What a test or the PNG export reads. */
export interface ReportHandle {
  readonly ready: { drawn: number; total: number; failed: number };
  /** draws everything that is not drawn yet */
  drawAll(): Promise<void>;
}

declare global {
  interface Window {
    sumlensReport: ReportHandle;
  }
}

/** Charts are drawn this far below the view. */
const NEAR = '600px';
/** Without an answer from the observer for so long everything is drawn. */
const PATIENCE_MS = 2000;

const json = (id: string): unknown => JSON.parse(document.getElementById(id)?.textContent ?? 'null');
const settings = json('settings') as { readonly conditions: readonly string[] };
const ready = { drawn: 0, total: 0, failed: 0 };
const dark = window.matchMedia('(prefers-color-scheme: dark)');
let theme: ThemeName = dark.matches ? 'dark' : 'light';

const places = [...document.querySelectorAll<HTMLElement>('[data-chart]')];
const drawings = new Map<string, Drawing>(
  places.map((place) => {
    const id = place.dataset.chart ?? '';
    return [id, createDrawing(place, json(`${id}-spec`), settings.conditions)];
  }),
);
ready.total = drawings.size;

// in a frame of the viewer a link to another page leads nowhere: there it stands above the frame
if (window.parent !== window) {
  for (const link of document.querySelectorAll('.beside a')) link.replaceWith(link.textContent);
  // and its address is the one that a reader sees: it follows the section of the report
  window.addEventListener('hashchange', () => window.parent.postMessage(location.hash, '*'));
}

async function draw(drawing: Drawing): Promise<void> {
  await drawing.draw(theme);
  const count = (state: Drawing['state']) => [...drawings.values()].filter((d) => d.state === state).length;
  ready.drawn = count('drawn');
  ready.failed = count('failed');
}

const drawAll = async (): Promise<void> => {
  await Promise.all([...drawings.values()].filter(({ state }) => state === 'waiting').map(draw));
};

function applyTheme(name: ThemeName): Promise<unknown> {
  theme = name;
  document.documentElement.dataset.theme = name;
  const button = document.getElementById('theme');
  button?.setAttribute('aria-pressed', String(name === THEME_NAMES[1]));
  return Promise.all([...drawings.values()].filter(({ state }) => state === 'drawn').map(draw));
}

/** Draws what comes near the view; everything where the browser cannot tell, or does not. */
function drawWhenNear(waiting: readonly Element[]): void {
  if (!('IntersectionObserver' in window)) {
    void drawAll();
    return;
  }
  let hasAnswered = false;
  const observer = new IntersectionObserver(
    (entries) => {
      hasAnswered = true;
      for (const { isIntersecting, target } of entries) {
        const drawing = drawings.get((target as HTMLElement).dataset.chart ?? '');
        if (!isIntersecting || drawing === undefined) continue;
        observer.unobserve(target);
        if (drawing.state === 'waiting') void draw(drawing);
      }
    },
    { rootMargin: NEAR },
  );
  for (const place of waiting) observer.observe(place);
  // it answers at once for everything that it watches, in view or not
  window.setTimeout(() => {
    if (!hasAnswered) void drawAll();
  }, PATIENCE_MS);
}

function wire(): void {
  for (const tools of document.querySelectorAll<HTMLElement>('.tools')) tools.hidden = false;
  document.getElementById('theme')?.addEventListener('click', () => {
    void applyTheme(theme === 'dark' ? 'light' : 'dark');
  });
  document.getElementById('print')?.addEventListener('click', () => {
    void drawAll().then(() => window.print());
  });
  wireExport((id) => {
    const drawing = drawings.get(id);
    if (drawing === undefined) return undefined;
    const { name, spec } = drawing;
    const title = document.querySelector(`#${id} h3`)?.textContent ?? name;
    return {
      name,
      spec,
      title,
      description: typeof spec.description === 'string' ? spec.description : title,
    };
  }, settings.conditions);
  dark.addEventListener('change', ({ matches }) => void applyTheme(matches ? 'dark' : 'light'));
  let before: ThemeName = theme;
  // drawing needs no timers, so it ends before the browser lays out the paper
  window.addEventListener('beforeprint', () => {
    before = theme;
    void applyTheme('light').then(drawAll);
  });
  window.addEventListener('afterprint', () => void applyTheme(before));
  let width = window.innerWidth;
  let pending = 0;
  window.addEventListener('resize', () => {
    if (window.innerWidth === width) return;
    width = window.innerWidth;
    window.clearTimeout(pending);
    pending = window.setTimeout(() => void applyTheme(theme), 150);
  });
}

window.sumlensReport = { ready, drawAll };
wire();
void applyTheme(theme);
const headlines = places.filter((place) => place.closest('.headlines') !== null);
for (const place of headlines) {
  const drawing = drawings.get(place.dataset.chart ?? '');
  if (drawing !== undefined) void draw(drawing);
}
drawWhenNear(places.filter((place) => !headlines.includes(place)));
