/**
 * `npm run make:screenshots [-- --out <folder>] [--only <name>] [--width <pixels>]`: pictures of the viewer's pages, light
 * and dark, over the runs and the report that ship with the package. Those in docs/images are of the documentation.
 * Needs the built project and a Chromium.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { ROOT } from './common.mjs';
import { setUpOrExit } from './setup.mjs';
import { findChromium } from './test-tools.mjs';

const argument = (name, fallback) => {
  const at = process.argv.indexOf(name);
  return at === -1 ? fallback : process.argv[at + 1];
};

/** Pages by the name of their picture, what is there when they are drawn, and what is pressed before or measured for them. */
const PAGES = [
  { name: 'viewer-runs', path: '', ready: '.run-row.group' },
  { name: 'viewer-run', path: 'runs/{run}', ready: 'figure.chart path.line' },
  { name: 'viewer-reports', path: 'reports', ready: 'article.report' },
  { name: 'viewer-playground', path: 'playground', ready: '.pg-model ~ .pg-model .pg-written' },
  {
    name: 'viewer-compare',
    path: 'compare?of={all}&series=1&number=3',
    ready: 'figure.chart path.line',
    top: '#planes-title',
    isMeasured: true,
  },
  { name: 'viewer-jobs', path: 'jobs?kind=sweep&plan=own', ready: '.dry-run table', press: 'Dry run' },
];
const SCHEMES = ['light', 'dark'];

await setUpOrExit();
const out = resolve(argument('--out', join(ROOT, 'docs', 'images')));
const only = argument('--only', undefined);
const width = Number(argument('--width', '1280'));
const pages = PAGES.filter(({ name }) => only === undefined || name === only);
if (pages.length === 0) {
  console.error(`--only: found "${only}", expected one of ${PAGES.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}
const executablePath = findChromium();
if (executablePath === undefined) {
  console.error('Chromium: found none on PATH. Install it, or name one in CHROMIUM_PATH.');
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'sumlens-screenshots-'));
// what lies in the clone beside them would be in the picture too
for (const part of ['checkpoints/reference', 'reports/example']) {
  cpSync(join(ROOT, part), join(folder, part), { recursive: true });
}
mkdirSync(out, { recursive: true });
const { startViewer } = await import(pathToFileURL(join(ROOT, 'dist', 'src', 'viewer', 'start.js')).href);
const viewer = await startViewer({
  checkpointsDir: join(folder, 'checkpoints'),
  reportsDir: join(folder, 'reports'),
  port: 0,
  log: (line) => console.error(line),
});

/** Measures what is missing of a comparison, as its button does. */
async function measure(of) {
  const headers = { Authorization: `Bearer ${viewer.token}`, 'Content-Type': 'application/json' };
  const body = JSON.stringify({ of, series: true });
  const asked = await fetch(`${viewer.url}api/compare/job`, { method: 'POST', headers, body });
  let job = await asked.json();
  while (asked.ok && job.ended === null) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    job = await (await fetch(`${viewer.url}api/jobs/${job.id}`)).json();
  }
  if (job.state !== 'done') throw new Error(job.detail ?? job.reason ?? `The job was ${job.state}.`);
}

const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
try {
  const { runs } = await (await fetch(`${viewer.url}api/runs`)).json();
  const all = runs.filter(({ step }) => step > 0).map(({ address }) => `${address}@last`);
  if (pages.some(({ isMeasured }) => isMeasured)) await measure(all);
  for (const { name, path, ready, press, top } of pages) {
    for (const colorScheme of SCHEMES) {
      const viewport = { width, height: Math.round(width * 0.68) };
      const page = await browser.newPage({ viewport, colorScheme, reducedMotion: 'reduce' });
      const shown = path.replace('{run}', runs[0].address).replace('{all}', all.join(','));
      await page.goto(`${viewer.url}${shown}`);
      if (press !== undefined) await page.getByRole('button', { name: press, disabled: false }).click();
      await page.locator(ready).first().waitFor();
      await page.waitForLoadState('networkidle').catch(() => undefined);
      if (top !== undefined) await page.locator(top).evaluate((part) => part.scrollIntoView());
      const file = join(out, `${name}-${colorScheme}.png`);
      await page.screenshot({ path: file });
      console.log(file);
      await page.close();
    }
  }
} finally {
  await browser.close();
  await viewer.close();
  rmSync(folder, { recursive: true, force: true });
}
