/** The page of jobs in a browser: filled in by keyboard, started, watched, stopped; and hostile strings in every field. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { JobList } from '../../src/viewer/contract/jobs.js';
import { NO_BROWSER, openBrowser } from '../helpers/browser.js';
import { describeNeeding } from '../helpers/needs.js';
import { HOSTILE } from './http/hostile-strings.js';
import { sampleConfig, writeReport, writeRun } from './sample-runs.js';
import { change, send, testViewer, type TestViewer } from './test-viewer.js';
import { WatchedPages, type WatchOptions } from './watched-page.js';

let viewer: TestViewer;
let browser: Browser;
let run = '';
const pages = new WatchedPages();

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const watched = (path: string, options?: WatchOptions): Promise<Page> =>
  pages.open({ browser, viewer }, path, options);
const problemsOf = (page: Page): readonly string[] => pages.problemsOf(page);

describeNeeding(NO_BROWSER, 'the page of jobs', () => {
  beforeAll(async () => {
    viewer = await testViewer(
      ({ checkpointsDir, reportsDir }) => {
        run = writeRun(checkpointsDir, { config: sampleConfig(['SUM'], 1), end: 'budget', until: 500 });
        HOSTILE.forEach((text, i) => {
          writeReport(reportsDir, `hostile-${i}`, { title: text });
          const folder = join(
            checkpointsDir,
            '.sumlens-jobs',
            `20260101-000000-${String(i).padStart(3, '0')}-abcdef`,
          );
          mkdirSync(folder, { recursive: true });
          const words = { title: text, command: text, runs: [text, run], notes: [text], report: text };
          const request = { kind: 'train' };
          const write = (name: string, value: unknown): void =>
            writeFileSync(join(folder, name), JSON.stringify(value));
          write('job.json', { ...words, request, cores: 1, added: text });
          write('begun.json', { begun: text, cores: 1 });
          write('progress.json', { share: 0.5, text, etaMs: 1 });
          write('end.json', { ended: text, outcome: i % 2 === 0 ? 'failed' : 'done', reason: text });
          writeFileSync(join(folder, 'log'), `${text}\n`);
        });
      },
      { cores: 1 },
    );
    const tags = HOSTILE.slice(0, 16).map((text) => text.slice(0, 40));
    const note = HOSTILE.join('\n').slice(0, 4000);
    const answer = await change(viewer.viewer, `/api/runs/${run}/notes`, 'PUT', { tags, note });
    expect(answer.status).toBe(200);
    browser = await openBrowser();
  }, 60_000);
  afterEach(async () => {
    await pages.closeAll();
  });
  afterAll(async () => {
    await browser?.close();
    await viewer?.stop();
  });

  it('starts what was filled in by keyboard, shows its words, and it outlives the page', async () => {
    const page = await watched('jobs');
    await page.getByLabel('Steps', { exact: true }).focus();
    await page.keyboard.type('40000000');
    await page.getByRole('checkbox', { name: 'FIRST' }).focus();
    await page.keyboard.press('Space');
    await page.getByLabel('D model').fill('0');
    await page
      .getByText('model.dModel (--d-model): found 0, expected a whole number from 1 to 1024.')
      .waitFor();
    expect(await page.getByRole('button', { name: 'Start', exact: true }).isDisabled()).toBe(true);
    await page.getByLabel('D model').fill('8');
    await page.getByText('sumlens train --tasks FIRST --d-model 8 --steps 40000000').waitFor();
    await page.getByRole('button', { name: 'Start', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('Asked for: train first-').waitFor();
    const card = page.locator('article.job', { hasText: '--steps 40000000' });
    await card.locator('progress[value]').waitFor({ timeout: 60_000 });
    await page.reload();
    await card.locator('progress[value]').waitFor();
    await card.getByRole('button', { name: 'Stop' }).click();
    await card.getByText('cancelled').waitFor({ timeout: 60_000 });
    await card.getByText('What it prints').click();
    await card.getByText('goes on where it stopped when the same command is given again').waitFor();
    await card.getByRole('button', { name: 'Start again' }).waitFor();
    // a refused value is an answer of 400, which the browser's console tells
    expect(problemsOf(page).filter((text) => !/status of 400/.test(text))).toEqual([]);
  }, 150_000);

  it('shows the settings of every section, with the defaults of a preset', async () => {
    const page = await watched('jobs?preset=authors');
    await page.locator('.job-form details').first().waitFor();
    for (const summary of await page.locator('.job-form summary').all()) await summary.click();
    const fields = await page.locator('.form-field').count();
    const { body } = await send(viewer.viewer, '/api/jobs/form');
    expect(fields).toBe((body as { fields: readonly unknown[] }).fields.length + 1);
    expect(await page.getByLabel('Window').getAttribute('placeholder')).toBe('128');
    expect(problemsOf(page)).toEqual([]);
  });

  it("starts a plan of one's own after its dry run, from the editor or a file, with its fault beside the editor", async () => {
    const page = await watched('jobs?kind=sweep&plan=own');
    const editor = page.getByLabel('Text of the plan');
    const start = page.getByRole('button', { name: 'Start', exact: true });
    await page.getByText('sumlens sweep plan.yaml').waitFor();
    expect(await start.isDisabled()).toBe(true);
    await editor.fill('name: my-sweep\narms: { a: { model.dModel: 0 } }\nseeds: [1]\n');
    const fault = page.locator('.plan-editor .notice.bad');
    await fault
      .filter({ hasText: /^plan my-sweep, arm a: model\.dModel \(--d-model\): found 0, expected/ })
      .waitFor();
    expect(await editor.getAttribute('aria-invalid')).toBe('true');
    expect(await page.getByRole('button', { name: 'Dry run' }).isDisabled()).toBe(true);
    const text =
      'name: from-file\nbase: { training.steps: 30000000, model.dModel: 8 }\narms: { a: { data.tasks: [SUM] }, b: { data.tasks: [MAX] } }\nseeds: [1, 2]\nclaims: [C2]\n';
    const file = join(viewer.root, 'plan.yaml');
    writeFileSync(file, 'x'.repeat(60_000));
    await page.getByLabel('Read a file').setInputFiles(file);
    await fault.filter({ hasText: 'plan.yaml: found 60' }).waitFor();
    writeFileSync(file, text);
    await page.getByLabel('Read a file').setInputFiles(file);
    await fault.waitFor({ state: 'detached' });
    expect(await editor.inputValue()).toBe(text);
    expect(await editor.getAttribute('aria-invalid')).toBe('false');
    await page.getByRole('button', { name: 'Dry run' }).focus();
    await page.keyboard.press('Enter');
    const cost = page.getByRole('region', { name: 'What the sweep would do' });
    await cost.waitFor({ timeout: 60_000 });
    expect(await cost.locator('tbody tr').count()).toBe(2);
    await page.getByText(/^4 runs, 4 left: at most \S+ core-hours$/).waitFor();
    expect(await page.locator('.reach li').count()).toBeGreaterThan(0);
    await page.evaluate(AXE);
    expect(
      await page.evaluate<string[]>(
        'axe.run(document).then((result) => result.violations.map((v) => v.id + v.nodes.map((n) => n.target.join(" ")).join()))',
      ),
    ).toEqual([]);
    // another text is another plan, whose cost nobody has seen
    await editor.press('End');
    await editor.pressSequentially('# ');
    await page.getByText('Look at the dry run first').waitFor();
    expect(await start.isDisabled()).toBe(true);
    await editor.fill(text);
    await cost.waitFor();
    await start.click();
    await page.getByText('Asked for: sweep from-file: 4 runs.').waitFor();
    const card = page.locator('article.job', { hasText: 'sweep from-file: 4 runs' });
    await card.getByRole('button', { name: /^(Stop|Do not start)$/ }).click();
    await card.getByText('cancelled').waitFor({ timeout: 60_000 });
    expect(problemsOf(page).filter((one) => !/status of 400/.test(one))).toEqual([]);
  }, 180_000);

  it('executes nothing of sixty hostile strings in every field, and shows them as text', async () => {
    expect(HOSTILE.length).toBeGreaterThanOrEqual(60);
    const { body } = await send(viewer.viewer, '/api/jobs');
    expect((body as JobList).jobs.length).toBeGreaterThanOrEqual(HOSTILE.length);
    for (const path of [
      'jobs',
      '',
      `runs/${run}`,
      'reports',
      'reports/hostile-3',
      'jobs?kind=probe&checkpoints=_3Cimg',
    ]) {
      const page = await watched(path);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await page.waitForTimeout(500);
      if (path === 'jobs') {
        await page.getByRole('button', { name: /^Show \d+ more$/ }).click();
        for (const text of HOSTILE.filter((one) => !/[\0\t\u2028\ufeff]/.test(one))) {
          expect(
            await page.locator('article.job h3').filter({ hasText: text }).count(),
            text,
          ).toBeGreaterThan(0);
        }
        for (const summary of (await page.locator('article.job summary').all()).slice(0, 3))
          await summary.click();
        await page.waitForTimeout(700);
      }
      expect(
        await page.locator('main :is(img, script, iframe:not([sandbox]), object, embed, form, base)').count(),
        path,
      ).toBe(0);
      const links = await page
        .locator('main a')
        .evaluateAll((all) => all.map((one) => String((one as { href?: unknown }).href)));
      expect(
        links.filter((link) => !link.startsWith(viewer.viewer.url)),
        path,
      ).toEqual([]);
      // what is no run is refused, which the browser's console tells
      const refused = /status of 400/;
      expect(
        problemsOf(page).filter((text) => !(path.includes('kind=probe') && refused.test(text))),
        path,
      ).toEqual([]);
    }
  }, 120_000);

  it.each(['light', 'dark'] as const)(
    'has nothing to complain of for axe, %s, nor sideways scrolling at 390 px',
    async (scheme) => {
      for (const kind of ['', '?kind=preset', '?kind=probe', '?kind=sweep', '?kind=sweep&plan=own']) {
        const page = await watched(`jobs${kind}`, { colorScheme: scheme, width: 390 });
        await page.locator('article.job').first().waitFor();
        await page.locator('.form-field').first().waitFor();
        for (const summary of await page.locator('.job-form summary').all()) await summary.click();
        await page.evaluate(AXE);
        const found = await page.evaluate<string[]>(`axe.run(document).then((result) =>
        result.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.target.join(' ')).join(', ')))`);
        expect(found, kind).toEqual([]);
        const overflow = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
        expect(overflow, kind).toBeLessThanOrEqual(0);
      }
    },
    120_000,
  );
});
